"""What is asked of a recommender, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genrec.prompt.understanding import Understood


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; the fields are the keywords of :meth:`~genrec.recommend.recommender.Recommender.recommend`.

    Parameters
    ----------
    history, user, prompt
        What it is about: item ids, a user of the data set, plain words, or any of them together.
    k
        Items to recommend. Default 10.
    filters
        Expressions over catalog columns that every item must satisfy.
    boosts
        Log-weight of each filter expression, for the items that satisfy it.
    max_per_category
        Most items of one category among the k. Default: any number.
    candidates
        Item ids, of a retriever for example, outside of which nothing is recommended. Default: the whole catalog.
    exclude
        Item ids that are never recommended, such as what a user hid; they do not join the history.
    include_seen
        Recommend items of the history too. Default False.
    new_items
        Most of the last places of the k that are left to items that nobody has met, if their words suit the history.
        Default 0.
    beams
        Beam width (W). Default 50.
    exact
        Score every eligible item instead of searching. Default False.

    Raises
    ------
    ConfigError
        If there is neither a history nor a user nor a prompt, a number is below 1, or there are more new items than k.

    Examples
    --------
    >>> Request(history=["i3"], boosts={"genre=Comedy": 0.5}).k
    10
    """

    history: Sequence[str] | None = None
    user: str | None = None
    prompt: str | None = None
    k: int = 10
    filters: Sequence[str] = ()
    boosts: Mapping[str, float] = field(default_factory=dict)
    max_per_category: int | None = None
    candidates: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    include_seen: bool = False
    new_items: int = 0
    beams: int = 50
    exact: bool = False

    def __post_init__(self) -> None:
        if self.history is None and self.user is None and self.prompt is None:
            raise ConfigError("nothing to recommend for", hint="give a history, a user or a prompt")
        for name in ("k", "beams", "max_per_category"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.new_items <= self.k:
            raise ConfigError(f"new_items must be 0 to k={self.k}, got {self.new_items}")

    @property
    def like(self) -> tuple[int, int, bool, int]:
        """What requests that are decoded together have in common: none gets other items for its batch-mates."""
        return self.k, self.beams, self.exact, self.max_per_category or 0


@dataclass(frozen=True)
class Recommendation:
    """One recommended item.

    Parameters
    ----------
    item_id, title
        The item.
    score
        What the ranking is by: the generator's log-probability, plus priors and boosts.
    logprob
        The generator's log-probability alone.
    new
        Nobody has met the item, and it has one of the places that ``new_items`` leaves: its place says how well its
        words suit the history, not how large its score is. Default False.
    """

    item_id: str
    title: str
    score: float
    logprob: float
    new: bool = False


@dataclass(frozen=True)
class Answer:
    """Recommendations, and what they were made from.

    Parameters
    ----------
    items
        Best first; fewer than asked for only if fewer are eligible, or a cap a category leaves no more.
    history
        Item ids that were read, oldest first, those of liked titles included.
    understood
        What was understood of the prompt; None without one.
    filters
        All filters that applied.
    eligible
        Items that passed filters and exclusions.
    """

    items: tuple[Recommendation, ...]
    history: tuple[str, ...]
    understood: Understood | None
    filters: tuple[str, ...]
    eligible: int
