"""Beam search over the catalog trie: only items that exist and are eligible can come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.abandon import check_wanted
from genrec.decoding.decoded import Decoded, check_request, rank_items
from genrec.decoding.reader import GeneratorReader
from genrec.decoding.step import keep_best
from genrec.errors import ConfigError
from genrec.model.ragged import ragged_log_softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.decoding.reader import CodeReader
    from genrec.decoding.weights import ItemWeights
    from genrec.model.code_head import Children
    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence
    from genrec.trie import CatalogTrie

__all__ = ["Decoded", "beam_search", "search"]


STOP_MARGIN = 1e-3
"""How far behind an open beam must be to be given up: scores of one item differ by rounding, in nats."""


@dataclass(frozen=True, eq=False)
class _Beams:
    """The beams of all users in one list, ordered by user: no padding, no loop over beams."""

    user: Tensor
    """int64 (n,)."""
    node: Tensor
    """int64 (n,): trie node a beam has reached."""
    logprob: Tensor
    """float32 (n,): the generator's log-probability of the path."""
    prior: Tensor
    """float32 (n,): what the weights add at the node."""
    origin: Tensor
    """int64 (n,): the open beam (at first: the prompt) it grew from; 0 for a finished beam, which grows no more."""

    def __getitem__(self, which: Tensor) -> _Beams:
        return _Beams(self.user[which], self.node[which], self.logprob[which], self.prior[which], self.origin[which])

    @property
    def score(self) -> Tensor:
        """float32 (n,): what beams are kept by."""
        return self.logprob + self.prior


@torch.inference_mode()
def beam_search(
    generator: Generator,
    prompts: Sequence[TokenSequence],
    k: int = 10,
    beams: int | Sequence[int] = 50,
    weights: ItemWeights | None = None,
    alpha: float = 1.0,
    *,
    renormalise: bool = False,
) -> Decoded:
    """Generate the k best items after each prompt.

    A beam descends the trie code by code; at a node its score is the generator's log-probability plus
    ``alpha`` times what the node's eligible items weigh on average, so it never enters a branch that has
    nothing to offer. IDs may differ in length: a beam that has reached a leaf, or a node that leads to one leaf
    only, keeps its score and its place. Each prompt is read once, and no forward pass follows where an ID can end in
    one way only. A user whose open beams can no longer reach the k best is done: a beam's log-probability only falls,
    and its prior is at most the largest weight.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompts
        B prompts, ending where an item is to follow.
    k
        Items to return a user. Default 10.
    beams
        Beams of a user (W), k at least; or one number for each code of an ID, the last for all further codes.
        With as many as there are items the result is exact. Default 50.
    weights
        Item log-weights, (B, N) or (1, N). Default: all items eligible, no priors.
    alpha
        Factor of finite weights. Default 1.
    renormalise
        Divide the probability of a code by that of all codes that lead to eligible items, so that what is excluded
        takes no part in the softmax. The log-probabilities returned are then those. Default False: they are
        what the generator gives to the whole catalog.

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
    check_request(len(prompts), generator.vocabulary.trie.num_items, k, weights)
    return search(GeneratorReader(generator, prompts), k, beams, weights, alpha, renormalise=renormalise)


@torch.inference_mode()
def search(
    reader: CodeReader,
    k: int = 10,
    beams: int | Sequence[int] = 50,
    weights: ItemWeights | None = None,
    alpha: float = 1.0,
    *,
    renormalise: bool = False,
) -> Decoded:
    """Search the trie with whatever reads prompts and beams; arguments as :func:`beam_search`."""
    trie, num_users = reader.trie, reader.num_prompts
    widths = _widths(beams, k, trie.num_levels)
    prior = None if weights is None else _Prior(weights, trie, alpha, num_users, reader.is_decided.device)

    live = _best(_weigh(_first_level(reader.first()), prior, renormalise), num_users, widths[0])
    for depth in range(1, trie.num_levels):
        is_decided = reader.is_decided[live.node]
        finished, growing = live[is_decided], live[~is_decided]
        if len(finished.user) and not trie.has_shared_leaves:
            growing = growing[_can_win(growing, finished, num_users, k, prior)]
        if len(growing.user) == 0:
            break
        check_wanted()
        grown = _children_of(growing, reader.grow(growing.user, growing.node, growing.origin))
        live = _best(_merge(finished, _weigh(grown, prior, renormalise, growing.logprob)), num_users, widths[depth])
    return _items_of(live, trie, num_users, k, weights, alpha)


def _widths(beams: int | Sequence[int], k: int, num_levels: int) -> list[int]:
    """Beams to keep after each code."""
    given = [beams] if isinstance(beams, int) else list(beams)
    if not given or min(given) < 1:
        raise ConfigError(f"beams must be at least 1, got {beams}")
    return [max(width, k) for width in given + given[-1:] * (num_levels - len(given))]


class _Prior:
    """What the weights of a request add to the scores of beams."""

    def __init__(
        self, weights: ItemWeights, trie: CatalogTrie, alpha: float, num_users: int, device: torch.device
    ) -> None:
        self._on_nodes = weights.on_nodes(trie)
        self._shared = weights.shape[0] == 1
        self._alpha = alpha
        lowest, highest = weights.extremes
        self.is_flat = not (lowest.any() or highest.any())
        most = np.float32(alpha) * (highest if alpha >= 0 else lowest)
        self.highest = torch.from_numpy(np.broadcast_to(most, num_users).copy()).to(device)
        """float32 (B,): the most it adds to any item."""

    def at(self, user: Tensor, node: Tensor) -> Tensor:
        """float32 (n,): -inf in dead branches, whatever alpha."""
        row = torch.zeros_like(user) if self._shared else user
        added = torch.from_numpy(self._on_nodes.of(row.cpu().numpy(), node.cpu().numpy())).to(node.device)
        if self.is_flat or self._alpha == 1:
            return added
        return torch.where(added > -torch.inf, self._alpha * added, added)


def _first_level(logprobs: Tensor) -> _Beams:
    """All children of the root as beams, from their log-probabilities (B, K0)."""
    num_users, num_children = logprobs.shape
    user = torch.arange(num_users, device=logprobs.device).repeat_interleave(num_children)
    node = torch.arange(1, num_children + 1, device=logprobs.device).repeat(num_users)
    return _Beams(user, node, logprobs.flatten(), logprobs.new_zeros(1).expand(len(user)), user)


def _weigh(children: _Beams, prior: _Prior | None, renormalise: bool, parents: Tensor | None = None) -> _Beams:
    """Drop dead children, and add priors and the log-probabilities of the parents that the others grew from."""
    logprob = children.logprob
    if prior is not None:
        added = prior.at(children.user, children.node)
        if len(added) and added.min() == -torch.inf:
            alive = (added > -torch.inf).nonzero()[:, 0]
            children, added, logprob = children[alive], added[alive], logprob[alive]
            if renormalise and len(alive):
                _, row = children.origin.unique_consecutive(return_inverse=True)
                logprob = ragged_log_softmax(logprob, row, int(row[-1]) + 1)
        children = replace(children, prior=added)
    if parents is not None:
        logprob = parents[children.origin] + logprob
    return replace(children, logprob=logprob)


def _can_win(growing: _Beams, finished: _Beams, num_users: int, k: int, prior: _Prior | None) -> Tensor:
    """Which open beams may still end among the k best of their user, bool (n,).

    Without priors, a beam that falls behind k finished ones stays behind, as all that grows from it. With priors
    it may have taken a place from another that rises later, so a user's open beams go together or not at all.
    """
    score = finished.score
    best = keep_best(score, _first_of(finished.user, num_users), k)
    user = finished.user[best]
    bar = torch.full((num_users,), torch.inf, device=score.device).scatter_reduce(0, user, score[best], "amin")
    bar[torch.bincount(user, minlength=num_users) < k] = -torch.inf
    reach = growing.logprob if prior is None else growing.logprob + prior.highest[growing.user]
    can_win = reach >= (bar - STOP_MARGIN)[growing.user]
    if prior is None or prior.is_flat:
        return can_win
    goes_on = torch.zeros(num_users, dtype=torch.bool, device=score.device)
    goes_on[growing.user[can_win]] = True
    return goes_on[growing.user]


def _children_of(beams: _Beams, children: Children) -> _Beams:
    """Children of beams as beams, with log-probabilities given their parents."""
    row, logprob = children.row, children.logprob
    return _Beams(beams.user[row], children.node, logprob, logprob.new_zeros(1).expand(len(row)), row)


def _merge(finished: _Beams, grown: _Beams) -> _Beams:
    """Both lists in one, ordered by user."""
    if len(finished.user) == 0:
        return grown
    both = _Beams(
        torch.cat([finished.user, grown.user]),
        torch.cat([finished.node, grown.node]),
        torch.cat([finished.logprob, grown.logprob]),
        torch.cat([finished.prior, grown.prior]),
        torch.cat([torch.zeros_like(finished.origin), grown.origin]),
    )
    return both[torch.argsort(both.user, stable=True)]


def _best(beams: _Beams, num_users: int, width: int) -> _Beams:
    """Keep the ``width`` best beams of each user, in the order they came; of equal ones the first."""
    if len(beams.user) <= width:
        return beams
    return beams[keep_best(beams.score, _first_of(beams.user, num_users), width)]


def _first_of(user: Tensor, num_users: int) -> Tensor:
    """Place of each user's first entry, (B,); ``user`` is ascending."""
    count = torch.bincount(user, minlength=num_users)
    return count.cumsum(0) - count


def _items_of(
    beams: _Beams, trie: CatalogTrie, num_users: int, k: int, weights: ItemWeights | None, alpha: float
) -> Decoded:
    """Items of the leaves that the beams have reached, or can only reach, ranked."""
    user, logprob = beams.user.cpu().numpy(), beams.logprob.cpu().numpy()
    leaf = trie.only_leaf(beams.node.cpu().numpy())
    count = trie.leaf_indptr[leaf + 1] - trie.leaf_indptr[leaf]
    beam = np.repeat(np.arange(len(leaf)), count)
    item = trie.leaf_items[trie.leaf_indptr[leaf][beam] + np.arange(len(beam)) - (count.cumsum() - count)[beam]]
    return rank_items(user[beam], item, logprob[beam], num_users=num_users, k=k, weights=weights, alpha=alpha)
