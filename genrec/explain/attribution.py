"""Leave-one-out: what each item of a history does to the score of given items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.decoding.weights import ItemWeights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.prompt.sequence import TokenSequence
    from genrec.recommend.prepared import Prepared
    from genrec.recommend.recommender import Recommender


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each of H items of a history adds to the weight of M items.

    Parameters
    ----------
    left_out
        Item ids that were left out in turn, H of them, in the order of the history.
    of_model
        float32 (H, M): the generator's log-probability with the whole history, less that without the item.
    of_guides
        float32 (H, M): the same difference of what guides its search (:attr:`Recommender.evidence` and
        :attr:`Recommender.online`); 0 without such.
    """

    left_out: tuple[str, ...]
    of_model: NDArray[np.float32]
    of_guides: NDArray[np.float32]

    @property
    def delta(self) -> NDArray[np.float32]:
        """What each item of the history adds to the score of each item, float32 (H, M)."""
        return self.of_model + self.of_guides

    def places(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """Place from 1 that each of the M items would have among them, without each item of the history.

        Parameters
        ----------
        scores
            float64 (M,): what the items are ranked by with the whole history, best first. Their priors stay.

        Returns
        -------
        NDArray
            int64 (H, M). Of equal scores, the one that was ahead stays ahead.
        """
        # Rounded, so that the last bits of a sum do not decide what stands before what.
        moved = np.round(scores - self.delta.astype(np.float64), 4)
        order = np.argsort(-moved, axis=1, kind="stable")
        return np.argsort(order, axis=1, kind="stable") + 1


def items_read(recommender: Recommender, prepared: Prepared) -> tuple[str, ...]:
    """Item ids of the part of a history that a prompt has room for, oldest first."""
    nodes = prepared.sequence.nodes
    count = int((recommender.model.vocabulary.trie.depth[nodes[nodes >= 0]] == 1).sum())
    return tuple(recommender.catalog.ids[int(item)] for item in prepared.history[len(prepared.history) - count :])


def leave_one_out(
    recommender: Recommender,
    history: Sequence[str],
    words: str | None,
    items: Sequence[str],
    *,
    met: Sequence[str] | None = None,
    latest: int | None = None,
    batch_size: int = 32,
) -> Attribution:
    """Score items exactly, with a history and without each of its items.

    Every occurrence of the item that is left out goes, the rest of what the model reads stays: no older item moves in,
    and the words of the prompt are read as before.

    Parameters
    ----------
    recommender
        The model.
    history
        Item ids that the model reads, oldest first (:func:`items_read`). Each is left out in turn.
    words
        The prompt in plain words, or None.
    items
        Item ids to score, M of them, none twice.
    met
        Item ids of the whole history, which guides of the search read. Default: what the model reads.
    latest
        How many items are left out in turn, those met last. Default: all.
    batch_size
        Most prompts that are read together; bounds memory, changes nothing else. Default 32.

    Raises
    ------
    UnknownIdError
        If the model does not know an item.

    Examples
    --------
    >>> import tempfile
    >>> from genrec.recommend.recommender import Recommender
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> from genrec.training.finetune import finetune
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = finetune(config, toy_dataset(), folder)
    ...     recommender = Recommender.from_pretrained(folder, data=toy_dataset())
    >>> attribution = leave_one_out(recommender, ["i3", "i4"], None, ["i5"])
    >>> attribution.left_out, attribution.delta.shape
    (('i3', 'i4'), (2, 1))
    """
    ids = recommender.catalog.ids
    rows, targets = ids.indices(history), ids.indices(items)
    # Each item once, where it was met last.
    left_out = rows[np.sort(len(rows) - 1 - np.unique(rows[::-1], return_index=True)[1])]
    left_out = left_out[0 if latest is None else max(len(left_out) - latest, 0) :]
    histories = [rows, *(rows[rows != item] for item in left_out)]
    prompts = [recommender.builder.build(one, words) for one in histories]
    only = ItemWeights.from_candidates([targets], len(recommender.catalog))
    logprobs = [
        _logprobs(recommender, prompts[start : start + batch_size], targets, only)
        for start in range(0, len(prompts), batch_size)
    ]
    whole, *without = np.concatenate(logprobs)
    shape = (len(left_out), len(targets))
    everything = rows if met is None else ids.indices(met)
    return Attribution(
        tuple(ids[int(item)] for item in left_out),
        whole - np.array(without, dtype=np.float32).reshape(shape),
        _of_guides(recommender, everything, left_out, targets).reshape(shape),
    )


def _of_guides(
    recommender: Recommender, met: NDArray[np.int32], left_out: NDArray[np.int32], targets: NDArray[np.int32]
) -> NDArray[np.float32]:
    """What each item that is left out adds to the log-weights that guide the search, float32 (H, M)."""
    guides = [guide for guide in (recommender.evidence, recommender.online) if guide is not None]
    total = np.zeros((len(left_out), len(targets)), dtype=np.float32)
    for guide in guides:
        whole, *without = guide.weights_of([met, *(met[met != item] for item in left_out)])
        for row, weights in zip(total, without, strict=True):
            row += whole.dense[0, targets] - weights.dense[0, targets]
    return total


def _logprobs(
    recommender: Recommender, prompts: Sequence[TokenSequence], targets: NDArray[np.int32], only: ItemWeights
) -> NDArray[np.float32]:
    """Log-probability of each target after each prompt, float32 (B, M)."""
    decoded = recommender.engine.rank_all(prompts, len(targets), only)
    column = np.empty(len(recommender.catalog), dtype=np.int64)
    column[targets] = np.arange(len(targets))
    logprobs = np.empty(decoded.items.shape, dtype=np.float32)
    np.put_along_axis(logprobs, column[decoded.items], decoded.logprobs, axis=1)
    return logprobs
