"""Prompt templates: shipped ones render, faulty ones are refused with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genrec.errors import ConfigError
from genrec.prompt.templates import HISTORY, PHRASINGS, REQUEST, Templates


def sources(**changes: str) -> dict[str, str]:
    base = {HISTORY: "History:{{ history }}\n", REQUEST: "{{ history }}{{ request }}", PHRASINGS: "like {{ liked }}\n"}
    return base | {f"{name}.jinja": text for name, text in changes.items()}


def test_shipped_templates_render(templates: Templates) -> None:
    assert templates.render_history("ab") == "History:ab"
    assert templates.render_request("ab", "a comedy") == "History:ab\nRequest: a comedy\nItems:"
    assert templates.render_request("", "a comedy") == "Request: a comedy\nItems:"


def test_shipped_phrasings_cover_every_kind_of_request(templates: Templates) -> None:
    assert len(templates.phrasings) >= 12
    stated = [phrasing.variables for phrasing in templates.phrasings]
    for kind in ("liked", "disliked", "wanted", "unwanted", "decade", "after", "before"):
        assert any(kind in variables for variables in stated), kind
    assert any(len(variables) >= 3 for variables in stated)
    words = " ".join(p.render({name: "" for name in p.variables}) for p in templates.phrasings).lower()
    assert not {"movie", "film", "product", "book"} & set(words.split())


def test_text_is_not_escaped_and_request_is_not_a_template(templates: Templates) -> None:
    request = "{{ 7 * 7 }} <b> & {% for x in y %} #}"
    assert request in templates.render_request("", request)


def test_history_can_be_looped_over() -> None:
    templates = Templates(sources(history="{% for item in history %}{{ loop.index }}={{ item }} {% endfor %}"))
    assert templates.render_history("ab") == "1=a 2=b "


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"history": "a\n{{ history"}, r"history\.jinja, line 2"),
        ({"history": "{{ history }}\n{{ titles }}"}, r"history\.jinja, line 2: unknown variable 'titles'"),
        ({"request": "{{ history }}"}, r"request\.jinja, line 1: 'request' is never used"),
        (
            {"requests": "like {{ liked }}\n\n{# a\nb #}\n{{ likd }}"},
            r"requests\.jinja, line 5: unknown variable 'likd'",
        ),
        ({"requests": "like {{ liked }}\n{% if liked %}"}, r"requests\.jinja, line 2"),
        ({"requests": "{{ wanted }}"}, "no phrasing uses 'liked' alone"),
    ],
)
def test_faults_name_file_and_line(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Templates(sources(**changes))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("x\n{{ history.__class__.__mro__ }}", r"line 2: .*unsafe"),
        ("{{ history }}{{ 'x' * 10 }}", "not allowed"),
        ("{{ history }}\n\n{{ 1 / 0 }}", "line 3: division by zero"),
        ("{{ history }}{% for a in history %}{% for b in history %}{{ history }}{% endfor %}{% endfor %}", "more than"),
    ],
)
def test_sandbox(template: str, message: str) -> None:
    templates = Templates(sources(history=template))
    with pytest.raises(ConfigError, match=message):
        templates.render_history("h" * 500)


def test_runtime_fault_of_a_phrasing_names_its_line() -> None:
    templates = Templates(sources(requests="like {{ liked }}\n\n{{ liked + 1 }}"))
    with pytest.raises(ConfigError, match=r"requests\.jinja, line 3"):
        templates.phrasings[1].render({"liked": "Heat"})


def test_folder_is_read_and_checked(tmp_path: Path) -> None:
    for name, text in sources().items():
        (tmp_path / name).write_text(text)
    templates = Templates.load(tmp_path)
    assert templates.sources == sources()
    assert Templates(templates.sources).render_history("x") == "History:x"
    (tmp_path / HISTORY).write_bytes(b"\xff{{ history }}")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Templates.load(tmp_path)
    (tmp_path / HISTORY).write_text("x" * 100_000)
    with pytest.raises(ConfigError, match="larger than"):
        Templates.load(tmp_path)
    (tmp_path / HISTORY).unlink()
    with pytest.raises(ConfigError, match="missing"):
        Templates.load(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no folder of prompt templates: {re.escape(str(tmp_path / 'mine'))}"):
        Templates.load(tmp_path / "mine")
