"""Keys and values of prompts that were read, for prompts that begin alike."""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from genrec.prompt.sequence import TokenSequence

KEY_BYTES = 8
"""Bytes of a position in a key: its token and its node."""


@dataclass(frozen=True, eq=False)
class Prefix:
    """The beginning of a prompt that need not be read again.

    Parameters
    ----------
    length
        Its tokens (P).
    states
        (layers, 2, heads, P, head width): keys and values.
    """

    length: int
    states: Tensor


@dataclass(frozen=True)
class CacheCounts:
    """What a prompt cache has done.

    Parameters
    ----------
    prompts, nbytes
        Prompts held, and what they take.
    hits, misses
        Prompts of which a beginning was found, and of which none was.
    positions_reused, positions_read
        Prompt positions that were not read again, and that were read.
    """

    prompts: int
    nbytes: int
    hits: int
    misses: int
    positions_reused: int
    positions_read: int


class PromptCache:
    """Remembers what a model computed for prompts, the least recently used ones going first.

    A prompt is found by its tokens, not by whose it is: the same history, with items added or another request behind
    it, finds its beginning. Keys and values of a position depend on nothing after it, so what was read for one prompt
    holds for all that begin like it. Prompts are kept in order of their tokens; the one that has most in common with a
    new one then is its neighbour. A prompt that goes on from one that is held takes its place.

    It belongs to one generator, and to one trie: its node numbers are part of the keys. Safe to use from several
    threads.

    Parameters
    ----------
    max_bytes
        Most bytes of keys and values to hold.

    Examples
    --------
    >>> import torch
    >>> from genrec.prompt.sequence import TokenSequence
    >>> def prompt(*tokens):
    ...     return TokenSequence(np.array(tokens), np.full(len(tokens), -1, dtype=np.int32))
    >>> cache = PromptCache(max_bytes=10_000)
    >>> cache.store(prompt(0, 5, 6), torch.zeros(1, 2, 1, 3, 4))
    >>> cache.find(prompt(0, 5, 7, 8)).length, cache.find(prompt(1, 5))
    (2, None)
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._states: OrderedDict[bytes, Tensor] = OrderedDict()
        self._sorted: list[bytes] = []
        self._nbytes = 0
        self._hits = self._misses = self._reused = self._read = 0
        self._lock = Lock()

    def find(self, prompt: TokenSequence) -> Prefix | None:
        """The longest beginning of a prompt that is known, less than all of it: the last token is always read."""
        key = _key(prompt)
        with self._lock:
            place = bisect_left(self._sorted, key)
            near = self._sorted[max(place - 1, 0) : place + 1]
            length, best = max(((_common(key, other), other) for other in near), default=(0, b""))
            length = min(length, len(prompt) - 1)
            self._reused += length
            self._read += len(prompt) - length
            if length == 0:
                self._misses += 1
                return None
            self._hits += 1
            self._states.move_to_end(best)
            return Prefix(length, self._states[best][..., :length, :])

    def store(self, prompt: TokenSequence, states: Tensor) -> None:
        """Remember a prompt.

        Parameters
        ----------
        prompt
            Its T tokens.
        states
            (layers, 2, heads, T, head width): keys and values of each, which must not be changed afterwards.
        """
        key = _key(prompt)
        nbytes = states.nbytes + sys.getsizeof(key)
        with self._lock:
            place = bisect_left(self._sorted, key)
            if place < len(self._sorted) and self._sorted[place].startswith(key):
                return  # it is held already, or is the beginning of one that is
            if place and key.startswith(self._sorted[place - 1]):
                self._drop(self._sorted[place - 1])
            if nbytes > self.max_bytes:
                return
            self._states[key] = states
            insort(self._sorted, key)
            self._nbytes += nbytes
            while self._nbytes > self.max_bytes:
                self._drop(next(iter(self._states)))

    def clear(self) -> None:
        """Forget all prompts."""
        with self._lock:
            self._states.clear()
            self._sorted.clear()
            self._nbytes = 0

    @property
    def counts(self) -> CacheCounts:
        """What is held, and what was found and read so far."""
        with self._lock:
            return CacheCounts(len(self._states), self._nbytes, self._hits, self._misses, self._reused, self._read)

    def _drop(self, key: bytes) -> None:
        states = self._states.pop(key)
        del self._sorted[bisect_left(self._sorted, key)]
        self._nbytes -= states.nbytes + sys.getsizeof(key)


def _key(prompt: TokenSequence) -> bytes:
    """Tokens and nodes, position by position, so that prompts that begin alike have keys that do."""
    return np.stack([prompt.tokens, prompt.nodes], axis=1).astype(np.int32).tobytes()


def _positions(key: bytes) -> NDArray[np.int64]:
    return np.frombuffer(key, dtype=np.int64)


def _common(one: bytes, other: bytes) -> int:
    """Positions that two keys have in common at their beginning."""
    count = min(len(one), len(other)) // KEY_BYTES
    differ = _positions(one)[:count] != _positions(other)[:count]
    return int(differ.argmax()) if differ.any() else count
