"""The leakage audit: can the figures be believed? Run on every benchmark, shown in every report."""

from __future__ import annotations

from genrec.evaluation.audit.finding import Finding, Severity, worst
from genrec.evaluation.audit.run import audit, audit_folds

__all__ = ["Finding", "Severity", "audit", "audit_folds", "worst"]
