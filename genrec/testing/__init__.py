"""Toy data and tiny models with a known answer, shipped so that plug-ins can be tested with them."""

from genrec.data.toy import toy_catalog, toy_dataset, toy_next_item
from genrec.testing.tiny import FixedTokenizer, tiny_codes, tiny_generator, tiny_prompt

__all__ = [
    "FixedTokenizer",
    "tiny_codes",
    "tiny_generator",
    "tiny_prompt",
    "toy_catalog",
    "toy_dataset",
    "toy_next_item",
]
