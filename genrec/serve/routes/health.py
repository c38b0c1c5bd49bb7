"""``GET /health/live``, ``/health/ready`` and ``/metrics``."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from genrec.serve.parts import PartsOf
from genrec.serve.problems import Problem
from genrec.serve.routes import json_response
from genrec.serve.schemas.model import Health

router = APIRouter(tags=["health"])


@router.get("/health/live", response_model=Health)
async def live() -> Response:
    """Whether the process answers: if not, start it anew."""
    return json_response(Health(status="alive"))


@router.get("/health/ready", response_model=Health)
async def ready(parts: PartsOf) -> Response:
    """Whether recommendations are made: if not, send no requests.

    Status 503 while the server starts or stops, or has lost its engine.
    """
    if parts.draining or not parts.service.ready:
        why = "stopping" if parts.draining else "starting, or the engine has ended"
        raise Problem(503, "not-ready", f"not ready: {why}", headers={"Retry-After": "1"})
    return json_response(Health(status="ready", model_version=parts.service.version))


@router.get("/metrics", response_class=Response)
async def metrics(parts: PartsOf) -> Response:
    """Counters in Prometheus' text format."""
    counted, service = parts.metrics, parts.service
    is_ready = service.ready and not parts.draining
    counted.ready.set(is_ready)
    counted.model.clear()
    if is_ready:
        counted.model.labels(service.version).set(1)
    return Response(counted.text(), media_type=CONTENT_TYPE_LATEST)
