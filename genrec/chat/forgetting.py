"""Which statements somebody means who takes something back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from genrec.columns import CATEGORIES
from genrec.prompt.words import FUNCTION_WORDS, singular, split_words
from genrec.recommend.filters import filter_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.chat.state import Said
    from genrec.data.catalog import Catalog
    from genrec.prompt.match import Match
    from genrec.prompt.understanding import Matcher

Gone = Callable[["Said"], bool]

_VALUES = ("wanted", "unwanted")
_CATEGORY_WORDS = ("genre", "category", "kind", "type")
_YEAR_WORDS = ("year", "date", "decade", "age", "period", "time")
_PRICE_WORDS = ("price", "cost", "budget", "money")
_KIND_WORDS = {
    **dict.fromkeys(("like", "liked", "love", "loved", "favourite", "favorite"), "liked"),
    **dict.fromkeys(("dislike", "disliked", "hate", "hated"), "disliked"),
    "limit": "limit",
    "word": "words",
}


def meant(words: str, matches: Sequence[Match], said: Sequence[Said], matcher: Matcher, catalog: Catalog) -> list[Gone]:
    """Tests of statements: those that pass one of them are meant.

    Parameters
    ----------
    words
        What is to be forgotten, such as ``the year`` or ``comedy and Heat``.
    matches
        What the catalog's matcher found in these words.
    said
        All that was said. A limit that was not said as it is forgotten means all limits of its column.
    matcher
        It knows the columns of years and prices.
    catalog
        The items.
    """
    tests = [_same(match, said, catalog) for match in matches]
    covered = {word for match in matches for word in match.text.split()}
    keys = [singular(word.key) for word in split_words(words)]
    columns = [column for key in keys for column in _columns(key, matcher, catalog)]
    kinds = [_KIND_WORDS[key] for key in keys if key in _KIND_WORDS] if not matches and not columns else []
    tests += [partial(_is_of, column, catalog) for column in columns]
    tests += [partial(_is_kind, kind) for kind in kinds]
    loose = (
        {word.key for word in split_words(words)}
        - FUNCTION_WORDS
        - {word.key for text in covered for word in split_words(text)}
    )
    tests.append(lambda one: one.kind == "words" and any(word.key in loose for word in split_words(one.value)))
    return tests


def any_of(tests: Sequence[Gone]) -> Gone:
    """Passes what passes one of the tests."""
    return lambda one: any(test(one) for test in tests)


def speaks_of_columns(words: str, matcher: Matcher, catalog: Catalog) -> bool:
    """Whether words name a column, as in ``any year``."""
    return any(_columns(singular(word.key), matcher, catalog) for word in split_words(words))


def _same(match: Match, said: Sequence[Said], catalog: Catalog) -> Gone:
    """Statements about the same title or value, or the same limit."""
    if match.item >= 0:
        return lambda one: one.kind in ("liked", "disliked", "passed") and one.value == catalog.ids[match.item]
    positive = match.expression.removeprefix("not ")
    if match.kind == "limit":
        same = {one.value for one in said if one.kind == "limit"} & {match.expression, positive}
        column = filter_columns(catalog, match.expression)[0]
        return lambda one: one.kind == "limit" and (one.value in same or (not same and _is_of(column, catalog, one)))
    return lambda one: one.kind in _VALUES and one.value.removeprefix("not ") == positive


def _columns(key: str, matcher: Matcher, catalog: Catalog) -> list[str]:
    names = [name for name in catalog.table.column_names if name.lower() == key or singular(name.lower()) == key]
    groups = ((_YEAR_WORDS, matcher.year_column), (_PRICE_WORDS, matcher.price_column), (_CATEGORY_WORDS, CATEGORIES))
    return [*names, *(column for words, column in groups if key in words and column is not None)]


def _is_of(column: str, catalog: Catalog, one: Said) -> bool:
    return _column(one, catalog) == column


def _is_kind(kind: str, one: Said) -> bool:
    return one.kind == kind


def _column(one: Said, catalog: Catalog) -> str | None:
    return filter_columns(catalog, one.value)[0] if one.kind in ("wanted", "unwanted", "limit") else None
