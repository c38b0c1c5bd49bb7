"""A client of a server, in nothing but the standard library: copy this file into a shop that has no genrec."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Json = dict[str, Any]

_AGAIN = (429, 503)
"""Statuses of a server that has no time now, and says when to come back."""


class RefusedError(Exception):
    """A server says no.

    Parameters
    ----------
    problem
        What it says: ``status``, ``detail``, and where they apply ``field``, ``limit``, ``value``, ``hint``.
    """

    def __init__(self, problem: Json) -> None:
        hint = f" ({problem['hint']})" if problem.get("hint") else ""
        super().__init__(f"{problem.get('status')}: {problem.get('detail')}{hint}")
        self.problem = problem


class Client:
    """Asks a server for recommendations and tells it what users did.

    Requests that a busy server turns away are sent again when it says; so are events, which count once whatever
    happens on the way.

    Parameters
    ----------
    url
        Where the server is.
    key
        An API key, if it wants one.
    timeout_s
        Longest time to wait for an answer, in seconds. Default 15.
    retries
        How often to come back to a busy server. Default 3.

    Examples
    --------
    >>> shop = Client("http://127.0.0.1:8000")  # connects when something is asked
    >>> shop.url
    'http://127.0.0.1:8000'
    """

    def __init__(self, url: str, key: str | None = None, *, timeout_s: float = 15.0, retries: int = 3) -> None:
        self.url, self._timeout_s, self._retries = url.rstrip("/"), timeout_s, retries
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def recommend(
        self,
        *,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        prompt: str | None = None,
        k: int = 10,
        filters: Sequence[str] = (),
        boosts: Mapping[str, float] | None = None,
        max_per_category: int | None = None,
        candidates: Sequence[str] | None = None,
        include_seen: bool = False,
        new_items: int = 0,
        explain: bool = False,
        timeout_s: float | None = None,
    ) -> Json:
        """Items for a user, a history, a request in words, or any of them together; see ``POST /v1/recommend``."""
        asked = {
            "user_id": user_id,
            "history": None if history is None else list(history),
            "prompt": prompt,
            "k": k,
            "filters": list(filters),
            "boosts": dict(boosts or {}),
            "max_per_category": max_per_category,
            "candidates": None if candidates is None else list(candidates),
            "include_seen": include_seen,
            "new_items": new_items,
            "explain": explain,
            "timeout_s": timeout_s,
        }
        return self._call("POST", "/v1/recommend", {name: value for name, value in asked.items() if value is not None})

    def recommend_all(self, requests: Iterable[Json]) -> list[Json]:
        """Answers to several requests, each with the fields of :meth:`recommend`, in one call."""
        answers: list[Json] = self._call("POST", "/v1/recommend", {"requests": list(requests)})["answers"]
        return answers

    def similar(self, item_id: str, *, k: int = 10, filters: Sequence[str] = ()) -> Json:
        """Items that go with an item."""
        return self._call("POST", "/v1/similar", {"item_id": item_id, "k": k, "filters": list(filters)})

    def send_events(self, events: Sequence[Json]) -> Json:
        """Tell what users did: when this returns, the events are on the server's disk.

        Each has ``event_id``, ``user_id``, ``item_id`` and ``kind``: ``interaction``, ``impression``, or ``feedback``
        with ``value`` ``like``, ``dislike``, ``hide`` or ``undo``.
        """
        return self._call("POST", "/v1/events", list(events))

    def find_items(self, query: str = "", *, limit: int = 20, offset: int = 0) -> Json:
        """Items by words."""
        return self._call("GET", f"/v1/items?{urlencode({'query': query, 'limit': limit, 'offset': offset})}")

    def send_items(self, items: Sequence[Json]) -> Json:
        """Add new items and change known ones."""
        return self._call("POST", "/v1/items", {"items": list(items)})

    def user(self, user_id: str) -> Json:
        """Everything that is stored of a user."""
        return self._call("GET", f"/v1/users/{quote(user_id, safe='')}")

    def forget(self, user_id: str) -> Json:
        """Forget a user."""
        return self._call("DELETE", f"/v1/users/{quote(user_id, safe='')}")

    def chat(self, text: str, state: Json | None = None, *, user_id: str | None = None, k: int = 5) -> Json:
        """A turn of a conversation; give `state` back as the last turn answered it."""
        asked = {"text": text, "state": state, "user_id": user_id, "k": k}
        return self._call("POST", "/v1/chat", {name: value for name, value in asked.items() if value is not None})

    def model(self) -> Json:
        """What the server serves."""
        return self._call("GET", "/v1/model")

    def _call(self, method: str, path: str, body: object = None) -> Json:
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        data = None if body is None else json.dumps(body).encode()
        for left in reversed(range(self._retries + 1)):
            try:
                with urlopen(Request(self.url + path, data, headers, method=method), timeout=self._timeout_s) as answer:
                    parsed: Json = json.load(answer)
                    return parsed
            except HTTPError as error:
                if error.code not in _AGAIN or not left:
                    raise RefusedError(_problem(error)) from None
                time.sleep(float(error.headers.get("Retry-After", 1)))
        raise AssertionError("unreachable")


def _problem(error: HTTPError) -> Json:
    try:
        problem: Json = json.load(error)
    except ValueError:
        problem = {"status": error.code, "detail": error.reason}
    return problem
