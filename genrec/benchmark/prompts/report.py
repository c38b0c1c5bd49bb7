"""``report.json`` of a prompt suite: one documented, versioned shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from genrec.benchmark.report.schema import Interval

SCHEMA_VERSION: Literal[1] = 1
MODEL, WORDS_ALONE, TEXT, TEXT_HISTORY = "model", "model, words alone", "text kNN", "text kNN with history"
POPULAR_TOLD, NEIGHBOURS_TOLD = "popularity, told", "item neighbours, told"
SATISFIED_BAR, RATIO_BAR, SECONDS_BAR = 0.97, 2.0, 3.0


class SystemEntry(BaseModel, extra="forbid"):
    """What one system answered to the prompts of a kind."""

    satisfied: Interval | None
    """Share of the first k places that hold an item as demanded; null where no prompt demands anything."""

    recall: Interval
    """Recall@k of what the users went on to take."""


class Seconds(BaseModel, extra="forbid"):
    """Wall time of one prompt, asked alone."""

    mean: float
    """Over the prompts."""

    p50: float
    """Median."""

    p99: float
    """99 in 100 take no longer."""

    longest: float
    """The slowest prompt."""


class KindEntry(BaseModel, extra="forbid"):
    """The prompts of one kind, or all of them."""

    kind: str
    """A kind, or ``all``."""

    prompts: int
    """How many."""

    judged: int
    """Those that demand something of an item."""

    with_typos: int
    """Those with slips of the keyboard."""

    systems: dict[str, SystemEntry]
    """``model``, ``model, words alone`` (without the history), ``text kNN``, ``text kNN with history``; and, told what
    is demanded instead of reading it, ``popularity, told`` and ``item neighbours, told``."""

    ratio: Interval | None
    """Recall of the model over that of text kNN; null where that found nothing."""

    words_alone_ratio: Interval | None
    """The same for the model without the history."""

    seconds: Seconds
    """Of the model."""


class BarEntry(BaseModel, extra="forbid"):
    """A bar that a model should pass, over all prompts."""

    name: str
    """What is measured."""

    bar: float
    """The bar."""

    value: float | None
    """What was measured; null where it could not be."""

    met: bool
    """Whether the bar is passed."""


class PromptReport(BaseModel, extra="forbid"):
    """Everything a prompt suite found."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """Raised when a reader of an older version would misread the file."""

    suite: str
    """Which phrasings."""

    model: str
    """Name of the model folder."""

    dataset: str
    """Its name."""

    dataset_sha256: str
    """Digest of interactions and catalog."""

    provenance: dict[str, Any]
    """``command``, ``date``, ``commit``, ``machine``, ``versions``."""

    protocol: dict[str, Any]
    """``split``, ``part``, ``k``, ``beams``, ``seed``, ``prompts_sha256``, ``encoder``, ``reads_text``,
    ``phrasings``, ``phrasings_left_out``."""

    kinds: list[KindEntry]
    """The kinds that the data set can have, then ``all``."""

    left_out: dict[str, str]
    """The other kinds, and what they lack."""

    bars: list[BarEntry]
    """The bars, in order: demands satisfied, recall beside text kNN, seconds."""
