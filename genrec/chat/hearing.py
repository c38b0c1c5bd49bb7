"""What a turn changes."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median_high, median_low
from typing import TYPE_CHECKING, Any

from genrec.chat.forgetting import any_of, meant, speaks_of_columns
from genrec.chat.listening import Compared, Heard, listen
from genrec.chat.state import MAX_SAID, MAX_TEXT, MAX_VALUE, ChatState, Kind, Said
from genrec.prompt.words import FUNCTION_WORDS, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genrec.data.catalog import Catalog
    from genrec.prompt.understanding import Matcher, Understood
    from genrec.recommend.recommender import Recommender

Statement = tuple[Kind, str, str]
"""Kind, value and text of something said."""
_SMALL_TALK = word_set(
    """hello hi hey thanks thank ok okay yes yeah yep no nope well hmm sure great cool bye goodbye maybe oh ah so then
    now actually instead fine good nice lol wow right sorry"""
)
_FILLERS = (FUNCTION_WORDS | _SMALL_TALK) - word_set("no not nothing")
"""Words that a phrase neither begins nor ends with."""


@dataclass(frozen=True)
class Change:
    """What a turn changed.

    Parameters
    ----------
    state
        The state after it, except for what is shown.
    started_over
        Whether everything was forgotten.
    added, taken_back
        Statements that were made, and that were taken back.
    why
        Places from 0 of items whose explanation was asked for.
    unclear
        Words that nothing was made of.
    problems
        Sentences about what could not be done.
    """

    state: ChatState
    started_over: bool
    added: tuple[Said, ...]
    taken_back: tuple[Said, ...]
    why: tuple[int, ...]
    unclear: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def is_any(self) -> bool:
        """Whether anything was changed."""
        return bool(self.started_over or self.added or self.taken_back)

    def to_dict(self) -> dict[str, Any]:
        """What was understood, ready for JSON."""
        return {
            "started_over": self.started_over,
            "added": [{"kind": one.kind, "value": one.value, "text": one.text} for one in self.added],
            "taken_back": [{"kind": one.kind, "value": one.value, "text": one.text} for one in self.taken_back],
            "why": list(self.why),
            "unclear": list(self.unclear),
            "problems": list(self.problems),
        }


def hear(text: str, state: ChatState, recommender: Recommender) -> Change:
    """Work out what a turn changes: first what is taken back, then what is said anew.

    Parameters
    ----------
    text
        The turn, cleaned (:func:`genrec.prompt.builder.clean`).
    state
        The state before it.
    recommender
        Its matcher reads the text.
    """
    matcher, catalog = recommender.matcher, recommender.catalog
    problems: list[str] = []
    whole = matcher.understand(text)
    heard = listen(text, whole.matches, len(state.shown), lambda words: speaks_of_columns(words, matcher, catalog))
    left = ChatState(shown=state.shown) if heard.start_over else state
    if heard.undo and left.said:
        left = left.without_last()
    elif heard.undo and not heard.start_over:
        problems.append("There is nothing to take back.")
    for start, end in heard.forget:
        inside = [match for match in whole.matches if start <= match.start and match.end <= end]
        tests = meant(text[start:end], inside, left.said, matcher, catalog)
        fewer = left.without(any_of(tests))
        if len(fewer.said) == len(left.said) and not heard.start_over:
            problems.append(f"I remember nothing about “{text[start:end].strip()[:100]}”.")
        left = fewer
    rest = matcher.understand(heard.rest)
    statements = [*_pointed(heard, state, catalog, problems), *_wishes(rest, catalog)]
    for one in heard.compared:
        statements += _comparison(one, state, matcher, catalog, problems)
    words = tuple(word for word in rest.rest if word.lower() not in _SMALL_TALK)
    if words and recommender.reads_text:
        statements += [("words", phrase, phrase) for phrase in _phrases(heard.rest, rest, words)]
        words = ()
    elif words:
        named = recommender.items.title_words.explain(replace(rest, rest=words))
        said = [*named.title_words, *(f"no {word}" for word in named.unwanted_title_words)]
        statements += [("words", word, word) for word in said]
        words = named.rest
    statements = [one for one in statements if len(one[1]) <= MAX_VALUE]
    if len(left.said) + len(statements) > MAX_SAID:
        problems.append(f"I can keep {MAX_SAID} wishes in mind: take some back, or start over.")
        statements = []
    after = left.with_turn(statements)
    return Change(
        state=after,
        started_over=heard.start_over,
        added=after.said[len(left.said) :],
        taken_back=_gone(state, left),
        why=heard.why,
        unclear=words,
        problems=tuple(problems),
    )


def _wishes(understood: Understood, catalog: Catalog) -> Iterator[Statement]:
    """Statements about titles, values, years and prices."""
    for match in understood.matches:
        if match.kind in ("liked", "disliked"):
            yield match.kind, catalog.ids[match.item], match.what[:MAX_TEXT]
        elif match.kind in ("wanted", "unwanted"):
            yield match.kind, match.expression, match.what
    limits = sorted((m for m in understood.matches if m.kind == "limit"), key=lambda m: (m.expression, m.start))
    for expression, same in groupby(limits, key=lambda match: match.expression):
        yield "limit", expression, " or ".join(match.text.strip() for match in same)[:MAX_TEXT]


def _phrases(text: str, understood: Understood, words: Sequence[str]) -> Iterator[str]:
    """The clauses that say more than was understood, less the titles, values and limits that they ask for.

    What they do not want stays, so that a word keeps its ``not``.
    """
    for match in understood.matches:
        if match.kind in ("liked", "wanted", "limit"):
            text = text[: match.start] + " " * (match.end - match.start) + text[match.end :]
    for clause in re.split(r"[.,;!?]+", text):
        phrase = clause.split()
        if not any(word in clause for word in words):
            continue
        while phrase and phrase[0].lower() in _FILLERS:
            phrase = phrase[1:]
        while phrase and phrase[-1].lower() in _FILLERS:
            phrase = phrase[:-1]
        if phrase:
            yield " ".join(phrase)[:MAX_TEXT]


def _pointed(heard: Heard, state: ChatState, catalog: Catalog, problems: list[str]) -> Iterator[Statement]:
    """Statements about items that were shown; what was not shown becomes a problem."""
    kinds: tuple[tuple[Kind, tuple[int, ...]], ...] = (
        ("liked", heard.liked),
        ("disliked", heard.disliked),
        ("passed", heard.passed),
        ("passed", tuple(range(len(state.shown))) if heard.more else ()),
    )
    for kind, places in kinds:
        for place in places:
            if not 0 <= place < len(state.shown):
                problems.append(_not_there(place, len(state.shown)))
            else:
                item = state.shown[place]
                yield kind, item, catalog.titles[int(catalog.ids.indices([item])[0])][:MAX_TEXT]


def _comparison(
    one: Compared, state: ChatState, matcher: Matcher, catalog: Catalog, problems: list[str]
) -> list[Statement]:
    """A limit from a comparison with what was shown: with one item, or with the middle of all."""
    column = matcher.price_column if one.of_price else matcher.year_column
    if column is None:
        problems.append(f"The catalog has no {'prices' if one.of_price else 'years'}, so nothing is {one.word}.")
        return []
    shown = state.shown if one.place < 0 else state.shown[one.place : one.place + 1]
    if not shown:
        problems.append(_not_there(one.place, len(state.shown)))
        return []
    values = catalog.column(column).take(catalog.ids.indices(shown)).drop_null().to_pylist()
    values = [value for value in values if math.isfinite(value)]
    if not values:
        problems.append(f"What was shown has no {column}, so nothing is {one.word}.")
        return []
    value = median_low(values) if one.less else median_high(values)
    name = column if re.fullmatch(r"\w+", column) else f'"{column}"'
    return [("limit", f"{name}{'<' if one.less else '>'}{value}", f"{one.word} than {value}")]


def _not_there(place: int, count: int) -> str:
    if not count:
        return "Nothing was shown yet that could be meant."
    return f"There is no item number {place + 1}: {count} were shown."


def _gone(before: ChatState, after: ChatState) -> tuple[Said, ...]:
    """Statements of a state that another does not have."""
    left = Counter((one.kind, one.value) for one in after.said)
    gone = []
    for one in before.said:
        if left[one.kind, one.value]:
            left[one.kind, one.value] -= 1
        else:
            gone.append(one)
    return tuple(gone)
