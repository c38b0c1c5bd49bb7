"""``GET /v1/items`` finds items, ``POST /v1/items`` adds and changes them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints

from genrec.serve.items import rows_of
from genrec.serve.parts import PartsOf
from genrec.serve.routes import json_response
from genrec.serve.schemas.base import MAX_ID, MAX_PAGE
from genrec.serve.schemas.items import ItemOut, ItemsBody, ItemsPage, ItemsTaken
from genrec.serve.search import search_of

router = APIRouter(tags=["items"])


@router.get("/v1/items", response_model=ItemsPage)
async def find_items(
    parts: PartsOf,
    query: Annotated[str, Query(max_length=500, description="Words of title, categories or id.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    item_id: Annotated[
        list[Annotated[str, StringConstraints(max_length=MAX_ID)]],
        Query(max_length=MAX_PAGE, description="Just these, in this order; unknown ones are left out."),
    ] = [],  # noqa: B006 (FastAPI copies it)
) -> Response:
    """List the items that have all the words; titles that begin with them come first. Or the items of some ids."""
    search = search_of(parts.service.recommender.catalog)
    if item_id:
        named = search.named(item_id)
        return json_response(ItemsPage(items=[ItemOut(**item) for item in search.items(named)], total=len(named)))
    rows, total = await asyncio.to_thread(search.find, query, limit, offset)
    return json_response(ItemsPage(items=[ItemOut(**item) for item in search.items(rows)], total=total))


@router.post("/v1/items", response_model=ItemsTaken)
async def take_items(body: ItemsBody, request: Request, parts: PartsOf) -> Response:
    """Add new items and change known ones: when this answers, they are on the disk, and the next request knows them.

    Of a known item, only the fields that are sent change. A new one needs a title and can be recommended at once.
    """
    catalog = parts.service.recommender.dataset.catalog
    rows = await asyncio.to_thread(rows_of, catalog, body.items)
    await parts.service.update_items(rows.table, lambda: parts.items.keep(body.items))
    if parts.online is not None:
        await asyncio.to_thread(parts.online.equip, parts.service.recommender)
    request.state.log.update(new=rows.new, changed=rows.changed)
    return json_response(ItemsTaken(new=rows.new, changed=rows.changed))
