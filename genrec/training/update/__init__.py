"""Incremental fine-tuning: a model learns what its users did since, and is promoted only if it is not worse for it."""

from genrec.training.update.config import UpdateConfig
from genrec.training.update.report import UpdateReport
from genrec.training.update.run import update

__all__ = ["UpdateConfig", "UpdateReport", "update"]
