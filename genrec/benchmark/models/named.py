"""What the benchmark knows a model by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genrec.baselines.base import Scorer

Family = Literal["floor", "cf", "content", "sequential", "fusion", "generative", "hybrid", "ceiling"]


@dataclass(frozen=True)
class NamedModel:
    """A model of the benchmark: how to build it, and what tuning may try.

    Parameters
    ----------
    name
        In commands, configs and reports.
    family
        What kind of model it is; reports compare families.
    build
        Called with one value of each parameter of `grid` as keywords; every one has a good default. Importable by
        name (a class, or a function of a module), because a model is built in a process of its own.
    grid
        Values to try for each parameter, the default first. Default empty: nothing to tune.
    source
        Paper, or library, that it follows.
    max_users
        Of a model that takes seconds for an answer: how many validation and how many test questions it is asked at
        most. The report says so, and it is compared on these alone. Default None: all.

    Examples
    --------
    >>> from genrec.baselines import Popularity
    >>> NamedModel("popularity", "floor", Popularity).build().name
    'popularity'
    """

    name: str
    family: Family
    build: Callable[..., Scorer]
    grid: dict[str, Sequence[object]] = field(default_factory=dict)
    source: str = ""
    max_users: int | None = None
