"""A vLLM server, over its OpenAI-compatible HTTP API."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from genrec.decoding.engines.token_engine import MAX_WANTED, TokenEngine, TokenQuestion
from genrec.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genrec.items.vocabulary import ItemVocabulary

MAX_TEXTS = 64
"""Texts in one HTTP request."""
CONNECTIONS = 8
"""HTTP requests under way at a time."""
KEY_VARIABLE = "VLLM_API_KEY"
START = "start one with the command that `genrec export MODEL --merged FOLDER` prints"


class HTTPEngine(TokenEngine):
    """A server that ``vllm serve`` started with the merged export of the same model.

    Questions that want the same tokens go in one HTTP request; several requests are under way at a time, and the
    server batches them.

    Parameters
    ----------
    url
        Where the server listens, such as ``http://localhost:8000``, with or without ``/v1``. If it serves several
        models, ``#name`` at the end says which.
    vocabulary
        Item tokens and the catalog trie of the model.
    timeout
        Seconds to wait for an answer. Default 60.
    api_key
        Sent as a bearer token. Default: the environment variable ``VLLM_API_KEY``, as for the server.

    Raises
    ------
    EngineError
        If no server answers, it does not serve the model, or what it serves has another vocabulary.
    """

    def __init__(
        self, url: str, vocabulary: ItemVocabulary, *, timeout: float = 60.0, api_key: str | None = None
    ) -> None:
        address, _, name = url.partition("#")
        self._root = address.rstrip("/").removesuffix("/v1")
        self._timeout = timeout
        self._key = api_key if api_key is not None else os.environ.get(KEY_VARIABLE)
        served = {model["id"]: model for model in self._call("/v1/models")["data"]}
        self.model = name or next(iter(served))
        if self.model not in served or (not name and len(served) > 1):
            wanted = f"no model {name!r}" if name else "several models"
            hint = f"put one of these behind the address: {', '.join(f'#{one}' for one in served)}"
            raise EngineError(f"{self._root} serves {wanted}", hint=hint)
        super().__init__(vocabulary, int(served[self.model]["max_model_len"]))
        self._threads = ThreadPoolExecutor(CONNECTIONS)
        self._check_vocabulary()

    def log_weights(self, questions: Sequence[TokenQuestion]) -> list[list[float]]:
        """Log-probabilities of the wanted tokens, from as few HTTP requests as their limits allow."""
        answers: list[list[float]] = [[]] * len(questions)

        def ask(rows: list[int], wanted: list[int]) -> None:
            found = self._complete([questions[row].tokens for row in rows], wanted)
            for row, logprobs in zip(rows, found, strict=True):
                answers[row] = [logprobs[token] for token in questions[row].wanted]

        batches = list(_batches(questions))
        for _ in self._threads.map(ask, *zip(*batches, strict=True)):
            pass
        return answers

    def close(self) -> None:
        """Stop the threads; the server runs on."""
        self._threads.shutdown()

    def _check_vocabulary(self) -> None:
        """The last item token has to have a row, and nothing may come after it."""
        size = self.vocabulary.text_size + self.vocabulary.num_new_tokens
        another = EngineError(
            f"what {self._root} serves as {self.model!r} is another model: its vocabulary is not of {size} tokens",
            hint=f"it has to be a merged export of the model folder; {START}",
        )
        try:
            self._complete([[0]], [size - 1])
        except EngineError as error:
            if "vocab" in error.message:
                raise another from error
            raise
        try:
            self._complete([[0]], [size])
        except EngineError as error:
            if "vocab" not in error.message:
                raise
        else:
            raise another

    def _complete(self, texts: list[list[int]], wanted: list[int]) -> list[dict[int, float]]:
        """Log-probabilities of some tokens after each text, by token id."""
        body = {
            "model": self.model,
            "prompt": texts,
            "max_tokens": 1,
            "temperature": 0.0,
            "repetition_penalty": 1.0,
            "logprobs": len(wanted),
            "logprob_token_ids": wanted,
            "return_tokens_as_token_ids": True,
        }
        answer = self._call("/v1/completions", body)
        try:
            choices = sorted(answer["choices"], key=lambda choice: choice["index"])
            found = [
                {int(token.removeprefix("token_id:")): value for token, value in top.items()}
                for top in (choice["logprobs"]["top_logprobs"][0] for choice in choices)
            ]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise EngineError(f"{self._root} answers, but not as a vLLM server does: {error!r}") from error
        if len(found) != len(texts) or any(not row.keys() >= set(wanted) for row in found):
            hint = "it is older than vLLM 0.32, which knows logprob_token_ids: upgrade it"
            raise EngineError(f"{self._root} does not report the tokens it is asked for", hint=hint)
        return found

    def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  whatever JSON holds
        request = Request(self._root + path, headers={"Content-Type": "application/json"})
        if body is not None:
            request.data = json.dumps(body).encode()
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        try:
            with urlopen(request, timeout=self._timeout) as response:
                return json.load(response)
        except HTTPError as error:
            raise self._refused(error) from error
        except TimeoutError as error:
            hint = "it is overloaded, or still compiling: wait, or give a longer timeout"
            raise EngineError(f"{self._root} has not answered within {self._timeout:g} s", hint=hint) from error
        except (OSError, HTTPException) as error:
            raise EngineError(f"no vLLM server answers at {self._root}: {error}", hint=START) from error
        except json.JSONDecodeError as error:
            raise EngineError(f"{self._root} answers, but not as a vLLM server does: {error}") from error

    def _refused(self, error: HTTPError) -> EngineError:
        """What the server says about a request it does not answer."""
        text = error.read().decode(errors="replace")
        try:
            text = json.loads(text)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = text[:500]
        hints = {401: f"set {KEY_VARIABLE} to the key that the server was started with", 404: START}
        return EngineError(f"{self._root} refuses, status {error.code}: {text}", hint=hints.get(error.code))


def _batches(questions: Sequence[TokenQuestion]) -> Iterator[tuple[list[int], list[int]]]:
    """Questions to ask at once, and the tokens that any of them wants.

    >>> from genrec.decoding.engines.token_engine import TokenQuestion
    >>> questions = [TokenQuestion([0], [7, 8]), TokenQuestion([1], [8, 9]), TokenQuestion([2], list(range(9, 137)))]
    >>> [(rows, len(wanted)) for rows, wanted in _batches(questions)]
    [([0, 1], 3), ([2], 128)]
    """
    # Questions of the same parts of large nodes stand far apart, so those that want the same come first.
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row, question in enumerate(questions):
        alike[tuple(question.wanted)].append(row)
    rows: list[int] = []
    wanted: set[int] = set()
    for tokens, same in alike.items():
        for row in same:
            if rows and (len(wanted.union(tokens)) > MAX_WANTED or len(rows) == MAX_TEXTS):
                yield rows, sorted(wanted)
                rows, wanted = [], set()
            rows.append(row)
            wanted.update(tokens)
    if rows:
        yield rows, sorted(wanted)
