from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.errors import DataError
from genrec.trie import CatalogTrie
from genrec.trie.build import trie_arrays


@st.composite
def catalogs(draw):
    """IDs of 1 to 4 codes with an end code, rows may repeat; a set of items with gaps; which of them come later."""
    rows = draw(st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=25))
    codes = np.full((len(rows), 4), -1, dtype=np.int32)
    for row, path in zip(codes, rows, strict=True):
        row[: len(path) + 1] = [*path, 4]
    items = draw(st.permutations(range(len(rows) + 5)))[: len(rows)]
    later = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    return codes, np.array(items), np.array(later)


def same(one, other):
    for field in fields(CatalogTrie):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)
        assert getattr(one, field.name).dtype == np.int32


def path_of(trie, node):
    path = []
    while node > 0:
        path.append(int(trie.code[node]))
        node = int(trie.parent[node])
    return tuple(reversed(path))


def check_moved(old, update):
    moved = update.moved
    assert moved.dtype == np.int32
    new_paths = {path_of(update.trie, node): node for node in range(update.trie.num_nodes)}
    assert moved.tolist() == [new_paths.get(path_of(old, node), -1) for node in range(old.num_nodes)]
    carried = update.carry(np.arange(1, old.num_nodes + 1)[:, None].repeat(2, axis=1))
    expected = np.zeros(update.trie.num_nodes, dtype=int)
    expected[moved[moved >= 0]] = 1 + np.flatnonzero(moved >= 0)
    np.testing.assert_array_equal(carried, expected[:, None].repeat(2, axis=1))


@settings(max_examples=100, deadline=None)
@given(catalogs())
def test_adding_equals_building_from_all(catalog):
    codes, items, later = catalog
    if later.all() or not later.any():
        later[0] = not later[0]
        if later.all() or not later.any():
            return
    first = CatalogTrie.from_codes(codes[~later], items[~later])
    update = first.add(codes[later], items[later])
    same(update.trie, CatalogTrie.from_codes(codes, items))
    check_moved(first, update)


@settings(max_examples=100, deadline=None)
@given(catalogs())
def test_removing_equals_building_from_what_is_left(catalog):
    codes, items, gone = catalog
    trie = CatalogTrie.from_codes(codes, items)
    if gone.all():
        with pytest.raises(DataError, match="nothing"):
            trie.remove(items)
        return
    update = trie.remove(items[gone])
    left = CatalogTrie.from_codes(codes[~gone], items[~gone])
    size = left.num_items  # the removed items keep their indices
    assert (update.trie.leaf_of[size:] == -1).all()
    assert (update.trie.paths[size:] == -1).all()
    for name in ("indptr", "code", "parent", "depth", "leaf_indptr", "leaf_items", "level_offsets"):
        np.testing.assert_array_equal(getattr(update.trie, name), getattr(left, name), err_msg=name)
    np.testing.assert_array_equal(update.trie.paths[:size], left.paths)
    np.testing.assert_array_equal(update.trie.leaf_of[:size], left.leaf_of)
    check_moved(trie, update)
    if gone.any():
        same(update.trie.add(codes[gone], items[gone]).trie, trie)


@settings(max_examples=100, deadline=None)
@given(catalogs())
def test_items_below_a_node_are_counted(catalog):
    codes, items, _ = catalog
    trie = CatalogTrie.from_codes(codes, items)
    nodes = np.arange(trie.num_nodes)
    below = [(trie.paths == node).any(axis=1).sum() if node else len(items) for node in nodes]
    assert trie.count_items(nodes).tolist() == below
    assert trie.count_items(nodes[:0]).tolist() == []


def test_rows_too_wide_to_pack_are_ordered_alike():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (300, 5)).astype(np.int32)
    factor = 2**29 - 1
    one, other = (trie_arrays(rows, np.arange(300, dtype=np.int32)) for rows in (codes, codes * factor))
    np.testing.assert_array_equal(other.pop("code")[1:], one.pop("code")[1:] * factor)
    for name in one:
        np.testing.assert_array_equal(other[name], one[name])


def test_longer_ids_can_be_added():
    trie = CatalogTrie.from_codes(np.array([[0, 1], [0, 2]]))
    codes = np.array([[0, 1, -1], [0, 2, -1], [0, 3, 1]])
    same(trie.add(codes[2:], np.array([2])).trie, CatalogTrie.from_codes(codes))


@pytest.mark.parametrize(
    ("codes", "items", "message"),
    [
        ([[0, 5]], [1], "item 1 is in the trie"),
        ([[0, 5], [0, 6]], [3, 3], "named twice"),
        ([[0, 5]], [-1], "-1 is no"),
        ([[0, 5]], [3, 4], "do not fit"),
        ([[0, -1]], [7], "ID of item 7 is a prefix of the ID of item 0"),
        ([[2, 7]], [7], "ID of item 2 is a prefix of the ID of item 7"),
        ([[4, -1], [4, 0]], [3, 7], "ID of item 0 is a prefix"),
        ([[-1, 0]], [3], "empty"),
    ],
)
def test_items_that_cannot_be_added_are_refused(codes, items, message):
    trie = CatalogTrie.from_codes(np.array([[0, 1], [1, 2], [2, -1]]))
    with pytest.raises(DataError, match=message):
        trie.add(np.array(codes), np.array(items))


@pytest.mark.parametrize("items", [[3], [0, 0], [-1]])
def test_items_that_cannot_be_removed_are_refused(items):
    with pytest.raises(DataError):
        CatalogTrie.from_codes(np.array([[0, 1], [1, 2], [2, -1]])).remove(np.array(items))


def test_items_named_twice_are_refused():
    with pytest.raises(DataError, match="item 4 is named twice"):
        CatalogTrie.from_codes(np.array([[0], [1]]), np.array([4, 4]))
