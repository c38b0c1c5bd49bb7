"""Beam search over the catalog trie: only items that exist and are eligible can come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.decoded import LOWEST, Decoded, check_request, rank_items
from genrec.decoding.tree_attention import TreeReader
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.decoding.trie import CatalogTrie
    from genrec.decoding.weights import ItemWeights
    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence

__all__ = ["Decoded", "beam_search"]


@dataclass(frozen=True, eq=False)
class _Beams:
    """The beams of all users in one list, ordered by user: no padding, no loop over beams."""

    user: Tensor
    """int64 (n,)."""
    node: Tensor
    """int64 (n,): trie node a beam has reached."""
    logprob: Tensor
    """float32 (n,): the generator's log-probability of the path."""
    origin: Tensor
    """int64 (n,): the open beam (at first: the prompt) it grew from; 0 for a finished beam, which grows no more."""

    def __getitem__(self, which: Tensor) -> _Beams:
        return _Beams(self.user[which], self.node[which], self.logprob[which], self.origin[which])


@torch.inference_mode()
def beam_search(
    generator: Generator,
    prompts: Sequence[TokenSequence],
    k: int = 10,
    beams: int = 50,
    weights: ItemWeights | None = None,
    alpha: float = 1.0,
) -> Decoded:
    """Generate the k best items after each prompt.

    A beam descends the trie code by code; at a node its score is the generator's log-probability plus
    ``alpha`` times what the node's eligible items weigh on average, so it never enters a branch that has
    nothing to offer. IDs may differ in length: a beam that has reached an item keeps its score and its place.
    Each prompt is read once, and no forward pass follows the last code of an item.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompts
        B prompts, ending where an item is to follow.
    k
        Items to return a user. Default 10.
    beams
        Beams of a user (W), k at least. With as many as there are items the result is exact. Default 50.
    weights
        Item log-weights, (B, N) or (1, N). Default: all items eligible, no priors.
    alpha
        Factor of finite weights. Default 1.

    Returns
    -------
    Decoded
        ``min(k, eligible)`` items a user, none twice; equal scores ordered by item index. Items that share
        a leaf share its log-probability.

    Raises
    ------
    ConfigError
        If k or beams is below 1, or prompts or weights do not fit the generator.

    Examples
    --------
    >>> from genrec.decoding.weights import ItemWeights
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> seen = ItemWeights.from_seen([[1, 2, 5]], num_items=6)
    >>> sorted(beam_search(tiny_generator(num_items=6), [prompt], k=4, weights=seen).items[0].tolist())
    [-1, 0, 3, 4]
    """
    trie, head = generator.vocabulary.trie, generator.head
    check_request(len(prompts), trie.num_items, k, weights)
    if beams < 1:
        raise ConfigError(f"beams must be at least 1, got {beams}")
    prior = None if weights is None else _node_priors(weights, trie, alpha, generator.device).expand(len(prompts), -1)
    width = max(beams, k)

    reader = TreeReader(generator, prompts)
    live = _best(_first_level(head.root_logprobs(reader.prompt_hidden)), prior, width)
    path = torch.zeros(len(prompts), 0, dtype=torch.bool, device=generator.device)
    for depth in range(1, trie.num_levels):
        is_open = head.indptr[live.node + 1] > head.indptr[live.node]
        if not is_open.any():
            break
        growing = live[is_open]
        grown, path = _grow(reader, growing, path[growing.origin], depth)
        live = _best(_merge(live[~is_open], grown), prior, width)
    return _items_of(live, trie, len(prompts), k, weights, alpha)


def _node_priors(weights: ItemWeights, trie: CatalogTrie, alpha: float, device: torch.device) -> Tensor:
    """Compute what is added to a node's log-probability, (B or 1, num_nodes): -inf in dead branches, whatever alpha."""
    prior = torch.from_numpy(weights.node_weights(trie)).to(device)
    return torch.where(prior > -torch.inf, alpha * prior, prior)


def _first_level(logprobs: Tensor) -> _Beams:
    """All children of the root as beams, from their log-probabilities (B, K0)."""
    num_users, num_children = logprobs.shape
    user = torch.arange(num_users, device=logprobs.device).repeat_interleave(num_children)
    node = torch.arange(1, num_children + 1, device=logprobs.device).repeat(num_users)
    return _Beams(user, node, logprobs.flatten(), user)


def _grow(reader: TreeReader, beams: _Beams, path: Tensor, depth: int) -> tuple[_Beams, Tensor]:
    """All children of n open beams, and the beams' paths in the cache.

    The j-th beam of a user becomes the user's j-th query. ``path``, bool (n, S), says which cached tree
    nodes a beam's ancestors are; each comes back one query longer.
    """
    slot = _rank_in_user(beams.user)
    num_users, num_slots = len(reader.prompt_hidden), int(slot.max()) + 1
    path = torch.cat([path, torch.nn.functional.one_hot(slot, num_slots).bool()], dim=1)
    nodes = beams.node.new_full((num_users, num_slots), -1)
    nodes[beams.user, slot] = beams.node
    visible = path.new_zeros(num_users, num_slots, path.shape[1])
    visible[beams.user, slot] = path
    hidden = reader.read(nodes, nodes.new_tensor(depth), visible)

    children = reader.generator.head.child_logprobs(hidden[beams.user, slot], beams.node)
    logprob = beams.logprob[children.row] + children.logprob
    return _Beams(beams.user[children.row], children.node, logprob, children.row), path


def _merge(finished: _Beams, grown: _Beams) -> _Beams:
    """Both lists in one, ordered by user."""
    if len(finished.user) == 0:
        return grown
    both = _Beams(
        torch.cat([finished.user, grown.user]),
        torch.cat([finished.node, grown.node]),
        torch.cat([finished.logprob, grown.logprob]),
        torch.cat([torch.zeros_like(finished.origin), grown.origin]),
    )
    return both[torch.argsort(both.user, stable=True)]


def _best(beams: _Beams, prior: Tensor | None, width: int) -> _Beams:
    """Keep the ``width`` best live beams of each user, in the order they came; of equal ones the first."""
    score = beams.logprob
    if prior is not None:
        added = prior[beams.user, beams.node]
        alive = added > -torch.inf
        beams, score = beams[alive], (beams.logprob + added)[alive]
    count = torch.bincount(beams.user)
    if len(count) == 0 or int(count.max()) <= width:
        return beams
    # Only users are padded: row b of the table is the b-th run of the list.
    first, column = (count.cumsum(0) - count)[:, None], torch.arange(int(count.max()), device=score.device)
    table = score.clamp(min=float(LOWEST))[(first + column).clamp(max=len(score) - 1)]
    table = table.masked_fill(column >= count[:, None], -torch.inf)
    # What beats the last place is in; places left go to its equals, first come first served.
    last = table.topk(width, dim=1).values[:, -1:]
    better, equal = table > last, (table == last) & (column < count[:, None])
    keep = better | (equal & (equal.cumsum(1) <= width - better.sum(1, keepdim=True)))
    user, place = keep.nonzero(as_tuple=True)
    return beams[first[user, 0] + place]


def _rank_in_user(user: Tensor) -> Tensor:
    """Position of each entry among those of its user; ``user`` is ascending."""
    count = torch.bincount(user)
    return torch.arange(len(user), device=user.device) - (count.cumsum(0) - count)[user]


def _items_of(
    beams: _Beams, trie: CatalogTrie, num_users: int, k: int, weights: ItemWeights | None, alpha: float
) -> Decoded:
    """Items at the leaves that the beams have reached, ranked."""
    user, leaf, logprob = beams.user.cpu().numpy(), beams.node.cpu().numpy(), beams.logprob.cpu().numpy()
    count = trie.leaf_indptr[leaf + 1] - trie.leaf_indptr[leaf]
    beam = np.repeat(np.arange(len(leaf)), count)
    item = trie.leaf_items[trie.leaf_indptr[leaf][beam] + np.arange(len(beam)) - (count.cumsum() - count)[beam]]
    return rank_items(user[beam], item, logprob[beam], num_users=num_users, k=k, weights=weights, alpha=alpha)
