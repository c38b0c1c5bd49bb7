"""Which words of a request say what is not wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from genrec.prompt.words import Word, gap, word_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGATORS = word_set(
    """not no nothing never nor neither dont didnt doesnt isnt arent wasnt werent aint cant cannot couldnt wont
    wouldnt shouldnt none zero"""
)
DISLIKES = word_set(
    """unlike hate hated hates hating dislike disliked dislikes detest detested loathe loathed despise despised without
    except excluding exclude excludes avoid avoiding avoids minus skip skipping omit omitting ditch ditching sans"""
)
WISHES = word_set(
    """want prefer need love loved like liked enjoy enjoyed adore adored give show recommend looking make bring"""
)
TURNS = word_set("but rather instead however though although")


def _phrases(phrases: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(phrase.split()) for phrase in phrases.split(","))


# Words that, one after the other, say no to what follows.
_SAY_NO = _phrases(
    """tired of,sick of,weary of,bored of,bored by,bored with,fed up with,enough of,had it with,had enough,done with,
    through with,free of,free from,devoid of,clear of,away from,stay off,lay off,other than,rather than,instead of,
    apart from,aside from,hold the,lose the,drop the,forget the,spare me,spare us,save me from,leave out,leave aside,
    cut out,rule out,keep out,filter out,sort out,allergic to,averse to,opposed to,too much,too many,pass on,lack of,
    anything but,everything but"""
)
# Words with a negator among them that say yes.
_SAY_YES = _phrases(
    """cant get enough of, cannot get enough of, never get enough of, couldnt get enough of, cant stop, cannot stop,
    cant live without, cant do without, cant wait for, cant go wrong with, cant resist, couldnt resist, cant help,
    nothing beats, nobody beats, never tire of, never tired of, never get tired of, never get bored of, never get
    sick of, never bored of, not tired of, not only, not just, no doubt, dont mind, wouldnt mind, doesnt hurt,
    nothing but, none other than, why not, not bad, not without, nothing better than, nothing against, no problem
    with"""
)
_BARE_NEXT = word_set("non")
_SEPARABLE = word_set("leave leaving keep keeping cut cutting rule ruling take taking throw filter count")
_PARTICLES = word_set("out away aside off")
_FAR = 7
"""A particle is at most so many words behind its verb."""
_STATES_ANEW = word_set("i we it make give show bring ideally preferably")

_NOT = (
    r"(?:(?:is|are|was|were|does|do|did|has|have|will|can)\s?n[o'\u2019]?t"
    r"|(?:is|are|was|were|do|does|will)\s+(?:not|never|no))"
)
_AFTER = re.compile(
    rf"""^(?:\s+(?:stuff|things?|ones?|kind|items?|titles?|movies?|films?|books?|songs?|products?))?
    (?:-free\b
    |\s+{_NOT}\s+(?!from|before|after|in\b|too\b|only|just|older|newer|made|bad)
    |\s+(?:not|never)\s+(?:wanted|welcome|allowed|needed|for\s+me)
    |(?:\s+(?:just|really|simply|always|all|both|usually|often|only|also|tends?\s+to|kind\s+of|sort\s+of))*
     \s+(?:bor(?:e|es|ed)|annoy(?:s|ed)?|tires?|irritates?|depress(?:es)?|disgusts?|puts?\s+me\s+off|turns?\s+me\s+off
       |leaves?\s+me\s+cold|gets?\s+on\s+my\s+nerves|gives?\s+me\s+nothing|sucks?)\b
    |\s+(?:is|are|was|were)\s+(?:just\s+|really\s+|so\s+|too\s+|all\s+|a\s+|simply\s+|strictly\s+|totally\s+)*
     (?:off[\s-]limits|out\b|taboo|excluded|forbidden|banned|unwelcome|boring|tiresome|awful|terrible|dull|annoying
       |overrated|overdone|no[\s-]go|no[\s-]no|turn[\s-]off|nuisance|waste)
    |[\s,;?!.:\u2013-]*(?:so\s+|please\s+|just\s+|then\s+|therefore\s+)*
     (?:leave|keep|cut|rule|filter|take)\s+(?:it|them|that|those|these|this)\s+(?:all\s+|both\s+)?(?:out|away|aside|off)\b
    |\s*[?,:;!-]+\s*(?:no,?\s+thanks?|no\s+thank\s+you|no\s+way|nope|not\s+for\s+me|never(?:\s+again)?)\s*(?:[.!;,]|$)
    )""",
    re.I | re.X,
)  # fmt: skip
_CLAUSE = re.compile(r"[.,!?;:]")


def negative_words(
    text: str, words: Sequence[Word], in_title: NDArray[np.bool_], said: Iterable[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Whether what a word says is not wanted.

    A negator counts up to the end of its clause (*no horror or war*), a verb up to its particle (*leave drama out*),
    and what is said of something after it was named counts for that (*war bores me*).

    Parameters
    ----------
    text, words
        The text and its W words.
    in_title
        Words that are part of a title and negate nothing, bool (W,).
    said
        First word and end of everything that was recognised: titles, values, years.

    Returns
    -------
    NDArray
        bool (W,).

    Examples
    --------
    >>> from genrec.prompt.words import split_words
    >>> text = "war bores me, no horror or crime, leave drama out, comedy is fine"
    >>> words = split_words(text)
    >>> no = negative_words(text, words, np.zeros(len(words), dtype=bool), [(0, 1), (10, 11)])
    >>> [word.key for word, unwanted in zip(words, no) if unwanted]
    ['war', 'horror', 'or', 'crime', 'drama']
    """
    negative = np.zeros(len(words), dtype=np.bool_)
    state, negator = False, -9
    opened, closed = _phrase_ends(words, _SAY_NO), _phrase_ends(words, _SAY_YES)
    for at, word in enumerate(words):
        between_titles = at > 0 and in_title[at - 1] and in_title[at]
        if _CLAUSE.search(gap(text, words, at)) and not between_titles:
            state = False
        negative[at] = state or (at > 0 and words[at - 1].key in _BARE_NEXT)
        if in_title[at]:
            continue
        if at in closed:
            state, negator = False, -9
        elif at in opened:
            state, negator = True, -9
        elif word.key in NEGATORS:
            state, negator = True, at
        elif word.key in DISLIKES:
            state, negator = True, -9
        elif word.key in TURNS and at + 1 not in opened:
            state, negator = False, -9
        elif (word.key in WISHES and at - negator > 3) or (
            word.key in _STATES_ANEW and at and words[at - 1].key == "and"
        ):
            state = False
    _separable(text, words, in_title, negative)
    _afterwards(text, words, list(said), negative)
    return negative


def _phrase_ends(words: Sequence[Word], phrases: Sequence[tuple[str, ...]]) -> set[int]:
    """Last words of the phrases."""
    keys = [word.key for word in words]
    return {
        at + len(phrase) - 1
        for at, key in enumerate(keys)
        for phrase in phrases
        if key == phrase[0] and tuple(keys[at : at + len(phrase)]) == phrase
    }


def _separable(text: str, words: Sequence[Word], in_title: NDArray[np.bool_], negative: NDArray[np.bool_]) -> None:
    """Mark what stands between a verb and its particle: *leave drama out*."""
    for verb, word in enumerate(words):
        if word.key not in _SEPARABLE or in_title[verb]:
            continue
        for at in range(verb + 1, min(verb + 1 + _FAR, len(words))):
            if _CLAUSE.search(gap(text, words, at)) and not in_title[at]:
                break
            if words[at].key in _PARTICLES and not in_title[at]:
                negative[verb + 1 : at] = True
                break


def _afterwards(text: str, words: Sequence[Word], said: Sequence[tuple[int, int]], negative: NDArray[np.bool_]) -> None:
    """Mark what is named first and turned down then, with what it is listed with: *war and crime bore me*."""
    ends = {last: first for first, last in said}
    for last, first in ends.items():
        if not _AFTER.match(text[words[last - 1].end :]):
            continue
        negative[first:last] = True
        start = first
        listed = []
        while start and words[start - 1].key in ("and", "or", "nor") and start - 1 in ends:
            listed.append((ends[start - 1], start - 1))
            start = ends[start - 1]
        # "I want comedy and war bores me": what a clause has said before is another matter.
        if start == 0 or _CLAUSE.search(gap(text, words, start)):
            for begin, end in listed:
                negative[begin:end] = True
