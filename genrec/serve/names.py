"""Names that a request may use, and those that were probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence


def did_you_mean(name: str, known: Sequence[str], what: str) -> str:
    """A hint: the nearest of the names that there are, or all of them.

    Examples
    --------
    >>> did_you_mean("limt", ["query", "limit"], "parameters"), did_you_mean("x", ["query", "limit"], "parameters")
    ('did you mean limit?', 'parameters here are query, limit')
    """
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"{what} here are {', '.join(known)}" if known else f"there are no {what} here"


def fields_at(body: object, path: Sequence[str | int]) -> list[str]:
    """Fields of the part of a body that lies at a place.

    Parameters
    ----------
    body
        The type of the body.
    path
        Where the part stands in it, as pydantic names places.

    Examples
    --------
    >>> from genrec.serve.schemas.recommend import RecommendBody
    >>> fields_at(RecommendBody, ["requests", 0])[:2]
    ['user_id', 'history']
    """
    model = _model_in(body)
    for part in path:
        if model is not None and part in model.model_fields:
            model = _model_in(model.model_fields[str(part)].annotation)
    return [] if model is None else list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The first model that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
