"""Scorers that read item texts."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from genrec.baselines.base import Scorer
from genrec.baselines.content import BertKNN, BertMatcher, TfidfKNN, WordMatcher
from genrec.baselines.content.word_matcher import _SparseProduct
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import leave_last_out
from genrec.errors import DataError, ModelError
from genrec.evaluation.protocol import evaluate
from genrec.testing import toy_dataset
from genrec.testing.scorer_contract import ScorerContract


class TestTfidfKNN(ScorerContract):
    def make_scorer(self) -> Scorer:
        return TfidfKNN()


class TestBertKNN(ScorerContract):
    def make_scorer(self) -> Scorer:
        return BertKNN()


class TestBertMatcher(ScorerContract):
    def make_scorer(self) -> Scorer:
        return BertMatcher(width=16, epochs=2)


class TestWordMatcher(ScorerContract):
    def make_scorer(self) -> Scorer:
        return WordMatcher(components=4)


def shop(*titles: str) -> Dataset:
    """A catalog of these titles, and one user who met the first."""
    ids = [f"i{index}" for index in range(len(titles))]
    catalog = Catalog(pa.table({"item_id": ids, "title": list(titles)}))
    return Dataset("shop", Interactions.from_columns(["u"], ["i0"]), catalog, IdMap(["u"]))


def history(*items: int) -> list[np.ndarray]:
    return [np.array(items, dtype=np.int32)]


def test_tfidf_by_hand():
    """Three titles of two words: idf = 1 + ln(4 / (1 + titles with the word)), vectors of length 1."""
    scorer = TfidfKNN(recency=0.0).fit(shop("red tea", "red cup", "green tea"))
    twice, once = 1 + np.log(4 / 3), 1 + np.log(4 / 2)
    vectors = np.array([[twice, twice, 0, 0], [twice, 0, once, 0], [0, twice, 0, once]])  # red, tea, cup, green
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(scorer.score(history(1))[0], vectors @ vectors[1], rtol=1e-6)
    profile = vectors[1] + vectors[2]
    np.testing.assert_allclose(scorer.score(history(1, 2))[0], vectors @ profile / np.linalg.norm(profile), rtol=1e-6)


def test_the_last_item_counts_most():
    """With recency 1 the item before the last weighs a half: cosines with two orthogonal vectors are 2 to 1."""
    scores = TfidfKNN(recency=1.0).fit(shop("tea", "cup", "spoon")).score(history(0, 1))[0]
    assert scores.tolist() == pytest.approx([1 / np.sqrt(5), 2 / np.sqrt(5), 0])


def test_bert_finds_what_other_words_say():
    """No word is shared, so TF-IDF is blind; the encoder is not."""
    data = shop("a film about space ships", "apple pie recipe", "movie on starships", "green garden hose")
    assert TfidfKNN().fit(data).score(history(0))[0, 1:].tolist() == [0, 0, 0]
    assert BertKNN().fit(data).recommend(history(0), 1, exclude=history(0)).items.tolist() == [[2]]


def test_the_matcher_learns_the_order_and_stops_by_validation():
    split = leave_last_out(toy_dataset())
    scorer = BertMatcher(width=32, dropout=0.0, learning_rate=0.01, epochs=40, patience=40)
    scorer.use_validation(split.validation)
    assert evaluate(scorer.fit(split.train), split.test, ks=(1,)).metrics["recall@1"] > 0.9


def test_the_matcher_has_no_parameter_of_an_item():
    """So nothing but texts tells items apart: those of one text score alike, met or not."""
    data = toy_dataset()
    titles = data.catalog.titles[:-1] + data.catalog.titles[:1]
    table = data.catalog.table.select(["item_id"]).append_column("title", pa.array(titles))
    twins = Dataset("twins", data.interactions, Catalog(table), data.users)
    scores = BertMatcher(width=16, epochs=3).fit(twins).score(history(3, 4))[0]
    assert scores[-1] == pytest.approx(scores[0], abs=1e-5)
    assert np.unique(scores[:-1].round(4)).size > 20


def test_a_saved_matcher_scores_the_same(tmp_path):
    fitted = BertMatcher(width=16, epochs=2, dropout=0.1).fit(toy_dataset())
    fitted.save(tmp_path)
    loaded = BertMatcher.load(tmp_path)
    np.testing.assert_array_equal(loaded.score(history(3, 4)), fitted.score(history(3, 4)))
    assert (loaded.size, loaded.training, loaded.encoder) == (fitted.size, fitted.training, fitted.encoder)
    with pytest.raises(ModelError, match="no bert-matcher model"):
        BertMatcher.load(tmp_path / "elsewhere")


def test_items_nobody_met_are_recommended():
    """The third title of a series, which no training history has."""
    data = shop("Dune, part one", "Tea kettle", "Dune, part two", "Garden chair")
    for scorer in (TfidfKNN(), BertKNN()):
        assert scorer.serves_cold_items
        assert scorer.fit(data).recommend(history(0), 1, exclude=history(0)).items.tolist() == [[2]]


def followers(titles: list[str], pairs: list[tuple[int, int]], **columns: list[str]) -> Dataset:
    """A user a pair, who met one item and then the other."""
    ids = [f"i{index}" for index in range(len(titles))]
    catalog = Catalog(pa.table({"item_id": ids, "title": titles, **columns}))
    users = [f"u{user}" for user in range(len(pairs)) for _ in range(2)]
    items = [ids[item] for pair in pairs for item in pair]
    return Dataset("followers", Interactions.from_columns(users, items), catalog, IdMap(sorted(set(users))))


def test_the_word_matcher_learns_which_words_count():
    """Who met a brand takes it again, whatever the colour: a new item of the brand comes before one of the colour."""
    titles = [f"{brand} {colour}" for brand in ("acme", "bolt", "crux", "dyno") for colour in ("red", "blue", "green")]
    met = [item for item in range(12) if item not in (1, 3)]  # acme blue and bolt red are new
    pairs = [(a, b) for a in met for b in met if a != b and titles[a].split()[0] == titles[b].split()[0]]
    data = followers(titles, pairs * 30)
    learned = WordMatcher(rank=2, components=2, epochs=5).fit(data).score(history(0))[0]
    plain = TfidfKNN().fit(data).score(history(0))[0]
    assert plain[1] - plain[3] == pytest.approx(0, abs=0.2)
    assert learned[1] - learned[3] > 2


def test_the_word_matcher_reads_columns_of_values():
    """Titles share nothing, and nobody has met the second item of the brand."""
    data = followers(["tea", "cup", "hose", "lamp"], [(0, 2), (2, 0)] * 20, brand=["acme", "acme", "bolt", "bolt"])
    scores = WordMatcher(components=2).fit(data).score(history(0))[0]
    without = WordMatcher(components=2).fit(followers(["tea", "cup", "hose", "lamp"], [(0, 2), (2, 0)] * 20))
    assert scores[1] - scores[3] > without.score(history(0))[0][1] - without.score(history(0))[0][3] + 0.5


def test_how_often_an_item_is_taken_is_not_put_down_to_its_words():
    """Two items with the same words, one taken nine times as often: the bias learns that, the score does not."""
    data = followers(["tea", "kettle", "kettle"], [(0, 1)] * 90 + [(0, 2)] * 10)
    scores = WordMatcher(components=1, epochs=3).fit(data).score(history(0))[0]
    assert scores[1] == pytest.approx(scores[2], abs=1e-4)


def test_the_gradient_of_the_sparse_product_is_that_of_a_dense_one():
    rng = np.random.default_rng(0)
    items = sparse.random(5, 7, density=0.4, random_state=0, dtype=np.float64, format="csr")
    rows = torch.from_numpy(rng.normal(size=(3, 7))).requires_grad_()
    assert torch.autograd.gradcheck(lambda given: _SparseProduct.apply(given, items), (rows,))
    product = _SparseProduct.apply(rows, items).detach().numpy()
    np.testing.assert_allclose(product, rows.detach().numpy() @ items.toarray().T)


def test_a_word_matcher_needs_something_that_leads_to_something():
    with pytest.raises(DataError, match="no history has two items"):
        WordMatcher().fit(shop("tea", "cup"))
