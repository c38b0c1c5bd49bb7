"""What a suite is worded with: sentences with slots, and themes in free words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genrec.prompt.words import word_set

KINDS = ("liked", "genre", "year", "negation", "mood", "mixed")
SLOTS = word_set(
    """liked wanted also unwanted unwanted_too decade early mid late other_decade year after before since until
    low high topic"""
)
_SLOT = re.compile(r"\{\{?\s*(\w+)\s*\}?\}")


@dataclass(frozen=True)
class Theme:
    """A mood or a subject, in free words.

    Parameters
    ----------
    values
        What catalogs call it, in lower case without signs: an item with one of these values fits.
    phrases
        Whole requests.
    """

    values: tuple[str, ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Phrasings:
    """All that a suite says.

    Parameters
    ----------
    name
        Of the set, in reports.
    sentences
        For each kind, sentences with slots such as ``{wanted}``; the slots say what a prompt states.
    themes
        Of the kind ``mood``.

    Examples
    --------
    >>> words = Phrasings("mine", {"genre": ("Only {wanted}, thanks",)}, ())
    >>> slots(words.sentences["genre"][0])
    ['wanted']
    """

    name: str
    sentences: Mapping[str, tuple[str, ...]]
    themes: tuple[Theme, ...]

    def all(self) -> list[str]:
        """Every sentence and theme phrase."""
        spoken = [sentence for sentences in self.sentences.values() for sentence in sentences]
        return spoken + [phrase for theme in self.themes for phrase in theme.phrases]

    def without(self, sources: Iterable[str]) -> Phrasings:
        """Leave out what a model was trained to read.

        Parameters
        ----------
        sources
            Sentences with slots, ``{x}`` or ``{{ x }}``, such as the lines of ``requests.jinja``.
        """
        known = list(sources)
        return Phrasings(
            self.name,
            {kind: tuple(s for s in sentences if not shared(s, known)) for kind, sentences in self.sentences.items()},
            tuple(
                Theme(theme.values, tuple(phrase for phrase in theme.phrases if not shared(phrase, known)))
                for theme in self.themes
            ),
        )


def slots(sentence: str) -> list[str]:
    """Names of a sentence's slots, in the order they stand there."""
    return _SLOT.findall(sentence)


def skeleton(sentence: str) -> tuple[str, ...]:
    """Words of a sentence in lower case, each slot an underscore.

    Examples
    --------
    >>> skeleton("I liked {{ liked }}, but no {{ unwanted }}!")
    ('i', 'liked', '_', 'but', 'no', '_')
    """
    return tuple(re.findall(r"[\w'-]+", _SLOT.sub(" _ ", sentence).lower()))


def shared(sentence: str, known: Sequence[str]) -> list[str]:
    """Sentences of ``known`` whose whole skeleton stands in that of ``sentence``; those of slots alone do not count.

    Examples
    --------
    >>> shared("Well, something {wanted} then", ["something {{ wanted }}", "{{ wanted }}"])
    ['something {{ wanted }}']
    """
    words = skeleton(sentence)
    found = []
    for other in known:
        part = skeleton(other)
        inside = any(words[at : at + len(part)] == part for at in range(len(words) - len(part) + 1))
        if inside and set(part) - {"_"}:
            found.append(other)
    return found
