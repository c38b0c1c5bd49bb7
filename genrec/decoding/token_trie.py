"""The catalog trie as text sees it: edges are token ids, and any number of rows follow theirs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genrec.errors import UnsupportedError
from genrec.model.ragged import expand

if TYPE_CHECKING:
    from torch import Tensor

    from genrec.items.vocabulary import ItemVocabulary


def check_token_a_code(vocabulary: ItemVocabulary) -> None:
    """Refuse items of one position where text is all there is: one token does not say which item it is.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.

    Raises
    ------
    UnsupportedError
        If it is so.
    """
    if vocabulary.one_position and vocabulary.trie.num_levels > 1:
        hint = "use beam_search or generate_with_items, or fine-tune with head.one_position=false"
        raise UnsupportedError("items take one position each: token ids do not say which item is meant", hint=hint)


class TokenTrie:
    """Follows tokens down the trie, by binary search over its edges, and lists the children of nodes.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import tiny_generator
    >>> tree = TokenTrie(tiny_generator(codes=np.array([[0, 2], [0, 3], [1, 2]])).vocabulary)
    >>> tree.child(torch.tensor([0, 1, 1]), torch.tensor([3, 5, 2])).tolist()
    [2, 4, -1]
    >>> row, node = tree.children(torch.tensor([1, 4, 0]))
    >>> row.tolist(), node.tolist(), tree.token[node].tolist()
    ([0, 0, 2, 2], [3, 4, 1, 2], [4, 5, 2, 3])
    """

    def __init__(self, vocabulary: ItemVocabulary) -> None:
        trie = vocabulary.trie
        self._indptr = torch.from_numpy(trie.indptr.astype("int64"))
        code = torch.from_numpy(trie.code.astype("int64"))
        self.token = torch.tensor(vocabulary.code_tokens)[code.clamp(min=0)]
        """int64 (num_nodes,): token of the edge into each node; the root's means nothing."""
        self._stride = int(self.token.max()) + 1
        # Edges ordered by parent, then token: a node's child is found by one search for (parent, token).
        key = torch.from_numpy(trie.parent[1:].astype("int64")) * self._stride + self.token[1:]
        self._key, self._edge = key.sort()

    def child(self, node: Tensor, token: Tensor) -> Tensor:
        """The node that each of some nodes (R,) has at a token (R,), int64; -1 where there is none."""
        key = node * self._stride + token
        place = torch.searchsorted(self._key, key).clamp(max=len(self._key) - 1)
        found = (self._key[place] == key) & (token < self._stride)
        return torch.where(found, self._edge[place] + 1, -1)

    def children(self, node: Tensor) -> tuple[Tensor, Tensor]:
        """Row and node of every child of some nodes (R,), ordered by row, then code; int64 (E,) each."""
        begin = self._indptr[node]
        edges = expand(begin, self._indptr[node + 1] - begin)
        return edges.row, edges.node

    def is_leaf(self, node: Tensor) -> Tensor:
        """Which of some nodes (R,) have no children, bool."""
        return self._indptr[node] == self._indptr[node + 1]
