"""The models that the benchmark knows by name, a file a family."""

from __future__ import annotations

from genrec.benchmark.models.cf import CF, FEATURES, FLOOR
from genrec.benchmark.models.content import CONTENT
from genrec.benchmark.models.generative import CEILING, FUSION, GENERATIVE, HYBRID
from genrec.benchmark.models.named import NamedModel
from genrec.benchmark.models.sequential import SEQUENTIAL

__all__ = ["NAMED_MODELS", "NamedModel"]

_BY_FAMILY: dict[str, NamedModel] = {
    **FLOOR,
    **CF,
    **CONTENT,
    **FEATURES,
    **SEQUENTIAL,
    **FUSION,
    **GENERATIVE,
    **HYBRID,
    **CEILING,
}

# A budget may end a run anywhere: what a reader asks for first comes first, and of equals the cheap.
_FIRST = (
    *FLOOR,
    "item-knn",
    "ease",
    "user-knn-recent",
    "item-knn-recent",
    "ease-recent",
    "hybrid-knn-recent",
    "markov-skip",
    "sasrec",
    "gpt-semantic",
    "tfidf-knn",
    "ease+text",
)

NAMED_MODELS: dict[str, NamedModel] = {name: _BY_FAMILY[name] for name in dict.fromkeys((*_FIRST, *_BY_FAMILY))}
"""Every model, in the order in which a benchmark of all runs them."""
