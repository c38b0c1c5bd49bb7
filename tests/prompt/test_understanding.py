"""Requests in plain words against a small catalog, ML-100K, and noise."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.prompt.understanding import Matcher
from genrec.recommend.filters import filter_mask

TITLES = [
    ("Toy Story (1995)", 1995, ["Animation", "Children's", "Comedy"]),
    ("Heat (1995)", 1995, ["Action", "Crime"]),
    ("Seven (Se7en) (1995)", 1995, ["Crime", "Thriller"]),
    ("Big (1988)", 1988, ["Comedy"]),
    ("Usual Suspects, The (1995)", 1995, ["Crime", "Thriller"]),
    ("Matrix, The (1999)", 1999, ["Action", "Sci-Fi"]),
    ("Sabrina (1954)", 1954, ["Comedy", "Romance"]),
    ("Sabrina (1995)", 1995, ["Comedy", "Romance"]),
    ("2001: A Space Odyssey (1968)", 1968, ["Sci-Fi"]),
    ("Nothing to Lose (1997)", 1997, ["Comedy"]),
    ("Like Water for Chocolate (1992)", 1992, ["Drama", "Romance"]),
    ("Shawshank Redemption, The (1994)", 1994, ["Drama"]),
    ("Thriller (1983)", 1983, ["Musical"]),
    ("Terminator 2: Judgment Day (1991)", 1991, ["Action", "Sci-Fi"]),
    ("Amélie (2001)", 2001, ["Comedy", "Romance"]),
    ("Alien (1979)", 1979, ["Horror", "Sci-Fi"]),
    ("Laura (1944)", 1944, ["Film-Noir", "Mystery"]),
    ("Shane (1953)", 1953, ["Western"]),
    ("Glory (1989)", 1989, ["War"]),
]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    titles, years, categories = zip(*TITLES, strict=True)
    ids = [str(number) for number in range(len(TITLES))]
    return Matcher(Catalog(pa.table({"item_id": ids, "title": titles, "year": years, "categories": categories})))


@pytest.mark.parametrize(
    ("text", "liked", "disliked"),
    [
        ("I liked Toy Story and Heat", ["Toy Story (1995)", "Heat (1995)"], []),
        ("i loved seven, heat and big!", ["Seven (Se7en) (1995)", "Heat (1995)", "Big (1988)"], []),
        ("toy story", ["Toy Story (1995)"], []),
        ("Toy Story (1995), more please", ["Toy Story (1995)"], []),
        ("something like The Usual Suspects", ["Usual Suspects, The (1995)"], []),
        ("something like usual suspects", ["Usual Suspects, The (1995)"], []),
        ("Usual Suspects, The", ["Usual Suspects, The (1995)"], []),
        ("films like the matrix", ["Matrix, The (1999)"], []),
        ("Heat, Alien, Big", ["Heat (1995)", "Alien (1979)", "Big (1988)"], []),
        ("se7en and “big”", ["Seven (Se7en) (1995)", "Big (1988)"], []),
        ("sabrina 1995", ["Sabrina (1995)"], []),
        ("I loved Sabrina (1954)", ["Sabrina (1954)"], []),
        ("2001: a space odyssey", ["2001: A Space Odyssey (1968)"], []),
        ("I loved terminator 2", ["Terminator 2: Judgment Day (1991)"], []),
        ("AMELIE", ["Amélie (2001)"], []),
        ("I LOVED AMELIE", ["Amélie (2001)"], []),
        ("I enjoyed the shawshenk redemtion a lot", ["Shawshank Redemption, The (1994)"], []),
        ("Usuall Suspects please", ["Usual Suspects, The (1995)"], []),
        ("like water for chocolate", ["Like Water for Chocolate (1992)"], []),
        ("I hated Heat but loved Big", ["Big (1988)"], ["Heat (1995)"]),
        ("not like Toy Story", [], ["Toy Story (1995)"]),
        ("nothing like heat", [], ["Heat (1995)"]),
        ("I didn't really like Alien", [], ["Alien (1979)"]),
        ("I hated Heat, Alien and Big", [], ["Heat (1995)", "Alien (1979)", "Big (1988)"]),
        ("I hated Heat. I loved Alien", ["Alien (1979)"], ["Heat (1995)"]),
        ("Nothing to Lose", ["Nothing to Lose (1997)"], []),
        # Common words that are titles too.
        ("I have seven children and a big house, in the heat", [], []),
        ("I like big movies", [], []),
        ("a thriller", [], []),
        ('I liked "Thriller"', ["Thriller (1983)"], []),
    ],
)
def test_titles(matcher: Matcher, text: str, liked: list[str], disliked: list[str]) -> None:
    understood = matcher.understand(text)
    assert list(understood.liked_titles) == liked
    assert list(understood.disliked_titles) == disliked
    assert [TITLES[item][0] for item in understood.liked] == liked


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("comedies", ["Comedy"], []),
        ("a funny one", ["Comedy"], []),
        ("romantic comedy", ["Romance", "Comedy"], []),
        ("sci fi, SCI-FI or scifi or science fiction", ["Sci-Fi"], []),
        ("film noir", ["Film-Noir"], []),
        ("animated movies for kids", ["Animation", "Children's"], []),
        ("no horror or war, please", [], ["Horror", "War"]),
        ("comedy, not romantic", ["Comedy"], ["Romance"]),
        ("a thriller without crime", ["Thriller"], ["Crime"]),
        ("anything except westerns", [], ["Western"]),
        ("anything but westerns", [], ["Western"]),
        ("nothing but westerns", ["Western"], []),
        ("I don't want drama, I want action", ["Action"], ["Drama"]),
        ("no drama but comedy", ["Comedy"], ["Drama"]),
        ("not a musical. Horror", ["Horror"], ["Musical"]),
        ("comedy but no romantic comedy", ["Comedy"], ["Romance"]),
        ("something fantastic", [], []),
    ],
)
def test_values(matcher: Matcher, text: str, wanted: list[str], unwanted: list[str]) -> None:
    understood = matcher.understand(text)
    assert set(understood.wanted) == set(wanted)
    assert set(understood.unwanted) == set(unwanted)


def test_a_whole_request(matcher: Matcher) -> None:
    understood = matcher.understand("I liked Heat (1995), want a gritty thriller from the nineties, but no children's")
    assert understood.liked_titles == ("Heat (1995)",)
    assert understood.wanted == ("Thriller",)
    assert understood.filters == ('not categories="Children\'s"', "year>=1990 and year<=1999")
    assert understood.wanted_filters == ("categories='Thriller'",)
    assert understood.rest == ("gritty",)
    assert str(understood) == (
        "understood: liked=['Heat (1995)'], wanted=['Thriller'], "
        "filters=['not categories=\"Children\\'s\"', 'year>=1990 and year<=1999']"
    )


def test_years_in_titles_are_no_filters(matcher: Matcher) -> None:
    assert matcher.understand("sabrina 1995, toy story (1995)").filters == ()
    assert matcher.understand("I loved 2001: A Space Odyssey, after 1990").filters == ("year>1990",)


def test_brands_prices_and_no_years() -> None:
    table = pa.table(
        {
            "item_id": ["a", "b", "c", "d"],
            "title": ["Rose Soap", "Mint Shampoo", "Olive Oil Cream (2 Pack)", "Silk &amp; Honey Lotion"],
            "brand": ["Dove", "Burt's Bees", "Dove", "Burt's Bees"],
            "price": [4.0, 12.5, 9.0, 15.0],
            "categories": [["Bath & Body"], ["Hair Care"], ["Creams, Gels & Lotions"], ["Creams, Gels & Lotions"]],
        }
    )
    matcher = Matcher(Catalog(table))
    understood = matcher.understand("hair care by burts bees under $20, from the nineties, not dove")
    assert set(understood.wanted) == {"Hair Care", "Burt's Bees"}
    assert understood.unwanted == ("Dove",)
    assert understood.filters == ("not brand='Dove'", "price<20")
    assert matcher.understand("a lotion").wanted == ("Creams, Gels & Lotions",)
    assert matcher.understand("I bought silk & honey lotion").liked == (3,)
    assert filter_mask(Catalog(table), [*understood.filters, *understood.wanted_filters]).tolist() == [
        False, True, False, False,
    ]  # fmt: skip


def test_catalog_of_titles_alone_and_empty_titles() -> None:
    matcher = Matcher(Catalog(pa.table({"item_id": ["a", "b"], "title": ["", "!!!"]})))
    assert str(matcher.understand("comedy under 20 from the 90s")) == "understood: liked=[], wanted=[], filters=[]"


def test_finds_what_examples_say(ml_100k: Dataset, templates: Templates) -> None:
    """Titles and genres that instruction examples state are nearly always understood."""
    from genrec.prompt.requests import RequestExamples

    matcher = Matcher(ml_100k.catalog)
    stream = RequestExamples(ml_100k, templates, seed=0).stream()
    understood = [matcher.understand(next(stream).text) for _ in range(300)]
    assert np.mean([bool(u.liked or u.disliked or u.wanted or u.filters) for u in understood]) > 0.98


def noise(count: int) -> list[str]:
    """Texts of 0 to 10,000 characters that nobody would hope for."""
    rng = np.random.default_rng(7)
    pieces = [
        "{{ 7 * 7 }}", "{% for x in y %}", "{# #}", "{{ history.__class__ }}", "<|im_start|>", "<|endoftext|>", "</s>",
        "[INST]", "\U000f0000", "\ud800", "\0", "I liked ", "not ", '"', "'", "(1995)", "1990s", "between 1990 and ",
        "$1,000 ", "日本語の映画", "фильм", "فيلم", "🎬", "e\u0301", "Toy Story", "star wars, ",
        "\r\n\t", "categories='x'", ")" * 9,
        "under 99999999999999999999 ", "a" * 500, "like the ", "no no no ", "\u202e", "ﬁlm", "İ", "ß",
    ]  # fmt: skip
    texts = ["", " ", "\n", "?"]
    while len(texts) < count:
        length = int(rng.choice([5, 50, 500, 10_000]))
        match len(texts) % 4:
            case 0:
                text = rng.bytes(length).decode("latin-1")
            case 1:
                text = rng.bytes(length).decode("utf-8", "surrogateescape")
            case 2:
                text = "".join(rng.choice(pieces, size=length // 8 + 1))
            case _:
                text = str(rng.choice(pieces)) * (length // 4)
        texts.append(text[: rng.integers(length + 1)] if rng.random() < 0.5 else text[:length])
    return texts


def test_any_prompt_is_read_and_built(ml_100k: Dataset, templates: Templates, vocabulary, smollm2, faster_than) -> None:
    matcher = Matcher(ml_100k.catalog)
    builder = PromptBuilder(templates, vocabulary, smollm2, max_tokens=128)
    special = set(smollm2.all_special_ids)
    history = np.arange(60, dtype=np.int32)
    for text in noise(200):
        understood = matcher.understand(text)
        assert faster_than(1.0, lambda text=text: matcher.understand(text)), repr(text[:50])
        assert all(0 <= item < ml_100k.num_items for item in (*understood.liked, *understood.disliked))
        assert filter_mask(ml_100k.catalog, [*understood.filters, *understood.wanted_filters]).shape == (1682,)
        str(understood).encode("utf-8")
        sequence = builder.build(history[:20], text)
        assert len(sequence) <= 128
        assert not special & set(sequence.tokens.tolist())
        assert ((sequence.nodes >= 0) == (sequence.tokens >= vocabulary.text_size)).all()


def test_repetition_takes_bounded_time(ml_100k: Dataset, faster_than) -> None:
    matcher = Matcher(ml_100k.catalog)
    repeated = [
        "a ",
        "like the ",
        "no 90s, ",
        "between 1990 and ",
        'liked "xyzzy ',
        "Liked Toy Storr, ",
        "$1,000,000 ",
        "(",
        "1",
    ]
    for piece in [*repeated, "1990 - ", " ".join(ml_100k.catalog.titles)]:
        text = (piece * 10_000)[:10_000]
        assert faster_than(1.0, lambda text=text: matcher.understand(text)), piece
