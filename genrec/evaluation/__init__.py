"""Evaluation: metrics, the protocol every model is measured by, and reports."""

from __future__ import annotations

from genrec.evaluation.benchmark import BenchmarkReport, run_benchmark
from genrec.evaluation.protocol import Evaluation, evaluate
from genrec.evaluation.table import comparison_rows, markdown_table

__all__ = ["BenchmarkReport", "Evaluation", "comparison_rows", "evaluate", "markdown_table", "run_benchmark"]
