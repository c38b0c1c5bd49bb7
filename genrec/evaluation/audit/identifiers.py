"""Checks of ids and titles: do they say what they should not?"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from genrec.columns import TEXT
from genrec.evaluation.audit.finding import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog
    from genrec.data.dataset import Dataset

STRONG = 0.3
"""Rank correlation from which an order is notable."""
MANY_STEPS = 0.05
"""Share of neighbouring ids among the steps of a history from which they are notable."""
OFF_CHANCE = 0.05
"""Share of rising steps inside ties, off one half, from which file order is no chance."""
SORTED = 0.9
"""Share from which ties count as sorted by id."""
WORD = re.compile(r"\w+")


def order_of_ids(dataset: Dataset) -> Finding:
    """Item order that follows time, popularity, or the histories themselves [1]_.

    References
    ----------
    .. [1] Rajput et al., "Recommender systems with generative retrieval", NeurIPS 2023, on the sequential ids of P5.
    """
    check = "order of ids"
    histories, told = dataset.histories, []
    counts = histories.item_counts(dataset.num_items)
    met = np.flatnonzero(counts)
    if dataset.time == "seconds" and len(met) > 1:
        first = np.full(dataset.num_items, np.iinfo(np.int64).max)
        np.minimum.at(first, histories.items, histories.timestamps)
        told += _follows("the time at which items were first met", met, first[met])
    told += _follows("how often items were met", met, counts[met])
    step = np.diff(histories.items.astype(np.int64))[_inside(dataset)]
    neighbours = float((step == 1).mean()) if len(step) else 0.0
    chance = _neighbours_by_chance(dataset)
    if neighbours > MANY_STEPS and neighbours > 2 * chance:
        told.append(
            f"{neighbours:.1%} of the steps of histories go to the next item of the catalog ({chance:.1%} by chance)"
        )
    if not told:
        return Finding(check, "ok", "The order of the catalog follows neither time, nor popularity, nor the histories.")
    sentence = (
        f"The order of the catalog says something: {'; '.join(told)}. A model that reads ids as text or numbers may "
        "use it, and equal scores are ranked by it."
    )
    return Finding(check, "notable", sentence, len(told))


def order_inside_ties(dataset: Dataset) -> Finding:
    """Items of one user and moment that stand in the order of their ids, so that the next one can be guessed."""
    check = "order inside ties"
    histories = dataset.histories
    tied = _inside(dataset) & (np.diff(histories.timestamps) == 0)
    if dataset.time == "order" or not tied.any():
        return Finding(check, "ok", "No two interactions of a user are known to have the same timestamp.")
    share_tied = float(tied.sum()) / max(1, len(histories.items))
    rising = max(
        (_rising(rank[histories.items], tied) for rank in (np.arange(dataset.num_items), _id_rank(dataset.catalog))),
        key=lambda share: abs(share - 0.5),
    )
    facts = (
        f"{tied.sum()} interactions ({share_tied:.1%}) have the timestamp of the one before them; in {rising:.1%} of "
        "these steps the id goes up"
    )
    deviation = abs(rising - 0.5)
    if deviation <= max(OFF_CHANCE, 2 / np.sqrt(tied.sum())):
        return Finding(check, "ok", f"{facts}, about half of them, so the order says nothing.", int(tied.sum()))
    if deviation >= SORTED - 0.5 and share_tied > MANY_STEPS:
        sentence = f"{facts}: ties are sorted by id, and a model can guess the next item from that. Shuffle them first."
        return Finding(check, "problem", sentence, int(tied.sum()))
    return Finding(check, "notable", f"{facts}, where half would be chance: a model may use it.", int(tied.sum()))


def id_in_title(catalog: Catalog) -> Finding:
    """Items whose title or text has their own id as a word, against what chance would have."""
    check = "id in title"
    texts = catalog.table[TEXT].to_pylist() if TEXT in catalog.table.column_names else [None] * len(catalog)
    words = [set(WORD.findall(f"{title} {text or ''}")) for title, text in zip(catalog.titles, texts, strict=True)]
    ids = catalog.ids.ids
    own = sum(item_id in some for item_id, some in zip(ids, words, strict=True))
    used = Counter(word for some in words for word in some)
    chance = sum(used[item_id] for item_id in ids) / max(1, len(ids))
    if own <= 1 + chance + 3 * np.sqrt(chance):  # a Poisson count, three deviations up
        return Finding(check, "ok", f"{own} titles or texts have the item's own id as a word.", own)
    sentence = (
        f"{own} of {len(ids)} titles or texts have the item's own id as a word, {chance:.1f} would by chance: "
        "text models then read ids."
    )
    return Finding(check, "notable", sentence, own)


def titles_twice(catalog: Catalog) -> Finding:
    """Items that cannot be told apart by their titles."""
    check = "titles that stand twice"
    shared = sum(count for count in Counter(catalog.titles).values() if count > 1)
    if not shared:
        return Finding(check, "ok", "Every title is of one item.")
    sentence = f"{shared} items share their title with another: a model of titles alone cannot tell them apart."
    return Finding(check, "notable", sentence, shared)


def _follows(what: str, items: NDArray[np.int64], values: NDArray[np.int64]) -> list[str]:
    if len(np.unique(values)) < 2:
        return []
    rho = float(stats.spearmanr(items, values).statistic)
    return [f"it follows {what} (rank correlation {rho:+.2f})"] if abs(rho) >= STRONG else []


def _inside(dataset: Dataset) -> NDArray[np.bool_]:
    """Steps that stay inside one history, bool (n - 1,)."""
    users = np.repeat(np.arange(dataset.num_users), dataset.histories.lengths)
    return np.asarray(np.diff(users) == 0)


def _neighbours_by_chance(dataset: Dataset) -> float:
    """Share of steps to the next item of the catalog when every history is shuffled."""
    histories = dataset.histories
    users = np.repeat(np.arange(dataset.num_users), histories.lengths)
    order = np.lexsort((np.random.default_rng(0).random(len(users)), users))
    step = np.diff(histories.items[order].astype(np.int64))[_inside(dataset)]
    return float((step == 1).mean()) if len(step) else 0.0


def _rising(ranks: NDArray[np.int64], tied: NDArray[np.bool_]) -> float:
    step = np.diff(ranks.astype(np.int64))[tied]
    step = step[step != 0]
    return float((step > 0).mean()) if len(step) else 0.5


def _id_rank(catalog: Catalog) -> NDArray[np.int64]:
    """Place of each item when ids are sorted, as numbers where all are."""
    ids = catalog.ids.ids
    numeric = all(item_id.isdecimal() for item_id in ids)
    order = sorted(range(len(ids)), key=lambda row: (int(ids[row]) if numeric else 0, ids[row]))
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids))
    return rank
