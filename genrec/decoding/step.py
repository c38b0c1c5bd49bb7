"""One step of all beams of all users at once: their children in the trie, and the best of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.decoded import LOWEST
from genrec.model.ragged import expand

if TYPE_CHECKING:
    from genrec.trie import CatalogTrie


@dataclass(frozen=True, eq=False)
class BestChildren:
    """The best children of each user's beams, in the order of beams and codes.

    Parameters
    ----------
    node
        int64 (B, W'): trie nodes, -1 where a user has fewer.
    score
        float32 (B, W'); -inf at padding.
    beam
        int64 (B, W'): the beam each grew from; 0 at padding.
    """

    node: Tensor
    score: Tensor
    beam: Tensor


class TrieStep:
    """Constraint and selection in one step, for models that score code rows.

    It costs what the children of the beams cost, whatever the size of catalog and vocabulary: children are
    gathered as one list, a huge node beside small ones adds its own children and no padding.

    Parameters
    ----------
    trie
        The catalog trie.
    device
        Where the step runs. Default cpu.

    Examples
    --------
    >>> from genrec.trie import CatalogTrie
    >>> step = TrieStep(CatalogTrie.from_codes(np.array([[0, 0], [0, 2], [1, 1]])))
    >>> beams, scores = torch.tensor([[1, 2]]), torch.tensor([[-1.0, -2.0]])
    >>> best = step(beams, scores, torch.log(torch.tensor([[[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]]])), width=2)
    >>> best.node.tolist(), best.beam.tolist()
    ([[3, 4]], [[0, 0]])
    """

    def __init__(self, trie: CatalogTrie, device: torch.device | str = "cpu") -> None:
        # One entry ahead: node -1 has no children.
        self.indptr = torch.from_numpy(np.concatenate([[0], trie.indptr]).astype(np.int64)).to(device)
        self.code = torch.from_numpy(trie.code.astype(np.int64)).to(device)

    def __call__(
        self, nodes: Tensor, scores: Tensor, logprobs: Tensor, width: int, *, first_code: int = 0
    ) -> BestChildren:
        """Select the best children of each user's beams.

        Parameters
        ----------
        nodes
            int64 (B, W): the node of each beam, -1 where a user has fewer. Leaves have no children.
        scores
            float32 (B, W): the beams' scores.
        logprobs
            float32 (B, W, C): scores of the code rows ``first_code .. first_code + C - 1`` after each beam.
        width
            Children to keep a user.
        first_code
            Code of the first row. Default 0.

        Returns
        -------
        BestChildren
            The ``width`` largest sums of the beam's score and the child's; of equal ones the first.
        """
        num_users, num_beams, num_codes = logprobs.shape
        node = nodes.flatten() + 1
        begin = self.indptr.index_select(0, node)
        edges = expand(begin, self.indptr.index_select(0, node + 1) - begin)
        column = self.code.index_select(0, edges.node)
        column += edges.row * num_codes
        score = logprobs.flatten().index_select(0, column - first_code if first_code else column)
        score += scores.flatten().index_select(0, edges.row)
        first = edges.first.view(num_users, num_beams)[:, 0]
        kept = keep_best(score, first, width)
        row = edges.row[kept]
        user = torch.div(row, num_beams, rounding_mode="floor")
        if num_users == 1:
            return BestChildren(edges.node[kept][None], score[kept][None], row[None])
        count = torch.bincount(user, minlength=num_users)
        rank = torch.arange(len(kept), device=kept.device) - (count.cumsum(0) - count)[user]
        best = BestChildren(
            nodes.new_full((num_users, width), -1),
            score.new_full((num_users, width), -torch.inf),
            nodes.new_zeros((num_users, width)),
        )
        best.node[user, rank], best.score[user, rank] = edges.node[kept], score[kept]
        best.beam[user, rank] = row - user * num_beams
        return best


def keep_best(score: Tensor, first: Tensor, width: int) -> Tensor:
    """Places of the ``width`` best entries of each user, ascending; of equal ones the first.

    Parameters
    ----------
    score
        float32 (E,): entries ordered by user.
    first
        int64 (B,): place of each user's first entry; users may have none.
    width
        Entries to keep a user.

    Returns
    -------
    Tensor
        int64.

    Examples
    --------
    >>> keep_best(torch.tensor([1.0, 3.0, 2.0, 5.0, 5.0]), torch.tensor([0, 3]), width=1).tolist()
    [1, 3]
    """
    if len(first) == 1:
        count, most, table = None, len(score), score.clamp(min=float(LOWEST))[None]
    else:
        count = torch.diff(first, append=first.new_tensor([len(score)]))[:, None]
        most = int(count.max())
    if most <= width:
        return torch.arange(len(score), device=score.device)
    if count is not None:
        # Only users are padded: row b of the table is the b-th run of the list.
        column = torch.arange(most, device=score.device)
        place = (first[:, None] + column).clamp(max=len(score) - 1)
        table = score.clamp(min=float(LOWEST)).index_select(0, place.flatten()).view_as(place)
        table = table.masked_fill(column >= count, -torch.inf)
    best = table.topk(width + 1, dim=1)
    last, next_ = best.values[:, width - 1 : width], best.values[:, width:]
    if not ((last == next_) & (next_ > -torch.inf)).any():
        column = best.indices[:, :width].sort(dim=1).values
        return column[0] if count is None else (first[:, None] + column)[column < count]
    # What beats the last place is in; places left go to its equals, first come first served.
    better, equal = table > last, (table == last) & (last > -torch.inf)
    keep = better | (equal & (equal.cumsum(1) <= width - better.sum(1, keepdim=True)))
    user, column = keep.nonzero(as_tuple=True)
    return first[user] + column
