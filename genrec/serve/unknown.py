"""What a route takes, and what of a request it does not."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from genrec.serve.names import did_you_mean
from genrec.serve.problems import Problem


def body_of(request: Request) -> object:
    """The type of the body that the route of a request takes; None if it takes none."""
    route = request.scope.get("route")
    bodies = route.dependant.body_params if isinstance(route, APIRoute) else []
    return bodies[0].field_info.annotation if bodies else None


async def refuse_unknown_query(request: Request) -> None:
    """Refuse query parameters that a route does not know, as fields of a body are refused.

    Raises
    ------
    Problem
        422, naming the first.
    """
    route = request.scope.get("route")
    known = [one.alias for one in route.dependant.query_params] if isinstance(route, APIRoute) else []
    for name, value in request.query_params.items():
        if name not in known:
            hint = did_you_mean(name, known, "parameters")
            raise Problem(422, "invalid", "there is no such query parameter", field=name, value=value, hint=hint)
