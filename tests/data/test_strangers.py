"""Orders and products whose ids do not meet."""

import warnings

import pytest

from genrec.data.importer import import_dataset


def shop(folder, orders, products, people=()):
    (folder / "orders.csv").write_text("customer,sku\n" + "".join(f"{user},{item}\n" for user, item in orders))
    (folder / "products.csv").write_text("item_id,title\n" + "".join(f"{item},Title\n" for item in products))
    (folder / "people.csv").write_text("user_id,city\n" + "".join(f"{user},Graz\n" for user in people))
    mapping = {"user_id": "customer", "item_id": "sku"}
    users = folder / "people.csv" if people else None
    return import_dataset(
        folder / "orders.csv", folder / "out", items=folder / "products.csv", users=users, map=mapping
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "other"), [("96", "00096"), ("00096", "96"), ("96.0", "00096"), ("0", "000"), ("007", "7")]
)
def test_lost_leading_zeros_are_pointed_out(tmp_path, mine, other):
    message = (
        "1 of 3 ids in 'sku' of orders.csv have no row in products.csv, but differ by leading zeros only, "
        f"such as '{mine}' and '{other}': write ids in both files alike"
    )
    with pytest.warns(UserWarning, match=message):
        shop(tmp_path, [("ann", "T1"), ("ann", "T9"), ("bob", mine)], ["T1", other])


def test_ids_that_never_meet_are_pointed_out_for_items_and_users(tmp_path):
    with pytest.warns(UserWarning, match="no id in") as caught:
        shop(tmp_path, [("K1", "tea"), ("K2", "milk")], ["Green Tea", "Milk"], ["ann@x.org"])
    assert [str(warning.message) for warning in caught] == [
        "no id in 'sku' of orders.csv, such as 'tea', has a row in products.csv, which has 'Green Tea': "
        "say with --map item_id=COL and --map-item item_id=COL which columns belong together",
        "no id in 'customer' of orders.csv, such as 'K1', has a row in people.csv, which has 'ann@x.org': "
        "say with --map user_id=COL and --map-user user_id=COL which columns belong together",
    ]


@pytest.mark.parametrize(
    ("items", "products"),
    [
        (["1", "2"], ["1", "3"]),
        (["1", "01"], ["1", "01"]),
        (["A1", "1"], ["0A1", "1"]),
        (["1"], []),
    ],
)
def test_some_items_without_a_row_are_nothing_to_speak_of(tmp_path, items, products):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = shop(tmp_path, [("ann", item) for item in items], products)
    assert report.items_without_row == len(set(items) - set(products))
