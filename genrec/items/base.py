"""What every item tokenizer is: a bijection between items and sequences of codes."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from safetensors.numpy import save_file

from genrec.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.items.report import TokenizerReport

SETTINGS_FILE = "item_tokenizer.json"
ARRAYS_FILE = "item_tokenizer.safetensors"
FORMAT_VERSION = 1


class ItemTokenizer(ABC):
    """Codes of every item: no two items share an ID, whatever was fitted.

    A tokenizer is immutable. New items get codes by ``encode_new``, and ``extend`` gives a new tokenizer that
    has them too; what describes a new item (its vector, its title, nothing at all) differs by kind, so both
    are methods of the concrete classes. Fitted items keep their codes.

    Parameters
    ----------
    codes
        int32 (N, L): the codes of each item, -1 after the end of a shorter ID.
    num_codes
        Number of codes (C).
    text_tokens
        int64 (C,): the base model's token id of each code, where codes are text (titles); else None.

    Raises
    ------
    DataError
        Two items have the same codes, an item has none, or a code is outside ``0 .. C - 1``.
    """

    kind: ClassVar[str]

    def __init__(self, codes: NDArray[np.int32], num_codes: int, text_tokens: NDArray[np.int64] | None = None) -> None:
        _check_bijection(codes, num_codes)
        self.codes = codes
        self.num_codes = num_codes
        self.text_tokens = text_tokens
        codes.setflags(write=False)

    @property
    def num_items(self) -> int:
        """Number of items (N)."""
        return len(self.codes)

    @property
    def levels(self) -> int:
        """Codes of the longest ID (L)."""
        return int(self.codes.shape[1])

    @abstractmethod
    def report(self) -> TokenizerReport:
        """Measure utilisation per level and collisions.

        Returns
        -------
        TokenizerReport
            Prints as one line.
        """

    @abstractmethod
    def _settings(self) -> dict[str, object]:
        """Plain values beside the arrays that the kind needs to be loaded again."""

    @abstractmethod
    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        """Arrays beside the codes that the kind needs to be loaded again."""

    def save(self, folder: Path) -> None:
        """Write ``item_tokenizer.json`` and ``item_tokenizer.safetensors``.

        Parameters
        ----------
        folder
            Made if it is not there. :func:`~genrec.items.loading.load_item_tokenizer` reads it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"codes": np.ascontiguousarray(self.codes), **self._arrays()}, folder / ARRAYS_FILE)
        settings = {"format_version": FORMAT_VERSION, "kind": self.kind, **self._settings()}
        (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _check_bijection(codes: NDArray[np.int32], num_codes: int) -> None:
    if codes.ndim != 2 or len(codes) == 0:
        msg = f"item codes must be (items, levels) with at least one item, not {codes.shape}"
        raise DataError(msg)
    if codes.max() >= num_codes or codes.min() < -1:
        msg = f"item codes must lie in 0 .. {num_codes - 1}, found {int(codes.min())} .. {int(codes.max())}"
        raise DataError(msg)
    live = codes >= 0
    if not live[:, 0].all() or (live[:, 1:] & ~live[:, :-1]).any():
        row = int(np.flatnonzero(~live[:, 0] | (live[:, 1:] & ~live[:, :-1]).any(axis=1))[0])
        msg = f"item {row} has no code, or codes after its end"
        raise DataError(msg)
    _, first, counts = np.unique(codes, axis=0, return_index=True, return_counts=True)
    if len(first) < len(codes):
        row = int(first[counts > 1][0])
        twins = np.flatnonzero((codes == codes[row]).all(axis=1))
        msg = f"{len(codes) - len(first)} items share their codes with another, first items {twins[:2].tolist()}"
        raise DataError(msg)
