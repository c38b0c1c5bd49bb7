"""Words, their forms, titles as people say them, years and prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.prompt.quantities import find_prices, find_years
from genrec.prompt.titles import spoken
from genrec.prompt.words import normal, split_words, stem
from genrec.recommend.filters import parse_filter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from the nineties", ["year>=1990 and year<=1999"]),
        ("1990s", ["year>=1990 and year<=1999"]),
        ("90's", ["year>=1990 and year<=1999"]),
        ("'90s", ["year>=1990 and year<=1999"]),
        ("the 2000s", ["year>=2000 and year<=2009"]),
        ("10s", ["year>=2010 and year<=2019"]),
        ("the late 80s", ["year>=1986 and year<=1989"]),
        ("early nineties", ["year>=1990 and year<=1993"]),
        ("before 1980", ["year<1980"]),
        ("before the 80s", ["year<1980"]),
        ("after 2000", ["year>2000"]),
        ("after the 80s", ["year>1989"]),
        ("newer than 1995", ["year>1995"]),
        ("older than 1995", ["year<1995"]),
        ("not older than 1995", ["year>=1995"]),
        ("no later than 1995", ["year<=1995"]),
        ("since 1995", ["year>=1995"]),
        ("1995 or later", ["year>=1995"]),
        ("up to 1995", ["year<=1995"]),
        ("between 1990 and 1995", ["year>=1990 and year<=1995"]),
        ("between 1995 and 1990", ["year>=1990 and year<=1995"]),
        ("from 1990 to 1995", ["year>=1990 and year<=1995"]),
        ("1990-1995", ["year>=1990 and year<=1995"]),
        ("in 1994", ["year=1994"]),
        ("not from the 80s", ["not (year>=1980 and year<=1989)"]),
        ("not in 1994", ["not (year=1994)"]),
        ("80s and 90s", ["(year>=1980 and year<=1989) or (year>=1990 and year<=1999)"]),
        ("after 1980, before 1990", ["year<1990", "year>1980"]),
        ("the 80ies", ["year>=1980 and year<=1989"]),
        ("the second half of the nineties", ["year>=1995 and year<=1999"]),
        ("the beginning of the 80s", ["year>=1980 and year<=1983"]),
        ("at the latest from 1995", ["year<=1995"]),
        ("1995 at the latest", ["year<=1995"]),
        ("1995 and up", ["year>=1995"]),
        ("1995+", ["year>=1995"]),
        ("predating 1995", ["year<1995"]),
        ("something old", []),
        ("12345 times, 1994x", []),
    ],
)
def test_years(text: str, expected: list[str]) -> None:
    assert [found.expression for found in find_years(text, "year")] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("under 20", ["price<20"]),
        ("cheaper than $20.50", ["price<20.50"]),
        ("less than 1,200 dollars", ["price<1200"]),
        ("up to 9,99 euros", ["price<=9.99"]),
        ("no more than 20", ["price<=20"]),
        ("not over 20", ["price<=20"]),
        ("over 20", ["price>20"]),
        ("at least 5 euros", ["price>=5"]),
        ("between 20 and 10 dollars", ["price>=10 and price<=20"]),
        ("twenty", []),
    ],
)
def test_prices(text: str, expected: list[str]) -> None:
    assert [found.expression for found in find_prices(text, "price")] == expected


WORDS = "between 1990 90s and not no before the nineties - , under $5 2000 or".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_every_expression_parses_and_spans_lie_in_the_text(text: str) -> None:
    for found in [*find_years(text, "year"), *find_prices(text, "price")]:
        parse_filter(found.expression)
        assert all(0 <= start < end <= len(text) for start, end in found.spans)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Heat (1995)", "Heat"),
        ("Matrix, The (1999)", "The Matrix"),
        ("Postino, Il", "Il Postino"),
        ("Avventura, L' (1960)", "L'Avventura"),
        (
            "City of Lost Children, The (Cité, La)",
            "The City of Lost Children (Cité, La)",
        ),
        ("Creams, Gels & Lotions", "Creams, Gels & Lotions"),
        ("(1995)", "(1995)"),
        ("2001: A Space Odyssey", "2001: A Space Odyssey"),
    ],
)
def test_spoken_titles(title: str, expected: str) -> None:
    assert spoken(title) == expected


def test_stems_meet() -> None:
    pairs = [
        ("comedies", "comedy"), ("comedic", "comedy"), ("romantic", "romance"), ("animated", "animation"),
        ("thrilling", "thriller"), ("dramatic", "drama"), ("adventurous", "adventure"), ("mysteries", "mysterious"),
        ("historical", "history"), ("musicals", "musical"), ("westerns", "western"),
    ]  # fmt: skip
    assert [(a, b) for a, b in pairs if stem(a) != stem(b)] == []
    assert stem("horror") != stem("comedy")


@given(st.text(max_size=100))
def test_words_lie_where_they_say(text: str) -> None:
    words = split_words(text)
    assert all(word.key and normal(text[word.start : word.end]) == word.key for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
