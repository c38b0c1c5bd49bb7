"""What is not wanted, in the many ways to say so."""

import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.prompt.understanding import Matcher

TITLES = {"Heat": 1995, "Alien": 1979, "Toy Story": 1995}


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    categories = [["Horror", "Drama"], ["War", "Crime"], ["Comedy", "Romance", "Western"]]
    table = {"item_id": ["a", "b", "c"], "title": list(TITLES), "year": list(TITLES.values()), "categories": categories}
    return Matcher(Catalog(pa.table(table)))


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("I am sick of horror", "", "Horror"),
        ("fed up with war and crime", "", "War Crime"),
        ("please leave the horror and the war out", "", "Horror War"),
        ("keep horror out of it, I want comedy", "Comedy", "Horror"),
        ("rule out westerns", "", "Western"),
        ("horror-free comedy", "Comedy", "Horror"),
        ("war is not for me", "", "War"),
        ("war and crime bore me", "", "War Crime"),
        ("I want comedy and war bores me", "Comedy", "War"),
        ("horror is a no-go, comedy is great", "Comedy", "Horror"),
        ("horror? no thanks", "", "Horror"),
        ("westerns leave me cold", "", "Western"),
        ("romance isn't really my cup of tea", "", "Romance"),
        ("comedy rather than drama", "Comedy", "Drama"),
        ("comedy instead of drama", "Comedy", "Drama"),
        ("comedy with zero romance", "Comedy", "Romance"),
        ("non-horror drama", "Drama", "Horror"),
        ("I don't like horror and I love comedy", "Comedy", "Horror"),
        ("anything apart from crime", "", "Crime"),
        ("spare me the drama", "", "Drama"),
        # Negators that say yes.
        ("I can't get enough of westerns", "Western", ""),
        ("nothing beats a good comedy", "Comedy", ""),
        ("I never get tired of romance", "Romance", ""),
        ("not only drama but also crime", "Drama Crime", ""),
        ("I wouldn't mind some horror", "Horror", ""),
        # Nothing is turned down by what only looks like it.
        ("a comedy that is out of this world", "Comedy", ""),
        ("war is hell, and that is what I want", "War", ""),
        ("take me away with a romance", "Romance", ""),
    ],
)
def test_values(matcher: Matcher, text: str, wanted: str, unwanted: str) -> None:
    understood = matcher.understand(text)
    assert (set(understood.wanted), set(understood.unwanted)) == (set(wanted.split()), set(unwanted.split()))


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("the nineties are off limits", ["not (year>=1990 and year<=1999)"]),
        ("I'm tired of the 80s", ["not (year>=1980 and year<=1989)"]),
        ("a comedy without horror from the nineties", ["not categories='Horror'", "year>=1990 and year<=1999"]),
        ("leave out anything before 1980", ["year>=1980"]),
        ("nothing from the seventies", ["not (year>=1970 and year<=1979)"]),
        ("can't get enough of the seventies", ["year>=1970 and year<=1979"]),
    ],
)
def test_times(matcher: Matcher, text: str, filters: list[str]) -> None:
    assert list(matcher.understand(text).filters) == filters


@pytest.mark.parametrize(
    ("text", "liked", "disliked"),
    [
        ("can't get enough of Alien", ["Alien"], []),
        ("Toy Story bores me", [], ["Toy Story"]),
        ("I've had it with Alien and Heat", [], ["Alien", "Heat"]),
        ("instead of Alien, like Heat", ["Heat"], ["Alien"]),
    ],
)
def test_titles(matcher: Matcher, text: str, liked: list[str], disliked: list[str]) -> None:
    understood = matcher.understand(text)
    assert (list(understood.liked_titles), list(understood.disliked_titles)) == (liked, disliked)
