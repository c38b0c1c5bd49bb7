"""SASRec of texts: the contract, items nobody met, saving without texts."""

import numpy as np
import pyarrow as pa
import pytest

from genrec.baselines.sequential import SASRec, TextSASRec
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.errors import ModelError
from genrec.testing import toy_dataset
from genrec.testing.scorer_contract import ScorerContract

SMALL = {"width": 16, "dropout": 0.1, "learning_rate": 0.01, "batch_positions": 256}


class TestTextSASRec(ScorerContract):
    def make_scorer(self):
        return TextSASRec(**SMALL, epochs=3)


@pytest.fixture(scope="module")
def twins():
    """Items 0 to 5 in turn, and item 6, which nobody met and whose text is that of item 3."""
    titles = ["red apples", "blue cars", "green tea", "loud music", "wool socks", "garden tools", "loud music"]
    catalog = Catalog(pa.table({"item_id": [f"i{n}" for n in range(7)], "title": titles}))
    met = toy_dataset(users=90, items=6, length=5)
    return Dataset("twins", met.interactions, catalog, met.users)


def test_an_item_that_nobody_met_is_scored_as_its_text_is(twins):
    scorer = TextSASRec(**SMALL, epochs=20).fit(twins)
    (scores,) = scorer.score([np.array([1, 2], dtype=np.int32)])
    assert set(np.argsort(-scores)[:2].tolist()) == {3, 6}
    assert scores[3] == pytest.approx(scores[6], abs=1e-4)
    (known,) = SASRec(**SMALL, epochs=20).fit(twins).score([np.array([1, 2], dtype=np.int32)])
    assert known[6] < known[3] - 1  # with vectors of its own, an item that nobody met has learned nothing but that


def test_what_is_saved_scores_alike_and_needs_no_texts(twins, tmp_path):
    scorer = TextSASRec(**SMALL, epochs=2).fit(twins)
    scorer.save(tmp_path)
    histories = [np.array([1, 2], dtype=np.int32), np.array([], dtype=np.int32)]
    loaded = TextSASRec.load(tmp_path)
    np.testing.assert_array_equal(loaded.score(histories), scorer.score(histories))
    assert loaded.num_items == 7
    with pytest.raises(ModelError, match="sasrec-text"):
        SASRec.load(tmp_path)
