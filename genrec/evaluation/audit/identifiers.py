"""Checks of the order of items and ids: does it say what it should not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from genrec.evaluation.audit.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def order_of_ids(dataset: Dataset) -> Finding:
    """Order of items or of their ids that follows time, popularity, or the histories themselves [1]_.

    Two orders are looked at, that of the catalog and that of the sorted ids, and of each fact the stronger is told.

    References
    ----------
    .. [1] Rajput et al., "Recommender systems with generative retrieval", NeurIPS 2023, on the sequential ids of P5.
    """
    check = "order of ids"
    histories, told = dataset.histories, []
    orders = {"the catalog": np.arange(dataset.num_items), "the sorted ids": _id_rank(dataset.catalog)}
    counts = histories.item_counts(dataset.num_items)
    met = np.flatnonzero(counts)
    if dataset.time == "seconds" and len(met) > 1:
        first = np.full(dataset.num_items, np.iinfo(np.int64).max)
        np.minimum.at(first, histories.items, histories.timestamps)
        told += _follows("the time at which items were first met", orders, met, first[met])
    told += _follows("how often items were met", orders, met, counts[met])
    steps = {name: _neighbours(dataset, rank[histories.items]) for name, rank in orders.items()}
    name = max(steps, key=lambda name: steps[name])
    chance = _neighbours_by_chance(dataset, orders[name])
    if steps[name] > MANY_STEPS and steps[name] > 2 * chance:
        told.append(
            f"{steps[name]:.1%} of the steps of histories go to the next item of {name} ({chance:.1%} by chance)"
        )
    if not told:
        sentence = "Neither the order of the catalog nor that of the ids follows time, popularity, or the histories."
        return Finding(check, "ok", sentence)
    sentence = (
        f"The order of items says something: {'; '.join(told)}. A model that reads ids as text or numbers may "
        "use it, and equal scores are ranked by the order of the catalog."
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


def _follows(
    what: str, orders: Mapping[str, NDArray[np.int64]], items: NDArray[np.int64], values: NDArray[np.int64]
) -> list[str]:
    if len(np.unique(values)) < 2:
        return []
    rhos = {name: float(stats.spearmanr(rank[items], values).statistic) for name, rank in orders.items()}
    name = max(rhos, key=lambda name: abs(rhos[name]))
    rho = rhos[name]
    if abs(rho) < max(STRONG, 3 / np.sqrt(len(items))):  # three deviations of chance, in a small catalog
        return []
    return [f"the order of {name} follows {what} (rank correlation {rho:+.2f})"]


def _inside(dataset: Dataset) -> NDArray[np.bool_]:
    """Steps that stay inside one history, bool (n - 1,)."""
    users = np.repeat(np.arange(dataset.num_users), dataset.histories.lengths)
    return np.asarray(np.diff(users) == 0)


def _neighbours(dataset: Dataset, ranks: NDArray[np.int64]) -> float:
    """Share of the steps of histories that go up by one place."""
    step = np.diff(ranks)[_inside(dataset)]
    return float((step == 1).mean()) if len(step) else 0.0


def _neighbours_by_chance(dataset: Dataset, rank: NDArray[np.int64]) -> float:
    """Share of steps to the next item of an order when every history is shuffled."""
    histories = dataset.histories
    users = np.repeat(np.arange(dataset.num_users), histories.lengths)
    order = np.lexsort((np.random.default_rng(0).random(len(users)), users))
    return _neighbours(dataset, rank[histories.items[order]])


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
