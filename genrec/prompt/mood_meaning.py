"""Values that a text suggests by what it means, where no word of it is known."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import GenrecError
from genrec.items.encoder import encode_cached, load_encoder
from genrec.prompt.moods import MOODS, values_by_mood

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from genrec.prompt.attributes import ItemAttributes

logger = logging.getLogger(__name__)

NEAREST = 3
"""Phrases of a mood that a text is compared with, beside the mean of all."""
LEAST = 0.3
"""How far the nearest mood must stand out from the mean of all: chatter without a mood stays below."""
MAX_CHARS = 300


class MoodMeaning:
    """Compares a text with the phrases of all moods by a sentence encoder, which is loaded when it is first needed.

    Parameters
    ----------
    attributes
        The values of a catalog.

    Examples
    --------
    >>> from genrec.prompt.attributes import ItemAttributes
    >>> from genrec.testing import toy_catalog
    >>> attributes = ItemAttributes.of_catalog(toy_catalog(24))
    >>> meaning = MoodMeaning(attributes)
    >>> [attributes.values[value] for value in meaning.values("I would like to be amused")]
    ['Comedy']
    >>> meaning.values("what would others choose")
    []
    """

    def __init__(self, attributes: ItemAttributes) -> None:
        self._values = values_by_mood(attributes)

    def values(self, text: str) -> list[int]:
        """Indices of the values that a text suggests; none where it suggests nothing, or there is no encoder."""
        if self._encoder is None:
            return []
        asked = self._encoder.encode([text[:MAX_CHARS]], normalize_embeddings=True, show_progress_bar=False)[0]
        scores = self._scores(np.asarray(asked, dtype=np.float32))
        best = int(scores.argmax())
        return self._values[best] if scores[best] - scores.mean() >= LEAST else []

    def _scores(self, asked: NDArray[np.float32]) -> NDArray[np.float32]:
        """How near each mood is, float32 (moods,)."""
        phrases, centres = self._phrases
        near = [np.sort(mine @ asked)[-NEAREST:].mean() for mine in phrases]
        return np.asarray(near + centres @ asked, dtype=np.float32)

    @cached_property
    def _encoder(self) -> SentenceTransformer | None:
        if not any(self._values):
            return None
        try:
            return load_encoder()
        except GenrecError as error:
            logger.info("moods in free words are not understood beyond known words: %s", error.message)
            return None

    @cached_property
    def _phrases(self) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """Vectors of the phrases of each mood, and the mean of each, of length 1."""
        texts = [[phrase.strip() for phrase in f"{names},{words}".split(",")] for names, words in MOODS.items()]
        vectors = encode_cached([text for mood in texts for text in mood])
        phrases = np.split(vectors, np.cumsum([len(mood) for mood in texts])[:-1])
        centres = np.stack([mine.mean(axis=0) for mine in phrases])
        return list(phrases), centres / np.linalg.norm(centres, axis=1, keepdims=True)
