"""From values as a file has them to the types of a data set, noting each row that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.data.moments import NOT_A_DATE, NOT_A_TIME, micros, not_in_format
from genrec.data.readers.rows import BadRow, shown
from genrec.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.options import TimestampUnit
    from genrec.data.readers.rows import Rows

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

# At most 18 digits, which int64 always holds. No leading zero: 007 is a name, not a number.
INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
LEADING_ZERO = r"^[+-]?0[0-9]"


class Checks:
    """The rows of one file, and which of them are good so far.

    Parameters
    ----------
    rows
        What was read.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.good = np.ones(len(rows.table), dtype=np.bool_)
        self.bad: list[BadRow] = list(rows.bad)
        self.notes: list[str] = []
        self.doubts: list[str] = []

    def reject(self, mask: NDArray[np.bool_], column: str, reason: str) -> None:
        """Mark rows as bad because of a column; a row counts once, for the first fault found."""
        mask = mask & self.good
        self.good &= ~mask
        # A fast read has no lines; the file is read again before a bad row is shown to anyone.
        if self.rows.lines is None:
            return
        for index in np.flatnonzero(mask):
            value = self.rows.table[column][int(index)].as_py()
            line = int(self.rows.lines[index])
            shown_value = "" if value is None else shown(value)
            self.bad.append(BadRow(self.rows.path.name, line, column, shown_value, reason, self.rows.unit))

    def ids(self, column: str) -> pa.ChunkedArray:
        """Ids as strings, (n,), without blanks around them; missing and empty ones are bad."""
        values = self.rows.table[column]
        if pa.types.is_floating(values.type) or pa.types.is_nested(values.type):
            message = f"{self.rows.path.name}: column {column!r} holds {values.type} values, which cannot be ids"
            raise DataError(message, hint="store ids as text or whole numbers")
        text = values.cast(pa.string())
        ids = pc.utf8_trim_whitespace(text)
        if blank := pc.sum(pc.not_equal(ids, text)).as_py():
            self.notes.append(f"column {column!r}: blanks around {blank} ids are left out")
        self.reject(_mask(pc.equal(pc.fill_null(ids, ""), "")), column, "is not an id (empty)")
        return ids

    def distinct(self, ids: pa.ChunkedArray, column: str) -> None:
        """Mark all but the first row of each id as bad."""
        codes = pc.fill_null(ids, "").combine_chunks().dictionary_encode().indices.to_numpy()
        repeat = np.ones(len(codes), dtype=np.bool_)
        repeat[np.unique(codes, return_index=True)[1]] = False
        self.reject(repeat, column, "stands there a second time")

    def numbers(self, column: str, reason: str = "is not a number") -> NDArray[np.float64]:
        """Finite numbers, float64 (n,); anything else is bad, for the reason given, and NaN in the answer."""
        values = self.rows.table[column]
        if _is_text(values.type):
            text = pc.utf8_trim_whitespace(values.cast(pa.string()))
            numbers = pc.if_else(pc.match_substring_regex(text, NUMBER), text, None).cast(pa.float64())
        elif _is_number(values.type):
            numbers = values.cast(pa.float64())
        else:
            raise DataError(f"{self.rows.path.name}: column {column!r} holds {values.type} values, not numbers")
        result: NDArray[np.float64] = numbers.to_numpy().astype(np.float64)
        self.reject(~np.isfinite(result), column, reason)
        return result

    def seconds(
        self, column: str, unit: TimestampUnit, format: str | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Whole seconds UTC, int64 (n,), and the fraction of a second cut off, float64 (n,).

        With a `format`, as ``strptime`` takes it, values are dates in text, whatever the unit.
        """
        values = self.rows.table[column]
        if _is_moment(values.type) or unit == "iso" or format is not None:
            return self._moments(column, format)
        if _is_text(values.type):
            text = pc.utf8_trim_whitespace(values.cast(pa.string()))
            whole = pc.if_else(pc.match_substring_regex(text, INTEGER), text, None).cast(pa.int64())
        else:
            whole = values if pa.types.is_integer(values.type) else pa.nulls(len(values), pa.int64())
        is_whole = _mask(pc.is_valid(whole))
        # Only what is no whole number goes through floating point: nanoseconds need all 64 bits.
        exact = pc.fill_null(whole, 0).to_numpy().astype(np.int64)
        numbers = np.zeros(len(values)) if is_whole.all() else self.numbers(column, NOT_A_TIME)
        per_second = PER_SECOND[unit]
        rounded = np.nan_to_num(numbers / per_second)
        self.reject(~is_whole & (np.abs(rounded) > 2**53), column, "is not a moment in time")
        rounded = np.where(np.abs(rounded) > 2**53, 0, rounded)
        seconds = np.where(is_whole, exact // per_second, np.floor(rounded).astype(np.int64))
        fraction = np.where(is_whole, exact % per_second / per_second, rounded - np.floor(rounded))
        return seconds, fraction

    def _moments(self, column: str, format: str | None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        values = self.rows.table[column]
        if _is_moment(values.type):
            moments = values.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        else:
            codes = values.cast(pa.string()).combine_chunks().dictionary_encode()
            parsed = pa.array([micros(value, format) for value in codes.dictionary.to_pylist()], pa.int64())
            moments = parsed.take(codes.indices)
        self.reject(_mask(pc.is_null(moments)), column, not_in_format(format) if format else NOT_A_DATE)
        exact = pc.fill_null(moments, 0).to_numpy().astype(np.int64)
        return exact // 10**6, exact % 10**6 / 10**6


def text_lists(values: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Make lists of strings: text is cut at `separator`, nested lists are flattened, blank entries left out.

    Examples
    --------
    >>> text_lists(pa.chunked_array([["Tea|Hot", ""]]), "|").to_pylist()
    [['Tea', 'Hot'], []]
    """
    if not pa.types.is_list(values.type):
        text = pc.fill_null(values.cast(pa.string()), "")
        values = pc.split_pattern(text, separator)
    lists = [list(dict.fromkeys(_flat(value))) for value in values.to_pylist()]
    return pa.chunked_array([pa.array(lists, pa.list_(pa.string()))])


def infer_type(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Type a text column by what it holds: whole numbers, numbers, true/false, else text; empty is null.

    Numbers with a leading zero (zip codes, article numbers) stay text. Columns that are not text stay as they are.

    Examples
    --------
    >>> [str(infer_type(pa.chunked_array([column])).type) for column in (["1", ""], ["1", "2.5"], ["01", "2"])]
    ['int64', 'double', 'string']
    """
    if not _is_text(values.type):
        return values
    text = values.cast(pa.string())
    text = pc.if_else(pc.equal(text, ""), None, text)
    some = text.drop_null()
    if len(some) == 0:
        return text
    if _all(pc.match_substring_regex(some, INTEGER)):
        return text.cast(pa.int64())
    leading_zeros = pc.any(pc.match_substring_regex(some, LEADING_ZERO)).as_py()
    if not leading_zeros and _all(pc.match_substring_regex(some, NUMBER)):
        return text.cast(pa.float64())
    if _all(pc.is_in(pc.utf8_lower(some), value_set=pa.array(["true", "false"]))):
        return pc.equal(pc.utf8_lower(text), "true")
    return text


def _flat(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for inner in value for text in _flat(inner)]
    text = "" if value is None else str(value).strip()
    return [text] if text else []


def _mask(values: pa.ChunkedArray | pa.Array) -> NDArray[np.bool_]:
    return cast("NDArray[np.bool_]", np.asarray(values, dtype=np.bool_))


def _all(values: pa.ChunkedArray) -> bool:
    return bool(pc.all(values).as_py())


def _is_text(type: pa.DataType) -> bool:
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_dictionary(type))


def _is_number(type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type) or pa.types.is_floating(type) or pa.types.is_decimal(type))


def _is_moment(type: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(type) or pa.types.is_date(type))
