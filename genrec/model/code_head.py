"""The code head: one module that embeds item codes and scores the children of a trie node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from genrec.model.depth import DepthReader
from genrec.model.grouped import grouped_logits
from genrec.model.paired import paired_products
from genrec.model.ragged import expand, ragged_log_softmax

if TYPE_CHECKING:
    from genrec.items.vocabulary import ItemVocabulary
    from genrec.trie import CatalogTrie

GATHER_COST = 32
"""Code rows that are multiplied in the time it takes to gather one and multiply it alone."""


@dataclass(frozen=True, eq=False)
class Children:
    """Log-probabilities of the children of M nodes, as a ragged list of E edges.

    Parameters
    ----------
    row
        int64 (E,): which of the M nodes an edge starts from, ascending.
    node
        int64 (E,): the child's trie node.
    logprob
        float32 (E,): log-probability of the child given its parent; those of a row sum to 1.
    first
        int64 (M,): position of each row's first edge.
    """

    row: Tensor
    node: Tensor
    logprob: Tensor
    first: Tensor


class CodeHead(nn.Module):
    r"""Scores the next code of an item and gives the input vectors of item tokens.

    The children :math:`c` of a trie node compete in one softmax over

    .. math:: z_c = h \cdot (v_{code(c)} + r_c)

    where :math:`h` is the backbone's hidden state, :math:`v` a vector shared by all nodes that carry the
    code, and :math:`r` an optional vector of the node itself. The shared part generalises over codes; the
    node residual remembers items (a hierarchical softmax with shared structure). Only rows of item codes
    are ever evaluated, never the text vocabulary.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.
    width
        Width of the backbone's hidden state (D).
    node_residual
        Add a vector for every trie node below the root when scoring, and one for every item at the input,
        after the item's last code. They start at zero. Default False.
    text_rows
        Output rows (V, D) of the base model, needed if item codes are text tokens (titles): their vectors
        are then the model's own and are not trained.
    init_std
        Standard deviation of the initial code vectors. Default 0.02.
    dropout
        Of the network that reads codes, where the vocabulary has one position an item and IDs of several codes.
        Default 0.

    Examples
    --------
    >>> from genrec.testing import tiny_generator
    >>> head = tiny_generator(num_items=6).head
    >>> head.root_logprobs(torch.zeros(2, head.width)).exp().sum(dim=1).round(decimals=4).tolist()
    [1.0, 1.0]
    """

    indptr: Tensor
    is_decided: Tensor
    node_code: Tensor
    node_item: Tensor
    ancestors: Tensor

    def __init__(
        self,
        vocabulary: ItemVocabulary,
        width: int,
        *,
        node_residual: bool = False,
        text_rows: Tensor | None = None,
        init_std: float = 0.02,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        trie = vocabulary.trie
        self.width = width
        self.text_size = vocabulary.text_size
        self.one_position = vocabulary.one_position
        self.register_buffer("indptr", torch.from_numpy(trie.indptr.astype("int64")), persistent=False)
        self.register_buffer("is_decided", torch.from_numpy(trie.is_decided), persistent=False)
        self.register_buffer("node_code", torch.from_numpy(trie.code.astype("int64")), persistent=False)
        self.register_buffer("node_item", _item_of_leaf(vocabulary), persistent=False)
        self.code_vectors: Tensor
        if vocabulary.tokenizer.text_tokens is None:
            self.code_vectors = nn.Parameter(torch.randn(vocabulary.tokenizer.num_codes, width) * init_std)
        else:
            if text_rows is None:
                msg = "item codes are text tokens: the code head needs the base model's output rows"
                raise ValueError(msg)
            rows = text_rows[torch.from_numpy(vocabulary.tokenizer.text_tokens)].detach().float().clone()
            self.register_buffer("code_vectors", rows, persistent=False)
        self.node_vectors = nn.Parameter(torch.zeros(trie.num_nodes, width)) if node_residual else None
        self.item_vectors = nn.Parameter(torch.zeros(vocabulary.num_items, width)) if node_residual else None
        # With one level there is nothing below the root to read, and DDP wants every parameter to take part in a step.
        reads_below = vocabulary.one_position and trie.num_levels > 1
        self.depth_reader = DepthReader(width, dropout) if reads_below else None
        self.register_buffer("ancestors", _ancestors(vocabulary.trie), persistent=False)

    def input_vectors(self, tokens: Tensor, nodes: Tensor) -> Tensor:
        """Input vectors of item tokens that the head adds to the vocabulary.

        Parameters
        ----------
        tokens
            int64 (M,): token ids, all >= ``text_size``.
        nodes
            int64 (M,): the trie node each token leads to.

        Returns
        -------
        Tensor
            float32 (M, D).
        """
        if self.one_position:
            return self.path_vectors(nodes) + self.item_residual(nodes)
        vectors = nn.functional.embedding(tokens - self.text_size, self.code_vectors)
        return vectors + self.item_residual(nodes)

    def path_vectors(self, nodes: Tensor) -> Tensor:
        """Sums (M, D) of the vectors of all codes on the way to trie nodes."""
        path = self.ancestors[nodes]  # (M, L), 0 padded
        vectors = nn.functional.embedding(self.node_code[path].clamp(min=0), self.code_vectors)
        return (vectors * (path > 0).unsqueeze(-1)).sum(-2)

    def descend(self, hidden: Tensor, nodes: Tensor) -> Tensor:
        """States (M, D) at inner trie nodes from those before the item; only with one position an item."""
        assert self.depth_reader is not None  # there are inner nodes, and the vocabulary says which way items are read
        state: Tensor = self.depth_reader(hidden.float(), self.path_vectors(nodes))
        return state

    def item_residual(self, nodes: Tensor) -> Tensor:
        """Vectors (M, D) that mark the end of an item at the input; zero inside an item or if not trained."""
        items = self.node_item[nodes]
        if self.item_vectors is None:
            return torch.zeros(1, self.width, device=nodes.device)
        return nn.functional.embedding(items.clamp(min=0), self.item_vectors) * (items >= 0).unsqueeze(-1)

    def root_logprobs(self, hidden: Tensor) -> Tensor:
        """Log-probabilities of the root's children.

        Parameters
        ----------
        hidden
            float32 (M, D).

        Returns
        -------
        Tensor
            float32 (M, K0); column j is trie node ``1 + j``.
        """
        children = slice(1, 1 + int(self.indptr[1]))
        vectors = self.code_vectors[self.node_code[children]]
        if self.node_vectors is not None:
            vectors = vectors + self.node_vectors[children]
        return torch.log_softmax(hidden.float() @ vectors.T, dim=-1)

    def child_logprobs(self, hidden: Tensor, nodes: Tensor) -> Children:
        """Log-probabilities of the children of inner nodes below the root.

        Parameters
        ----------
        hidden
            float32 (M, D): hidden state after the node's token.
        nodes
            int64 (M,): inner trie nodes; leaves have no children and are not allowed.

        Returns
        -------
        Children
            Ragged edges, in order of rows and of child nodes.
        """
        hidden = hidden.float()
        begin = self.indptr.index_select(0, nodes)
        count = self.indptr.index_select(0, nodes + 1) - begin
        edges = expand(begin, count)
        row, node = edges.row, edges.node
        if torch.is_grad_enabled() and self.node_vectors is not None:
            logits = grouped_logits(hidden, self._scoring_vectors(), begin + 1, count)
            return Children(row, node, ragged_log_softmax(logits, row, len(nodes)), edges.first)
        code = self.node_code.index_select(0, node)
        low, high = (int(bound) for bound in code.aminmax()) if len(code) else (0, 0)
        num_codes = high - low + 1
        if len(code) * GATHER_COST < len(nodes) * num_codes:
            logits = paired_products(hidden, self.code_vectors, row, code)
        else:
            table = hidden @ self.code_vectors[low : high + 1].T
            logits = table.flatten().index_select(0, row * num_codes + (code - low))
        if self.node_vectors is not None:
            logits = logits + paired_products(hidden, self.node_vectors, row, node)
        return Children(row, node, ragged_log_softmax(logits, row, len(nodes)), edges.first)

    def _scoring_vectors(self) -> Tensor:
        """Vectors (num_nodes, D) that all nodes are scored by; the root's is of no use."""
        vectors = nn.functional.embedding(self.node_code.clamp(min=0), self.code_vectors)
        return vectors if self.node_vectors is None else vectors + self.node_vectors


def _item_of_leaf(vocabulary: ItemVocabulary) -> Tensor:
    """(num_nodes,) the item that ends at each node, -1 at inner nodes."""
    items = torch.full((vocabulary.trie.num_nodes,), -1, dtype=torch.int64)
    items[torch.from_numpy(vocabulary.trie.leaf_of.astype("int64"))] = torch.arange(vocabulary.num_items)
    return items


def _ancestors(trie: CatalogTrie) -> Tensor:
    """Nodes (num_nodes, L) on the way to each node, itself included and the root not, 0 padded."""
    parent = torch.from_numpy(trie.parent.astype("int64")).clamp(min=0)
    columns = [torch.arange(trie.num_nodes)]
    while len(columns) < trie.num_levels:
        columns.append(parent[columns[-1]])
    return torch.stack(columns, dim=1)
