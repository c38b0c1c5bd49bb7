"""``GET /v1/model``, ``/v1/tree`` and ``/v1/report``: what is served, and what is known of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse

from genrec.serve.columns import columns_of
from genrec.serve.parts import PartsOf
from genrec.serve.problems import Problem
from genrec.serve.routes import json_response
from genrec.serve.schemas import base
from genrec.serve.schemas.model import ModelOut, TreeChild, TreeNode

if TYPE_CHECKING:
    from genrec.recommend.recommender import Recommender
    from genrec.trie import CatalogTrie

router = APIRouter(tags=["model"])

SAMPLES = 3
"""Items that stand for a node."""
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


@router.get("/v1/model", response_model=ModelOut)
async def model(parts: PartsOf) -> Response:
    """The model that answers, the columns that filters can use, and the largest values that may be asked for."""
    recommender, settings = parts.service.recommender, parts.settings
    description, vocabulary = recommender.model.description, recommender.model.vocabulary
    about = ModelOut(
        version=parts.service.version,
        genrec_version=description.genrec_version,
        base=description.base.model_dump(mode="json"),
        items=len(recommender.catalog),
        item_tokenizer=vocabulary.tokenizer.kind,
        levels=vocabulary.trie.num_levels,
        max_items=description.max_items,
        reads_text=recommender.reads_text,
        dataset=description.dataset.name,
        columns=await asyncio.to_thread(columns_of, recommender.catalog),
        metrics=description.metrics,
        report=settings.report is not None,
        limits={
            "k": base.MAX_K,
            "beams": base.MAX_BEAMS,
            "history": base.MAX_HISTORY,
            "prompt": base.MAX_PROMPT,
            "filters": base.MAX_FILTERS,
            "candidates": base.MAX_CANDIDATES,
            "requests": base.MAX_BATCH,
            "events": base.MAX_EVENTS,
            "items": base.MAX_ITEMS,
            "body_bytes": settings.max_body_bytes,
            "timeout_s": settings.timeout_s,
        },
    )
    return json_response(about)


@router.get("/v1/tree", response_model=TreeNode)
async def tree(
    parts: PartsOf,
    node: Annotated[int, Query(ge=0, le=2**31 - 1, description="0 is the root.")] = 0,
    item_id: Annotated[str | None, Query(max_length=base.MAX_ID, description="The node above this item.")] = None,
    limit: Annotated[int, Query(ge=1, le=base.MAX_PAGE)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """A node of the tree of item IDs, and its children with the number of their items and some of their titles."""
    recommender = parts.service.recommender
    if item_id is not None:
        node = _above(recommender, item_id)
    return json_response(await asyncio.to_thread(_node, recommender, node, limit, offset))


@router.get("/v1/report", response_class=FileResponse)
async def report(parts: PartsOf) -> Response:
    """The benchmark's report, if the server was started with one."""
    path = parts.settings.report
    if path is None or not path.is_file():
        hint = "start the server with --report FILE, a report.html of `genrec benchmark`"
        raise Problem(404, "no-report", "this server has no benchmark report", hint=hint)
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})


def _above(recommender: Recommender, item_id: str) -> int:
    """The node whose child is an item."""
    catalog, trie = recommender.catalog, recommender.model.vocabulary.trie
    if item_id not in catalog.ids:
        hint = "GET /v1/items?query= finds items"
        raise Problem(404, "unknown-item", "no such item", field="item_id", value=item_id, hint=hint)
    return int(trie.parent[trie.leaf_of[int(catalog.ids.indices([item_id])[0])]])


def _node(recommender: Recommender, node: int, limit: int, offset: int) -> TreeNode:
    trie, catalog = recommender.model.vocabulary.trie, recommender.catalog
    if node >= trie.num_nodes:
        last = trie.num_nodes - 1
        raise Problem(404, "unknown-node", "no such node", field="node", limit=last, value=node)
    children = trie.children(node)
    path, at = [], node
    while at:
        path.append(int(trie.code[at]))
        at = int(trie.parent[at])
    shown = children[offset : offset + limit]
    listed = [
        TreeChild(
            node=int(child),
            code=int(trie.code[child]),
            items=int(count),
            leaf=bool(trie.is_leaf[child]),
            samples=[{"item_id": catalog.ids[row], "title": catalog.titles[row]} for row in _samples(trie, child)],
        )
        for child, count in zip(shown, trie.count_items(shown), strict=True)
    ]
    return TreeNode(
        node=node,
        path=path[::-1],
        parent=int(trie.parent[node]) if node else None,
        items=int(trie.count_items(np.array([node]))[0]),
        children=listed,
        total=len(children),
    )


def _samples(trie: CatalogTrie, node: np.int32) -> list[int]:
    """Some items below a node."""
    found: list[int] = []
    for first, end in trie.leaf_ranges(np.array([node])):
        found += trie.leaf_items[int(first[0]) : int(end[0])][: SAMPLES - len(found)].tolist()
    return found
