"""Histories as streams of tokens, cut into windows and packed into batches with little padding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Streams:
    """Histories as tokens, end to end.

    Parameters
    ----------
    tokens
        int64 (n,): item indices, and the token that stands for no item.
    indptr
        int64 (B+1,): stream ``b`` is ``tokens[indptr[b] : indptr[b+1]]``.
    """

    tokens: NDArray[np.int64]
    indptr: NDArray[np.int64]

    @classmethod
    def of(cls, histories: Sequence[NDArray[np.int32]], begin: Sequence[int] = (), end: Sequence[int] = ()) -> Streams:
        """Put the tokens ``begin`` before each of B histories and ``end`` behind it.

        Examples
        --------
        >>> Streams.of([np.array([4, 2]), np.array([], dtype=int)], begin=[9]).tokens.tolist()
        [9, 4, 2, 9]
        """
        lengths = np.array([len(items) for items in histories], dtype=np.int64)
        indptr = np.concatenate([[0], np.cumsum(lengths + len(begin) + len(end))])
        parts = [part for items in histories for part in (begin, items, end)]
        return cls(np.concatenate([*parts, np.empty(0)]).astype(np.int64), indptr)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each stream, int64 (B,)."""
        return np.diff(self.indptr)


@dataclass(frozen=True, eq=False)
class Windows:
    """Stretches of streams.

    Parameters
    ----------
    start
        int64 (M,): where in ``Streams.tokens`` each begins.
    length
        int64 (M,), at least 1.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, which: slice | NDArray[np.int64]) -> Windows:
        return Windows(self.start[which], self.length[which])

    @classmethod
    def last(cls, streams: Streams, max_length: int) -> Windows:
        """The last ``max_length`` tokens of each stream."""
        length = np.minimum(streams.lengths, max_length)
        return cls(streams.indptr[1:] - length, length)

    @classmethod
    def tiling(cls, streams: Streams, max_length: int, rng: np.random.Generator) -> Windows:
        """Cut each stream so that every token is in one window; where a long one is cut differs from call to call.

        Examples
        --------
        >>> streams = Streams.of([np.arange(6)], begin=[9])
        >>> windows = Windows.tiling(streams, 3, np.random.default_rng(0))
        >>> int(windows.length.sum()), int(windows.length.max())
        (7, 3)
        """
        lengths = streams.lengths
        # The first window of a long stream ends anywhere within max_length, the others follow end to end.
        first = np.where(lengths > max_length, rng.integers(1, max_length + 1, len(lengths)), lengths)
        count = 1 + -(-(lengths - first) // max_length)
        stream = np.repeat(np.arange(len(lengths)), count)
        nth = np.arange(len(stream)) - np.repeat(np.cumsum(count) - count, count)
        end = np.minimum(first[stream] + nth * max_length, lengths[stream])
        begin = np.where(nth == 0, 0, first[stream] + (nth - 1) * max_length)
        return cls(streams.indptr[stream] + begin, end - begin)

    @classmethod
    def overlapping(cls, streams: Streams, max_length: int) -> tuple[Windows, NDArray[np.int64]]:
        """Cover each stream by windows that overlap by half, and say where in each the tokens begin that are new.

        From there on, a token has at least half a window before it, or all of its stream.

        Examples
        --------
        >>> windows, new = Windows.overlapping(Streams.of([np.arange(6)], begin=[9]), 4)
        >>> windows.start.tolist(), windows.length.tolist(), new.tolist()
        ([0, 2, 4], [4, 4, 3], [0, 2, 2])
        """
        step = max(1, max_length // 2)
        count = 1 + np.maximum(0, -(-(streams.lengths - max_length) // step))
        stream = np.repeat(np.arange(len(count)), count)
        nth = np.arange(len(stream)) - np.repeat(np.cumsum(count) - count, count)
        start = streams.indptr[stream] + nth * step
        length = np.minimum(max_length, streams.indptr[stream + 1] - start)
        return cls(start, length), np.where(nth == 0, 0, max_length - step)


def padded(streams: Streams, windows: Windows, padding: int) -> tuple[Tensor, Tensor]:
    """Tokens of some windows, one a row, padded on the right.

    Parameters
    ----------
    streams, windows
        Where from, and which stretches (B).
    padding
        Token to pad with.

    Returns
    -------
    Tensor
        int64 (B, T), T the longest of the windows.
    Tensor
        bool (B, T), true where a token is real.
    """
    columns = np.arange(windows.length.max(initial=1))
    real = columns < windows.length[:, None]
    index = np.where(real, windows.start[:, None] + columns, 0)
    tokens = np.where(real, streams.tokens[index], padding)
    return torch.from_numpy(tokens), torch.from_numpy(real)


def bucketed(windows: Windows, positions: int, rng: np.random.Generator) -> Iterator[Windows]:
    """Batches of windows of like length, in random order.

    Parameters
    ----------
    windows
        What to deal out; each comes in one batch.
    positions
        Most positions in a batch, padding included; a window longer than that is a batch of its own.
    rng
        Shuffles windows of one length, and the batches.

    Yields
    ------
    Windows
        One batch.
    """
    order = np.lexsort((rng.random(len(windows)), windows.length))
    batches, first = [], 0
    while first < len(order):
        # As many as fit at the length of the longest, which in ascending order is the last.
        length = windows.length[order[first:]]
        size = np.arange(1, len(length) + 1) * length
        taken = max(1, int(np.searchsorted(size, positions, side="right")))
        batches.append(order[first : first + taken])
        first += taken
    for batch in rng.permutation(len(batches)):
        yield windows[batches[batch]]
