"""Backpressure, cancelling, deadlines, and what happens when the thread that decodes ends."""

import asyncio
import sys
import threading
import time

import pytest
import torch

from genrec.errors import DeadlineError, EngineError, ModelError, NotReadyError, QueueFullError, UnknownIdError
from genrec.recommend.recommender import Recommender
from genrec.recommend.request import Request
from genrec.serve.engine import Service
from genrec.serve.engine.fallback_line import FallbackLine
from genrec.serve.engine.queue import Pending, RequestQueue
from genrec.testing import toy_dataset

REQUEST = Request(history=["i0", "i1"], k=5)


def requests(count):
    return [Request(history=[f"i{item % 24}", "i3"], k=5) for item in range(count)]


def test_beyond_the_queue_requests_are_refused_at_once_and_none_is_lost(serving, hold_up, until):
    async def scenario():
        async with serving(max_waiting=4, max_batch=2) as service:
            async with hold_up(service):
                waiting = [asyncio.create_task(service.recommend(request)) for request in requests(4)]
                await until(lambda: service.counts.waiting == 4)
                for _ in range(50):
                    began = time.monotonic()
                    with pytest.raises(QueueFullError) as refused:
                        await service.recommend(REQUEST)
                    assert time.monotonic() - began < 0.1
                    assert refused.value.retry_after_s > 0
            served = await asyncio.gather(*waiting)
            assert [len(one.answer.items) for one in served] == [5] * 4
            assert {one.source for one in served} == {"generator"}
            assert (service.counts.refused, service.counts.waiting) == (50, 0)
            assert len((await service.recommend(REQUEST)).answer.items) == 5

    asyncio.run(scenario())


def test_who_goes_away_frees_a_place_and_is_not_decoded_for(serving, hold_up, until):
    async def scenario():
        async with serving(max_waiting=3) as service:
            before = service.counts.decoded
            async with hold_up(service):
                waiting = [asyncio.create_task(service.recommend(request)) for request in requests(3)]
                await until(lambda: service.counts.waiting == 3)
                waiting[1].cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting[1]
                assert service.counts.waiting == 2
                late_comer = asyncio.create_task(service.recommend(REQUEST))
                await until(lambda: service.counts.waiting == 3)
            await asyncio.gather(waiting[0], waiting[2], late_comer)
            assert service.counts.decoded - before == 3

    asyncio.run(scenario())


def test_at_the_deadline_collaborative_filtering_answers_by_the_same_rules(serving, hold_up):
    request = Request(history=["i3", "i4"], k=10, filters=["year>=1980"], exclude=["i12"], boosts={"genre=Drama": 5.0})

    async def scenario():
        async with serving() as service:
            before = service.counts.decoded
            async with hold_up(service):
                began = time.monotonic()
                served = await service.recommend(request, timeout_s=0.3)
                assert 0.2 < time.monotonic() - began < 0.6
            assert (served.source, served.batch, served.model_version) == ("fallback", 1, service.version)
            generated = await service.recommend(request)
            assert (generated.source, service.counts.fallbacks) == ("generator", 1)
            # What nobody waited for any longer was not begun.
            assert service.counts.decoded - before == 1
            return served.answer, generated.answer

    fallback, generated = asyncio.run(scenario())
    assert (fallback.eligible, fallback.filters, fallback.history) == (
        generated.eligible,
        generated.filters,
        generated.history,
    )
    ids = [item.item_id for item in fallback.items]
    assert len(set(ids)) == 10
    assert not {"i3", "i4", "i12"} & set(ids)
    catalog = toy_dataset().catalog
    years = dict(zip(catalog.ids.ids, catalog.column("year").to_pylist(), strict=True))
    assert min(years[item] for item in ids) >= 1980
    # A boost of 5 nats puts dramas in front of all but what is 148 times as much alike.
    genres = dict(zip(catalog.ids.ids, catalog.categories, strict=True))
    assert "Drama" in genres[ids[0]]


def test_the_fallback_knows_what_goes_with_the_history(serving, hold_up):
    async def scenario():
        async with serving() as service, hold_up(service):
            return [await service.recommend(Request(history=[f"i{i}"], k=2), timeout_s=0.4) for i in (3, 9, 20)]

    # In the toy data, users meet neighbours: i3 goes with i2 and i4.
    for item, served in zip((3, 9, 20), asyncio.run(scenario()), strict=True):
        assert {one.item_id for one in served.answer.items} == {f"i{item - 1}", f"i{item + 1}"}


def test_a_fallback_that_would_be_late_is_an_error_in_time(serving, hold_up):
    async def scenario():
        async with serving() as service, hold_up(service):
            go_on = threading.Event()
            service._falling_back._thread.submit(go_on.wait, 30)
            began = time.monotonic()
            asked = [service.recommend(request, timeout_s=1.0) for request in requests(20)]
            results = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
            assert time.monotonic() - began < 5
            go_on.set()
            assert [type(result) for result in results] == [DeadlineError] * 20
            assert service.counts.fallbacks == 0
            assert (await service.recommend(REQUEST, timeout_s=1.0)).source == "fallback"

    asyncio.run(scenario())


def test_the_fallback_takes_no_more_than_it_answers_in_time():
    begun = []

    class Slow:
        def answer(self, request):
            begun.append(request)
            time.sleep(0.05)
            return request

    async def scenario():
        line = FallbackLine()
        try:
            for request in requests(10):  # it learns how long one takes
                await line.answer(Slow(), request, time.monotonic() + 30)
            begun.clear()
            deadline = time.monotonic() + 1.0
            asked = [asyncio.create_task(line.answer(Slow(), request, deadline)) for request in requests(200)]
            await asyncio.sleep(0)  # each has begun, and waits or was refused
            refused = [task.exception() for task in asked if task.done()]
            assert len(refused) >= 150
            assert {type(error) for error in refused} == {DeadlineError}
            results = await asyncio.gather(*asked, return_exceptions=True)
            assert results[0] is begun[0]
            assert len(begun) <= 40
            assert line.answered == 10 + sum(isinstance(result, Request) for result in results)
        finally:
            line.close()

    asyncio.run(scenario())


def test_without_a_fallback_a_deadline_is_an_error(serving, hold_up):
    async def scenario():
        async with serving(fallback=False) as service:
            async with hold_up(service):
                with pytest.raises(DeadlineError, match=r"0\.05 s"):
                    await service.recommend(REQUEST, timeout_s=0.05)
            assert service.counts.late == 1
            assert (await service.recommend(REQUEST)).source == "generator"

    asyncio.run(scenario())


def test_work_that_was_begun_stops_when_nobody_waits(serving):
    rounds = []

    def endless(recommender):
        while True:
            recommender.recommend(history=["i0"], k=3)
            rounds.append(None)

    async def scenario():
        async with serving() as service:
            with pytest.raises(DeadlineError):
                await service.run(endless, timeout_s=0.2)
            began = time.monotonic()
            await service.recommend(REQUEST)
            assert time.monotonic() - began < 1
            cancelled = asyncio.create_task(service.run(endless))
            await asyncio.sleep(0.1)
            cancelled.cancel()
            await service.recommend(REQUEST)
            done = len(rounds)
            await asyncio.sleep(0.1)
            assert len(rounds) == done > 0

    asyncio.run(scenario())


def test_an_error_is_the_askers_alone(serving, hold_up, until):
    unknown = Request(history=["nobody"], k=5)

    async def scenario():
        async with serving() as service:
            async with hold_up(service):
                tasks = [asyncio.create_task(service.recommend(one)) for one in (REQUEST, unknown, REQUEST)]
                await until(lambda: service.counts.waiting == 3)
            first, error, last = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(error, UnknownIdError)
            assert first.answer == last.answer
            assert (first.batch, service.ready, service.counts.failed) == (3, True, 1)

    asyncio.run(scenario())


def test_a_bug_is_reported_and_the_service_goes_on(serving):
    async def scenario():
        async with serving() as service:
            with pytest.raises(EngineError, match="ZeroDivisionError"):
                await service.run(lambda _: 1 / 0)
            assert service.ready
            assert (await service.recommend(REQUEST)).source == "generator"

    asyncio.run(scenario())


def test_when_the_thread_ends_the_service_is_not_ready_and_says_so(serving, hold_up, until):
    async def scenario():
        async with serving() as service:
            assert service.ready
            async with hold_up(service):
                ending = asyncio.create_task(service.run(lambda _: sys.exit(1)))
                await until(lambda: service.counts.waiting == 1)
                waiting = [asyncio.create_task(service.recommend(request)) for request in requests(3)]
                await until(lambda: service.counts.waiting == 4)
            results = await asyncio.gather(ending, *waiting, return_exceptions=True)
            assert [type(result) for result in results] == [NotReadyError] * 4
            await until(lambda: not service.ready)
            with pytest.raises(NotReadyError):
                await service.recommend(REQUEST)

    asyncio.run(scenario())


def test_a_model_that_breaks_is_not_ready(served_folder):
    def spoil(recommender):
        with torch.no_grad():
            recommender.model.generator.lm.get_input_embeddings().weight.fill_(torch.nan)

    async def scenario():
        async with Service(lambda: Recommender.from_pretrained(served_folder, toy_dataset())) as service:
            await service.run(spoil)
            for _ in range(3):
                assert service.ready
                with pytest.raises(ModelError, match="NaN"):
                    await service.recommend(REQUEST)
            assert not service.ready

    asyncio.run(scenario())


def test_stopping_finishes_what_waits_and_takes_no_more(serving, hold_up, until):
    async def scenario():
        async with serving(max_batch=1) as service:
            async with hold_up(service):
                waiting = [asyncio.create_task(service.recommend(request)) for request in requests(8)]
                await until(lambda: service.counts.waiting == 8)
                stopping = asyncio.create_task(service.stop(drain_s=30))
                await until(lambda: not service.ready)
                with pytest.raises(NotReadyError):
                    await service.recommend(REQUEST)
            served = await asyncio.gather(*waiting)
            assert {one.source for one in served} == {"generator"}
            await stopping
            with pytest.raises(NotReadyError):
                await service.recommend(REQUEST)

    asyncio.run(scenario())


def test_what_does_not_finish_in_time_hears_of_it(serving, hold_up, until):
    async def scenario():
        async with serving() as service:
            async with hold_up(service):
                waiting = [asyncio.create_task(service.recommend(request)) for request in requests(3)]
                await until(lambda: service.counts.waiting == 3)
                began = time.monotonic()
                await service.stop(drain_s=0.1)
                assert time.monotonic() - began < 1
                results = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(result) for result in results] == [NotReadyError] * 3

    asyncio.run(scenario())


def test_it_is_not_ready_before_it_has_started(served_folder, tmp_path):
    async def scenario():
        service = Service(served_folder, data=toy_dataset())
        assert not service.ready
        with pytest.raises(NotReadyError):
            await service.recommend(REQUEST)
        broken = Service(tmp_path, data=toy_dataset())
        with pytest.raises(ModelError):
            await broken.start()
        assert not broken.ready

    asyncio.run(scenario())


def test_who_was_just_answered_is_waited_for_a_moment():
    async def scenario():
        loop, queue = asyncio.get_running_loop(), RequestQueue(10)

        def ask():
            queue.put(Pending(REQUEST, loop.create_future(), time.monotonic() + 60))

        ask()
        taking = asyncio.create_task(asyncio.to_thread(queue.take, 8, expected=3, linger_s=30))
        for _ in range(2):
            await asyncio.sleep(0.05)
            assert not taking.done()
            ask()
        assert len(await taking) == 3
        ask()
        assert len(await asyncio.to_thread(queue.take, 8, expected=3, linger_s=0.05)) == 1
        ask()
        assert len(queue.take(8)) == 1

    asyncio.run(scenario())
