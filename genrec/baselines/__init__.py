"""Baselines: scorers that need no language model."""

from __future__ import annotations

from genrec.baselines.base import Ranking, Scorer
from genrec.baselines.ease import EASE, EASEConfig
from genrec.baselines.item_knn import ItemKNN, ItemKNNConfig
from genrec.baselines.popularity import Popularity

__all__ = ["EASE", "EASEConfig", "ItemKNN", "ItemKNNConfig", "Popularity", "Ranking", "Scorer"]
