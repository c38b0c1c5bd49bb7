"""The catalog trie: every item's ID as a path in flat integer arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from genrec.errors import ModelError
from genrec.trie.build import check_items, trie_arrays
from genrec.trie.update import add_items, remove_items

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.trie.update import TrieUpdate

FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class CatalogTrie:
    """A trie over item codes, in compressed sparse row form.

    Nodes are numbered breadth first: the root is 0, the nodes of one depth are contiguous, and so are
    the children of a node, sorted by code. A node other than the root is the end of exactly one edge,
    so edges need no numbers of their own: the children of ``n`` are the nodes
    ``indptr[n] + 1 .. indptr[n + 1]``, both included.

    Parameters
    ----------
    indptr
        int32 (num_nodes + 1,): where each node's children start, less one.
    code
        int32 (num_nodes,): code of the edge that leads into a node, -1 for the root.
    parent
        int32 (num_nodes,): parent of a node, -1 for the root.
    depth
        int32 (num_nodes,): number of codes on the way from the root.
    leaf_indptr, leaf_items
        int32 (num_nodes + 1,) and (items present,): items that end at each node, ascending.
    paths
        int32 (N, L): node reached after each code of an item, -1 after its end; all -1 if it is not present.
    leaf_of
        int32 (N,): node where an item ends, -1 if it is not present.
    level_offsets
        int32 (depths + 2,): the nodes of depth ``d`` are ``level_offsets[d] .. level_offsets[d + 1] - 1``.

    Examples
    --------
    >>> trie = CatalogTrie.from_codes(np.array([[0, 3], [1, 2], [0, 2]]))
    >>> trie.num_nodes, trie.code.tolist()
    (6, [-1, 0, 1, 2, 3, 2])
    >>> trie.children(1), trie.items_at(4)
    (array([3, 4], dtype=int32), array([0], dtype=int32))
    """

    indptr: NDArray[np.int32]
    code: NDArray[np.int32]
    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    leaf_indptr: NDArray[np.int32]
    leaf_items: NDArray[np.int32]
    paths: NDArray[np.int32]
    leaf_of: NDArray[np.int32]
    level_offsets: NDArray[np.int32]

    @classmethod
    def from_codes(cls, codes: NDArray[np.int32], item_index: NDArray[np.integer] | None = None) -> Self:
        """Build the trie by sorting.

        Parameters
        ----------
        codes
            (M, L) integers: one ID a row, -1 padded on the right. Equal rows share a leaf.
        item_index
            (M,): the item that each row identifies, in any order, none twice. Items up to the largest that have
            no row are not in the trie. Default: the number of the row.

        Raises
        ------
        DataError
            If there are no items, a row is empty or has a gap, an ID is a strict prefix of another, or an
            item is named twice.
        """
        codes = np.asarray(codes, dtype=np.int32)
        items = np.arange(len(codes), dtype=np.int32)
        if item_index is not None:
            items = check_items(np.asarray(item_index), len(codes))
            by_item = np.argsort(items)
            codes, items = codes[by_item], items[by_item]
        return cls(**trie_arrays(codes, items))

    def add(self, codes: NDArray[np.int32], items: NDArray[np.integer]) -> TrieUpdate:
        """Make a trie that has further items, by merging: nothing is sorted again.

        Parameters
        ----------
        codes
            (M, L'): one ID a row, -1 padded on the right; of any length.
        items
            (M,): items that are not in the trie: removed ones, or ones from ``num_items`` on.

        Returns
        -------
        TrieUpdate
            The new trie, equal to one built from all codes, and where the old nodes have gone.

        Raises
        ------
        DataError
            If an item is in the trie or named twice, or an ID is a strict prefix of another.

        Examples
        --------
        >>> update = CatalogTrie.from_codes(np.array([[0, 3], [1, 2]])).add(np.array([[0, 2]]), np.array([2]))
        >>> update.trie.num_items, update.moved.tolist()
        (3, [0, 1, 2, 4, 5])
        """
        return add_items(self, codes, items)

    def remove(self, items: NDArray[np.integer]) -> TrieUpdate:
        """Make a trie without some items; the others keep their indices.

        This is for items that are gone for good. One that is out of stock is excluded by its weight, which
        changes no node number.

        Parameters
        ----------
        items
            (M,): items of the trie, none twice.

        Returns
        -------
        TrieUpdate
            The new trie, equal to one built from the codes of the items left, and where the old nodes have gone.

        Raises
        ------
        DataError
            If an item is not in the trie or named twice, or none would be left.

        Examples
        --------
        >>> update = CatalogTrie.from_codes(np.array([[0, 3], [1, 2], [0, 2]])).remove(np.array([1]))
        >>> update.trie.num_items, update.trie.leaf_of.tolist(), update.moved.tolist()
        (3, [3, -1, 2], [0, 1, -1, 2, 3, -1])
        """
        return remove_items(self, items)

    @property
    def num_items(self) -> int:
        """Number of item indices (N), those of removed items included."""
        return len(self.paths)

    @property
    def num_nodes(self) -> int:
        """Number of nodes, root and leaves included."""
        return len(self.code)

    @property
    def num_levels(self) -> int:
        """Length of the longest ID (L)."""
        return int(self.paths.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(int(getattr(self, field.name).nbytes) for field in fields(self))

    def children(self, node: int) -> NDArray[np.int32]:
        """Children of a node, ascending by code; empty for a leaf."""
        return np.arange(self.indptr[node] + 1, self.indptr[node + 1] + 1, dtype=np.int32)

    def items_at(self, node: int) -> NDArray[np.int32]:
        """Items that end at a node, ascending; empty for an inner node."""
        return self.leaf_items[self.leaf_indptr[node] : self.leaf_indptr[node + 1]]

    @cached_property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Whether items end at a node, (num_nodes,)."""
        return np.diff(self.leaf_indptr) > 0

    @cached_property
    def is_decided(self) -> NDArray[np.bool_]:
        """Whether a node leads to one leaf only, (num_nodes,), leaves included: what follows there is certain.

        Searches stop at the first such node of an ID, as if the rest of it were one long edge (a radix tree).

        Examples
        --------
        >>> CatalogTrie.from_codes(np.array([[0, 3, 1], [1, 2, 4], [1, 2, 5]])).is_decided.tolist()
        [False, True, False, True, False, True, True, True]
        """
        decided = self.is_leaf.copy()
        for first, end in zip(self.level_offsets[-3::-1], self.level_offsets[-2:0:-1], strict=False):
            child = self.indptr[first:end] + 1
            alone = np.flatnonzero(self.indptr[first + 1 : end + 1] == child)
            decided[first + alone] = decided[child[alone]]
        return decided

    def only_leaf(self, nodes: NDArray[np.integer]) -> NDArray[np.int32]:
        """The one leaf that each of some decided nodes leads to, int32 (M,).

        Examples
        --------
        >>> CatalogTrie.from_codes(np.array([[0, 3, 1], [1, 2, 4], [1, 2, 5]])).only_leaf(np.array([1, 6]))
        array([5, 6], dtype=int32)
        """
        leaf = np.array(nodes, dtype=np.int32)
        open_ = np.flatnonzero(~self.is_leaf[leaf])
        while len(open_):
            leaf[open_] = self.indptr[leaf[open_]] + 1
            open_ = open_[~self.is_leaf[leaf[open_]]]
        return leaf

    @cached_property
    def _least_depth(self) -> int:
        """Length of the shortest ID."""
        return int(self.depth[np.argmax(self.is_leaf)])

    @cached_property
    def has_shared_leaves(self) -> bool:
        """Whether several items end at one node."""
        return len(self.leaf_items) > int(np.count_nonzero(self.is_leaf))

    @cached_property
    def _runs(self) -> NDArray[np.int32] | None:
        """Where the items below each node are in ``leaf_items``, (num_nodes, 2), if all IDs have one length."""
        deepest = int(self.depth[-1])
        if self._least_depth < deepest:
            return None
        runs = np.empty((self.num_nodes, 2), dtype=np.int32)
        first = int(self.level_offsets[deepest])
        runs[first:, 0], runs[first:, 1] = self.leaf_indptr[first:-1], self.leaf_indptr[first + 1 :]
        for level in range(deepest - 1, -1, -1):
            first, end = self.level_offsets[level : level + 2]
            runs[first:end, 0] = runs[self.indptr[first:end] + 1, 0]
            runs[first:end, 1] = runs[self.indptr[first + 1 : end + 1], 1]
        return runs

    def leaf_ranges(self, nodes: NDArray[np.integer]) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Where the items below some nodes are in ``leaf_items``: at each depth that has any, one run a node.

        Yields
        ------
        tuple
            First and end of each node's run, (M,) and (M,), for one depth after the other.

        Examples
        --------
        >>> trie = CatalogTrie.from_codes(np.array([[0, 2], [1, 2], [0, 3]]))
        >>> [(first.tolist(), end.tolist()) for first, end in trie.leaf_ranges(np.array([1, 2]))]
        [([0, 2], [2, 3])]
        """
        if self._runs is not None:
            run = self._runs.view(np.int64).take(nodes).view(np.int32)  # both numbers at once
            yield run[::2], run[1::2]
            return
        first, end = nodes, nodes + 1
        deepest = int(self.depth[nodes].max()) if len(nodes) else 0
        for level in range(self.num_levels + 1):
            if level + deepest >= self._least_depth:
                begin_items, end_items = self.leaf_indptr.take(first), self.leaf_indptr.take(end)
                if (begin_items < end_items).any():
                    yield begin_items, end_items
            # The descendants of a node at one depth are contiguous.
            first, end = self.indptr.take(first) + 1, self.indptr.take(end) + 1
            if not (first < end).any():
                return

    def count_items(self, nodes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Number of items below each of some nodes, or at it."""
        count = np.zeros(len(nodes), dtype=np.int64)
        for first, end in self.leaf_ranges(nodes):
            count += end - first
        return count

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` file an array and ``trie.json`` into a folder, made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name), allow_pickle=False)
        about = {"format_version": FORMAT_VERSION, "num_items": self.num_items, "num_nodes": self.num_nodes}
        (folder / "trie.json").write_text(json.dumps(about) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, mmap: bool = True) -> Self:
        """Read what :meth:`save` wrote; memory mapped unless ``mmap`` is false.

        Raises
        ------
        ModelError
            If the folder holds no trie, or one of a format this version does not read.
        """
        about_file = folder / "trie.json"
        if not about_file.is_file():
            raise ModelError(f"{folder} holds no catalog trie: {about_file.name} is missing")
        version = json.loads(about_file.read_text(encoding="utf-8"))["format_version"]
        if version != FORMAT_VERSION:
            raise ModelError(
                f"{about_file} has format version {version}, this genrec reads {FORMAT_VERSION}",
                hint="rebuild the trie from the item codes with CatalogTrie.from_codes",
            )
        mode: Literal["r"] | None = "r" if mmap else None
        return cls(
            **{
                field.name: np.load(folder / f"{field.name}.npy", mmap_mode=mode, allow_pickle=False)
                for field in fields(cls)
            }
        )
