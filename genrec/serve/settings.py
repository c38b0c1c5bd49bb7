"""How a server is set up, and what it refuses to start with."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from genrec.errors import ConfigError


class ServeSettings(BaseModel):
    """Everything about a server but its model, data and events.

    Examples
    --------
    >>> ServeSettings(port=9000).host
    '127.0.0.1'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen at. One that is not loopback needs `keys`."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen at; 0 takes a free one."""
    keys: Path | None = None
    """File of API keys, see ``genrec keys``. With one, every route but the health checks needs a key."""
    report: Path | None = None
    """A benchmark's ``report.html``, shown on the page."""
    max_body_bytes: int = Field(default=2 * 2**20, ge=1024)
    """Largest request body."""
    body_timeout_s: float = Field(default=30.0, gt=0)
    """Longest time that a client may take to send a request body, in seconds."""
    rate_per_s: float | None = Field(default=None, gt=0)
    """Requests a second of each key; twice as many may come at once. None: no limit."""
    timeout_s: float = Field(default=10.0, gt=0, le=600)
    """Longest time for an answer, in seconds; a request may ask for less."""
    drain_s: float = Field(default=30.0, ge=0)
    """Longest time that requests under way get to finish after SIGTERM, in seconds."""
    notice_s: float = Field(default=0.0, ge=0)
    """How long the server still takes requests after SIGTERM, no longer ready, so that a proxy can turn away."""

    def check(self) -> None:
        """Refuse an address that others can reach where nobody needs a key, and a report that is not there.

        Raises
        ------
        ConfigError
            If `host` is not a loopback address and there are no `keys`, or `report` is no file.

        Examples
        --------
        >>> ServeSettings(host="0.0.0.0").check()
        Traceback (most recent call last):
        ...
        genrec.errors.ConfigError: --host 0.0.0.0 can be reached by others, and there are no API keys
          hint: make one with `genrec keys add --keys FILE NAME` and start with --keys FILE
        """
        if self.keys is None and not is_loopback(self.host):
            hint = "make one with `genrec keys add --keys FILE NAME` and start with --keys FILE"
            raise ConfigError(f"--host {self.host} can be reached by others, and there are no API keys", hint=hint)
        if self.report is not None and not self.report.is_file():
            hint = "`genrec benchmark` writes report.html into its --out"
            raise ConfigError(f"--report {self.report}: there is no such file", hint=hint)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost might be anything.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "shop.example")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
