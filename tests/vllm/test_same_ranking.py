"""vLLM, in process and behind HTTP, ranks as torch does."""

import time

import pytest

from genrec.decoding.engines import HTTPEngine, VLLMEngine
from genrec.model.folder import load_interface

TOLERANCE = 1e-3


def assert_same(case, answers):
    """The same scores at every rank, and the same items but for those whose scores tie."""
    assert len(answers) == len(case.requests)
    for request, expected, found in zip(case.requests, case.answers, answers, strict=True):
        scores = [item.score for item in expected.items]
        assert [item.score for item in found.items] == pytest.approx(scores, abs=TOLERANCE), request
        assert found.eligible == expected.eligible
        logprobs = {item.item_id: item.logprob for item in expected.items}
        for rank, item in enumerate(found.items):
            ties = {other.item_id for other in expected.items if abs(other.score - item.score) <= 2 * TOLERANCE}
            at_the_end = item.score - found.items[-1].score <= 2 * TOLERANCE and len(found.items) == request.k
            assert item.item_id in ties or at_the_end, (request, rank)
            assert item.logprob == pytest.approx(logprobs.get(item.item_id, item.logprob), abs=TOLERANCE)
    same = [
        [i.item_id for i in a.items] == [i.item_id for i in b.items] for a, b in zip(case.answers, answers, strict=True)
    ]
    print(f"identical lists: {sum(same)} of {len(same)}")


def test_in_process(case, cache_bytes):
    began = time.monotonic()
    with VLLMEngine(case.merged, load_interface(case.folder).vocabulary, cache_bytes=cache_bytes, eager=True) as engine:
        started = time.monotonic()
        assert_same(case, case.ask(engine))
    print(f"start {started - began:.0f} s, requests {time.monotonic() - started:.0f} s")


def test_over_http(case, serving):
    began = time.monotonic()
    with serving(case.merged) as address:
        started = time.monotonic()
        with HTTPEngine(address, load_interface(case.folder).vocabulary) as engine:
            assert_same(case, case.ask(engine))
    print(f"start {started - began:.0f} s, requests {time.monotonic() - started:.0f} s")
