"""How well an item tokenizer uses its codes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class TokenizerReport:
    """Utilisation, evenness and collisions of an item tokenizer.

    Parameters
    ----------
    kind
        ``"atomic"``, ``"semantic"`` or ``"title"``.
    num_items
        Number of items (N).
    num_codes
        Number of codes of all levels together (C).
    levels
        Codes of the longest ID (L).
    utilisation
        Per level, the share of the level's codes that at least one item uses, 0 to 1.
    entropy
        Per level, the entropy in bits of the distribution of items over codes.
    perplexity
        Per level, ``2 ** entropy``: the number of equally used codes with the same entropy.
    collisions
        Items whose ID had been taken before collisions were resolved (none is left after).
    bytes
        Memory of the tokenizer's arrays.

    Examples
    --------
    >>> report = TokenizerReport("atomic", 4, 4, 1, (1.0,), (2.0,), (4.0,), 0, 16)
    >>> print(report)
    atomic: 4 items, 1 level, 4 codes; used 100%; perplexity 4.0; 0 collisions resolved; 16 bytes
    """

    kind: str
    num_items: int
    num_codes: int
    levels: int
    utilisation: tuple[float, ...]
    entropy: tuple[float, ...]
    perplexity: tuple[float, ...]
    collisions: int
    bytes: int

    @classmethod
    def of_codes(
        cls,
        kind: str,
        codes: NDArray[np.int32],
        num_codes: int,
        level_sizes: Sequence[int],
        *,
        collisions: int,
        num_bytes: int,
    ) -> TokenizerReport:
        """Measure the codes of all items.

        Parameters
        ----------
        kind
            Kind of the item tokenizer.
        codes
            int32 (N, L), -1 after the end of a shorter ID.
        num_codes
            Number of codes of all levels together (C).
        level_sizes
            Number of codes that could stand at each level, L numbers.
        collisions
            Items that had to move because their ID was taken.
        num_bytes
            Memory of the tokenizer's arrays.

        Returns
        -------
        TokenizerReport
            A level's figures are over the items whose ID reaches it.

        Examples
        --------
        >>> codes = np.array([[0, 2], [0, 3], [1, 2], [1, 3]], dtype=np.int32)
        >>> TokenizerReport.of_codes("semantic", codes, 4, [2, 2], collisions=0, num_bytes=32).entropy
        (1.0, 1.0)
        """
        counts = [np.unique(level[level >= 0], return_counts=True)[1] for level in codes.T]
        entropy = tuple(_entropy_bits(c) for c in counts)
        return cls(
            kind=kind,
            num_items=len(codes),
            num_codes=num_codes,
            levels=codes.shape[1],
            utilisation=tuple(len(c) / size for c, size in zip(counts, level_sizes, strict=True)),
            entropy=entropy,
            perplexity=tuple(2.0**h for h in entropy),
            collisions=collisions,
            bytes=num_bytes,
        )

    def as_dict(self) -> dict[str, object]:
        """Give the report as plain values, ready for JSON.

        Returns
        -------
        dict
            One entry a field; per-level figures as lists.
        """
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def __str__(self) -> str:
        used = " ".join(f"{share:.0%}" for share in self.utilisation[:4])
        even = " ".join(f"{p:.1f}" for p in self.perplexity[:4])
        more = " ..." if self.levels > 4 else ""
        levels = "1 level" if self.levels == 1 else f"{self.levels} levels"
        return (
            f"{self.kind}: {self.num_items} items, {levels}, {self.num_codes} codes; used {used}{more}; "
            f"perplexity {even}{more}; {self.collisions} collisions resolved; {self.bytes} bytes"
        )


def _entropy_bits(counts: NDArray[np.int64]) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum()) + 0.0
