"""What stands before the routes: who calls, from where, how often, and how much they send."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from genrec.errors import ConfigError
from genrec.serve.auth import ApiKey, KeyRing, credential, scope_of
from genrec.serve.limits import RateLimiter, bounded
from genrec.serve.problems import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from genrec.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON, _LINES = "application/json", "application/x-ndjson"
_LOCAL = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_CHALLENGE = 'Bearer realm="genrec"'
# What a browser opens by itself; it asks for a password, and sends it with the page's calls too. Not for those calls:
# the page says in words what a key may not do. And not beside Bearer: Chromium reads the first kind of a header only.
_BROWSER_CHALLENGE = 'Basic realm="genrec: any name, the API key as password", charset="UTF-8"'
_BROWSER_PATHS = ("/page/", "/v1/report")


class Gate:
    """Middleware that lets a request through only if it may pass, before a byte of its body is read.

    Parameters
    ----------
    app
        What is behind it.
    settings
        Limits, and the file of keys. Without keys everyone on this machine may do everything, but no page of another
        site that a browser on it shows.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app, self._settings = app, settings
        self._keys = KeyFile(settings.keys) if settings.keys else None
        self._rate = RateLimiter(settings.rate_per_s) if settings.rate_per_s else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request and hand it on, or raise a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        self._check_caller(headers, method)
        key = self._check_key(headers, method, path)
        scope["state"]["key"] = key.id if key else None
        if scope_of(method, path) is not None:
            self._check_rate(key)
        if method not in _SAFE:
            _check_content_type(headers, path)
        length = headers.get("content-length", "")
        declared = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
        settings = self._settings
        body = bounded(receive, settings.max_body_bytes, declared, settings.body_timeout_s)
        await self._app(scope, body, send)

    def _check_caller(self, headers: Headers, method: str) -> None:
        """Refuse what a page of another site makes a browser send."""
        host = headers.get("host", "")
        if self._keys is None and not _LOCAL.fullmatch(host):
            hint = "call a server without API keys by localhost, 127.0.0.1 or [::1]"
            raise Problem(421, "host", "not the name of this server", field="Host", value=host, hint=hint)
        origin = headers.get("origin")
        if origin is not None and method not in _SAFE and _netloc(origin) != host.lower():
            raise Problem(403, "origin", "called from a page of another site", field="Origin", value=origin)

    def _check_rate(self, key: ApiKey | None) -> None:
        wait = self._rate.wait(key.id if key else "") if self._rate else 0.0
        if wait:
            limit = self._settings.rate_per_s
            retry = {"Retry-After": str(int(wait) + 1)}
            detail = f"more than {limit:g} requests a second"
            raise Problem(429, "rate-limit", detail, field="rate_per_s", limit=limit, headers=retry)

    def _check_key(self, headers: Headers, method: str, path: str) -> ApiKey | None:
        if self._keys is None:
            return None
        needed = scope_of(method, path)
        if needed is None:
            return None
        given = headers.get("authorization")
        key = self._keys.ring().find(credential(given) or "") if given else None
        if key is None:
            detail = "an API key is needed" if not given else "this is not an API key of this server"
            hint = "send it as `Authorization: Bearer KEY`"
            raise Problem(401, "key", detail, hint=hint, headers={"WWW-Authenticate": _challenge(path)})
        if not key.may(needed):
            hint = "`genrec keys add --scope` makes a key that may"
            raise Problem(
                403, "scope", f"the key may not do this: it lacks the scope {needed}", limit=needed, hint=hint
            )
        return key


class KeyFile:
    """The keys of a file, read again when it changes; none while it cannot be read.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._ring = path, KeyRing.read(path)
        self._stamp = self._now()

    def ring(self) -> KeyRing:
        """The keys as they are now."""
        stamp = self._now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._ring = KeyRing.read(self._path)
            except ConfigError as error:
                logger.error("no key is accepted: %s", error.message)
                self._ring = KeyRing()
        return self._ring

    def _now(self) -> tuple[int, int, int]:
        try:
            about = self._path.stat()
        except OSError:
            return 0, 0, 0
        return about.st_mtime_ns, about.st_ino, about.st_size


def _check_content_type(headers: Headers, path: str) -> None:
    """Refuse a body that is not JSON; a form of another site's page cannot send JSON."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    allowed = (_JSON, _LINES) if path == "/v1/events" else (_JSON,)
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if has_body and kind not in allowed:
        detail = f"a body of type {' or '.join(allowed)} is needed"
        raise Problem(415, "media-type", detail, field="Content-Type", limit=allowed[0], value=kind or None)


def _challenge(path: str) -> str:
    return _BROWSER_CHALLENGE if path == "/" or path.startswith(_BROWSER_PATHS) else _CHALLENGE


def _netloc(origin: str) -> str:
    """Host and port of an origin; empty for one that is none, such as ``null``."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
