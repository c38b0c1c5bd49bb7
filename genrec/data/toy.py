"""Toy data with a known answer: in every history, item ``i`` is followed by item ``i + step``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions

COLOURS = ("Red", "Blue", "Green", "Golden", "Silver", "Black", "White", "Violet")
THINGS = ("River", "Castle", "Lantern", "Forest", "Engine", "Harbour", "Mirror", "Violin", "Glacier")
GENRES = ("Adventure", "Comedy", "Drama", "Sci-Fi", "Children's")
FIRST_YEAR, YEARS = 1970, 50
START, DAY = 1_000_000_000, 86_400


def toy_dataset(users: int = 60, items: int = 24, length: int = 10, step: int = 1) -> Dataset:
    """Make data in which the right next item is known.

    User ``u`` begins at item ``u % items`` and goes on in steps of `step`, around the catalog, one item a day; rows
    stand in order of time, so the users alternate. Items have a title of their own, one or two categories and a
    year; users have an age.

    Parameters
    ----------
    users
        Number of users (U).
    items
        Number of items (N).
    length
        Items in each history (T). Up to ``items / gcd(items, step) - 1``, the next item is one that the user
        has not met, so the answer also holds where seen items are filtered out.
    step
        How far the next item is from the present one.

    Examples
    --------
    >>> dataset = toy_dataset(users=3, items=10, length=4)
    >>> dataset.histories[2].tolist()
    [2, 3, 4, 5]
    >>> dataset.catalog.titles[:2]
    ['Red River', 'Blue Castle']
    """
    days, user = np.divmod(np.arange(users * length), max(users, 1))
    item = (user + days * step) % items
    user_ids = np.array([f"u{index}" for index in range(users)], dtype=object)
    item_ids = np.array([f"i{index}" for index in range(items)], dtype=object)
    ages = pa.array(np.arange(users) % 60 + 15)
    return Dataset(
        name="toy",
        interactions=Interactions.from_columns(
            pa.array(user_ids[user], pa.string()),
            pa.array(item_ids[item], pa.string()),
            timestamp=START + days * DAY + user,
            rating=item % 3 + 3.0,
        ),
        catalog=toy_catalog(items),
        users=IdMap(pa.array(user_ids, pa.string()), "user"),
        source="made on the spot by genrec.data.toy_dataset",
        licence="CC0-1.0",
        user_attributes=pa.table({"user_id": pa.array(user_ids, pa.string()), "age": ages}),
    )


def toy_basket_dataset(users: int = 60, baskets: int = 8, size: int = 3, length: int = 5) -> Dataset:
    """Make data in which the right next basket is known, and the order inside of one says nothing.

    Basket ``b`` holds the items ``size * b`` to ``size * b + size - 1``, in an order of its own every time. User ``u``
    begins with basket ``u % baskets`` and goes on with the one after it, around the catalog, a basket a day.

    Parameters
    ----------
    users
        Number of users (U).
    baskets, size
        Different baskets, and the items of each: N is ``baskets * size``.
    length
        Baskets in each history.

    Examples
    --------
    >>> dataset = toy_basket_dataset(users=2, length=2)
    >>> histories = dataset.histories
    >>> sorted(histories[1][:3].tolist()), histories.timestamps[:3].tolist() == [histories.timestamps[0]] * 3
    ([3, 4, 5], True)
    """
    rng = np.random.default_rng(0)
    day, user = np.divmod(np.arange(users * length), max(users, 1))
    first = (user + day) % baskets * size
    item = (first[:, None] + rng.permuted(np.tile(np.arange(size), (len(first), 1)), axis=1)).ravel()
    user_ids = [f"u{index}" for index in range(users)]
    return Dataset(
        name="toy-baskets",
        interactions=Interactions.from_columns(
            [user_ids[index] for index in np.repeat(user, size)],
            [f"i{index}" for index in item],
            timestamp=START + np.repeat(day * DAY + user, size),
        ),
        catalog=toy_catalog(baskets * size),
        users=IdMap(user_ids, "user"),
        source="made on the spot by genrec.data.toy_basket_dataset",
        licence="CC0-1.0",
    )


def toy_catalog(items: int) -> Catalog:
    """Make a catalog of `items` items with titles that are all different, categories and years."""
    index = range(items)
    categories = [list(dict.fromkeys([GENRES[i % 5], GENRES[i // 5 % 5]])) for i in index]
    return Catalog(
        pa.table(
            {
                "item_id": pa.array([f"i{i}" for i in index], pa.string()),
                "title": pa.array([_title(i) for i in index], pa.string()),
                "categories": pa.array(categories, pa.list_(pa.string())),
                "year": pa.array([FIRST_YEAR + i % YEARS for i in index], pa.int64()),
            }
        )
    )


def toy_next_item(item: int, items: int = 24, step: int = 1) -> int:
    """Index of the item that follows `item` in :func:`toy_dataset` of the same `items` and `step`.

    Examples
    --------
    >>> toy_next_item(23), toy_next_item(3, items=10, step=4)
    (0, 7)
    """
    return (item + step) % items


def _title(index: int) -> str:
    # 8 and 9 have no common divisor, so walking both in step meets all 72 pairs before one comes back.
    name = f"{COLOURS[index % 8]} {THINGS[index % 9]}"
    return name if index < 72 else f"{name} {index // 72 + 1}"
