"""What a prompt of the suite demands of an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.prompt.attributes import ItemAttributes

FIRST, LAST = 1, 9999
"""Years of spans that are open; year 0 is unknown and in no span."""


@dataclass(frozen=True)
class Constraint:
    """One demand, as it was meant when the prompt was written.

    Parameters
    ----------
    values
        Indices of attribute values, of which an item has at least one.
    years
        First and last year.
    negated
        Whether an item must not be so.

    Examples
    --------
    >>> from genrec.prompt.attributes import ItemAttributes
    >>> from genrec.testing import toy_dataset
    >>> attributes = ItemAttributes.of_catalog(toy_dataset(items=4).catalog)
    >>> attributes.years.tolist()
    [1970, 1971, 1972, 1973]
    >>> Constraint(years=(1971, 1972), negated=True).mask(attributes).tolist()
    [True, False, False, True]
    """

    values: tuple[int, ...] = ()
    years: tuple[int, int] | None = None
    negated: bool = False

    def mask(self, attributes: ItemAttributes) -> NDArray[np.bool_]:
        """Items that are as demanded, bool (N,); an unknown year is in no span."""
        if self.years is not None:
            held = (attributes.years >= self.years[0]) & (attributes.years <= self.years[1])
        else:
            hits = np.isin(attributes.indices, self.values)
            held = np.diff(np.concatenate([[0], np.cumsum(hits)])[attributes.indptr]) > 0
        return held ^ self.negated

    def said(self, attributes: ItemAttributes) -> str:
        """The demand in words."""
        words = " or ".join(attributes.values[value] for value in self.values)
        if self.years is not None:
            first, last = self.years
            words = f"until {last}" if first == FIRST else f"from {first}" if last == LAST else f"{first}-{last}"
        return f"not {words}" if self.negated else words


def satisfying(constraints: tuple[Constraint, ...], attributes: ItemAttributes) -> NDArray[np.bool_]:
    """Items that are as all constraints demand, bool (N,)."""
    mask = np.ones(len(attributes.years), dtype=np.bool_)
    for constraint in constraints:
        mask &= constraint.mask(attributes)
    return mask
