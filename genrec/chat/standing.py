"""What stands, of all that was said: later statements overrule earlier ones that they contradict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from genrec.prompt.builder import clean
from genrec.prompt.titles import spoken
from genrec.prompt.understanding import Understood
from genrec.recommend.filters import MAX_CHARS, Comparison, filter_columns, filter_mask, parse_filter
from genrec.recommend.recommender import WANTED_PRIOR
from genrec.recommend.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.chat.state import ChatState, Said
    from genrec.data.catalog import Catalog
    from genrec.recommend.recommender import Recommender

_NOT = "not "


@dataclass(frozen=True)
class Standing:
    """The wishes in force.

    Parameters
    ----------
    liked, disliked, passed
        Statements about items: the last one about an item counts.
    wanted, unwanted
        Statements about attribute values: the last one about a value counts.
    limits
        Years and prices. A later upper bound of a column replaces an earlier one, so does a lower bound and anything
        else that is said of the column; an earlier limit that no item could keep beside the later ones is dropped.
    words
        What only a model that reads text can use; with another one, words of titles.
    """

    liked: tuple[Said, ...]
    disliked: tuple[Said, ...]
    passed: tuple[Said, ...]
    wanted: tuple[Said, ...]
    unwanted: tuple[Said, ...]
    limits: tuple[Said, ...]
    words: tuple[Said, ...]

    @classmethod
    def of(cls, state: ChatState, catalog: Catalog) -> Standing:
        """Find out what stands.

        Examples
        --------
        >>> from genrec.chat.state import ChatState
        >>> from genrec.testing import toy_dataset
        >>> state = ChatState().with_turn([("limit", "year>1975", "after 1975")])
        >>> state = state.with_turn([("limit", "year>1980", "after 1980"), ("limit", "year<1990", "before 1990")])
        >>> [limit.text for limit in Standing.of(state, toy_dataset().catalog).limits]
        ['after 1980', 'before 1990']
        """
        last: dict[tuple[str, str], Said] = {}
        for one in state.said:
            if one.kind != "limit":
                last.pop(_about(one), None)  # so that it moves to the end
                last[_about(one)] = one
        by_kind = {kind: tuple(one for one in last.values() if one.kind == kind) for kind in _KINDS}
        limits = _in_force([one for one in state.said if one.kind == "limit"], catalog)
        return cls(**by_kind, limits=limits)

    @property
    def bounds(self) -> tuple[str, ...]:
        """Filters of the limits and of the unwanted values."""
        return tuple(one.value for one in (*self.limits, *self.unwanted))

    @property
    def filters(self) -> tuple[str, ...]:
        """Filters that every item has to pass: limits, no unwanted value, and at least one of the wanted ones.

        A filter has bounded length: of very many wanted values, it names the latest.
        """
        anything = ""
        for one in reversed(self.wanted):
            longer = f"{one.value} or {anything}" if anything else one.value
            if len(longer) > MAX_CHARS:
                break
            anything = longer
        return (*self.bounds, *([anything] if anything else []))

    def request(self, recommender: Recommender, history: Sequence[str], user: str | None, k: int) -> Request:
        """Ask for what stands.

        A model that reads text gets a prompt too, if all that it would be understood as stands anyway; another one a
        prompt of words of titles.
        """
        prompt, understood = self._prompt(recommender)
        ids = recommender.catalog.ids
        told = {ids[item] for item in understood.liked}
        # A prompt that names the wanted values asks for them by itself.
        asks = bool(understood.wanted_filters)
        return Request(
            history=[*history, *(one.value for one in self.liked if one.value not in told)],
            user=user,
            prompt=prompt or None,
            k=k,
            filters=self.bounds if asks else self.filters,
            boosts={} if asks else {one.value: WANTED_PRIOR for one in self.wanted},
            exclude=[one.value for one in (*self.disliked, *self.passed)],
        )

    def _prompt(self, recommender: Recommender) -> tuple[str, Understood]:
        prompts = [clean(self._words())]
        if recommender.reads_text:
            prompts.insert(0, self._phrase(recommender.catalog))
        for prompt in prompts:
            understood = recommender.matcher.understand(prompt)
            if self._covers(understood, recommender.catalog):
                return prompt, understood
        return "", Understood()

    def _phrase(self, catalog: Catalog) -> str:
        """Everything in one sentence, as requests are worded that models are trained on."""
        titles = [spoken(catalog.titles[int(catalog.ids.indices([one.value])[0])]) for one in self.liked]
        parts = [
            " and ".join(one.text for one in self.wanted),
            f"like {' and '.join(titles)}" if titles else "",
            " ".join(one.text for one in self.limits),
        ]
        no = f", no {' or '.join(one.text for one in self.unwanted)}" if self.unwanted else ""
        words = f". {self._words()}" if self.words else ""
        return clean(" ".join(part for part in parts if part) + no + words).removeprefix(". ")

    def _words(self) -> str:
        return ". ".join(one.value for one in self.words)

    def _covers(self, understood: Understood, catalog: Catalog) -> bool:
        """Whether all that was understood stands, and all wanted values or none are in it."""
        liked, disliked = ({catalog.ids[item] for item in items} for items in (understood.liked, understood.disliked))
        wanted = {one.value for one in self.wanted}
        return (
            liked <= {one.value for one in self.liked}
            and disliked <= {one.value for one in self.disliked}
            and set(understood.wanted_filters) in (set(), wanted)
            and set(understood.filters) <= set(self.filters)
        )


_KINDS: tuple[Literal["liked", "disliked", "passed", "wanted", "unwanted", "words"], ...] = (
    "liked", "disliked", "passed", "wanted", "unwanted", "words",
)  # fmt: skip


def _about(one: Said) -> tuple[str, str]:
    """What a statement is about: two statements about the same contradict or repeat each other."""
    if one.kind in ("liked", "disliked", "passed"):
        return "item", one.value
    if one.kind in ("wanted", "unwanted"):
        return "value", one.value.removeprefix(_NOT)
    return one.kind, one.value


def _in_force(limits: Sequence[Said], catalog: Catalog) -> tuple[Said, ...]:
    """The limits that stand, oldest first."""
    kept: list[Said] = []
    last: dict[tuple[str, str], int] = {}  # column and side, and the turn that spoke of it last
    newest: dict[str, int] = {}  # column, and the turn that spoke of it last
    possible: dict[str, NDArray[np.bool_]] = {}  # column, and the items that keep its limits
    for one in reversed(limits):
        column, side = filter_columns(catalog, one.value)[0], _side(one.value)
        mask = filter_mask(catalog, [one.value]) & possible.get(column, np.True_)
        overruled = last.setdefault((column, side), one.turn) != one.turn
        if overruled or (newest.setdefault(column, one.turn) != one.turn and not mask.any()):
            continue
        possible[column] = mask
        kept.append(one)
    return tuple(reversed(kept))


def _side(expression: str) -> str:
    """``<`` for an upper bound, ``>`` for a lower one, ``=`` for anything else."""
    parsed = parse_filter(expression)
    return parsed.operator[0] if isinstance(parsed, Comparison) and parsed.operator[0] in "<>" else "="
