"""Transformers over items: what is met next, given what was met in which order."""

from __future__ import annotations

from genrec.baselines.sequential.bert4rec import BERT4Rec
from genrec.baselines.sequential.sasrec import SASRec
from genrec.baselines.sequential.text_sasrec import TextSASRec

__all__ = ["BERT4Rec", "SASRec", "TextSASRec"]
