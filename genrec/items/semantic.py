"""Semantic IDs: items with similar vectors share their first codes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from genrec.errors import ConfigError
from genrec.items.base import ItemTokenizer
from genrec.items.collisions import FreeIds, resolve_collisions
from genrec.items.quantizer import ResidualQuantizer
from genrec.items.report import TokenizerReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


class SemanticTokenizer(ItemTokenizer):
    """IDs by residual k-means over item vectors, one code a level.

    Levels have disjoint codes: code id = ``level * K + k``.

    Parameters
    ----------
    quantizer
        The fitted codebooks (L, K, D).
    codes
        int32 (N, L), code ids, distinct rows.
    collisions
        Items that had to move to another ID when the tokenizer was fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tokenizer = SemanticTokenizer.fit(rng.normal(size=(20, 4)).astype(np.float32), levels=2, codes_per_level=5)
    >>> tokenizer.codes.shape, tokenizer.num_codes
    ((20, 2), 10)
    >>> len(np.unique(tokenizer.codes, axis=0))
    20
    """

    kind: ClassVar[str] = "semantic"

    def __init__(self, quantizer: ResidualQuantizer, codes: NDArray[np.int32], collisions: int = 0) -> None:
        super().__init__(codes, num_codes=quantizer.levels * quantizer.codes_per_level)
        self.quantizer = quantizer
        self.collisions = collisions

    @classmethod
    def fit(
        cls, vectors: NDArray[np.float32], levels: int = 3, codes_per_level: int = 32, seed: int = 0
    ) -> SemanticTokenizer:
        """Fit codebooks and give every item its own ID.

        Parameters
        ----------
        vectors
            float32 (N, D): of text, of collaborative filtering, of your own, or several combined
            (:mod:`genrec.items.vectors`).
        levels
            Codes of an ID (L), default 3.
        codes_per_level
            Codes of a level (K), default 32.
        seed
            Of the k-means, default 0.

        Returns
        -------
        SemanticTokenizer
            A bijection: items whose ID was taken have moved to the nearest free one, and ``report()`` says how many.

        Raises
        ------
        ConfigError
            There are fewer IDs (K ** L) than items.
        DataError
            ``vectors`` is not (N, D) or not finite.
        """
        _check_capacity(len(vectors), levels, codes_per_level)
        quantizer = ResidualQuantizer.fit(vectors, levels, codes_per_level, seed)
        local, moved = resolve_collisions(quantizer, vectors, quantizer.assign(vectors))
        if moved:
            logger.info("%d of %d items shared an ID with another and moved to a free one", moved, len(vectors))
        return cls(quantizer, local + _level_offsets(quantizer), moved)

    def encode_new(self, vectors: NDArray[np.float32]) -> NDArray[np.int32]:
        """Give IDs to new items, without retraining.

        Parameters
        ----------
        vectors
            float32 (M, D), made like the fitted ones (zeros for what a new item has not got, such as its
            collaborative part).

        Returns
        -------
        NDArray
            int32 (M, L): code ids, each the nearest ID that no fitted item and no new item before it has.

        Raises
        ------
        ConfigError
            Fewer than M IDs are free.
        DataError
            The vectors do not fit the codebooks, or are not finite.
        """
        _check_capacity(self.num_items + len(vectors), self.levels, self.quantizer.codes_per_level)
        offsets = _level_offsets(self.quantizer)
        if len(vectors) == 0:
            return np.empty((0, self.levels), dtype=np.int32)
        self.quantizer.assign(vectors)  # checks width and values
        free = FreeIds(self.quantizer, self.codes - offsets)
        return np.array([free.take_nearest(vector) for vector in vectors], dtype=np.int32) + offsets

    def extend(self, vectors: NDArray[np.float32]) -> SemanticTokenizer:
        """Add new items at the end of the catalog.

        Parameters
        ----------
        vectors
            float32 (M, D), as :meth:`encode_new` takes them.

        Returns
        -------
        SemanticTokenizer
            Of N + M items; the first N keep their codes, and no code is added.
        """
        return SemanticTokenizer(
            self.quantizer, np.concatenate([self.codes, self.encode_new(vectors)]), self.collisions
        )

    def report(self) -> TokenizerReport:
        """Measure utilisation and entropy of each level, and collisions before they were resolved.

        Returns
        -------
        TokenizerReport
            Utilisation is relative to the K codes of a level.
        """
        sizes = [self.quantizer.codes_per_level] * self.levels
        num_bytes = self.codes.nbytes + self.quantizer.codebooks.nbytes
        return TokenizerReport.of_codes(
            self.kind, self.codes, self.num_codes, sizes, collisions=self.collisions, num_bytes=num_bytes
        )

    def _settings(self) -> dict[str, object]:
        return {"collisions": self.collisions}

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"codebooks": self.quantizer.codebooks}


def _level_offsets(quantizer: ResidualQuantizer) -> NDArray[np.int32]:
    return np.arange(quantizer.levels, dtype=np.int32) * np.int32(quantizer.codes_per_level)


def _check_capacity(num_items: int, levels: int, codes_per_level: int) -> None:
    if levels < 1 or codes_per_level < 1:
        msg = f"levels and codes_per_level must be at least 1, not {levels} and {codes_per_level}"
        raise ConfigError(msg)
    capacity = codes_per_level**levels
    if capacity < num_items:
        enough = next(k for k in range(codes_per_level + 1, num_items + 1) if k**levels >= num_items)
        msg = f"{codes_per_level} codes at {levels} levels make {capacity} IDs, too few for {num_items} items"
        raise ConfigError(msg, hint=f"raise codes_per_level to {enough} or more, or add a level")
