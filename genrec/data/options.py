"""The words that an import's options take; no imports, so that the command line starts at once."""

from __future__ import annotations

from typing import Literal

Format = Literal["auto", "csv", "tsv", "jsonl", "parquet", "recbole", "movielens", "amazon"]
OnBadRows = Literal["raise", "skip", "quarantine"]
TimestampUnit = Literal["s", "ms", "us", "ns", "iso"]
