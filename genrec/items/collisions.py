"""Makes a quantizer's codes unique: every item the nearest ID that is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.items.quantizer import ResidualQuantizer


class FreeIds:
    """Which IDs of a codebook tree are taken, and how many below each prefix.

    Parameters
    ----------
    quantizer
        Codebooks (L, K, D): the tree has K ** L leaves.
    taken
        int32 (M, L), distinct rows with codes in ``0 .. K - 1``: the IDs that are taken.

    Examples
    --------
    >>> from genrec.items.quantizer import ResidualQuantizer
    >>> line = ResidualQuantizer(np.array([[[0.0], [1.0], [5.0]]], dtype=np.float32))
    >>> FreeIds(line, np.array([[0]], dtype=np.int32)).take_nearest(np.array([0.2], dtype=np.float32))
    [1]
    """

    def __init__(self, quantizer: ResidualQuantizer, taken: NDArray[np.int32]) -> None:
        self._codebooks = quantizer.codebooks
        k, levels = quantizer.codes_per_level, quantizer.levels
        # _room[l] is what a prefix of l + 1 codes can hold, _taken[l] what each holds, by the prefix as a number.
        self._room = [k ** (levels - level - 1) for level in range(levels)]
        self._taken: list[dict[int, int]] = []
        prefix = np.zeros(len(taken), dtype=object)
        for level in range(levels):
            prefix = prefix * k + taken[:, level].astype(object)
            numbers, counts = np.unique(prefix, return_counts=True)
            self._taken.append(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))

    def take_nearest(self, vector: NDArray[np.float32]) -> list[int]:
        """Take the free ID found by choosing, level by level, the nearest code that has room below it.

        So a collision moves to the nearest free code of the last level, and where all of them are taken, to
        the nearest prefix with room. The tree must have a free ID.

        Parameters
        ----------
        vector
            float32 (D,).

        Returns
        -------
        list of int
            L codes in ``0 .. K - 1``, now taken.
        """
        residual, prefix, codes = vector, 0, []
        for codebook, room, taken in zip(self._codebooks, self._room, self._taken, strict=True):
            first_child = prefix * len(codebook)
            nearest_first = np.argsort(((codebook - residual) ** 2).sum(axis=1), kind="stable").tolist()
            code = next(c for c in nearest_first if taken.get(first_child + c, 0) < room)
            prefix = first_child + code
            taken[prefix] = taken.get(prefix, 0) + 1
            residual = residual - codebook[code]
            codes.append(code)
        return codes


def resolve_collisions(
    quantizer: ResidualQuantizer, vectors: NDArray[np.float32], codes: NDArray[np.int32]
) -> tuple[NDArray[np.int32], int]:
    """Give every item its own ID, moving as few as possible.

    Of the items that share an ID the one nearest to its centroid keeps it (equally near: the first). The
    others, nearest first, move to the nearest free ID.

    Parameters
    ----------
    quantizer
        Codebooks (L, K, D) with K ** L >= N.
    vectors
        float32 (N, D).
    codes
        int32 (N, L), the quantizer's codes of ``vectors``, each in ``0 .. K - 1``.

    Returns
    -------
    codes : NDArray
        int32 (N, L), distinct rows.
    moved : int
        Items whose ID was taken.
    """
    error = ((vectors - quantizer.decode(codes)) ** 2).sum(axis=1)
    by_error = np.argsort(error, kind="stable")
    _, first = np.unique(codes[by_error], axis=0, return_index=True)
    moving = np.ones(len(codes), dtype=bool)
    moving[by_error[first]] = False
    unique = codes.copy()
    free = FreeIds(quantizer, codes[~moving])
    for item in by_error[moving[by_error]]:
        unique[item] = free.take_nearest(vectors[item])
    return unique, int(moving.sum())
