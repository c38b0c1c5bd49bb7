"""What a conversation answers, in words: templates filled with facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genrec.chat.standing import Standing
    from genrec.chat.state import Said
    from genrec.recommend.request import Recommendation

NOTHING = "I understood nothing of that. I know English, and what the catalog has: {catalog}."
EXAMPLES = (
    "Name a title or a value, or say “no ...”, “more like the second”, “not that one”, “others”, “why”, “undo” or "
    "“start over”."
)


def answer(
    change: Sequence[str], standing: Standing, titles: dict[str, str], items: Sequence[Recommendation], eligible: int
) -> str:
    """Text of a turn that was understood.

    Parameters
    ----------
    change
        Sentences about what changed.
    standing
        The wishes in force.
    titles
        Titles of the items they speak of, by item id.
    items
        What is recommended.
    eligible
        Items that pass everything.
    """
    wishes = describe(standing, titles)
    lines = [" ".join(change)] if change else []
    if wishes:
        lines.append(f"Looking for: {'; '.join(wishes)}.")
    if not items:
        lines.append(
            "Nothing is left that passes all of that: take something back, such as “forget " + _loosest(standing) + "”."
        )
    else:
        lines.append(f"{_count(len(items))} of {eligible} that pass:" if wishes else f"{_count(len(items))}:")
        lines += [f"{place}. {item.title}" for place, item in enumerate(items, 1)]
    return "\n".join(lines)


def describe(standing: Standing, titles: dict[str, str]) -> list[str]:
    """The wishes in force, one phrase a kind.

    Examples
    --------
    >>> from genrec.chat.standing import Standing
    >>> from genrec.chat.state import ChatState
    >>> from genrec.testing import toy_dataset
    >>> state = ChatState().with_turn([("liked", "i0", "Red River"), ("unwanted", "not categories='Drama'", "Drama")])
    >>> describe(Standing.of(state, toy_dataset().catalog), {"i0": "Red River"})
    ['like Red River', 'no Drama']
    """
    return [
        *_phrase("like", (titles[one.value] for one in standing.liked), " and "),
        *_phrase("", (one.text for one in standing.wanted), " or "),
        *_phrase("no", (one.text for one in standing.unwanted), " or "),
        *_phrase("", (one.text for one in standing.limits), " and "),
        *_phrase("", (f"“{one.text}”" for one in standing.words), " "),
        *_phrase("not", (titles[one.value] for one in standing.disliked), " or "),
        *_phrase("none of", [f"{len(standing.passed)} already shown or seen"] if standing.passed else [], ""),
    ]


def added(statements: Sequence[Said], titles: dict[str, str]) -> str:
    """A sentence about what a turn said; empty if it said nothing."""
    verbs = {
        "liked": "you like {}",
        "disliked": "no {}",
        "wanted": "{}",
        "unwanted": "no {}",
        "limit": "{}",
        "words": "“{}”",
    }
    parts = [verbs[one.kind].format(_name(one, titles)) for one in statements if one.kind != "passed"]
    others = ["other items"] if any(one.kind == "passed" for one in statements) else []
    return f"Noted: {'; '.join([*parts, *others])}." if parts or others else ""


def taken_back(statements: Sequence[Said], titles: dict[str, str]) -> str:
    """A sentence about what was taken back."""
    named = [_name(one, titles) for one in statements if one.kind != "passed"]
    passed = sum(one.kind == "passed" for one in statements)
    parts = [*dict.fromkeys(named), *([f"{_count(passed)} already shown or seen"] if passed else [])]
    return f"Forgotten: {'; '.join(parts)}." if parts else ""


def nothing(columns: Sequence[str], unknown: Sequence[str]) -> str:
    """A turn of which nothing was understood."""
    named = ", ".join(["titles", *columns])
    about = f" “{' '.join(unknown)[:100]}” is none of these." if unknown else ""
    return f"{NOTHING.format(catalog=named)}{about} {EXAMPLES}"


def unclear(words: Sequence[str]) -> str:
    """A sentence about words that nothing was made of."""
    return f"I made nothing of “{' '.join(words)[:100]}”." if words else ""


def _name(one: Said, titles: dict[str, str]) -> str:
    """The exact title of an item, the words of anything else."""
    return titles[one.value] if one.kind in ("liked", "disliked", "passed") else one.text


def _phrase(lead: str, names: Sequence[str] | Iterator[str], joined: str) -> Iterator[str]:
    text = joined.join(names)
    if text:
        yield f"{lead} {text}".strip()


def _loosest(standing: Standing) -> str:
    """The newest wish that can be taken back to see more."""
    limiting = [*standing.limits, *standing.unwanted, *standing.wanted]
    return max(limiting, key=lambda one: one.turn).text if limiting else "everything"


def _count(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"
