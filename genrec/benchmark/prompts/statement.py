"""What one prompt states about one user, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from genrec.benchmark.prompts.constraint import FIRST, LAST, Constraint, satisfying
from genrec.benchmark.prompts.wording import say_decade, say_title, say_titles, say_value, with_typo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.benchmark.prompts.source import Source

RECENT = 20
"""A user's last items, of which titles and unwanted values are taken."""
MAX_TITLES = 3
PARTS = {"early": ((0, 3), (0, 4)), "mid": ((4, 6), (3, 7)), "late": ((7, 9), (5, 9))}
"""Years of a decade in which the target lies, and those that count: people differ about the edges."""


class CannotStateError(Exception):
    """The user or the target has nothing for a slot."""


@dataclass
class Statement:
    """Fills the slots of a sentence so that the target is as demanded.

    Parameters
    ----------
    source
        The data.
    past
        The user's history, int32 (T,), oldest first.
    liked
        Items of it that the user liked, int32.
    target
        The item that the user went on to take; values and years are its own.
    rng
        Makes every choice.
    typos
        Slots of titles and values that get a slip, if a word of theirs is long enough. Default 0.

    Attributes
    ----------
    named, constraints, slips
        Items whose titles were said, what was demanded, and slips made.
    """

    source: Source
    past: NDArray[np.int32]
    liked: NDArray[np.int32]
    target: int
    rng: np.random.Generator
    typos: int = 0
    named: list[int] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    slips: int = 0
    _said: dict[str, str] = field(default_factory=dict)

    def fill(self, sentence: str, names: list[str]) -> str:
        """Fill the slots of a sentence.

        Raises
        ------
        CannotStateError
            There is nothing to say for one of them.
        """
        for name in names:
            if name not in self._said:
                self._said[name] = self._say(name)
        slipped = [name for name in names if name in ("liked", "wanted", "also", "unwanted")]
        for name in self.rng.permutation(slipped)[: self.typos]:
            said = with_typo(self._said[name], self.rng)
            self.slips += said != self._said[name]
            self._said[name] = said
        return sentence.format(**self._said)

    def _say(self, name: str) -> str:
        match name:
            case "liked":
                return self._titles()
            case "wanted" | "also":
                return self._wanted()
            case "unwanted" | "unwanted_too":
                return self._unwanted()
            case "low" | "high":
                return self._range(name)
            case "topic":
                return self._topic()
            case "decade" | "early" | "mid" | "late" | "other_decade":
                return self._decade(name)
            case _:
                return self._limit(name)

    def _titles(self) -> str:
        liked = self.liked[-RECENT:]
        chosen = [item for item in self.rng.permutation(np.unique(liked)) if self.source.sayable[item]]
        self.named = [int(item) for item in chosen[: self.rng.integers(1, MAX_TITLES + 1)]]
        if not self.named:
            raise CannotStateError
        titles = self.source.dataset.catalog.titles
        said = [titles[i] if self.source.ambiguous[i] else say_title(titles[i], self.rng) for i in self.named]
        return say_titles(said, self.rng)

    def _wanted(self) -> str:
        stated = {value for constraint in self.constraints for value in constraint.values}
        return self._value([v for v in self.source.values(self.target) if v not in stated], negated=False)

    def _unwanted(self) -> str:
        its = set(self.source.values(self.target))
        stated = {value for constraint in self.constraints for value in constraint.values}
        met = {value for item in self.past[-RECENT:] for value in self.source.values(int(item))}
        return self._value(sorted(met - its - stated), negated=True)

    def _value(self, candidates: list[int], *, negated: bool) -> str:
        if not candidates:
            raise CannotStateError
        value = candidates[self.rng.integers(len(candidates))]
        self.constraints.append(Constraint((value,), negated=negated))
        return say_value(self.source.attributes.values[value], self.rng)

    def _year(self) -> int:
        year = int(self.source.attributes.years[self.target])
        if year <= 0:
            raise CannotStateError
        return year

    def _span(self, first: int, last: int, *, negated: bool = False) -> None:
        self.constraints.append(Constraint(years=(first, last), negated=negated))

    def _decade(self, name: str) -> str:
        year = self._year()
        decade, at = year - year % 10, year % 10
        match name:
            case "decade":
                self._span(decade, decade + 9)
            case "other_decade":
                years = self.source.attributes.years[self.past[-RECENT:]]
                decades = np.setdiff1d(years[years > 0] // 10 * 10, [decade])
                if not len(decades):
                    raise CannotStateError
                decade = int(decades[self.rng.integers(len(decades))])
                self._span(decade, decade + 9, negated=True)
            case _:
                (low, high), (first, last) = PARTS[name]
                if not low <= at <= high:
                    raise CannotStateError
                self._span(decade + first, decade + last)
        return say_decade(decade, self.rng)

    def _range(self, name: str) -> str:
        year = self._year()
        low, high = year - int(self.rng.integers(1, 6)), year + int(self.rng.integers(1, 6))
        self._span(low, high)
        self._said |= {"low": str(low), "high": str(high)}
        return self._said[name]

    def _limit(self, name: str) -> str:
        year, away = self._year(), int(self.rng.integers(1, 8))
        said, first, last = {
            "year": (year, year, year),
            "after": (year - away, year - away + 1, LAST),
            "since": (year - away, year - away, LAST),
            "before": (year + away, FIRST, year + away - 1),
            "until": (year + away, FIRST, year + away),
        }[name]
        self._span(first, last)
        return str(said)

    def _topic(self) -> str:
        words = self.source.topics(self.target)
        if not words:
            raise CannotStateError
        return " and ".join(self.rng.permutation(words)[: self.rng.integers(1, 3)])

    def theme(self) -> str:
        """Say a theme that the target fits.

        Raises
        ------
        CannotStateError
            It fits none.
        """
        its = set(self.source.values(self.target))
        fitting = [theme for theme in self.source.themes if its.intersection(theme.values)]
        if not fitting:
            raise CannotStateError
        theme = fitting[self.rng.integers(len(fitting))]
        self.constraints.append(Constraint(theme.values))
        return theme.phrases[self.rng.integers(len(theme.phrases))]

    def mask(self) -> NDArray[np.bool_]:
        """Items that are as demanded, bool (N,)."""
        return satisfying(tuple(self.constraints), self.source.attributes)

    def possible(self, k: int) -> bool:
        """Whether at least k items that the user has not met are as demanded."""
        mask = self.mask()
        mask[self.past] = False
        return int(mask.sum()) >= k
