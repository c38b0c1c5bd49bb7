"""BERT4Rec: a bidirectional Transformer that fills in masked items of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from genrec.baselines.sequential.base import SequentialScorer
from genrec.baselines.sequential.batching import Streams, Windows, bucketed, padded
from genrec.baselines.sequential.losses import full_softmax
from genrec.baselines.sequential.network import Architecture
from genrec.baselines.sequential.trainer import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor


class BERT4Rec(SequentialScorer):
    """Scores items by a bidirectional Transformer: what stands in for the mask at the end of the history?

    The model of [1]_: items of a history are masked at random and told from those on both sides, by a softmax over
    the whole catalog. Some windows are cut anywhere and only their last item is masked, which is the question asked
    later. As few positions are supervised at a time, it needs several times the epochs of SASRec [2]_. Without a
    history it sees a mask alone, and gives the items that histories begin with.

    Parameters
    ----------
    width
        Width of vectors and states (D). Default 64.
    layers, heads
        Of the Transformer. Default 2 and 2.
    max_length
        Positions that the model sees, from the end of the history, the mask included. Default 50.
    dropout
        Default 0.3.
    label_smoothing
        Share of each target spread evenly over all items. Default 0.1.
    mask_share
        Probability of an item to be masked. Default 0.3.
    last_share
        Probability of a window to be cut at random and to have its last item masked only. Default 0.2.
    learning_rate, weight_decay
        Of AdamW. Default 2e-3 and 0.01.
    batch_positions
        Positions in a batch, masked or not. Default 2048.
    epochs
        Passes over the data; with :meth:`use_validation` at most so many. Default 60.
    patience
        Epochs without a better validation figure after which to stop. Default 8.
    seed
        Of weights, dropout, batches and masks. Default 0.

    References
    ----------
    .. [1] Sun et al., "BERT4Rec: sequential recommendation with bidirectional encoder representations from
       Transformer", CIKM 2019.
    .. [2] Petrov, Macdonald, "A systematic review and replicability study of BERT4Rec for sequential
       recommendation", RecSys 2022.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = BERT4Rec(width=16, layers=1, dropout=0.0, epochs=30, learning_rate=0.02)
    >>> scorer = scorer.fit(toy_dataset(items=8, length=4))
    >>> scorer.recommend([np.array([3, 4], dtype=np.int32)], k=1).items.tolist()
    [[5]]
    """

    name = "bert4rec"
    causal: ClassVar[bool] = False

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 2,
        heads: int = 2,
        max_length: int = 50,
        dropout: float = 0.3,
        label_smoothing: float = 0.1,
        mask_share: float = 0.3,
        last_share: float = 0.2,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.01,
        batch_positions: int = 2048,
        epochs: int = 60,
        patience: int = 8,
        seed: int = 0,
    ) -> None:
        super().__init__(
            Architecture(width, layers, heads, max_length, dropout),
            TrainingSettings(epochs, patience, learning_rate, weight_decay, label_smoothing, batch_positions, seed),
        )
        self.mask_share = mask_share
        self.last_share = last_share

    def _settings(self) -> dict[str, object]:
        return {"mask_share": self.mask_share, "last_share": self.last_share}

    def _losses(self, histories: list[NDArray[np.int32]], rng: np.random.Generator) -> Iterator[Tensor]:
        network = self._network
        streams = Streams.of(histories)
        windows = Windows.tiling(streams, self.size.max_length, rng)
        for batch in bucketed(windows, self.training.batch_positions, rng):
            items, real = padded(streams, batch, network.num_items)
            lengths, masked = self._mask(torch.from_numpy(batch.length), items.shape[1])
            real = real & (torch.arange(items.shape[1]) < lengths[:, None])
            masked = masked & real
            states = network(items.masked_fill(masked, network.num_items), real)[masked]
            smoothing = self.training.label_smoothing
            yield full_softmax(states, network.item_vectors, network.bias, items[masked], smoothing)

    def _mask(self, lengths: Tensor, columns: int) -> tuple[Tensor, Tensor]:
        """Lengths (B,) to cut windows to, and which positions to mask, bool (B, T).

        Positions are taken at random; the last where chance takes none, or where the window asks what comes next.
        """
        asks_next = torch.rand(len(lengths)) < self.last_share
        cut = torch.where(asks_next, (torch.rand(len(lengths)) * lengths).long() + 1, lengths).minimum(lengths)
        masked = torch.rand(len(lengths), columns) < self.mask_share
        none = ~(masked & (torch.arange(columns) < cut[:, None])).any(1)
        last = torch.arange(columns) == cut[:, None] - 1
        return cut, torch.where((asks_next | none)[:, None], last, masked)

    def _next_states(self, histories: Sequence[NDArray[np.int32]]) -> Tensor:
        mask = self._network.num_items
        streams = Streams.of(histories, end=[mask])
        windows = Windows.last(streams, self.size.max_length)
        tokens, real = padded(streams, windows, mask)
        states: Tensor = self._network(tokens, real)[torch.arange(len(tokens)), torch.from_numpy(windows.length) - 1]
        return states
