import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError
from genrec.trie import CatalogTrie

TRIE = CatalogTrie.from_codes(
    np.array([[0, 0, 0], [0, 0, 1], [0, 1, -1], [1, -1, -1], [2, 0, 0], [2, 1, 0], [2, 1, 1], [1, -1, -1]])
)


def items_below(trie, node):
    return [item for item, path in enumerate(trie.paths) if node == 0 or node in path]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.just(-np.inf), st.floats(-300, 300, width=32)), min_size=8, max_size=8),
        min_size=1,
        max_size=3,
    )
)
def test_a_node_weighs_the_mean_of_its_eligible_items(rows):
    dense = np.array(rows, dtype=np.float32)
    node_weights = ItemWeights(dense).node_weights(TRIE)
    assert node_weights.dtype == np.float32
    for user, row in enumerate(dense.astype(np.float64)):
        for node in range(TRIE.num_nodes):
            live = [row[item] for item in items_below(TRIE, node) if row[item] > -np.inf]
            expected = np.logaddexp.reduce(live) - np.log(len(live)) if live else -np.inf
            np.testing.assert_allclose(node_weights[user, node], expected, rtol=1e-5, atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 7)))
def test_exclusion_alone_gives_zero_wherever_anything_is_left(excluded):
    node_weights = ItemWeights.from_seen([sorted(excluded)], num_items=8).node_weights(TRIE)[0]
    for node in range(TRIE.num_nodes):
        assert node_weights[node] == (0.0 if set(items_below(TRIE, node)) - excluded else -np.inf)


def test_sharp_priors_do_not_underflow():
    node_weights = ItemWeights.from_priors(np.array([0, 0, 0, -5000, -8000, -8000, -8000, -5000.0])).node_weights(TRIE)
    assert node_weights[0, 3] == pytest.approx(-8000)  # code 2 at the first level: items 4, 5, 6


def test_sources_combine():
    seen = ItemWeights.from_seen([[0], np.array([], dtype=np.int32)], num_items=3)
    mask = ItemWeights.from_mask(np.array([True, True, False]))
    prior = ItemWeights.from_priors(np.array([[0.5, 1.0, 2.0]]))
    np.testing.assert_array_equal((seen + mask + prior).dense, [[-np.inf, 1.0, -np.inf], [0.5, 1.0, -np.inf]])
    candidates = ItemWeights.from_candidates([[2], [0, 1]], num_items=3)
    np.testing.assert_array_equal(candidates.eligible, [[False, False, True], [True, True, False]])
    np.testing.assert_array_equal(ItemWeights.from_seen([], num_items=3).dense, np.zeros((0, 3)))


@pytest.mark.parametrize("bad", [[[np.nan]], [[np.inf]], [0.0]])
def test_weights_that_mean_nothing_are_refused(bad):
    with pytest.raises(ConfigError):
        ItemWeights(np.array(bad, dtype=np.float32))


def test_a_trie_of_other_items_is_refused():
    with pytest.raises(ConfigError, match="3 items"):
        ItemWeights.from_seen([[]], num_items=3).node_weights(TRIE)
