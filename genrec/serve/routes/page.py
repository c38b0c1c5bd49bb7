"""``GET /``: the page, made of the files in ``genrec/serve/page``."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from genrec.serve.problems import Problem

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent.parent / "page"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"  # no text becomes markup, whatever the code tries
)
# Only what was there at the start is ever sent: a name that is asked for is looked up, not opened.
_FILES = {path.relative_to(_FOLDER).as_posix(): path for path in _FOLDER.rglob("*") if path.is_file()}
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}


@router.get("/")
async def index() -> Response:
    """The page."""
    return await file("index.html")


@router.get("/page/{name:path}")
async def file(name: str) -> Response:
    """One of its files."""
    if name not in _FILES:
        raise Problem(404, "not-found", "no such file")
    return FileResponse(_FILES[name], headers=_HEADERS)
