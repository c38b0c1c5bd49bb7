"""Ids that one file names and another does not have, though it was probably meant to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec.data.readers.source import FileSource

# Spreadsheets make 96 of 00096, and data frames with gaps make 96.0 of it.
NUMBER = r"^0*([0-9]+)(?:\.0)?$"


def strange_ids(orders: FileSource, met: pa.Table, source: FileSource, rows: pa.Table, name: str) -> str:
    """Why ids of the interactions have no row in another file, if that looks like a mistake; else empty.

    Parameters
    ----------
    orders, source
        The file of interactions, and that of items or users.
    met, rows
        What was read of them.
    name
        The column of ids in both.

    Returns
    -------
    str
        An example of each, and the way out.
    """
    here, there = met[name].unique(), rows[name].combine_chunks()
    missing = here.filter(pc.invert(pc.is_in(here, value_set=there)))
    if not len(missing) or not len(there):
        return ""
    bare_there = pc.replace_substring_regex(there, NUMBER, r"\1")
    places = pc.index_in(pc.replace_substring_regex(missing, NUMBER, r"\1"), value_set=bare_there)
    first = f"{orders.columns.get(name, name)!r} of {orders.path.name}"
    second = source.path.name
    if alike := len(places) - places.null_count:
        at = pc.index(pc.is_valid(places), True).as_py()
        mine, other = missing[at].as_py(), there[places[at].as_py()].as_py()
        return (
            f"{alike} of {len(here)} ids in {first} have no row in {second}, but differ by leading zeros only, such as "
            f"{mine!r} and {other!r}: write ids in both files alike, as text and with all zeros"
        )
    if len(missing) < len(here):
        return ""
    return (
        f"no id in {first}, such as {here[0].as_py()!r}, has a row in {second}, which has {there[0].as_py()!r}: say "
        f"with {orders.flag} {name}=COL and {source.flag} {name}=COL which columns belong together"
    )
