"""Every error that genrec raises on purpose has a status that says whose fault it is."""

import json

import pytest

from genrec import errors
from genrec.serve.problems import Problem, of_error, of_validation, shown

EXPECTED = {
    "QueueFullError": 429, "DeadlineError": 504, "NotReadyError": 503, "StorageFullError": 507, "StorageError": 503,
    "ResourceError": 503, "EngineError": 503, "ModelError": 409, "UnknownIdError": 404, "DataError": 422,
    "ConfigError": 422, "FilterError": 422, "UnsupportedError": 422, "ServiceError": 503,
    "TrainingError": 500,
}  # fmt: skip


def family(kind):
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in family(child))]


def make(kind):
    return kind(2.5) if kind is errors.QueueFullError else kind("what", hint="how")


@pytest.mark.parametrize("kind", family(errors.GenrecError)[1:], ids=lambda kind: kind.__name__)
def test_every_error_has_a_status(kind):
    if kind.__module__ != "genrec.errors":  # of a part that no server has
        return
    problem = of_error(make(kind))
    assert problem.status_code == next(EXPECTED[one.__name__] for one in kind.__mro__ if one.__name__ in EXPECTED)
    body = json.loads(problem.response("r").body)
    assert body["status"] == problem.status_code
    assert body["hint"]
    assert ("Retry-After" in problem.headers) == (problem.status_code in (429, 503))


def test_who_has_to_wait_is_told_how_long():
    assert of_error(errors.QueueFullError(2.5)).headers["Retry-After"] == "3"
    assert of_error(errors.QueueFullError(0.01)).headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 10**400, "\ud800", "\x1b[2J", "x" * 10_000, b"\xff", [1] * 999, {"a": "\ud800"}, None],
)
def test_whatever_was_sent_can_be_sent_back(value):
    body = Problem(422, "invalid", "no", field="\ud800", value=value).response("r").body
    assert len(body) < 1000
    assert all(0x20 <= byte < 0x7F for byte in body)
    json.loads(body)
    assert shown(True) is True


def test_of_many_faults_some_are_listed():
    errors = [{"type": "missing", "loc": ("body", f"f{n}"), "msg": "Field required", "input": {}} for n in range(50)]
    body = of_validation(errors).as_dict()
    assert body["field"] == "f0"
    assert [fault["field"] for fault in body["errors"]] == [f"f{n}" for n in range(1, 9)]
