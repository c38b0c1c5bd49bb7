"""The catalog trie: every item's ID as a path in flat integer arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from genrec.errors import DataError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

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
        int32 (num_nodes + 1,) and (N,): items that end at each node, ascending.
    paths
        int32 (N, L): node reached after each code of an item, -1 after its end.
    leaf_of
        int32 (N,): node where an item ends.
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
    def from_codes(cls, codes: NDArray[np.int32]) -> Self:
        """Build the trie by sorting.

        Parameters
        ----------
        codes
            (N, L) integers: one row an item, -1 padded on the right. Equal rows share a leaf.

        Raises
        ------
        DataError
            If there are no items, a row is empty or has a gap, or an ID is a strict prefix of another.
        """
        codes = np.asarray(codes, dtype=np.int32)
        _check_rows(codes)
        num_items, num_levels = codes.shape
        order = np.lexsort(codes.T[::-1]).astype(np.int32)
        ordered = codes[order]
        _check_prefixes(ordered, order)

        # A row opens a new node at a level where its codes up to there differ from the row's above it.
        is_new = np.ones((num_items, num_levels), dtype=bool)
        is_new[1:] = np.logical_or.accumulate(ordered[1:] != ordered[:-1], axis=1)
        is_new &= ordered >= 0
        offsets = np.concatenate([[0, 1], 1 + np.cumsum(is_new.sum(axis=0))]).astype(np.int32)
        ordered_paths = np.cumsum(is_new, axis=0, dtype=np.int32) - 1 + offsets[1:-1]
        ordered_paths[ordered < 0] = -1

        code, parent, depth = (np.full(offsets[-1], fill, dtype=np.int32) for fill in (-1, -1, 0))
        for level in range(num_levels):
            rows, nodes = is_new[:, level], slice(offsets[level + 1], offsets[level + 2])
            code[nodes] = ordered[rows, level]
            parent[nodes] = ordered_paths[rows, level - 1] if level else 0
            depth[nodes] = level + 1

        paths = np.empty_like(ordered_paths)
        paths[order] = ordered_paths
        leaf_of = paths.max(axis=1)
        return cls(
            indptr=_starts(parent[1:], len(code)),
            code=code,
            parent=parent,
            depth=depth,
            leaf_indptr=_starts(leaf_of, len(code)),
            leaf_items=np.argsort(leaf_of, kind="stable").astype(np.int32),
            paths=paths,
            leaf_of=leaf_of,
            level_offsets=offsets,
        )

    @property
    def num_items(self) -> int:
        """Number of items (N)."""
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


def _starts(groups: NDArray[np.int32], num_groups: int) -> NDArray[np.int32]:
    """CSR row starts, (num_groups + 1,), of values that fall into groups."""
    starts = np.zeros(num_groups + 1, dtype=np.int32)
    np.cumsum(np.bincount(groups, minlength=num_groups), out=starts[1:])
    return starts


def _check_rows(codes: NDArray[np.int32]) -> None:
    if codes.ndim != 2 or codes.size == 0:
        raise DataError(f"item codes must be (N, L) with at least one item and one level, got {codes.shape}")
    used = codes >= 0
    bad = ~used[:, 0] | (used[:, 1:] & ~used[:, :-1]).any(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"codes of item {row} are {codes[row].tolist()}: empty, or with a gap",
            hint="every item needs one code at least, and -1 only after its last code",
        )


def _check_prefixes(ordered: NDArray[np.int32], order: NDArray[np.int32]) -> None:
    """Refuse IDs that begin with another: -1 sorts first, so a prefix stands right above one that extends it."""
    upper, lower = ordered[:-1], ordered[1:]
    first_difference = (upper != lower).argmax(axis=1)
    rows = np.arange(len(upper))
    is_prefix = (upper[rows, first_difference] < 0) & (lower[rows, first_difference] >= 0)
    if is_prefix.any():
        row = int(np.flatnonzero(is_prefix)[0])
        raise DataError(
            f"the ID of item {order[row]} is a prefix of the ID of item {order[row + 1]}",
            hint="append an end code to every ID, so that none begins with another",
        )
