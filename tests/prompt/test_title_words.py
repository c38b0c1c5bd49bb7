"""Words of titles: whoever names a product by a part of its title is understood."""

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.prompt.title_words import TitleWords
from genrec.prompt.understanding import Matcher

TITLES = [
    "Bergkäse klein", "Bergkäse gross", "Merlot Reserve 2019", "Chianti Classico", "Earl Grey Tea 100g",
    "Salami Milano", "Wine glass large",
]  # fmt: skip
CATALOG = Catalog(
    pa.table(
        {
            "item_id": [str(row) for row in range(len(TITLES))],
            "title": TITLES,
            "categories": [["Cheese"], ["Cheese"], ["Wine"], ["Wine"], ["Tea"], ["Meat"], ["Glass"]],
            "price": [4.0, 8.0, 12.0, 9.0, 5.0, 6.0, 7.0],
        }
    )
)


@pytest.mark.parametrize(
    ("prompt", "wanted", "unwanted", "rest"),
    [
        ("something like Bergkäse, under 5 euro", ["Bergkäse"], [], []),
        ("red wine, not Merlot", [], ["Merlot"], ["red"]),
        ("no salami please", [], ["salami"], []),
        ("tea without Earl Grey", [], ["Earl", "Grey"], []),
        ("I hate chianti but love cheese", [], ["chianti"], []),
        ("Chianti Classico", [], [], []),
        ("a quux", [], [], ["quux"]),
    ],
)
def test_parts_of_titles_are_wanted_or_not(prompt, wanted, unwanted, rest):
    understood = TitleWords(TITLES).explain(Matcher(CATALOG).understand(prompt))
    assert list(understood.title_words) == wanted
    assert list(understood.unwanted_title_words) == unwanted
    assert list(understood.rest) == rest


def test_words_of_many_titles_tell_nothing():
    titles = [f"Tea number {row}" for row in range(300)] + ["Rare tea"]
    words = TitleWords(titles)
    assert not words.count(["tea", "number"]).any()
    assert np.flatnonzero(words.count(["rare"])).tolist() == [300]
    assert words.count(["number 7 rare"])[300] == 1, "what is shorter than three letters tells nothing either"
