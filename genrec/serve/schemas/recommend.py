"""Requests for recommendations, and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from genrec.serve.schemas.base import (
    MAX_BATCH,
    MAX_BEAMS,
    MAX_CANDIDATES,
    MAX_FILTERS,
    MAX_HISTORY,
    MAX_K,
    FilterText,
    Id,
    Incoming,
    Outgoing,
    Prompt,
)

K = Annotated[int, Field(ge=1, le=MAX_K)]
Weight = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]


class RecommendRequest(Incoming):
    """One request: for a user, a history, a prompt, or any of them together."""

    user_id: Id | None = None
    """A user of the data set, or of events. What they met is read before `history`; what they hid stays out."""
    history: list[Id] | None = Field(default=None, max_length=MAX_HISTORY)
    """Item ids, oldest first."""
    prompt: Prompt | None = None
    """What is wanted, in plain words."""
    k: K = 10
    """Items to recommend."""
    filters: list[FilterText] = Field(default=[], max_length=MAX_FILTERS)
    """Expressions that every item satisfies, such as `year>=1990`, `not genre=Horror`, `price<20 and in_stock=true`."""
    boosts: dict[FilterText, Weight] = Field(default={}, max_length=MAX_FILTERS)
    """Log-weight of filter expressions: `{"genre=Comedy": 0.5}` makes comedies 1.65 times as likely."""
    max_per_category: int | None = Field(default=None, ge=1, le=MAX_K)
    """Most items of one category."""
    candidates: list[Id] | None = Field(default=None, max_length=MAX_CANDIDATES)
    """Item ids outside of which nothing is recommended."""
    include_seen: bool = False
    """Recommend items of the history too."""
    new_items: int = Field(default=0, ge=0, le=MAX_K)
    """Most of the last places left to items that nobody in the data set has met, those whose words suit best."""
    beams: int | None = Field(default=None, ge=1, le=MAX_BEAMS)
    """Beam width; the server's default without."""
    exact: bool = False
    """Score every eligible item instead of searching."""
    explain: bool = False
    """Give the reasons of every item."""
    timeout_s: float | None = Field(default=None, gt=0, le=600, allow_inf_nan=False)
    """Seconds after which a simpler model answers, or status 504; never more than the server's own limit."""


class RecommendBody(RecommendRequest):
    """One request, or `requests`: several that are answered together."""

    requests: list[RecommendRequest] | None = Field(default=None, min_length=1, max_length=MAX_BATCH)
    """Several requests; then nothing stands beside them."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if self.requests is not None and self.model_fields_set != {"requests"}:
            beside = ", ".join(sorted(self.model_fields_set - {"requests"}))
            msg = f"beside requests there is {beside}: it belongs into each of them"
            raise ValueError(msg)
        return self


class SimilarBody(Incoming):
    """Which items go with an item."""

    item_id: Id
    """The item."""
    k: K = 10
    """Items to recommend."""
    filters: list[FilterText] = Field(default=[], max_length=MAX_FILTERS)
    """Expressions that every item satisfies."""


class RecommendedItem(Outgoing):
    """One recommended item."""

    item_id: str
    title: str
    score: float
    """What the ranking is by: log-probability, priors and boosts."""
    logprob: float
    """The generator's log-probability alone."""
    new: bool
    """It has one of the places of `new_items`: not by its score, but because its words suit the history."""
    categories: list[str]
    reasons: dict[str, Any] | None = None
    """Why this item: only with `explain`."""


class UnderstoodOut(Outgoing):
    """What was understood of a prompt."""

    liked: list[str]
    """Titles it names."""
    disliked: list[str]
    """Titles it wants nothing to do with."""
    wanted: list[str]
    """Values it asks for."""
    unwanted: list[str]
    """Values it does not want."""
    filters: list[str]
    """Filters it became."""
    title_words: list[str]
    """Words that stand in titles, whose items are preferred: of models that do not read the words themselves."""
    unwanted_title_words: list[str]
    """Such words of what it does not want: items with these in their titles are left out."""
    rest: list[str]
    """Words that nothing of the above explains."""


class RecommendAnswer(Outgoing):
    """Items, best first, and what they were made from."""

    request_id: str
    """Name it in events about these items."""
    items: list[RecommendedItem]
    understood: UnderstoodOut | None
    """Null without a prompt."""
    history: list[str]
    """Item ids that were read, oldest first."""
    filters: list[str]
    """All filters that applied."""
    eligible: int
    """Items that passed filters and exclusions."""
    warnings: list[str]
    """Values of filters and boosts that no item has, most of them typing errors, and what was probably meant."""
    source: Literal["generator", "fallback"]
    """`fallback`: the generator was too slow, a simpler model answered."""
    model_version: str


class RecommendAnswers(Outgoing):
    """An answer for each request of a batch, in their order."""

    answers: list[RecommendAnswer]
