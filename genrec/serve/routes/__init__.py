"""The routes, one file a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Response

if TYPE_CHECKING:
    from pydantic import BaseModel


def json_response(body: BaseModel) -> Response:
    """A body as JSON, written once; FastAPI would check it again."""
    return Response(body.model_dump_json(exclude_unset=True), media_type="application/json")
