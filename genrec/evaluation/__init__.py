"""Evaluation: metrics, the protocol every model is measured by, and reports.

The benchmark itself is imported from its modules (:mod:`genrec.evaluation.benchmark`,
:mod:`genrec.evaluation.runner`): it knows every model, and models are evaluated while they train.
"""

from __future__ import annotations

from genrec.evaluation.protocol import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
