"""The models that the benchmark knows by name, a file a family."""

from __future__ import annotations

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.evaluation.models.content import CONTENT
from genrec.evaluation.models.generative import CEILING, FUSION, GENERATIVE, HYBRID
from genrec.evaluation.models.named import NamedModel

__all__ = ["NAMED_MODELS", "NamedModel"]

NAMED_MODELS: dict[str, NamedModel] = {
    "popularity": NamedModel("popularity", "floor", Popularity),
    "item-knn": NamedModel("item-knn", "cf", ItemKNN),
    "ease": NamedModel("ease", "cf", EASE),
    **CONTENT,
    **FUSION,
    **GENERATIVE,
    **HYBRID,
    **CEILING,
}
