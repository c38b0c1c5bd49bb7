"""What of a request an item answers to: words, filters and boosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.data.catalog import Catalog
from genrec.explain.reasons import BoostReason, FilterReason, Plain, WordReason
from genrec.recommend.filters import filter_columns, filter_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from genrec.prompt.match import Match
    from genrec.prompt.understanding import Understood


class Matching:
    """Checks what holds for a few items.

    Parameters
    ----------
    catalog
        All items, in the order of the indices.
    items
        Item indices, int32 (M,).

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import toy_dataset
    >>> matching = Matching(toy_dataset().catalog, np.array([0, 7]))
    >>> matching.filters(["year>=1970", "genre=Drama"])[0]
    (FilterReason(expression='year>=1970', values={'year': 1970}),)
    """

    def __init__(self, catalog: Catalog, items: NDArray[np.int32]) -> None:
        self._few = Catalog(catalog.table.take(items))

    def words(self, understood: Understood) -> list[tuple[WordReason, ...]]:
        """Words that each item answers to: liked titles, and what holds for it of everything else."""
        matches = [match for match in understood.matches if match.kind != "disliked"]
        holds = [filter_mask(self._few, [match.expression] if match.expression else []) for match in matches]
        return [
            tuple(self._word(match, row) for match, mask in zip(matches, holds, strict=True) if mask[row])
            for row in range(len(self._few))
        ]

    def filters(self, expressions: Sequence[str]) -> list[tuple[FilterReason, ...]]:
        """Filters that each item passes."""
        masks = [filter_mask(self._few, [expression]) for expression in expressions]
        return [
            tuple(
                FilterReason(expression, self._values(expression, row))
                for expression, mask in zip(expressions, masks, strict=True)
                if mask[row]
            )
            for row in range(len(self._few))
        ]

    def boosts(self, boosts: Mapping[str, float]) -> list[tuple[BoostReason, ...]]:
        """Boosts that each item gets."""
        masks = {expression: filter_mask(self._few, [expression]) for expression in boosts}
        return [
            tuple(BoostReason(name, float(weight)) for name, weight in boosts.items() if masks[name][row])
            for row in range(len(self._few))
        ]

    def _word(self, match: Match, row: int) -> WordReason:
        values = self._values(match.expression, row) if match.kind == "limit" else {}
        return WordReason(match.start, match.end, match.text, match.kind, match.what, match.expression, values)

    def _values(self, expression: str, row: int) -> dict[str, Plain]:
        table = self._few.table
        return {name: _plain(table[name][row].as_py()) for name in filter_columns(self._few, expression)}


def _plain(value: object) -> Plain:
    """A value as JSON has it; dates and the like as text."""
    return value if value is None or isinstance(value, str | int | float | bool | list) else str(value)
