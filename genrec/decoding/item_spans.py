"""Where rows of mixed text stand, and what may follow: the catalog as a constraint that is active inside items only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.token_trie import TokenTrie, check_token_a_code
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.decoding.node_weights import NodeWeights
    from genrec.items.vocabulary import ItemVocabulary

TEXT = -1
"""Node of a row that is outside a span."""


@dataclass(frozen=True, eq=False)
class SpanRows:
    """Where R rows of mixed text stand.

    Parameters
    ----------
    node
        int64 (R,): the trie node reached inside a span, 0 where one has just been opened, -1 in text.
    items
        Items that each row has written so far.
    """

    node: Tensor
    items: tuple[tuple[int, ...], ...]


class ItemSpans:
    """The rules of text with item spans.

    A span is opened by one text token, its marker, and holds one item. Inside, only the children of the trie node
    reached are allowed that lead to eligible items; it closes by itself at a leaf. Outside, all text is allowed, the
    marker as long as an eligible item is left and there is room for the longest ID, and never a token that was
    added for items.

    A marker, instead of letting the first code compete with all text, for two reasons. What a code head learns are the
    probabilities of codes given that an item follows: its logits may be off by any constant from those of the text, so
    the two cannot be compared. And where IDs are titles, codes are text: nothing else could say where an item begins.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.
    marker
        Text token that opens a span.
    weights
        Item log-weights, (B, N) or (1, N); with B users, rows are theirs in blocks of equal size, as those of
        ``generate`` are. Default: all items are eligible, no priors.
    alpha
        Factor of finite weights. Default 1.
    distinct
        Write no item twice. Default False.

    Raises
    ------
    ConfigError
        If the marker is no text token, or the weights are for another number of items.

    Examples
    --------
    >>> from genrec.testing import tiny_generator
    >>> spans = ItemSpans(tiny_generator(codes=np.array([[0, 2], [0, 3], [1, 2]])).vocabulary, marker=1, distinct=True)
    >>> rows = spans.read(torch.tensor([[1, 2, 5, 0], [0, 0, 1, 2]]))
    >>> rows.node.tolist(), rows.items
    ([-1, 1], ((1,), ()))
    """

    def __init__(
        self,
        vocabulary: ItemVocabulary,
        marker: int,
        weights: ItemWeights | None = None,
        alpha: float = 1.0,
        *,
        distinct: bool = False,
    ) -> None:
        if not 0 <= marker < vocabulary.text_size:
            raise ConfigError(f"marker {marker} is not one of the {vocabulary.text_size} text tokens")
        self.vocabulary = vocabulary
        self.marker = marker
        self.alpha = alpha
        self.distinct = distinct
        self.weights = ItemWeights.from_seen([[]], vocabulary.num_items) if weights is None else weights
        self.tree = TokenTrie(vocabulary)
        self._on_nodes = self.weights.on_nodes(vocabulary.trie)
        present = vocabulary.trie.leaf_of >= 0
        self._num_eligible = (self.weights.eligible & present).sum(axis=1)

    def start(self, last_tokens: Tensor) -> SpanRows:
        """Rows whose prompts end with some tokens (R,): the marker opens a span."""
        nothing = SpanRows(torch.full((len(last_tokens),), TEXT), ((),) * len(last_tokens))
        return self.after(nothing, last_tokens.cpu())

    def read(self, tokens: Tensor) -> SpanRows:
        """Rows after texts (R, 1 + T), of which the first token is the last of the prompt; a token for each code."""
        check_token_a_code(self.vocabulary)
        rows = self.start(tokens[:, 0])
        for token in tokens[:, 1:].cpu().T:
            rows = self.after(rows, token)
        return rows

    def after(self, rows: SpanRows, tokens: Tensor) -> SpanRows:
        """Rows after the token of one more code, or of text, each (R,); one that is not allowed closes a span."""
        inside = rows.node >= 0
        node = torch.where((tokens == self.marker) & self._items_left(rows), 0, TEXT)
        if inside.any():
            node[inside] = self.tree.child(rows.node[inside], tokens[inside])
        done = ((node > 0) & self.tree.is_leaf(node.clamp(min=0))).nonzero()[:, 0].tolist()
        items = list(rows.items)
        for row in done:
            items[row] = (*items[row], self._item_at(int(node[row]), row, rows))
            node[row] = TEXT
        return SpanRows(node, tuple(items))

    def may_open(self, rows: SpanRows, room: int) -> Tensor:
        """Rows whose next token may be the marker, with room for so many tokens, bool (R,)."""
        return (rows.node == TEXT) & self._items_left(rows) & (room > self.vocabulary.tokens_per_item)

    def _items_left(self, rows: SpanRows) -> Tensor:
        """Rows that an eligible item is left for, bool (R,)."""
        user = self._user(np.arange(len(rows.items)), rows)
        used = [len(set(items)) if self.distinct else 0 for items in rows.items]
        return torch.from_numpy(self._num_eligible[user] > np.array(used, dtype=np.int64))

    def children(self, rows: SpanRows) -> tuple[Tensor, Tensor, Tensor]:
        """Row, node and weighted prior of each live child, (E,) each, of the rows that are inside a span."""
        inside = (rows.node >= 0).nonzero()[:, 0]
        row, node = self.tree.children(rows.node[inside])
        row = inside[row]
        added = torch.from_numpy(self._weights_at(row, node, rows))
        alive = (added > -torch.inf).nonzero()[:, 0]
        prior = added[alive]
        return row[alive], node[alive], self.alpha * prior if prior.any() else prior

    def _weights_at(self, row: Tensor, node: Tensor, rows: SpanRows) -> NDArray[np.float32]:
        of_row = row.numpy()
        if not len(node) or not self.distinct or not any(rows.items):
            return self._on_nodes.of(self._user(of_row, rows), node.numpy())
        some, place = np.unique(of_row, return_inverse=True)
        return self._without_written(some, rows).of(place, node.numpy())

    def _without_written(self, some: NDArray[np.int64], rows: SpanRows) -> NodeWeights:
        """Node weights of some rows, less the items that each has written."""
        left = [
            self.weights.row(int(user)) + ItemWeights.from_seen([rows.items[row]], self.vocabulary.num_items)
            for row, user in zip(some, self._user(some, rows), strict=True)
        ]
        return ItemWeights.stack(left).on_nodes(self.vocabulary.trie)

    def _user(self, row: NDArray[np.int64], rows: SpanRows) -> NDArray[np.int64]:
        """Row of the weights for each of some rows."""
        num_users = self.weights.shape[0]
        return row // (len(rows.items) // num_users) if num_users > 1 else np.zeros_like(row)

    def _item_at(self, leaf: int, row: int, rows: SpanRows) -> int:
        """The item of a leaf that weighs most, of equal ones the first; one not written yet if there is."""
        items = self.vocabulary.trie.items_at(leaf)
        weight = self.weights.of(self._user(np.full(len(items), row), rows), items)
        if self.distinct:
            weight[np.isin(items, rows.items[row])] = -np.inf
        return int(items[np.argmax(weight if self.alpha >= 0 else np.where(weight > -np.inf, -weight, weight))])
