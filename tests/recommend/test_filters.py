"""The filter language against a plain Python evaluation."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.errors import FilterError
from genrec.recommend.filters import filter_mask, parse_filter

ROWS = [
    {"title": "Matrix, The", "year": 1999, "price": 9.5, "in_stock": True, "categories": ["Action", "Sci-Fi"]},
    {"title": "Heat", "year": 1995, "price": None, "in_stock": False, "categories": ["Crime", "Action"]},
    {"title": "Big (1988)", "year": None, "price": 20.0, "in_stock": None, "categories": ["Comedy"]},
    {"title": "Rock and Roll", "year": 1990, "price": float("nan"), "in_stock": True, "categories": []},
    {"title": "matrix revisited", "year": 2001, "price": 0.0, "in_stock": False, "categories": None},
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    columns["item_id"] = [str(number) for number in range(len(ROWS))]
    return Catalog(pa.table(columns))


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("year>=1990", [0, 1, 3, 4]),
        ("year != 1999", [1, 3, 4]),
        ("not year>=1990", [2]),
        ("genre=action", [0, 1]),
        ("category = 'Sci-Fi'", [0]),
        ("categories!=Action", [2, 3]),
        ("categories~com", [2]),
        ("price<20", [0, 4]),
        ("price!=20", [0, 4]),
        ("in_stock=true", [0, 3]),
        ("in_stock=no", [1, 4]),
        ("title~MATRIX", [0, 4]),
        ("title = 'rock and roll'", [3]),
        ("title=Big (1988)", None),
        ('title="Big (1988)"', [2]),
        ("Title = matrix   revisited", [4]),
        ("year<1995 or year>2000 and in_stock=false", [3, 4]),
        ("(year<1995 or year>2000) and in_stock=true", [3]),
        ("not not (genre=Comedy)", [2]),
        ("NOT genre=Comedy AND year==1999", [0]),
    ],
)
def test_hand_made_expressions(catalog: Catalog, expression: str, rows: list[int] | None) -> None:
    if rows is None:
        with pytest.raises(FilterError, match="position 10"):
            filter_mask(catalog, [expression])
    else:
        assert np.flatnonzero(filter_mask(catalog, [expression])).tolist() == rows


def test_several_expressions_must_all_hold_and_none_lets_all_pass(catalog: Catalog) -> None:
    assert filter_mask(catalog, ["year>1990", "in_stock=false"]).tolist() == [False, True, False, False, True]
    assert filter_mask(catalog, []).all()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "position 0: expected a column name, found the end"),
        ("year", "position 4: expected one of"),
        ("year>>1990", "position 5: expected a value, found '>'"),
        ("year>1990 and", "position 13: expected a column name"),
        ("(year>1990", "position 10: expected '\\)'"),
        ("year>1990)", "position 9: expected 'and' or 'or', found '\\)'"),
        ("title='x", "position 6: a quote that is not closed"),
        ("year>abc", "year: 'abc' is not a number"),
        ("in_stock>true", "use =true or =false"),
        ("title<b", "cannot be ordered by <"),
        ("year~19", "~ is for text"),
        ("year!1990", "position 4: unexpected '!'"),
        ("a=1 or colour=red", "position 0: items have no column 'a'\n  hint: columns are .*title"),
        ("(" * 60 + "year=1" + ")" * 60, "at most 50 nested"),
        ("x" * 3000, "longer than 2000"),
    ],
)
def test_errors_say_where_and_what(catalog: Catalog, expression: str, message: str) -> None:
    with pytest.raises(FilterError, match=message) as error:
        filter_mask(catalog, [expression])
    assert error.value.exit_status == 2


def test_dates_and_decimals() -> None:
    import datetime
    import decimal

    dates = [datetime.date(2024, 1, 31), None, datetime.date(2023, 5, 1)]
    moments = [datetime.datetime(2024, 1, 31, 12), None, datetime.datetime(2023, 5, 1)]
    prices = [decimal.Decimal("1.50"), decimal.Decimal("2.25"), None]
    table = pa.table({"item_id": ["a", "b", "c"], "title": ["A", "B", "C"], "d": dates, "m": moments, "p": prices})
    catalog = Catalog(table)
    assert filter_mask(catalog, ["d>=2024-01-01"]).tolist() == [True, False, False]
    assert filter_mask(catalog, ["m<2024-01-01"]).tolist() == [False, False, True]
    assert filter_mask(catalog, ["p<=1.5"]).tolist() == [True, False, False]
    with pytest.raises(FilterError, match="is not a date"):
        filter_mask(catalog, ["d>tomorrow"])


def test_list_of_numbers_and_sliced_columns() -> None:
    table = pa.table({"item_id": list("abcd"), "title": list("ABCD"), "sizes": [[9], [1, 5], None, [2]]})
    catalog = Catalog(table.slice(1))
    assert filter_mask(catalog, ["sizes>4"]).tolist() == [True, False, False]
    assert filter_mask(catalog, ["sizes!=1"]).tolist() == [False, False, True]


NUMBERS = st.sampled_from([1988, 1990, 1995, 1999, 2001])
SIGNS = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "=": "__eq__", "!=": "__ne__"}


def evaluate(tree: tuple, row: dict) -> bool:
    match tree:
        case ("year", sign, value):
            return row["year"] is not None and bool(getattr(row["year"], SIGNS[sign])(value))
        case ("genre", sign, value):
            values = row["categories"]
            return values is not None and ((value in values) is (sign == "="))
        case ("title", _, value):
            return value.lower() in row["title"].lower()
        case ("not", part):
            return not evaluate(part, row)
        case (word, left, right):
            join = all if word == "and" else any
            return join([evaluate(left, row), evaluate(right, row)])


def text(tree: tuple) -> str:
    match tree:
        case (("year" | "genre" | "title") as column, sign, value):
            return f"{column} {sign} '{value}'"
        case ("not", part):
            return f"not ({text(part)})"
        case (word, left, right):
            return f"({text(left)}) {word} ({text(right)})"


COMPARISONS = (
    st.tuples(st.just("year"), st.sampled_from(sorted(SIGNS)), NUMBERS)
    | st.tuples(st.just("genre"), st.sampled_from(["=", "!="]), st.sampled_from(["Action", "Comedy", "Sci-Fi", "War"]))
    | st.tuples(st.just("title"), st.just("~"), st.sampled_from(["matrix", "BIG", "(19", "and", " ", "zz"]))
)
TREES = st.recursive(
    COMPARISONS,
    lambda part: st.tuples(st.just("not"), part) | st.tuples(st.sampled_from(["and", "or"]), part, part),
    max_leaves=8,
)


@given(TREES)
def test_agrees_with_python(catalog: Catalog, tree: tuple) -> None:
    assert filter_mask(catalog, [text(tree)]).tolist() == [evaluate(tree, row) for row in ROWS]


@given(st.text(max_size=60) | st.text(alphabet="year title=<>!~()'\" andornt19", max_size=40))
def test_anything_parses_or_is_a_filter_error(catalog: Catalog, expression: str) -> None:
    try:
        mask = parse_filter(expression).mask(catalog)
    except FilterError:
        return
    assert mask.shape == (len(ROWS),)
