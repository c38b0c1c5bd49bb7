"""One sentence about an item, made of the facts of its explanation and of nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from genrec.explain.reasons import Explanation, HistoryReason, PeopleReason, Plain, WordReason

CLEAR = 0.05
"""Least difference of log-probabilities that is worth a word: 5% more likely."""
MAX_WORDS = 4
"""Most words of the prompt that are named."""


def sentence(explanation: Explanation) -> str:
    """Put the main facts into words.

    Examples
    --------
    >>> from genrec.explain.reasons import Explanation, HistoryReason
    >>> facts = Explanation(
    ...     "i2", "Big", 1, 10, -1.0, -1.0, (HistoryReason("i1", "Heat", 0.6931, 4),), (), (), (), ()
    ... )
    >>> sentence(facts)
    'Big: because of “Heat”, without which it would be 2.0 times less likely and fall from place 1 to 4 of these 10.'
    """
    return f"{explanation.title}: {'; '.join(_parts(explanation))}."


def _parts(explanation: Explanation) -> Iterator[str]:
    best = explanation.history[0] if explanation.history else None
    speaks = best is not None and best.delta >= CLEAR
    if best is not None:
        yield _history(best, explanation) if speaks else _nothing_of(explanation.history)
    found = explanation.evidence
    if found:
        yield _evidence(next((one for one in found if best is not None and one.item_id == best.item_id), found[0]))
    words = [word for word in explanation.words if word.kind != "liked"][:MAX_WORDS]
    if words:
        yield " and ".join(map(_word, words)) + (" fit" if len(words) > 1 else " fits")
    said = {word.expression for word in explanation.words}
    own = [one for one in explanation.filters if one.expression not in said]
    if own:
        yield "it passes " + " and ".join(f"{one.expression}{_values(one.values)}" for one in own)
    if not speaks and not found:
        yield f"the model gives it {_share(explanation.logprob)}"


def _history(best: HistoryReason, explanation: Explanation) -> str:
    place, without, of = explanation.place, best.place_without, explanation.of
    # With scorers beside the generator, scores are weights: ratios of them hold, probabilities would not.
    verb, how = ("weigh", "less") if best.guided else ("be", "less likely")
    less = f"because of “{best.title}”, without which it would {verb} {math.exp(best.delta):.1f} times {how}"
    if of == 1:
        return less
    if without > place:
        return f"{less} and fall from place {place} to {without} of these {of}"
    if without < place:
        return f"{less}, though at place {without} of these {of}, as others need it more"
    return f"{less} but keep place {place} of these {of}"


def _nothing_of(history: Sequence[HistoryReason]) -> str:
    whichever = f"any one of {len(history)} items of the history" if len(history) > 1 else f"“{history[0].title}”"
    return f"it would be hardly less likely without {whichever}"


def _evidence(one: PeopleReason) -> str:
    return (
        f"of {one.people} people who met “{one.title}”, {one.both} also met it, of all {one.everyone} people {one.met}"
    )


def _word(word: WordReason) -> str:
    return f"“{word.text}”{_values(word.values)}"


def _values(values: Mapping[str, Plain]) -> str:
    """What an item has in some columns, in brackets."""
    shown = [
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in values.items()
    ]
    return f" ({'; '.join(shown)})" if shown else ""


def _share(logprob: float) -> str:
    share = math.exp(logprob)
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
