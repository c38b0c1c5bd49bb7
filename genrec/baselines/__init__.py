"""Baselines: scorers that need no language model."""

from __future__ import annotations

from genrec.baselines.als import ALS
from genrec.baselines.base import Ranking, Scorer
from genrec.baselines.bpr import BPR
from genrec.baselines.ease import EASE
from genrec.baselines.ease_with_features import EASEWithFeatures
from genrec.baselines.hybrid_knn import HybridKNN
from genrec.baselines.item_knn import ItemKNN
from genrec.baselines.markov import MarkovChain
from genrec.baselines.popularity import Popularity
from genrec.baselines.random import Random
from genrec.baselines.user_knn import UserKNN

__all__ = [
    "ALS",
    "BPR",
    "EASE",
    "EASEWithFeatures",
    "HybridKNN",
    "ItemKNN",
    "MarkovChain",
    "Popularity",
    "Random",
    "Ranking",
    "Scorer",
    "UserKNN",
]
