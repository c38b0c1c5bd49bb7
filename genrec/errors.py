"""The errors genrec raises: one small tree, each with the way out.

Every error carries an optional ``hint``, printed below the message, and the exit status the command
line ends with: 1 where the user's data or model is at fault, 2 where the call is.
"""

from __future__ import annotations

from typing import ClassVar


class GenrecError(Exception):
    """Base of all errors raised on purpose by genrec.

    Parameters
    ----------
    message
        What is wrong, naming the file, line, field or value.
    hint
        What the caller can do about it.

    Examples
    --------
    >>> print(GenrecError("no such column: 'usr'", hint="columns are user_id, item_id"))
    no such column: 'usr'
      hint: columns are user_id, item_id
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class DataError(GenrecError):
    """A data set, or a file it is made from, cannot be used as it is."""


class UnknownIdError(DataError):
    """A user or item id that the data set does not know."""


class ModelError(GenrecError):
    """A model folder or base model cannot be used as it is."""


class MissingModelError(ModelError):
    """A base model or encoder is not on this machine and cannot be fetched."""


class TrainingError(GenrecError):
    """A training run that cannot go on to a model worth having."""


class EngineError(GenrecError):
    """An engine that computes a model does not start, does not answer, or answers with something else."""


class ResourceError(GenrecError):
    """A run would not fit the machine's memory or disk."""


class StorageError(ResourceError):
    """A disk refuses to keep what it is given; what was not acknowledged is not there."""


class StorageFullError(StorageError):
    """There is no room left on the disk, or within the size that was set; nothing is kept in part."""


class ConfigError(GenrecError):
    """A configuration key, value or combination that is not valid."""

    exit_status = 2


class FilterError(ConfigError):
    """A filter expression that does not parse or names no column of the catalog."""


class UnsupportedError(ConfigError):
    """Something that genrec, or the chosen model, does not do."""


class ServiceError(GenrecError):
    """A service does not answer a request, though nothing is wrong with it."""


class QueueFullError(ServiceError):
    """As many requests wait as may.

    Parameters
    ----------
    retry_after_s
        Seconds after which there should be room, as far as the requests of late tell.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many requests are waiting", hint=f"try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class DeadlineError(ServiceError):
    """A request was not answered in the time that was given for it."""


class NotReadyError(ServiceError):
    """A service is starting, stopping, or has lost what computes its answers."""
