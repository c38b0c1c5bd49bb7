"""Toy data and tiny models with a known answer, shipped so that plug-ins can be tested with them."""

from genrec.testing.toy import toy_catalog, toy_dataset, toy_next_item

__all__ = ["toy_catalog", "toy_dataset", "toy_next_item"]
