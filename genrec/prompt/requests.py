"""Requests in plain words, made from histories and item attributes, to train on."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import DataError
from genrec.prompt.attributes import ItemAttributes
from genrec.prompt.titles import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.prompt.templates import Phrasing, Templates

WINDOW = 10
"""How many of the user's next items a request may be about."""
MAX_TARGETS = 5
RECENT = 20
"""How many of the user's last items liked and disliked titles are taken from."""
LIKED_RATING, DISLIKED_RATING = 4.0, 2.0
MAX_TITLE_WORDS = 12
"""Titles of products can be paragraphs, which nobody would type."""
ATTEMPTS = 40


@dataclass(frozen=True, eq=False)
class RequestExample:
    """One request and its answer.

    Parameters
    ----------
    history
        Item indices to put before the request, oldest first, int32 (T,); may be empty.
    text
        The request.
    targets
        Items the user met later that satisfy the request, in the order they came, int32 (1..5,).
    """

    history: NDArray[np.int32]
    text: str
    targets: NDArray[np.int32]


@dataclass
class _Facts:
    """What a request states: the words for each variable, and the items that are left as its answer."""

    targets: NDArray[np.int32]
    words: dict[str, str] = field(default_factory=dict)
    liked: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    wanted: set[int] = field(default_factory=set)


class _NothingToSayError(Exception):
    """The sampled user has nothing that the phrasing could state."""


class RequestExamples:
    """Draws instruction examples: a request in words, and items of the same user's future that satisfy it.

    A user and a point in time are drawn. What comes before gives liked and disliked titles and the history;
    the next items give categories, years and exclusions that they satisfy. Only ``train`` is
    looked at, so nothing of a validation or test target can enter.

    Parameters
    ----------
    train
        Training part of a split.
    templates
        Their phrasings word the requests. Those that state what the data does not have are left out.
    seed
        Seed of :meth:`stream`.

    Raises
    ------
    DataError
        When no user has two different items.

    Examples
    --------
    >>> from genrec.prompt.templates import Templates
    >>> from genrec.testing import toy_dataset
    >>> examples = RequestExamples(toy_dataset(), Templates.load(), seed=0)
    >>> example = examples.sample(np.random.default_rng(0))
    >>> bool(example.text) and len(example.targets) >= 1
    True
    """

    def __init__(self, train: Dataset, templates: Templates, seed: int = 0) -> None:
        self._histories = train.histories
        self._titles = train.catalog.titles
        self._attributes = ItemAttributes.of_catalog(train.catalog)
        self._informative = self._attributes.informative
        self._seed = seed
        self._users = np.flatnonzero([len(np.unique(train.histories[u])) >= 2 for u in range(len(train.histories))])
        if not len(self._users):
            msg = "no user has two different items, so no request can be made from a history"
            raise DataError(msg, hint="train without request examples, or on more interactions")
        can_state = {"liked"}
        if self._informative.any():
            can_state |= {"wanted", "unwanted"}
        if self._attributes.years.any():
            can_state |= {"decade", "after", "before"}
        if train.histories.ratings is not None and (train.histories.ratings <= DISLIKED_RATING).any():
            can_state |= {"disliked"}
        self._phrasings = [phrasing for phrasing in templates.phrasings if phrasing.variables <= can_state]
        self._fallback = [phrasing for phrasing in self._phrasings if phrasing.variables == {"liked"}]

    def stream(self) -> Iterator[RequestExample]:
        """Yield examples without end, the same ones for the same seed."""
        rng = np.random.default_rng(self._seed)
        while True:
            yield self.sample(rng)

    def sample(self, rng: np.random.Generator) -> RequestExample:
        """Draw one example; the same state of ``rng`` gives the same example."""
        phrasing = self._phrasings[rng.integers(len(self._phrasings))]
        for _ in range(ATTEMPTS):
            try:
                return self._state(phrasing, rng)
            except _NothingToSayError:
                continue
        # Every user has something before and after some cut, so a liked title can always be stated.
        while True:
            try:
                return self._state(self._fallback[rng.integers(len(self._fallback))], rng, any_rating=True)
            except _NothingToSayError:
                continue

    def _state(self, phrasing: Phrasing, rng: np.random.Generator, *, any_rating: bool = False) -> RequestExample:
        user = int(self._users[rng.integers(len(self._users))])
        start, stop = int(self._histories.indptr[user]), int(self._histories.indptr[user + 1])
        cut = int(rng.integers(start + 1, stop))
        past = self._histories.items[start:cut]
        facts = _Facts(_new_items(self._histories.items[cut:stop], past))
        ratings = None if any_rating or self._histories.ratings is None else self._histories.ratings[start:cut]
        # In this order: a later fact must leave at least one item that satisfies the earlier ones.
        for name in ("liked", "disliked"):
            if name in phrasing.variables:
                self._state_titles(name, facts, past, ratings, rng)
        for name in ("decade", "after", "before"):
            if name in phrasing.variables:
                self._state_year(name, facts, rng)
        if "wanted" in phrasing.variables:
            self._state_wanted(facts, rng)
        if "unwanted" in phrasing.variables:
            self._state_unwanted(facts, past, rng)
        if not len(facts.targets):
            raise _NothingToSayError
        text = phrasing.render(facts.words)
        if rng.random() < 0.3:
            text = text[0].upper() + text[1:]
        return RequestExample(_shown_history(past, facts.liked, rng), text, facts.targets[:MAX_TARGETS])

    def _state_titles(
        self,
        name: str,
        facts: _Facts,
        past: NDArray[np.int32],
        ratings: NDArray[np.float32] | None,
        rng: np.random.Generator,
    ) -> None:
        recent = np.arange(max(len(past) - RECENT, 0), len(past))
        if ratings is not None:
            recent = recent[ratings[recent] >= LIKED_RATING if name == "liked" else ratings[recent] <= DISLIKED_RATING]
        # A title that was met twice must not be liked and disliked at once.
        recent = recent[~np.isin(past[recent], facts.liked)]
        candidates = np.unique(past[recent])
        if not len(candidates):
            raise _NothingToSayError
        most = 3 if name == "liked" else 1
        chosen = rng.permutation(candidates)[: rng.integers(1, most + 1)]
        if name == "liked":
            facts.liked = chosen.astype(np.int32)
        facts.words[name] = self._listed(chosen, rng)

    def _listed(self, items: NDArray[np.int32], rng: np.random.Generator) -> str:
        titles = [self._titles[item] if rng.random() < 0.3 else spoken(self._titles[item]) for item in items]
        titles = [" ".join(html.unescape(title).split()[:MAX_TITLE_WORDS]) for title in titles]
        if len(titles) == 1:
            return titles[0]
        return ", ".join(titles[:-1]) + (" and " if rng.random() < 0.7 else ", ") + titles[-1]

    def _state_year(self, name: str, facts: _Facts, rng: np.random.Generator) -> None:
        window = self._attributes.years[facts.targets[:WINDOW]]
        known = window[window > 0]
        if not len(known):
            raise _NothingToSayError
        year = int(known[rng.integers(len(known))])
        years = self._attributes.years[facts.targets]
        if name == "decade":
            first = year - year % 10
            facts.words[name] = f"{first}s" if rng.random() < 0.5 or not 1920 <= first < 2000 else f"{first % 100}s"
            fits = (years >= first) & (years < first + 10)
        elif name == "after":
            bound = year - int(rng.integers(1, 8))
            facts.words[name] = str(bound)
            fits = years > bound
        else:
            bound = year + int(rng.integers(1, 8))
            facts.words[name] = str(bound)
            fits = (years > 0) & (years < bound)
        facts.targets = facts.targets[fits]

    def _state_wanted(self, facts: _Facts, rng: np.random.Generator) -> None:
        """Want a value of one of the next items; now and then two values, both on the same item."""
        wanted: list[int] = []
        for _ in range(2 if rng.random() < 0.25 else 1):
            window = [self._values(item) for item in facts.targets[:WINDOW]]
            counts = np.bincount(np.concatenate(window) if window else [], minlength=len(self._informative))
            counts[wanted] = 0
            candidates = np.flatnonzero(counts)
            if not len(candidates):
                break
            # Values that several of the next items share are likelier, so that most answers have several items.
            weights = counts[candidates] / counts[candidates].sum()
            value = int(candidates[rng.choice(len(candidates), p=weights)])
            wanted.append(value)
            facts.targets = self._with_value(facts.targets, value, present=True)
        if not wanted:
            raise _NothingToSayError
        facts.wanted = set(wanted)
        facts.words["wanted"] = " ".join(_said(self._attributes.values[value], rng) for value in wanted)

    def _state_unwanted(self, facts: _Facts, past: NDArray[np.int32], rng: np.random.Generator) -> None:
        """Exclude a value that the user's items have but at least one of the targets does not."""
        around = [self._values(item) for item in (*past[-RECENT:], *facts.targets[:WINDOW])]
        candidates = np.setdiff1d(np.concatenate(around) if around else [], list(facts.wanted)).astype(np.int64)
        for value in rng.permutation(candidates):
            left = self._with_value(facts.targets, int(value), present=False)
            if len(left):
                facts.targets = left
                facts.words["unwanted"] = _said(self._attributes.values[value], rng)
                return
        raise _NothingToSayError

    def _values(self, item: int) -> NDArray[np.int32]:
        values = self._attributes.of_item(item)
        told: NDArray[np.int32] = values[self._informative[values]]
        return told

    def _with_value(self, items: NDArray[np.int32], value: int, *, present: bool) -> NDArray[np.int32]:
        keep = [(value in self._attributes.of_item(item)) is present for item in items]
        kept: NDArray[np.int32] = items[np.array(keep, dtype=np.bool_)]
        return kept


def _new_items(later: NDArray[np.int32], past: NDArray[np.int32]) -> NDArray[np.int32]:
    """Items of ``later`` that ``past`` has not, each once, in order."""
    _, first = np.unique(later, return_index=True)
    once = later[np.sort(first)]
    new: NDArray[np.int32] = once[~np.isin(once, past)]
    return new


def _shown_history(past: NDArray[np.int32], liked: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
    """Half of the time the last items of the past, else the liked items, now and then nothing."""
    draw = rng.random()
    if draw < 0.5:
        return past[-int(rng.integers(1, 51)) :]
    return liked if draw < 0.85 else liked[:0]


def _said(value: str, rng: np.random.Generator) -> str:
    return value.lower() if rng.random() < 0.7 else value
