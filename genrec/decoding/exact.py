"""Exact scores: every item, or given candidates, by reading each trie node with a choice below it once a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.abandon import check_wanted
from genrec.decoding.decoded import Decoded, check_request, rank_items
from genrec.decoding.tree_attention import TreeReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.decoding.weights import ItemWeights
    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence
    from genrec.trie import CatalogTrie


@torch.inference_mode()
def score_items(
    generator: Generator, prompts: Sequence[TokenSequence], *, max_queries: int = 2048
) -> NDArray[np.float32]:
    """Score every item after each prompt.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompts
        B prompts, ending where an item is to follow.
    max_queries
        Trie nodes read in one forward pass, over all prompts; bounds memory. Default 2048.

    Returns
    -------
    NDArray[np.float32]
        (B, N) log-probabilities. They are those of the leaves: if no two items share one, those of a
        prompt sum to 1 as probabilities.

    Raises
    ------
    ConfigError
        If the prompts do not fit the generator.

    Examples
    --------
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> logprobs = score_items(tiny_generator(num_items=6), [prompt])
    >>> logprobs.shape, round(float(np.exp(logprobs).sum()), 4)
    ((1, 6), 1.0)
    """
    trie = generator.vocabulary.trie
    nodes = np.tile(_nodes_with_choice(trie, trie.paths), (len(prompts), 1))
    return _node_logprobs(generator, prompts, nodes, max_queries)[:, trie.leaf_of]


@torch.inference_mode()
def score_candidates(
    generator: Generator, prompt: TokenSequence, items: NDArray[np.int32], *, max_queries: int = 2048
) -> NDArray[np.float32]:
    """Score some items after one prompt, reading only the nodes above them.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompt
        The prompt.
    items
        int32 (M,) item indices.
    max_queries
        As for :func:`score_items`.

    Returns
    -------
    NDArray[np.float32]
        (M,) log-probabilities, those of :func:`score_items`.

    Examples
    --------
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> generator = tiny_generator(num_items=6)
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> some = score_candidates(generator, prompt, np.array([4, 1]))
    >>> np.allclose(some, score_items(generator, [prompt])[0, [4, 1]], atol=1e-4)
    True
    """
    trie = generator.vocabulary.trie
    nodes = _nodes_with_choice(trie, trie.paths[items])[None]
    scores: NDArray[np.float32] = _node_logprobs(generator, [prompt], nodes, max_queries)[0, trie.leaf_of[items]]
    return scores


@torch.inference_mode()
def rerank(
    generator: Generator,
    prompts: Sequence[TokenSequence],
    candidates: NDArray[np.int32],
    k: int = 10,
    weights: ItemWeights | None = None,
    alpha: float = 1.0,
    *,
    max_queries: int = 2048,
) -> Decoded:
    """Rank candidates of each user by their exact scores.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompts
        B prompts.
    candidates
        int32 (B, M) item indices, none twice in a row, -1 where a user has fewer.
    k
        Items to return a user. Default 10.
    weights
        Item log-weights, (B, N) or (1, N). Default none.
    alpha
        Factor of finite weights. Default 1.
    max_queries
        As for :func:`score_items`.

    Returns
    -------
    Decoded
        The ``min(k, eligible candidates)`` best.

    Raises
    ------
    ConfigError
        If k is below 1, or prompts or weights do not fit the generator.

    Examples
    --------
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> ranked = rerank(tiny_generator(num_items=6), [prompt], np.array([[3, 0, -1]]), k=3)
    >>> sorted(ranked.items[0].tolist())
    [-1, 0, 3]
    """
    trie = generator.vocabulary.trie
    check_request(len(prompts), trie.num_items, k, weights)
    per_user = [_nodes_with_choice(trie, trie.paths[row[row >= 0]]) for row in candidates]
    nodes = np.full((len(prompts), max(map(len, per_user))), -1, dtype=np.int32)
    for row, inner in zip(nodes, per_user, strict=True):
        row[: len(inner)] = inner
    logprobs = _node_logprobs(generator, prompts, nodes, max_queries)
    user, column = np.nonzero(candidates >= 0)
    item = candidates[user, column]
    return rank_items(
        user, item, logprobs[user, trie.leaf_of[item]], num_users=len(prompts), k=k, weights=weights, alpha=alpha
    )


def _nodes_with_choice(trie: CatalogTrie, paths: NDArray[np.int32]) -> NDArray[np.int32]:
    """Nodes on the paths (M, L) that lead to several leaves, the root left out, in preorder.

    In preorder, the ancestors of any node of a run are in the run, or above its first node.
    """
    ordered = paths[np.lexsort(paths.T[::-1])]
    nodes, first = np.unique(ordered.ravel(), return_index=True)  # depth first: row by row, then level by level
    nodes = nodes[np.argsort(first)]
    with_choice: NDArray[np.int32] = nodes[(nodes >= 0) & ~trie.is_decided[nodes]]
    return with_choice


def _node_logprobs(
    generator: Generator, prompts: Sequence[TokenSequence], nodes: NDArray[np.int32], max_queries: int
) -> NDArray[np.float32]:
    """Log-probability of every node of the trie, (B, num_nodes), exact below the given nodes.

    ``nodes`` (B, M) are nodes of each user that lead to several leaves, in preorder, -1 padded, closed under ancestors.
    They are read in runs; a run reads the ancestors of its first node again, which the cache has forgotten. What
    follows a node that leads to one leaf only is certain and is not read.
    """
    trie, head = generator.vocabulary.trie, generator.head
    reader = TreeReader(generator, prompts)
    logprobs = torch.full((len(prompts), trie.num_nodes), -torch.inf, device=generator.device)
    parent = generator.head.ancestors.new_tensor(trie.parent)
    logprobs[:, 0] = 0.0
    logprobs[:, 1:].masked_fill_(generator.head.is_decided[parent[1:]], 0.0)
    root = head.root_logprobs(reader.prompt_hidden)
    logprobs[:, 1 : 1 + root.shape[1]] = root
    step = max(1, max_queries // len(prompts))
    for start in range(0, nodes.shape[1], step):
        check_wanted()
        run = nodes[:, start : start + step]
        above = _ancestors(trie, run[:, 0])[:, :-1]
        above[above == run[:, :1]] = -1
        above = above[:, (above >= 0).any(axis=0)]
        user, child, logprob = _read_run(reader, np.concatenate([above, run], axis=1))
        logprobs[user, child] = logprob
    for first, end in zip(trie.level_offsets[2:-1], trie.level_offsets[3:], strict=True):
        logprobs[:, first:end] += logprobs[:, parent[first:end]]
    return logprobs.cpu().numpy()


def _read_run(reader: TreeReader, nodes: NDArray[np.int32]) -> tuple[Tensor, Tensor, Tensor]:
    """User, child and log-probability given its parent, of all children of a run of nodes (B, M)."""
    trie, device = reader.generator.vocabulary.trie, reader.generator.device
    used = nodes >= 0
    depth = np.where(used, trie.depth[nodes], 1)
    # Query i sees query j if the ancestor of node i at j's depth is node j.
    ancestors = _ancestors(trie, nodes.ravel()).reshape(*nodes.shape, -1)
    user, query = np.ogrid[: nodes.shape[0], : nodes.shape[1]]
    at_depth = ancestors[user[..., None], query[..., None], depth[:, None, :] - 1]
    visible = (at_depth == nodes[:, None, :]) & used[:, None, :]

    on_device = torch.from_numpy(nodes).to(device, torch.int64)
    hidden = reader.read(on_device, torch.from_numpy(depth).to(device), torch.from_numpy(visible).to(device))
    reader.forget()
    row, slot = torch.from_numpy(used).to(device).nonzero(as_tuple=True)
    children = reader.generator.head.child_logprobs(hidden[row, slot], on_device[row, slot])
    return row[children.row], children.node, children.logprob


def _ancestors(trie: CatalogTrie, nodes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Node on the way to each node at depths 1 .. L, (M, L), the node itself included; -1 below it and at padding."""
    table = np.full((len(nodes), trie.num_levels), -1, dtype=np.int32)
    rows, node = np.flatnonzero(nodes > 0), nodes[nodes > 0]
    while len(rows):
        table[rows, trie.depth[node] - 1] = node
        node = trie.parent[node]
        rows, node = rows[node > 0], node[node > 0]
    return table
