"""Atomic IDs: one code an item."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from genrec.errors import DataError
from genrec.items.base import ItemTokenizer
from genrec.items.report import TokenizerReport

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AtomicTokenizer(ItemTokenizer):
    """One code for each item, in catalog order.

    Memorises best and generalises least: nothing is shared between items, and a new item's code starts untrained.

    Parameters
    ----------
    codes
        int32 (N, 1), as :meth:`fit` makes them.

    Examples
    --------
    >>> tokenizer = AtomicTokenizer.fit(3)
    >>> tokenizer.codes.tolist(), tokenizer.encode_new(2).tolist()
    ([[0], [1], [2]], [[3], [4]])
    """

    kind: ClassVar[str] = "atomic"

    def __init__(self, codes: NDArray[np.int32]) -> None:
        super().__init__(codes, num_codes=len(codes))

    @classmethod
    def fit(cls, num_items: int) -> AtomicTokenizer:
        """Give item ``i`` the code ``i``.

        Parameters
        ----------
        num_items
            Number of items of the catalog (N), at least 1.

        Returns
        -------
        AtomicTokenizer
            One code an item.
        """
        if num_items < 1:
            msg = "an item tokenizer needs at least one item"
            raise DataError(msg, hint="import a catalog with items, or interactions to make one from")
        return cls(np.arange(num_items, dtype=np.int32)[:, None])

    def encode_new(self, count: int) -> NDArray[np.int32]:
        """Give codes to new items: the next numbers.

        Parameters
        ----------
        count
            How many new items there are (M).

        Returns
        -------
        NDArray
            int32 (M, 1), from ``num_codes`` on: each is a new row of the model's code table.
        """
        return np.arange(self.num_codes, self.num_codes + count, dtype=np.int32)[:, None]

    def extend(self, count: int) -> AtomicTokenizer:
        """Add new items at the end of the catalog.

        Parameters
        ----------
        count
            How many new items there are (M).

        Returns
        -------
        AtomicTokenizer
            Of N + M items; the first N keep their codes.
        """
        return AtomicTokenizer(np.concatenate([self.codes, self.encode_new(count)]))

    def report(self) -> TokenizerReport:
        """Measure utilisation: an atomic tokenizer uses every code once.

        Returns
        -------
        TokenizerReport
            One level, no collisions.
        """
        return TokenizerReport.of_codes(
            self.kind, self.codes, self.num_codes, [self.num_codes], collisions=0, num_bytes=self.codes.nbytes
        )

    def _settings(self) -> dict[str, object]:
        return {}

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {}
