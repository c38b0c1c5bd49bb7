"""What a service answers, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from genrec.decoding.prompt_cache import CacheCounts
    from genrec.recommend.request import Answer

Source = Literal["generator", "fallback"]


@dataclass(frozen=True)
class Served:
    """An answer, and where it came from.

    Parameters
    ----------
    answer
        The answer.
    source
        ``"generator"``, or ``"fallback"`` where the generator would have been too late: then collaborative filtering
        ranked the items, and their log-probabilities are its shares of evidence.
    model_version
        First 12 digits of the sha256 of the model's ``genrec.json``.
    queue_ms
        Milliseconds until decoding began; of a fallback, until it was given up.
    decode_ms
        Milliseconds that the batch took, or the fallback.
    batch
        Requests that were decoded together.
    """

    answer: Answer
    source: Source
    model_version: str
    queue_ms: float
    decode_ms: float
    batch: int


@dataclass(frozen=True)
class ServiceCounts:
    """What a service has done since it started.

    Parameters
    ----------
    waiting
        Requests that wait now.
    batches, decoded
        Decodes, and requests answered by them.
    fallbacks
        Requests answered by the fallback.
    refused
        Requests refused because as many waited as may.
    late
        Requests that had no answer in time.
    failed
        Requests that ended with an error of another kind.
    prompts
        What the prompt cache has done for the model that is served now; None without one.
    """

    waiting: int
    batches: int
    decoded: int
    fallbacks: int
    refused: int
    late: int
    failed: int
    prompts: CacheCounts | None
