"""Candidate generators: a fast scorer picks the items that a slow one ranks."""

from __future__ import annotations

from genrec.retrieval.candidates import Candidates
from genrec.retrieval.oracle import Oracle

__all__ = ["Candidates", "Oracle"]
