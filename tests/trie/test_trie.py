import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.errors import DataError, ModelError
from genrec.trie import CatalogTrie


def dict_trie(codes):
    """Items below each path, by a loop."""
    below = {}
    for item, row in enumerate(codes.tolist()):
        path = tuple(code for code in row if code >= 0)
        for end in range(len(path) + 1):
            below.setdefault(path[:end], []).append(item)
    return below


def path_of(trie, node):
    path = []
    while node > 0:
        path.append(int(trie.code[node]))
        node = int(trie.parent[node])
    return tuple(reversed(path))


@st.composite
def prefix_free(draw):
    """IDs of one length, cut where an end code says so; rows may repeat."""
    rows = draw(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=30))
    codes = np.full((len(rows), 4), -1, dtype=np.int32)
    for row, path in zip(codes, rows, strict=True):
        cut = path.index(4) if 4 in path else 3
        row[: cut + 1] = [*path[:cut], 4]
    return codes


@settings(max_examples=150, deadline=None)
@given(prefix_free())
def test_it_holds_the_paths_of_a_dict_trie_in_breadth_first_order(codes):
    trie, below = CatalogTrie.from_codes(codes), dict_trie(codes)
    paths = [path_of(trie, node) for node in range(trie.num_nodes)]
    # Breadth first, the children of earlier nodes earlier, siblings by code: shorter paths first, then lexicographic.
    assert paths == sorted(below, key=lambda path: (len(path), path))
    for node, path in enumerate(paths):
        children = trie.children(node).tolist()
        assert [paths[child] for child in children] == [p for p in paths if len(p) == len(path) + 1 and p[:-1] == path]
        assert trie.depth[node] == len(path)
        assert trie.items_at(node).tolist() == ([] if children else below[path])
    for item, row in enumerate(codes):
        length = int((row >= 0).sum())
        walked = [paths.index(tuple(row[: level + 1])) for level in range(length)]
        assert trie.paths[item].tolist() == walked + [-1] * (4 - length)
        assert trie.leaf_of[item] == walked[-1]
    leaves = [
        {int(trie.leaf_of[item]) for item in items}
        for path, items in sorted(below.items(), key=lambda p: (len(p[0]), p[0]))
    ]
    assert trie.is_decided.tolist() == [len(some) == 1 for some in leaves]
    decided = np.flatnonzero(trie.is_decided)
    assert [{leaf} for leaf in trie.only_leaf(decided).tolist()] == [leaves[node] for node in decided]
    depths = trie.depth.tolist()
    assert trie.level_offsets.tolist() == [sum(d < level for d in depths) for level in range(6)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple), min_size=1, max_size=8))
def test_a_prefix_of_another_id_is_refused_and_nothing_else(rows):
    codes = np.full((len(rows), 3), -1, dtype=np.int32)
    for row, path in zip(codes, rows, strict=True):
        row[: len(path)] = path
    if any(a != b and b[: len(a)] == a for a in rows for b in rows):
        with pytest.raises(DataError, match="end code"):
            CatalogTrie.from_codes(codes)
    else:
        assert CatalogTrie.from_codes(codes).num_items == len(rows)


@pytest.mark.parametrize("codes", [np.zeros((0, 2)), np.zeros((3, 0)), [[-1, 0]], [[0, -1, 1]], [0, 1]])
def test_codes_that_are_no_ids_are_refused(codes):
    with pytest.raises(DataError):
        CatalogTrie.from_codes(np.asarray(codes))


@pytest.mark.parametrize("mmap", [True, False])
def test_it_is_the_same_after_saving_and_loading(tmp_path, mmap):
    trie = CatalogTrie.from_codes(np.random.default_rng(0).integers(0, 9, (100, 3)))
    trie.save(tmp_path / "trie")
    loaded = CatalogTrie.load(tmp_path / "trie", mmap=mmap)
    assert isinstance(loaded.paths, np.memmap) is mmap
    for name, array in vars(trie).items():
        np.testing.assert_array_equal(getattr(loaded, name), array)
        assert getattr(loaded, name).dtype == np.int32
    assert loaded.nbytes == trie.nbytes


def test_a_folder_without_a_trie_and_a_later_format_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"trie\.json"):
        CatalogTrie.load(tmp_path)
    (tmp_path / "trie.json").write_text('{"format_version": 99}')
    with pytest.raises(ModelError, match="99"):
        CatalogTrie.load(tmp_path)


def test_an_item_of_four_codes_needs_at_most_75_bytes():
    codes = np.random.default_rng(0).integers(0, 256, (100_000, 4))
    assert CatalogTrie.from_codes(codes).nbytes <= 75 * len(codes)
