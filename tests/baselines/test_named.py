"""What configurations call by name is what the benchmark calls by that name."""

import numpy as np
import pytest

from genrec.baselines.named import scorer_named
from genrec.benchmark.models import NAMED_MODELS
from genrec.errors import ConfigError
from genrec.testing import toy_dataset


@pytest.mark.parametrize(
    "name", ["ease", "ease-recent", "item-knn", "item-knn-recent", "markov-skip", "popularity-recent", "tfidf-knn"]
)
def test_a_name_means_one_scorer(name):
    history = [np.array([3, 4, 9], dtype=np.int32)]
    ours, theirs = (
        make().fit(toy_dataset()).score(history) for make in (lambda: scorer_named(name), NAMED_MODELS[name].build)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_an_unknown_name_is_named():
    with pytest.raises(ConfigError, match="oracle-of-2030"):
        scorer_named("oracle-of-2030")
