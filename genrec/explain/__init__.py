"""Why an item was recommended: facts that can be checked, and a sentence made of them."""

from genrec.explain.explain import explain
from genrec.explain.reasons import (
    BoostReason,
    Explanation,
    FilterReason,
    HistoryReason,
    PeopleReason,
    WordReason,
)

__all__ = [
    "BoostReason",
    "Explanation",
    "FilterReason",
    "HistoryReason",
    "PeopleReason",
    "WordReason",
    "explain",
]
