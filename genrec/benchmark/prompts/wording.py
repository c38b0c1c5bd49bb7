"""How titles, values and years are said in a prompt of the suite, with slips of the keyboard."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from genrec.prompt.titles import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

DECADE_WORDS = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
LEAST_LETTERS = 5
"""Words with a typo have at least so many letters."""


def say_title(title: str, rng: np.random.Generator) -> str:
    """A title as it stands in the catalog (1 in 5), as it is said, or all in small letters (1 in 5).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> sorted({say_title("Net, The (1995)", rng) for _ in range(50)})
    ['Net, The (1995)', 'The Net', 'the net']
    """
    draw = rng.random()
    title = html.unescape(title)
    return title if draw < 0.2 else spoken(title).lower() if draw < 0.4 else spoken(title)


def say_titles(titles: Sequence[str], rng: np.random.Generator) -> str:
    """Join titles as a list."""
    if len(titles) < 2:
        return "".join(titles)
    return ", ".join(titles[:-1]) + (" and ", " & ", ", ")[rng.integers(3)] + titles[-1]


def say_value(value: str, rng: np.random.Generator) -> str:
    """A value as it stands in the catalog, in small letters, or also without hyphens.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> sorted({say_value("Sci-Fi", rng) for _ in range(20)})
    ['Sci-Fi', 'sci fi', 'sci-fi']
    """
    draw = rng.random()
    return value if draw < 0.3 else value.lower() if draw < 0.7 else value.lower().replace("-", " ")


def say_decade(first: int, rng: np.random.Generator) -> str:
    """A decade by its first year: in four digits, in two, or in words where the century is clear.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> sorted({say_decade(1980, rng) for _ in range(50)})
    ["'80s", '1980s', '80s', 'eighties']
    >>> {say_decade(2010, rng) for _ in range(9)}
    {'2010s'}
    """
    if not 1920 <= first < 2000:
        return f"{first}s"
    short = f"{first % 100}s"
    return (f"{first}s", short, f"'{short}", DECADE_WORDS[(first - 1920) // 10])[rng.integers(4)]


def with_typo(text: str, rng: np.random.Generator) -> str:
    """Swap, drop or double one letter of one word, which has at least five and keeps its first.

    Parameters
    ----------
    text
        A title or a value.
    rng
        Says which word, letter and slip.

    Returns
    -------
    str
        The same text if no word is long enough.

    Examples
    --------
    >>> import numpy as np
    >>> with_typo("the western", np.random.default_rng(0)), with_typo("war", np.random.default_rng(0))
    ('the westen', 'war')
    """
    words = [match for match in re.finditer(r"[^\W\d_]+", text) if len(match[0]) >= LEAST_LETTERS]
    if not words:
        return text
    word = words[rng.integers(len(words))]
    for _ in range(10):
        at = word.start() + int(rng.integers(1, len(word[0]) - 1))
        slip = rng.integers(3)
        middle = (text[at + 1] + text[at], text[at + 1], text[at] + text[at] + text[at + 1])[slip]
        changed = text[:at] + middle + text[at + 2 :]
        if changed != text:
            return changed
    return text
