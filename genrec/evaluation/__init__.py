"""Evaluation: metrics, the protocol every model is measured by, statistics, and the leakage audit."""

from __future__ import annotations

from genrec.evaluation.protocol import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
