"""Why an item was recommended: facts that can be checked, and a sentence made of them."""

from genrec.explain.explain import explain
from genrec.explain.reasons import (
    BoostReason,
    Evidence,
    Explanation,
    FilterReason,
    HistoryReason,
    WordReason,
)

__all__ = [
    "BoostReason",
    "Evidence",
    "Explanation",
    "FilterReason",
    "HistoryReason",
    "WordReason",
    "explain",
]
