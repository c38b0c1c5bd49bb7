"""Scorers that read what items say about themselves."""

from __future__ import annotations

from genrec.baselines.content.bert_knn import BertKNN
from genrec.baselines.content.bert_matcher import BertMatcher
from genrec.baselines.content.tfidf_knn import TfidfKNN
from genrec.baselines.content.word_matcher import WordMatcher

__all__ = ["BertKNN", "BertMatcher", "TfidfKNN", "WordMatcher"]
