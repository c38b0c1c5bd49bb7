"""Words of a request: where they stand, and the forms they are compared in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|&")
_SUFFIXES = ("ical", "ious", "tic", "ous", "ing", "ion", "ed", "al", "er", "ic", "ce", "y", "e")
_SENTENCE_END = re.compile(r"[.!?;:\n]")


def word_set(words: str) -> frozenset[str]:
    """Return the words of a string, separated by spaces, as a set."""
    return frozenset(words.split())


# Words that carry no wish of their own: they are never matched to titles or values alone.
FUNCTION_WORDS = word_set(
    """a about again all also am an and any anything are as at be been but by can could do does
    everything for from get give had has have i id im if in into is it its just like me more my
    next no not nothing of on one or other our please really show so some somebody someone
    something stuff such suggest than that the their them then there these they thing things this to
    too try us very want wants was we were what when which while who will with would you your
    item items movie movies film films book books product products good great nice best new old
    looking find recommend recommendation recommendations see watch watched read bought need"""
)


@dataclass(frozen=True)
class Word:
    """One word of a text.

    Parameters
    ----------
    start, end
        Its characters.
    key
        The word without case, accents and apostrophes.
    capital
        Whether it starts with a capital letter, or mixes letters and digits.
    """

    start: int
    end: int
    key: str
    capital: bool

    @property
    def forms(self) -> tuple[str, str, str]:
        """Every form the word is compared in."""
        return self.key, self.singular, self.stem

    @cached_property
    def singular(self) -> str:
        """``key`` less an English plural ending."""
        return singular(self.key)

    @cached_property
    def stem(self) -> str:
        """``singular`` less one common suffix, so that romantic meets romance."""
        return stem(self.key)


def split_words(text: str, limit: int | None = None) -> list[Word]:
    """Cut a text into its words, at most ``limit`` of them.

    Examples
    --------
    >>> [word.key for word in split_words("Children's Sci-Fi & Café")]
    ['childrens', 'sci', 'fi', 'and', 'cafe']
    """
    words: list[Word] = []
    for match in _WORD.finditer(text):
        if limit is not None and len(words) >= limit:
            break
        key = _key(match[0])
        if key:
            capital = match[0][0].isupper() or (not key.isalpha() and not key.isdigit())
            words.append(Word(match.start(), match.end(), key, capital))
    return words


def normal(text: str) -> str:
    """Keys of a text's words, joined by spaces.

    Examples
    --------
    >>> normal("Il Postino: (1994)")
    'il postino 1994'
    """
    return " ".join(word.key for word in split_words(text))


def singular(key: str) -> str:
    """Remove an English plural ending.

    Examples
    --------
    >>> [singular(key) for key in ("comedies", "brushes", "westerns", "gloss")]
    ['comedy', 'brush', 'western', 'gloss']
    """
    if len(key) > 4 and key.endswith("ies"):
        return key[:-3] + "y"
    if len(key) > 4 and key.endswith(("ses", "xes", "zes", "ches", "shes")):
        return key[:-2]
    if len(key) > 3 and key.endswith("s") and not key.endswith(("ss", "us", "is")):
        return key[:-1]
    return key


def stem(key: str) -> str:
    """Remove a plural ending and one suffix, keeping at least four letters.

    Examples
    --------
    >>> stem("romantic"), stem("romance"), stem("mysterious"), stem("mystery")
    ('roman', 'roman', 'myster', 'myster')
    """
    root = singular(key)
    for suffix in _SUFFIXES:
        if root.endswith(suffix) and len(root) - len(suffix) >= 4:
            return root[: -len(suffix)]
    return root


def gap(text: str, words: Sequence[Word], at: int) -> str:
    """Characters between word ``at`` and the one before it."""
    return text[words[at - 1].end if at else 0 : words[at].start]


def starts_sentence(text: str, words: Sequence[Word], at: int) -> bool:
    """Whether word ``at`` is the first of the text or of a sentence."""
    return at == 0 or _SENTENCE_END.search(gap(text, words, at)) is not None


def _key(word: str) -> str:
    if word == "&":
        return "and"
    if word.isascii():
        return word.lower().replace("'", "").replace("_", "")
    folded = unicodedata.normalize("NFKD", word.lower())
    return "".join(char for char in folded if char.isalnum())
