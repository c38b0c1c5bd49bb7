"""The words of a request that said what was understood of it."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.prompt.builder import clean
from genrec.prompt.understanding import Matcher
from genrec.testing import toy_dataset

CATALOG = toy_dataset().catalog
PRICES = pa.array([float(i) for i in range(24)])
MATCHER = Matcher(Catalog(CATALOG.table.append_column("price", PRICES)))
PIECES = [
    "comedy", "no drama", "like Red River", "not Blue Castle,", "after 1980", "the seventies or 90s", "under $20",
    "children's", "and", ". But", "Comedy and no comedy", "red river", "  ", "dark", "I hated Red River", "{{ x }}",
]  # fmt: skip


def said(text):
    return [(match.kind, match.text, match.what) for match in MATCHER.understand(text).matches]


def test_a_request_by_its_words():
    assert said("I liked Red River and want a funny one after 1975 under $20, but no drama") == [
        ("liked", "Red River", "Red River"),
        ("wanted", "funny", "Comedy"),
        ("limit", "after 1975", "year>1975"),
        ("limit", "under $20", "price<20"),
        ("unwanted", "drama", "Drama"),
    ]


def test_alternatives_are_one_limit_of_several_words():
    expression = "(year>=1970 and year<=1979) or (year>=1990 and year<=1999)"
    assert said("from the seventies or 90s") == [
        ("limit", "from the seventies", expression),
        ("limit", "90s", expression),
    ]


def test_what_is_overruled_in_the_same_request_is_not_said():
    assert said("Red River, I hated Red River") == [("liked", "Red River", "Red River")]
    assert said("no comedy. Comedy") == [("wanted", "Comedy", "Comedy")]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=8))
def test_matches_are_what_was_understood(pieces):
    text = " ".join(pieces)
    understood = MATCHER.understand(text)
    by_kind = {}
    for match in understood.matches:
        assert clean(text)[match.start : match.end] == match.text
        by_kind.setdefault(match.kind, set()).add(match.expression or match.item)
    wanted, liked = set(understood.wanted_filters), set(understood.liked)
    assert by_kind.get("wanted", set()) == wanted
    assert by_kind.get("liked", set()) == liked
    assert by_kind.get("disliked", set()) == set(understood.disliked)
    assert by_kind.get("unwanted", set()) | by_kind.get("limit", set()) == set(understood.filters)
    starts = [match.start for match in understood.matches]
    assert starts == sorted(starts)
