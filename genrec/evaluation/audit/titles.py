"""Checks of titles and texts: do they name items by their ids, and can they be told apart?"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from genrec.columns import TEXT
from genrec.evaluation.audit.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from genrec.data.catalog import Catalog
    from genrec.data.dataset import Dataset

WORD = re.compile(r"\w+")
MAX_WORDS = 5
"""Words of the longest id that is looked for in the titles of other items: a UUID has five."""
SHORT = 3
"""Characters up to which an id may stand in a title by chance, as "4k" and "X1" do."""


def ids_in_titles(dataset: Dataset) -> list[Finding]:
    """Items whose title or text names their own id, against what chance would have, or the ids of others.

    An id is found as a whole word, in upper or lower case, whatever characters it has. Ids that are long and have a
    digit and something else stand in no title by chance. Any other, such as the number of a year, is held against the
    title of another item only if the item named comes right after that one in most histories.
    """
    catalog = dataset.catalog
    ids = [item_id.casefold() for item_id in catalog.ids.ids]
    rows_of: dict[str, list[int]] = defaultdict(list)
    sizes = set()
    for row, item_id in enumerate(ids):
        words = [match.span() for match in WORD.finditer(item_id)]
        if 0 < len(words) <= MAX_WORDS:
            rows_of[item_id[words[0][0] : words[-1][1]]].append(row)
            sizes.add(len(words))
    own, used, pairs = 0, 0, []
    for row, text in enumerate(_texts(catalog)):
        places = [(start, start + len(ids[row])) for start in _places(ids[row], text)]
        named = list(_mentions(text, ids, rows_of, sizes))
        own += bool(places)
        used += len({item for item, _, _ in named} - {row}) + bool(places)
        others = {
            other
            for other, start, end in named
            if other != row and not any(left <= start and end <= right for left, right in places)
        }
        pairs += [(row, other) for other in others]
    return [_own(own, used / max(1, len(ids)), len(ids)), _others(dataset, ids, pairs)]


def titles_twice(catalog: Catalog) -> Finding:
    """Items that cannot be told apart by their titles."""
    check = "titles that stand twice"
    shared = sum(count for count in Counter(catalog.titles).values() if count > 1)
    if not shared:
        return Finding(check, "ok", "Every title is of one item.")
    sentence = f"{shared} items share their title with another: a model of titles alone cannot tell them apart."
    return Finding(check, "notable", sentence, shared)


def _own(own: int, chance: float, items: int) -> Finding:
    check = "id in title"
    if own <= 1 + chance + 3 * np.sqrt(chance):  # a Poisson count, three deviations up
        return Finding(check, "ok", f"{own} titles or texts have the item's own id as a word.", own)
    sentence = (
        f"{own} of {items} titles or texts have the item's own id as a word, {chance:.1f} would by chance: "
        "text models then read ids."
    )
    return Finding(check, "notable", sentence, own)


def _others(dataset: Dataset, ids: Sequence[str], pairs: Sequence[tuple[int, int]]) -> Finding:
    check = "id of another in title"
    told, next_one = set(), set()
    for (row, other), comes in zip(pairs, _come_next(dataset, pairs), strict=True):
        if comes:
            next_one.add(row)
        if comes or _no_chance(ids[other]):
            told.add(row)
    if len(told) <= 1:
        return Finding(check, "ok", f"{len(told)} titles or texts have the id of another item as a word.", len(told))
    sentence = (
        f"{len(told)} of {len(ids)} titles or texts have the id of another item as a word; in {len(next_one)} of them "
        "it is the item that comes next in most histories: text models may read the answer there."
    )
    return Finding(check, "notable", sentence, len(told))


def _come_next(dataset: Dataset, pairs: Sequence[tuple[int, int]]) -> list[bool]:
    """Whether the second item of each pair comes right after the first, twice at least and more often than not."""
    if not pairs:
        return []
    histories, num_items = dataset.histories, dataset.num_items
    users = np.repeat(np.arange(dataset.num_users), histories.lengths)
    items = histories.items.astype(np.int64)
    inside = np.diff(users) == 0
    before, after = items[:-1][inside], items[1:][inside]
    left = np.bincount(before, minlength=num_items)
    steps, counts = np.unique(before * num_items + after, return_counts=True)
    named = np.array(pairs, dtype=np.int64)
    wanted = named[:, 0] * num_items + named[:, 1]
    at = np.searchsorted(steps, wanted)
    steps, counts = np.append(steps, -1), np.append(counts, 0)
    times = np.where(steps[at] == wanted, counts[at], 0)
    return [bool(comes) for comes in (times >= 2) & (2 * times > left[named[:, 0]])]


def _no_chance(item_id: str) -> bool:
    digits = [character.isdecimal() for character in item_id]
    return len(item_id) > SHORT and any(digits) and not all(digits)


def _texts(catalog: Catalog) -> Iterator[str]:
    texts = catalog.table[TEXT].to_pylist() if TEXT in catalog.table.column_names else [None] * len(catalog)
    for title, text in zip(catalog.titles, texts, strict=True):
        yield f"{title}\n{text or ''}".casefold()


def _places(item_id: str, text: str) -> list[int]:
    """Where an id stands in a text with no word character before or after it."""
    places = []
    start = text.find(item_id) if item_id else -1
    while start >= 0:
        end = start + len(item_id)
        if not WORD.match(text[max(0, start - 1) : start]) and not WORD.match(text[end : end + 1]):
            places.append(start)
        start = text.find(item_id, start + 1)
    return places


def _mentions(
    text: str, ids: Sequence[str], rows_of: Mapping[str, Sequence[int]], sizes: set[int]
) -> Iterator[tuple[int, int, int]]:
    """Items named in a text, each with the place of its id, from its first word to its last."""
    words = [match.span() for match in WORD.finditer(text)]
    for size in sizes:
        for (start, _), (_, end) in zip(words, words[size - 1 :], strict=False):
            found = text[start:end]
            for row in rows_of.get(found, ()):
                if ids[row] == found or _places(ids[row], text):
                    yield row, start, end
