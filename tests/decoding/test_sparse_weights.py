import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError
from genrec.trie import CatalogTrie

VALUES = st.one_of(st.just(-np.inf), st.just(0.0), st.floats(-300, 300, width=32))
WIDE = st.one_of(st.just(-np.inf), st.floats(-9000, 9000, width=32))


@st.composite
def sources(draw, num_users, num_items):
    """A source of weights, and its dense form by definition."""
    kind = draw(st.sampled_from(["seen", "candidates", "sparse", "mask", "priors"]))
    rows = draw(st.sampled_from([1, num_users]))
    if kind in {"mask", "priors"}:
        values = draw(st.sampled_from([VALUES, WIDE])) if kind == "priors" else st.booleans()
        dense = np.array([draw(st.lists(values, min_size=num_items, max_size=num_items)) for _ in range(rows)])
        if kind == "priors":
            return ItemWeights.from_priors(dense), dense.astype(np.float32)
        return ItemWeights.from_mask(dense), np.where(dense, 0.0, -np.inf)
    items = [draw(st.lists(st.integers(0, num_items - 1), max_size=6)) for _ in range(rows)]
    if kind == "sparse":
        rest = draw(st.sampled_from([0.0, -np.inf]))
        values = [draw(st.lists(VALUES, min_size=len(row), max_size=len(row))) for row in items]
        weights = ItemWeights.from_sparse(items, values, num_items, rest)
    else:
        make = ItemWeights.from_seen if kind == "seen" else ItemWeights.from_candidates
        rest, value = (0.0, -np.inf) if kind == "seen" else (-np.inf, 0.0)
        values, weights = [[value] * len(row) for row in items], make(items, num_items)
    dense = np.full((rows, num_items), rest)
    for user, row in enumerate(items):
        dense[user, row] = 0.0
        for item, value in zip(row, values[user], strict=True):
            dense[user, item] += value
    return weights, dense.astype(np.float32)


def trie_of(draw, num_items):
    """A trie of IDs of 1 to 3 codes, some items on one leaf, and perhaps some removed."""
    rows = draw(st.lists(st.lists(st.integers(0, 2), max_size=2), min_size=num_items, max_size=num_items))
    codes = np.full((num_items, 3), -1, dtype=np.int32)
    for row, path in zip(codes, rows, strict=True):
        row[: len(path) + 1] = [*path, 3]
    trie = CatalogTrie.from_codes(codes)
    gone = np.array(draw(st.lists(st.integers(0, num_items - 1), max_size=3, unique=True)), dtype=int)
    return trie.remove(gone).trie if 0 < len(gone) < num_items else trie


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_sum_of_sources_weighs_items_and_nodes_by_definition(data):
    num_users, num_items = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([1, 2, 7, 40]))
    trie = trie_of(data.draw, num_items)
    weights, dense = data.draw(sources(num_users, num_items))
    for _ in range(data.draw(st.integers(0, 3))):
        other, more = data.draw(sources(num_users, num_items))
        weights, dense = weights + other, dense + more
    np.testing.assert_allclose(weights.dense, dense, rtol=1e-6, atol=1e-3)
    assert weights.shape == dense.shape
    user, item = np.indices(dense.shape).reshape(2, -1)
    np.testing.assert_array_equal(weights.of(user, item), weights.dense[user, item])
    lowest, highest = (np.broadcast_to(bound, len(dense)) for bound in weights.extremes)
    for user, row in enumerate(weights.dense):
        live = row[row > -np.inf]
        assert len(live) == 0 or lowest[user] <= live.min() <= live.max() <= highest[user]

    nodes = np.array(data.draw(st.lists(st.integers(1, trie.num_nodes - 1), max_size=20)), dtype=int)
    if data.draw(st.booleans()):
        nodes = np.unique(nodes)
    on_nodes = weights.on_nodes(trie)
    for user, row in enumerate(weights.dense.astype(np.float64)):
        found = on_nodes.of(np.full(len(nodes), user), nodes)
        assert found.dtype == np.float32
        for node, weight in zip(nodes, found, strict=True):
            live = row[(trie.paths == node).any(axis=1)]
            live = live[live > -np.inf]
            expected = np.logaddexp.reduce(live) - np.log(len(live)) if len(live) else -np.inf
            np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-3)


def test_seen_items_of_a_large_catalog_stay_a_list():
    codes = np.random.default_rng(0).integers(0, 64, (200_000, 3))
    trie, rng = CatalogTrie.from_codes(codes), np.random.default_rng(1)
    seen = ItemWeights.from_seen([rng.choice(200_000, 100, replace=False) for _ in range(8)], 200_000)
    weights = seen + ItemWeights.from_sparse([[3]], [[1.5]], 200_000)
    on_nodes = weights.on_nodes(trie)
    assert weights.base.size == 1
    assert on_nodes.key is not None
    assert on_nodes.table is on_nodes.count is on_nodes.mass is None
    assert len(on_nodes.key) < 8 * 101 * 3


@pytest.mark.parametrize(
    ("items", "values", "message"),
    [
        ([[3]], [[0.0]], "item indices"),
        ([[-1]], [[0.0]], "item indices"),
        ([[0, 1]], [[0.0]], "differ"),
        ([[0]], [[np.nan]], "NaN"),
        ([[0], [1]], [[0.0]], "differ"),
    ],
)
def test_sparse_weights_that_mean_nothing_are_refused(items, values, message):
    with pytest.raises(ConfigError, match=message):
        ItemWeights.from_sparse(items, values, num_items=3)


def test_weights_of_other_users_or_items_do_not_add():
    for one, other in [(([[0]], 3), ([[0]], 4)), (([[0], [1]], 3), ([[0], [1], [2]], 3))]:
        with pytest.raises(ConfigError, match="fit each other"):
            ItemWeights.from_seen(*one) + ItemWeights.from_seen(*other)


def test_exclusion_of_the_only_item_keeps_the_shape_of_the_batch():
    nobody, none = ItemWeights.from_priors(np.full((1, 1), -np.inf)), ItemWeights.from_priors(np.full((2, 1), -np.inf))
    assert (nobody + none).shape == (none + nobody).shape == (2, 1)
