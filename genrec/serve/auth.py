"""API keys: made once, kept as hashes, compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast, get_args

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Scope = Literal["recommend", "events", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
FORMAT_VERSION = 1
_KEY = re.compile(r"gr_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[\w .@-]{1,64}")


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key.

    Parameters
    ----------
    id
        Names it in logs and metrics.
    name
        Who has it.
    scopes
        What it may do: recommend, events, admin. Admin includes the others.
    sha256
        Hash of its secret, hexadecimal. The secret has 256 random bits, so there is nothing to guess that a slow hash
        would guard.
    created
        When it was made, UTC.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    sha256: str
    created: str

    def may(self, scope: Scope) -> bool:
        """Whether it is enough for a scope."""
        return scope in self.scopes or "admin" in self.scopes


class KeyRing:
    """The keys of a file.

    Parameters
    ----------
    keys
        The keys.

    Examples
    --------
    >>> ring, secret = KeyRing().with_new("shop", ["recommend"])
    >>> key = ring.find(secret)
    >>> key.name, key.may("recommend"), key.may("admin"), ring.find(secret[:-1] + "!")
    ('shop', True, False, None)
    """

    def __init__(self, keys: Sequence[ApiKey] = ()) -> None:
        self.keys = {key.id: key for key in keys}

    @classmethod
    def read(cls, path: Path) -> KeyRing:
        """Read a key file.

        Raises
        ------
        ConfigError
            If there is none, it is not one, or others on this machine can read it.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            keys = [ApiKey(**{**key, "scopes": tuple(key["scopes"])}) for key in raw["keys"]]
        except OSError as error:
            hint = f"make one with `genrec keys add --keys {path} NAME`"
            raise ConfigError(f"{path}: {error.strerror}", hint=hint) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} is not a file of API keys", hint="make one with `genrec keys add`") from error
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} can be read by other users of this machine", hint=f"chmod 600 {path}")
        return cls(keys)

    def write(self, path: Path) -> None:
        """Write the key file, readable by its owner only: aside first, so that a crash leaves no half of one."""
        aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
        aside.unlink(missing_ok=True)
        text = json.dumps({"format_version": FORMAT_VERSION, "keys": [asdict(key) for key in self.keys.values()]})
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)

    def with_new(self, name: str, scopes: Sequence[str]) -> tuple[KeyRing, str]:
        """The keys with one more, and that key, which is shown this once.

        Raises
        ------
        ConfigError
            If a scope is unknown, there is none, or the name has other than letters, digits, space and ``.@_-``.
        """
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise ConfigError(f"unknown scope {unknown[0]!r}" if unknown else "a key needs a scope", hint=_CHOICE)
        if not _NAME.fullmatch(name):
            raise ConfigError(f"key name {name!r}", hint="at most 64 letters, digits, spaces and any of . @ _ -")
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        kept = cast("tuple[Scope, ...]", tuple(dict.fromkeys(scopes)))
        key = ApiKey(id, name, kept, _hash(secret), datetime.now(UTC).isoformat(timespec="seconds"))
        return KeyRing([*self.keys.values(), key]), f"gr_{id}_{secret}"

    def without(self, id: str) -> KeyRing:
        """The keys less one.

        Raises
        ------
        ConfigError
            If there is no such key.
        """
        if id not in self.keys:
            raise ConfigError(f"no key {id!r}", hint="`genrec keys ls` lists them")
        return KeyRing([key for key in self.keys.values() if key.id != id])

    def find(self, text: str) -> ApiKey | None:
        """The key that a secret belongs to, or None."""
        match = _KEY.fullmatch(text)
        key = self.keys.get(match[1]) if match else None
        # Compared also where there is none, so that the time says nothing of which ids exist.
        same = hmac.compare_digest(_hash(match[2] if match else ""), key.sha256 if key else "0" * 64)
        return key if same else None


_CHOICE = f"scopes are {', '.join(SCOPES)}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def credential(header: str) -> str | None:
    """The key in an ``Authorization`` header: a bearer token, or the password of Basic, which browsers ask for.

    Examples
    --------
    >>> credential("Bearer gr_x"), credential("Basic " + base64.b64encode(b"me:gr_x").decode()), credential("gr_x")
    ('gr_x', 'gr_x', None)
    """
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def scope_of(method: str, path: str) -> Scope | None:
    """What a route needs; None for the health checks, which are open to all.

    Examples
    --------
    >>> scope_of("GET", "/health/ready"), scope_of("POST", "/v1/events"), scope_of("DELETE", "/v1/users/7")
    (None, 'events', 'admin')
    """
    if path in ("/health/live", "/health/ready"):
        return None
    if path.startswith(("/admin/", "/v1/users/")) or (path == "/v1/items" and method not in ("GET", "HEAD")):
        return "admin"
    return "events" if path == "/v1/events" else "recommend"
