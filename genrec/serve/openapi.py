"""The OpenAPI text: FastAPI's, with the key each route needs and the problem it may answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from genrec.serve.auth import scope_of
from genrec.serve.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from fastapi import FastAPI

    from genrec.serve.settings import ServeSettings

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "Part of the request that is at fault."},
        "limit": {"description": "What it may be."},
        "value": {"description": "What it was."},
        "hint": {"type": "string", "description": "What can be done about it."},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Further faults."},
        "request_id": {"type": "string"},
    },
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "basic": {"type": "http", "scheme": "basic", "description": "Any name, and an API key as the password."},
}


def openapi(app: FastAPI, settings: ServeSettings) -> dict[str, Any]:
    """Describe an application; it is the same for everyone, and holds no key.

    Parameters
    ----------
    app
        The application.
    settings
        Whether it has keys.
    """
    if app.openapi_schema is None:
        text = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = text.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = _PROBLEM
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        if settings.keys is not None:
            components["securitySchemes"] = _SCHEMES
        for path, methods in text["paths"].items():
            for method, operation in methods.items():
                _complete(operation, scope_of(method.upper(), path), with_keys=settings.keys is not None)
        app.openapi_schema = text
    return app.openapi_schema


def _complete(operation: dict[str, Any], scope: str | None, *, with_keys: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses["default"] = {"description": "What is wrong, by field, limit and value.", "content": content}
    if with_keys and scope is not None:
        operation["security"] = [{"bearer": []}, {"basic": []}]
        operation["description"] = f"{operation.get('description', '')}\n\nNeeds a key of the scope `{scope}`."
