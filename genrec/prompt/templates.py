"""The Jinja templates of prompts and of the requests that instruction examples are made of."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from genrec.errors import ConfigError
from genrec.shipped import shipped_path

HISTORY = "history.jinja"
REQUEST = "request.jinja"
PHRASINGS = "requests.jinja"
VARIABLES: Mapping[str, frozenset[str]] = {
    HISTORY: frozenset({"history"}),
    REQUEST: frozenset({"history", "request"}),
    PHRASINGS: frozenset({"liked", "disliked", "wanted", "unwanted", "decade", "after", "before"}),
}
MAX_SOURCE_BYTES = 64 * 1024
MAX_TEXT_CHARS = 1_000_000


class _Environment(SandboxedEnvironment):
    """A sandbox whose templates can neither loop over long ranges nor multiply strings."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        msg = f"operator {operator} is not allowed in a prompt template"
        raise SecurityError(msg)


def _environment() -> _Environment:
    environment = _Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.globals.clear()
    return environment


@dataclass(frozen=True, eq=False)
class Phrasing:
    """One way to word a request.

    Parameters
    ----------
    variables
        What a request must state, exactly, for this phrasing to fit it.
    render
        Maps a string for each variable to the request's text.
    """

    variables: frozenset[str]
    render: Callable[[Mapping[str, str]], str]


class Templates:
    """Compiled prompt templates.

    Parameters
    ----------
    sources
        Text of ``history.jinja`` (variable ``history``), ``request.jinja`` (``history``, ``request``)
        and ``requests.jinja`` (one phrasing a line), by file name. ``history`` is a string with one
        character an item, so that ``{{ history }}`` and ``{% for item in history %}`` both work.

    Raises
    ------
    ConfigError
        Where a template is missing, too large, does not parse or uses a variable that it is not given;
        the message names file and line.

    Examples
    --------
    >>> templates = Templates.load()
    >>> templates.render_history("abc")
    'History:abc'
    >>> print(templates.render_request("", "a comedy"))
    Request: a comedy
    Items:
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        missing = sorted(VARIABLES.keys() - sources.keys())
        if missing:
            msg = f"prompt templates {missing} are missing"
            raise ConfigError(msg, hint="copy the shipped ones with `genrec recipes cp prompts`")
        self.sources = {name: sources[name] for name in VARIABLES}
        self._environment = _environment()
        self._history = self._compile(HISTORY, sources[HISTORY], required=frozenset({"history"}))
        self._request = self._compile(REQUEST, sources[REQUEST], required=frozenset({"history", "request"}))
        self.phrasings = self._compile_phrasings(sources[PHRASINGS])

    @classmethod
    def load(cls, folder: Path | str | None = None) -> Templates:
        """Read the templates of a folder, by default the ones shipped with genrec."""
        path = shipped_path("prompts") if folder is None else Path(folder)
        if not path.is_dir():
            hint = "copy the shipped templates with `genrec recipes cp prompts`"
            raise ConfigError(f"no folder of prompt templates: {path}", hint=hint)
        return cls({name: _read(path / name) for name in VARIABLES if (path / name).is_file()})

    def render_history(self, history: str) -> str:
        """Text of a prompt that is a history alone."""
        return self._render(HISTORY, self._history, {"history": history})

    def render_request(self, history: str, request: str) -> str:
        """Text of a prompt that states a request, with or without a history."""
        return self._render(REQUEST, self._request, {"history": history, "request": request})

    def _compile(
        self, name: str, source: str, required: frozenset[str] = frozenset(), line: int = 1
    ) -> jinja2.Template:
        # Leading newlines make the line numbers of a phrasing those of its file.
        padded = "\n" * (line - 1) + source
        try:
            used = meta.find_undeclared_variables(self._environment.parse(padded, name, name))
            code = self._environment.compile(padded if line == 1 else source, name, name)
        except jinja2.TemplateSyntaxError as error:
            msg = f"{name}, line {error.lineno}: {error.message}"
            raise ConfigError(msg) from error
        unknown = sorted(used - VARIABLES[name])
        if unknown or required - used:
            problem = f"unknown variable {unknown[0]!r}" if unknown else f"{sorted(required - used)[0]!r} is never used"
            msg = f"{name}, line {_line_of(source, unknown[0]) + line - 1 if unknown else line}: {problem}"
            raise ConfigError(msg, hint=f"this template is given {', '.join(sorted(VARIABLES[name]))}")
        return jinja2.Template.from_code(self._environment, code, dict(self._environment.globals))

    def _compile_phrasings(self, source: str) -> tuple[Phrasing, ...]:
        # Comments may span lines: they are blanked, line breaks kept, before the file is cut into lines.
        try:
            tokens = list(self._environment.lex(source, PHRASINGS, PHRASINGS))
        except jinja2.TemplateSyntaxError as error:
            msg = f"{PHRASINGS}, line {error.lineno}: {error.message}"
            raise ConfigError(msg) from error
        text = "".join("\n" * value.count("\n") if kind.startswith("comment") else value for _, kind, value in tokens)
        phrasings = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                phrasings.append(self._phrasing(line.strip(), number))
        if not any(phrasing.variables == {"liked"} for phrasing in phrasings):
            msg = f"{PHRASINGS}: no phrasing uses 'liked' alone"
            raise ConfigError(msg, hint="every data set can fill that one; add a line such as: I liked {{ liked }}")
        return tuple(phrasings)

    def _phrasing(self, line: str, number: int) -> Phrasing:
        template = self._compile(PHRASINGS, line, line=number)
        variables = frozenset(meta.find_undeclared_variables(self._environment.parse(line)))
        return Phrasing(variables, lambda values: self._render(PHRASINGS, template, values, number))

    @staticmethod
    def _render(name: str, template: jinja2.Template, values: Mapping[str, str], first_line: int = 1) -> str:
        pieces: list[str] = []
        size = 0
        try:
            for piece in template.generate(values):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_TEXT_CHARS:
                    msg = f"{name}: writes more than {MAX_TEXT_CHARS:,} characters"
                    raise ConfigError(msg)
        except ConfigError:
            raise
        except Exception as error:  # whatever a template's expressions raise is the template's fault
            lines = [frame.lineno or 1 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
            msg = f"{name}, line {(lines[-1] if lines else 1) + first_line - 1}: {error}"
            raise ConfigError(msg) from error
        return "".join(pieces)


def _line_of(source: str, word: str) -> int:
    return source[: source.find(word)].count("\n") + 1


def _read(path: Path) -> str:
    if path.stat().st_size > MAX_SOURCE_BYTES:
        msg = f"{path}: larger than {MAX_SOURCE_BYTES} bytes"
        raise ConfigError(msg)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 (byte {error.start})"
        raise ConfigError(msg) from error
