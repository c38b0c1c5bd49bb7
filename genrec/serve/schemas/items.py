"""Items of the catalog."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from genrec.serve.schemas.base import MAX_ITEMS, Id, Incoming, Outgoing

Text = Annotated[str, StringConstraints(max_length=2_000)]
Scalar = bool | int | float | Text | list[Text] | None


class ItemIn(Incoming):
    """A new item, or what changed of one; further fields are columns of the catalog, such as `price`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Scalar] = Field(init=False)

    item_id: Id
    title: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """Needed for a new item."""
    text: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    categories: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] | None = Field(
        default=None, max_length=50
    )


class ItemsBody(Incoming):
    """Items to add or to change."""

    items: list[ItemIn] = Field(min_length=1, max_length=MAX_ITEMS)


class ItemsTaken(Outgoing):
    """What became of the items: the next request knows them."""

    new: int
    changed: int


class ItemOut(Outgoing):
    """One item with every column of the catalog."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    item_id: str
    title: str
    categories: list[str]


class ItemsPage(Outgoing):
    """A page of a listing."""

    items: list[ItemOut]
    total: int
    """Items that match, on all pages."""
