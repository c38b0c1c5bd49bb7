"""EASE whose weights are kept in the cache: a model that it guides is loaded again without solving it again."""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.baselines.ease import EASE
from genrec.cache import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.data.dataset import Dataset

logger = logging.getLogger(__name__)

LEAST_ITEMS = 2000
"""Items below which solving takes no longer than reading."""
KEPT = 3
"""Files that stay in the cache, those used last; each has 4 N^2 bytes."""


class RecalledEASE(EASE):
    """EASE that maps its weights from a file where the same interactions were solved before.

    Memory is then shared by all processes that map the file, and holds the rows that histories ask for.

    Parameters
    ----------
    regularization, recency, training_recency
        As of :class:`~genrec.baselines.ease.EASE`.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> RecalledEASE().fit(toy_dataset(items=8)).score([np.array([3], dtype=np.int32)]).shape  # small: nothing is kept
    (1, 8)
    """

    @classmethod
    def of(cls, scorer: EASE) -> Self:
        """The same scorer, not fitted.

        Parameters
        ----------
        scorer
            Its settings are taken.
        """
        return cls(scorer.regularization, scorer.recency, scorer.training_recency)

    def fit(self, dataset: Dataset) -> Self:
        """Map the weights of these interactions, or solve for them and keep them.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.

        Raises
        ------
        ResourceError, ConfigError
            As :meth:`EASE.fit <genrec.baselines.ease.EASE.fit>` does.
        """
        if dataset.num_items < LEAST_ITEMS:
            return super().fit(dataset)
        path = cache_folder() / "ease" / f"{self._digest(dataset)}.npy"
        try:
            self._weights = np.load(path, mmap_mode="r", allow_pickle=False)
        except (FileNotFoundError, NotADirectoryError):
            super().fit(dataset)
            self._keep(path)
        else:
            with suppress(OSError):  # of another user, perhaps
                os.utime(path)
        return self

    def _digest(self, dataset: Dataset) -> str:
        histories = dataset.histories
        about = f"1 {dataset.num_items} {self.regularization} {self.training_recency}"
        digest = hashlib.sha256(about.encode())
        for part in (histories.indptr, histories.items):
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return digest.hexdigest()

    def _keep(self, path: Path) -> None:
        aside = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                np.save(file, self._weights, allow_pickle=False)
            aside.replace(path)  # a run that is killed leaves no half file under the final name
            by_use = sorted(path.parent.glob("*.npy"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
            for old in by_use[KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            logger.warning("EASE's weights are not kept, so it is solved at every load: %s", error)
