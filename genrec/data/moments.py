"""Moments as files write them: dates in text, and numbers that are dates in disguise."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_A_TIME = "is not a timestamp in numbers"
NOT_A_DATE = "is not an ISO 8601 date or time, such as 2024-01-31 or 2024-01-31 18:05:00"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE = datetime(2024, 1, 31, 18, 5, tzinfo=UTC)
_DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%b %d, %Y",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# Numbers of days of a spreadsheet: from 1954 to 2119.
_SHEET_DAYS = (20_000, 80_000)
_YEAR_S = 365 * 86_400
# Seconds get there in the year 5138; milliseconds were there in 1973.
_NOT_SECONDS = 10**11


def check_format(format: str) -> None:
    """Refuse a format of dates, as ``strptime`` takes them, that does not tell year, month and day.

    Raises
    ------
    ConfigError
        Naming the format, with one that works.
    """
    try:
        back = datetime.strptime(_EXAMPLE.strftime(format), format).date()
        problem = "" if back == _EXAMPLE.date() else "it does not tell year, month and day"
    except ValueError as error:
        problem = str(error)
    if problem:
        hint = "for example '%d/%m/%Y' or '%d.%m.%Y %H:%M'; the codes are those of strptime"
        raise ConfigError(f"--timestamp-format {format!r} cannot be read: {problem}", hint=hint)


def not_in_format(format: str) -> str:
    """What is wrong with a date that is not in a format.

    Examples
    --------
    >>> not_in_format("%d/%m/%Y")
    "is not a date of the format '%d/%m/%Y', such as 31/01/2024"
    """
    return f"is not a date of the format {format!r}, such as {_EXAMPLE.strftime(format)}"


def micros(text: str | None, format: str | None = None) -> int | None:
    """Microseconds since 1970, UTC where no zone is named, of a date in ISO 8601 or a format; None if it is not one."""
    text = (text or "").strip()
    try:
        moment = datetime.fromisoformat(text) if format is None else datetime.strptime(text, format)
        since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds


def date_options(text: str) -> str:
    """Options of an import that would read a text as a date, in words; none names one for example.

    Examples
    --------
    >>> date_options("31.01.2024 18:05")
    "--timestamp-format '%d.%m.%Y %H:%M'"
    """
    if micros(text) is not None:
        return "--timestamp-unit iso"
    formats = (date + time for date, time in product(_DATES, _TIMES))
    fit = [f"--timestamp-format {format!r}" for format in formats if micros(text, format) is not None]
    return " or ".join(fit) or "--timestamp-unit iso, or --timestamp-format with their format, such as '%d/%m/%Y'"


def doubtful_seconds(seconds: NDArray[np.int64]) -> str:
    """Why timestamps, int64 (n,), are probably no seconds, and the way out; empty where nothing speaks against it."""
    if np.median(seconds) > _NOT_SECONDS:
        return "timestamps lie beyond the year 5000: if they are milliseconds, import with timestamp_unit 'ms'"
    first, last = int(seconds.min()), int(seconds.max())
    if first < _SHEET_DAYS[0] or last >= _YEAR_S:
        return ""
    found = f"all timestamps, such as {first}, are taken for seconds and so lie in 1970"
    if all(micros(str(value)) is not None for value in np.unique(seconds).tolist()):
        return f"{found}: they look like dates, so import with --timestamp-unit iso"
    if last <= _SHEET_DAYS[1]:
        day = datetime.fromtimestamp((first - 25_569) * 86_400, UTC).date()
        iso = f"format the column as a date there (here {day}) and import with --timestamp-unit iso"
        return f"{found}: if they are the days of a spreadsheet, {iso}"
    return f"{found}: if they are none, say what they are with --timestamp-unit or --timestamp-format"
