"""Scorers that read what items say about themselves."""

from __future__ import annotations

from genrec.baselines.content.bert_knn import BertKNN
from genrec.baselines.content.bert_matcher import BertMatcher
from genrec.baselines.content.tfidf_knn import TfidfKNN

__all__ = ["BertKNN", "BertMatcher", "TfidfKNN"]
