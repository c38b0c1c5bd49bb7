"""Slips of the keyboard, moods, and values that are meant together."""

import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.prompt.understanding import Matcher

TITLES = [
    ("Postman, The (1997)", 1997, ["Drama"]),
    ("Apt Pupil (1998)", 1998, ["Drama", "Thriller"]),
    ("Twelve Monkeys (1995)", 1995, ["Drama", "Sci-Fi"]),
    ("Robin Hood: Prince of Thieves (1991)", 1991, ["Action", "Adventure"]),
    ("People vs. Larry Flynt, The (1996)", 1996, ["Drama"]),
    ("Scream (1996)", 1996, ["Horror", "Thriller"]),
    ("War, The (1994)", 1994, ["Adventure", "War"]),
    ("Contact (1997)", 1997, ["Sci-Fi"]),
    ("Emma (1996)", 1996, ["Romance", "Comedy"]),
    ("Fantasia (1940)", 1940, ["Animation", "Musical"]),
    ("Hoop Dreams (1994)", 1994, ["Documentary"]),
    ("Tombstone (1993)", 1993, ["Western"]),
    ("Jumanji (1995)", 1995, ["Fantasy", "Children's"]),
]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    titles, years, categories = zip(*TITLES, strict=True)
    ids = [str(number) for number in range(len(TITLES))]
    return Matcher(Catalog(pa.table({"item_id": ids, "title": titles, "year": years, "categories": categories})))


@pytest.mark.parametrize(
    ("text", "liked"),
    [
        ("as good as Poostman, The (1997)", [0]),
        ("Apt Puil (1998), and what then?", [1]),
        ("twlve monkeys was a treat", [2]),
        ("I am a fan of Robin Hod: Prince of Thieves", [3]),
        ("resembling the people vs. lary flynt", [4]),
        ("I adore Screem", [5]),
        ("my favourites: contact & Emma", [7, 8]),
        ("emma fans, what else?", [8]),
        ("I like monkeys and dramatic stories", []),
        ("a scheme to steal the postbox", []),
        ("postmen and pupils", []),
        ("the postmans and the jumanjis", []),
    ],
)
def test_titles(matcher: Matcher, text: str, liked: list[int]) -> None:
    understood = matcher.understand(text)
    assert list(understood.liked) == liked
    assert understood.filters == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a thrilller", "Thriller"),
        ("some dramma please", "Drama"),
        ("a docmentary", "Documentary"),
        ("an anmiation", "Animation"),
        ("romnace, no wra", "Romance"),
        ("hold the War", ""),
        ("the auditor was in a coma", ""),
        ("warm water", ""),
    ],
)
def test_values(matcher: Matcher, text: str, wanted: str) -> None:
    understood = matcher.understand(text)
    assert (" ".join(understood.wanted), understood.liked) == (wanted, ())


def test_a_year_that_belongs_to_an_unknown_title_is_no_limit(matcher: Matcher) -> None:
    assert matcher.understand("I liked Qwertz Asdfgh (1988)").filters == ()
    assert matcher.understand("a drama (1988)").filters == ("year=1988",)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("zombies and haunted houses", "Horror"),
        ("I need a good laugh", "Comedy"),
        ("set on a distant planet", "Sci-Fi"),
        ("soldiers behind the front line", "War"),
        ("nothing that makes me weep", ""),
        ("a distant planet, but not like Contact", "Sci-Fi"),
        # Where something is named, moods do not add to it.
        ("a drama with a spaceship", "Drama"),
        ("Twelve Monkeys made me weep", ""),
    ],
)
def test_moods(matcher: Matcher, text: str, wanted: str) -> None:
    assert " ".join(matcher.understand(text).wanted) == wanted


def test_a_mood_that_is_turned_down_is_unwanted(matcher: Matcher) -> None:
    assert matcher.understand("nothing that makes me weep").unwanted == ("Drama",)


def test_meaning_reaches_further_than_known_words() -> None:
    titles, years, categories = zip(*TITLES, strict=True)
    catalog = Catalog(pa.table({"item_id": list(titles), "title": titles, "year": years, "categories": categories}))
    reader = Matcher(catalog, meaning=True)
    text = "kings and curses and talking beasts"
    understood = reader.understand(text)
    assert understood.wanted == ("Fantasy",)
    assert [match.text for match in understood.matches] == [text]
    assert Matcher(catalog).understand(text).wanted == ()
    for chatter in ("what would you advise?", "any tips?", "", "something from the nineties"):
        assert reader.understand(chatter).wanted == ()


@pytest.mark.parametrize(
    ("text", "together"),
    [
        ("a romantic comedy", True),
        ("horror and a bit of comedy", True),
        ("horror, mixed with comedy", True),
        ("comedy or drama", False),
        ("comedies and dramas", False),
        ("comedy, drama", False),
        ("comedy. Or else drama", False),
        ("a comedy", False),
        ("a comedy but no drama", False),
    ],
)
def test_values_together(matcher: Matcher, text: str, together: bool) -> None:
    assert matcher.understand(text).together is together
