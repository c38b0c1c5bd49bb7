"""Numbers as people write them: with a currency sign, a decimal comma, or separators between thousands."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from genrec.data.checks import LEADING_ZERO
from genrec.data.readers.rows import shown

_CODES = (
    "EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|BRL|MXN|ZAR|UAH|RUB|kr|zł|Kč|Ft|Fr"
)
_SIGN = rf"(?:[A-Za-z]{{0,2}}\p{{Sc}}|(?:{_CODES})\.?)"
_BLANK = r"[ \x{a0}\x{202f}]?"
_MINUS = r"[-\x{2212}]?"
_DIGITS = r"[0-9](?:[0-9.,'\x{2019} \x{a0}\x{202f}]*[0-9])?"
AMOUNT = (
    rf"^(?P<minus>{_MINUS})(?P<before>(?:{_SIGN})?){_BLANK}(?P<inner>{_MINUS})"
    rf"(?P<digits>{_DIGITS}){_BLANK}(?P<after>(?:{_SIGN})?)$"
)
_WHOLE = r"0|[1-9][0-9]*"
_THIN = ("'", r"\x{2019}", " ", r"\x{a0}", r"\x{202f}")
# What stands before the decimals, and between thousands.
_CONVENTIONS = ((r"\.", ","), (",", r"\."))


@dataclass(frozen=True, eq=False)
class Amounts:
    """What a column of text turned out to be.

    Parameters
    ----------
    numbers
        float64 (n,), if all values are numbers in one convention.
    note
        How they are read, in words.
    doubt
        Why the column stays text, if most of it looks like numbers.
    """

    numbers: pa.ChunkedArray | None = None
    note: str = ""
    doubt: str = ""


def read_amounts(text: pa.ChunkedArray) -> Amounts:
    """Read a column of text as numbers, if all its values are, in one currency and one convention.

    Without a currency sign, thousands are separated by a point or comma only: ``555 123 456`` may be a telephone
    number.

    Parameters
    ----------
    text
        Text (n,); missing values stay missing.

    Examples
    --------
    >>> read_amounts(pa.chunked_array([["€1.200,50", None, "€3"]])).numbers.to_pylist()
    [1200.5, None, 3.0]
    >>> read_amounts(pa.chunked_array([["$1,200", "$3"]])).doubt
    "'$1,200' may be 1200 or 1.2"
    """
    text = pc.utf8_trim_whitespace(text)
    some = text.drop_null()
    parts = pc.extract_regex(text, AMOUNT)
    found = parts.drop_null()
    if 2 * len(found) <= len(some) or pc.any(pc.match_substring_regex(some, LEADING_ZERO)).as_py():
        return Amounts()
    signs = _signs(found)
    if len(signs) > 1:
        return Amounts(doubt=f"its amounts are in more than one currency, {signs[0]!r} and {signs[1]!r}")
    readings = [_read(parts, decimal, between, bool(signs)) for decimal, between in _CONVENTIONS]
    whole = [numbers for numbers in readings if numbers.null_count == text.null_count]
    if not whole:
        return Amounts(doubt=_misfit(text, max(readings, key=lambda numbers: len(numbers) - numbers.null_count)))
    differ = pc.fill_null(pc.not_equal(whole[0], whole[-1]), False)
    if pc.any(differ).as_py():
        row = pc.index(differ, True).as_py()
        values = " or ".join(f"{numbers[row].as_py():g}" for numbers in readings)
        return Amounts(doubt=f"{text[row].as_py()!r} may be {values}")
    length = pc.utf8_length(text)  # the longest value shows the most of the convention
    row = pc.index(length, pc.max(length)).as_py()
    return Amounts(whole[0], note=f"{text[row].as_py()!r} is read as the number {whole[0][row].as_py():.15g}")


def _signs(parts: pa.ChunkedArray) -> list[str]:
    signs = [pc.struct_field(parts, name).unique().to_pylist() for name in ("before", "after")]
    return sorted({sign for both in signs for sign in both if sign})


def _read(parts: pa.ChunkedArray, decimal: str, between: str, signed: bool) -> pa.ChunkedArray:
    """Numbers in one convention; null where a value does not keep to it."""
    groups = "|".join(f"(?:{mark}[0-9]{{3}})+" for mark in (between, *(_THIN if signed else ())))
    digits = pc.struct_field(parts, "digits")
    fits = pc.match_substring_regex(digits, rf"^(?:{_WHOLE}|[1-9][0-9]{{0,2}}(?:{groups}))(?:{decimal}[0-9]+)?$")
    bare = pc.replace_substring_regex(digits, rf"{between}|{'|'.join(_THIN)}", "")
    numbers = pc.if_else(fits, pc.replace_substring_regex(bare, decimal, "."), None).cast(pa.float64())
    minus = pc.binary_join_element_wise(pc.struct_field(parts, "minus"), pc.struct_field(parts, "inner"), "")
    return pc.if_else(pc.not_equal(minus, ""), pc.negate(numbers), numbers)


def _misfit(text: pa.ChunkedArray, numbers: pa.ChunkedArray) -> str:
    """The first value that is no number, if most are."""
    is_number = pc.is_valid(numbers)
    count, some = pc.sum(is_number).as_py(), len(text) - text.null_count
    if 2 * count <= some:
        return ""
    first = text[pc.index(pc.and_(pc.is_valid(text), pc.invert(is_number)), True).as_py()].as_py()
    example = text[pc.index(is_number, True).as_py()].as_py()
    return f"{shown(first)!r} is not a number as {count} of its {some} values are, such as {example!r}"
