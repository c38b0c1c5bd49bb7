"""Toy data, tiny models with a known answer and contract tests, shipped so that plug-ins can be tested with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.data.toy import toy_basket_dataset, toy_catalog, toy_dataset, toy_next_item
from genrec.testing.tiny import FixedTokenizer, tiny_codes, tiny_generator, tiny_prompt

if TYPE_CHECKING:
    from genrec.testing.scorer_contract import ScorerContract

__all__ = [
    "FixedTokenizer",
    "ScorerContract",
    "tiny_codes",
    "tiny_generator",
    "tiny_prompt",
    "toy_basket_dataset",
    "toy_catalog",
    "toy_dataset",
    "toy_next_item",
]


def __getattr__(name: str) -> type[ScorerContract]:
    # When asked for: it imports pytest, which genrec itself does without.
    if name == "ScorerContract":
        from genrec.testing.scorer_contract import ScorerContract

        return ScorerContract
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
