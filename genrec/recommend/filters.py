"""The filter language: expressions over catalog columns, such as ``year>=1990 and not genre=Horror``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import CATEGORIES
from genrec.errors import FilterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog

ALIASES = {"genre": CATEGORIES, "genres": CATEGORIES, "category": CATEGORIES}
MAX_CHARS = 2_000
MAX_DEPTH = 50
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TOKEN = re.compile(
    r"""\s*(?:(?P<op><=|>=|!=|==|[<>=~])|(?P<paren>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()<>=!~"']+))"""
)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Comparison:
    """``column operator value``, at ``position`` of ``expression``."""

    column: str
    operator: str
    value: str
    expression: str
    position: int

    def mask(self, catalog: Catalog) -> NDArray[np.bool_]:
        """Items that satisfy the comparison, bool (N,); a missing value never does."""
        column = catalog.table[self.column_name(catalog)].combine_chunks()
        if not pa.types.is_list(column.type) and not pa.types.is_large_list(column.type):
            return self._compare(column)
        # A list satisfies a comparison when one of its values does, and != when none equals.
        parents = pc.list_parent_indices(column).to_numpy()
        positive = self if self.operator != "!=" else Comparison(self.column, "=", *self._rest())
        hits = np.zeros(len(column), dtype=np.bool_)
        hits[parents[positive._compare(pc.list_flatten(column))]] = True
        return hits if self.operator != "!=" else ~hits & _valid(column)

    def _rest(self) -> tuple[str, str, int]:
        return self.value, self.expression, self.position

    def column_name(self, catalog: Catalog) -> str:
        """Name of the column in the catalog, which may be written in another case, or by an alias.

        Raises
        ------
        FilterError
            There is no such column.
        """
        names = catalog.table.column_names
        wanted = self.column if self.column in names else ALIASES.get(self.column.lower(), self.column)
        found = [name for name in names if name == wanted] or [n for n in names if n.lower() == wanted.lower()]
        if not found:
            message = f"items have no column {self.column!r}"
            _fail(self.expression, self.position, message, f"columns are {', '.join(names)}")
        return str(found[0])

    def _compare(self, column: pa.Array) -> NDArray[np.bool_]:
        kind = column.type
        if pa.types.is_boolean(kind):
            return self._compare_numbers(column.cast(pa.int8()), self._boolean())
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            numbers = column.cast(pa.float64()) if pa.types.is_decimal(kind) else column
            return self._compare_numbers(numbers, self._number())
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            try:
                moment = pc.cast(pa.scalar(self.value), kind).value
            except pa.ArrowInvalid:
                self._unfit("is not a date such as 2024-01-31")
            return self._compare_numbers(column.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64()), moment)
        return self._compare_texts(column)

    def _compare_numbers(self, column: pa.Array, value: float) -> NDArray[np.bool_]:
        if self.operator == "~":
            self._unfit("cannot be searched for: ~ is for text")
        valid = _valid(column)
        numbers = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
        if numbers.dtype.kind == "f":
            valid &= ~np.isnan(numbers)
        result: NDArray[np.bool_] = _ORDER[self.operator](numbers, value) & valid
        return result

    def _compare_texts(self, column: pa.Array) -> NDArray[np.bool_]:
        if self.operator not in ("=", "!=", "~"):
            example = next((repr(value[:40]) for value in column.cast(pa.string()).to_pylist() if value), "none")
            hint = (
                f"values of {self.column} are text, such as {example}; to order them, import them as numbers (1200.50)"
            )
            self._unfit(f"cannot be ordered by {self.operator}: text takes =, != and ~", hint)
        texts, value = pc.utf8_lower(column.cast(pa.string())), pc.utf8_lower(pa.scalar(self.value))
        hits = pc.match_substring(texts, value.as_py()) if self.operator == "~" else pc.equal(texts, value)
        result: NDArray[np.bool_] = pc.fill_null(hits, False).to_numpy(zero_copy_only=False)
        return result if self.operator != "!=" else ~result & _valid(column)

    def _number(self) -> float:
        try:
            return int(self.value) if re.fullmatch(r"[+-]?\d+", self.value) else float(self.value)
        except ValueError:
            self._unfit("is not a number")

    def _boolean(self) -> bool:
        if self.operator not in ("=", "!=") or self.value.lower() not in _BOOLEANS:
            self._unfit("does not fit: use =true or =false")
        return _BOOLEANS[self.value.lower()]

    def _unfit(self, problem: str, hint: str | None = None) -> NoReturn:
        _fail(self.expression, self.position, f"{self.column}: {self.value!r} {problem}", hint)


@dataclass(frozen=True)
class Not:
    """Items that do not satisfy ``part``, those with missing values among them."""

    part: Filter

    def mask(self, catalog: Catalog) -> NDArray[np.bool_]:
        """Complement of the part's mask, bool (N,)."""
        return ~self.part.mask(catalog)


@dataclass(frozen=True)
class Combined:
    """All (``and``) or at least one (``or``) of several parts."""

    word: str
    parts: tuple[Filter, ...]

    def mask(self, catalog: Catalog) -> NDArray[np.bool_]:
        """Intersection or union of the parts' masks, bool (N,)."""
        masks = np.stack([part.mask(catalog) for part in self.parts])
        join = np.logical_and if self.word == "and" else np.logical_or
        result: NDArray[np.bool_] = join.reduce(masks, axis=0)
        return result


Filter = Comparison | Not | Combined


def filter_mask(catalog: Catalog, expressions: Sequence[str]) -> NDArray[np.bool_]:
    """Items that satisfy every expression.

    Parameters
    ----------
    catalog
        The items and their columns.
    expressions
        Filter expressions, see :func:`parse_filter`; none lets every item pass.

    Returns
    -------
    numpy.ndarray
        bool (N,).

    Raises
    ------
    FilterError
        An expression does not parse, names no column, or compares it with a value that does not fit it.

    Examples
    --------
    >>> from genrec.data.catalog import Catalog
    >>> table = pa.table({"item_id": ["a", "b"], "title": ["Heat", "Big"], "year": [1995, 1988]})
    >>> filter_mask(Catalog(table), ["year>=1990"]).tolist()
    [True, False]
    """
    mask = np.ones(len(catalog), dtype=np.bool_)
    for expression in expressions:
        mask &= parse_filter(expression).mask(catalog)
    return mask


def parse_filter(expression: str) -> Filter:
    """Parse one expression.

    ``column op value`` with ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` or ``~`` (contains), joined by ``and``,
    ``or``, ``not`` and parentheses. Text is compared without regard to case; a list column satisfies a
    comparison when one of its values does. ``genre`` and ``category`` stand for ``categories``. Values
    with ``and``, ``or``, ``not`` or special characters in them need quotes.

    Parameters
    ----------
    expression
        At most 2,000 characters.

    Raises
    ------
    FilterError
        Naming the position of what does not parse.

    Examples
    --------
    >>> parse_filter("title~'star wars' or year<1980").word
    'or'
    """
    if len(expression) > MAX_CHARS:
        _fail(expression[:40] + "...", 0, f"longer than {MAX_CHARS} characters")
    return _Parser(expression).parse()


def filter_columns(catalog: Catalog, expression: str) -> tuple[str, ...]:
    """Columns of a catalog that an expression speaks of, each once, in the order it names them.

    Parameters
    ----------
    catalog
        The items and their columns.
    expression
        A filter expression, see :func:`parse_filter`.

    Raises
    ------
    FilterError
        The expression does not parse, or names no column.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> filter_columns(toy_dataset().catalog, "year>=1990 and not (genre=Drama or Year<1980)")
    ('year', 'categories')
    """
    return tuple(dict.fromkeys(part.column_name(catalog) for part in comparisons(parse_filter(expression))))


def comparisons(part: Filter) -> Iterator[Comparison]:
    """The comparisons that a filter is made of, in the order it names them."""
    if isinstance(part, Comparison):
        yield part
    else:
        for inner in (part.part,) if isinstance(part, Not) else part.parts:
            yield from comparisons(inner)


class _Parser:
    """Recursive descent: or < and < not < comparison."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = list(_tokens(expression))
        self.at = 0

    def parse(self) -> Filter:
        result = self._joined("or", 0)
        if self.kind != "end":
            self._expected("'and' or 'or'")
        return result

    @property
    def kind(self) -> str:
        """What stands next: and, or, not, a parenthesis, op, value or end."""
        return self.tokens[self.at][0]

    def _next(self) -> tuple[str, str, int]:
        self.at += 1
        return self.tokens[self.at - 1]

    def _joined(self, word: str, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            self._expected(f"at most {MAX_DEPTH} nested parts")
        parts = [self._joined("and", depth) if word == "or" else self._negated(depth)]
        while self.kind == word:
            self._next()
            parts.append(self._joined("and", depth) if word == "or" else self._negated(depth))
        return parts[0] if len(parts) == 1 else Combined(word, tuple(parts))

    def _negated(self, depth: int) -> Filter:
        negations = 0
        while self.kind == "not":
            self._next()
            negations += 1
        part = self._nested(depth) if self.kind == "(" else self._comparison()
        return Not(part) if negations % 2 else part

    def _nested(self, depth: int) -> Filter:
        self._next()
        part = self._joined("or", depth + 1)
        if self.kind != ")":
            self._expected("')'")
        self._next()
        return part

    def _comparison(self) -> Filter:
        if self.kind != "value":
            self._expected("a column name")
        _, column, position = self._next()
        if self.kind != "op":
            self._expected("one of = != < <= > >= ~")
        _, sign, _ = self._next()
        if self.kind != "value":
            self._expected("a value")
        words = [self._next()[1]]
        while self.kind == "value":
            words.append(self._next()[1])
        return Comparison(column, "=" if sign == "==" else sign, " ".join(words), self.expression, position)

    def _expected(self, what: str) -> NoReturn:
        _, text, position = self.tokens[self.at]
        _fail(self.expression, position, f"expected {what}, found {repr(text) if text else 'the end'}")


def _tokens(expression: str) -> list[tuple[str, str, int]]:
    """Cut into (kind, text, position), with an end token."""
    tokens, at = [], 0
    end = len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None:
            start = at + len(expression[at:]) - len(expression[at:].lstrip())
            open_quote = expression[start] in "'\""
            _fail(
                expression, start, "a quote that is not closed" if open_quote else f"unexpected {expression[start]!r}"
            )
        name = match.lastgroup or ""
        text = match[name]
        kind = "value" if name in ("word", "double", "single") else text if name == "paren" else name
        if name == "word" and text.lower() in ("and", "or", "not"):
            kind = text.lower()
        tokens.append((kind, text, match.start(name)))
        at = match.end()
    return [*tokens, ("end", "", end)]


def _valid(column: pa.Array) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return result


def _fail(expression: str, position: int, problem: str, hint: str | None = None) -> NoReturn:
    raise FilterError(f"filter {expression!r}, position {position}: {problem}", hint=hint)
