"""``POST /admin/reload``: another model, without a pause."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from genrec.serve.parts import PartsOf
from genrec.serve.routes import json_response
from genrec.serve.schemas.model import Reloaded

router = APIRouter(tags=["admin"])


@router.post("/admin/reload", response_model=Reloaded)
async def reload(request: Request, parts: PartsOf) -> Response:
    """Load the model folder again, beside the model that answers, and swap them when the new one proves to work.

    The folder is the one that the server was started with: replace what it holds, then call this. One that is broken
    is refused with status 409, and the old model goes on.
    """
    previous = parts.service.version
    version = await parts.service.replace()
    request.state.log.update(model_version=version)
    return json_response(Reloaded(model_version=version, previous=previous))
