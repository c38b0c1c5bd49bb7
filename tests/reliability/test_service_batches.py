"""Neither company nor the number of threads changes what is answered."""

import asyncio

import numpy as np
import pytest
import torch

from genrec.recommend.recommender import Recommender
from genrec.recommend.request import Request
from genrec.testing import toy_dataset


def same(one, other, tolerance=1e-4):
    """The same items, but for places of items whose scores are equal up to rounding."""
    assert (one.history, one.filters, one.eligible) == (other.history, other.filters, other.eligible)
    assert len(one.items) == len(other.items)
    np.testing.assert_allclose([i.score for i in one.items], [i.score for i in other.items], atol=tolerance)
    places = {item.item_id: place for place, item in enumerate(other.items)}
    for place, item in enumerate(one.items):
        if place != places.get(item.item_id):
            assert abs(item.score - other.items[place].score) < tolerance


def mixed_requests():
    random = np.random.default_rng(3)
    shapes = [{}, {"k": 3}, {"beams": 10}, {"exact": True}, {"max_per_category": 2}, {"k": 24, "beams": 24}]
    contents = [
        {},
        {"filters": ["year>=1980"]},
        {"boosts": {"genre=Comedy": 1.0}},
        {"prompt": "a comedy like Red River"},
        {"include_seen": True},
        {"exclude": ["i7"]},
    ]
    for _ in range(60):
        history = [f"i{item}" for item in random.integers(0, 24, random.integers(1, 14))]
        yield Request(history=history, **shapes[random.integers(6)], **contents[random.integers(6)])


@pytest.mark.parametrize("cache_bytes", [0, 2**20])
def test_batch_mates_never_change_an_answer(serving, hold_up, until, cache_bytes):
    requests = list(mixed_requests())

    async def scenario():
        async with serving(cache_bytes=cache_bytes) as service:
            async with hold_up(service):
                tasks = [asyncio.create_task(service.recommend(request)) for request in requests]
                await until(lambda: service.counts.waiting == len(requests))
            served = await asyncio.gather(*tasks)
            again = await asyncio.gather(*map(service.recommend, requests))
            service.forget_prompts()
            alone = []
            for request in requests:
                alone.append(await service.recommend(request))
                service.forget_prompts()
            return served, again, alone

    served, again, alone = asyncio.run(scenario())
    assert max(one.batch for one in served) > 5
    assert {one.batch for one in alone} == {1}
    for in_company, remembered, single in zip(served, again, alone, strict=True):
        same(in_company.answer, single.answer)
        same(remembered.answer, single.answer)


def test_answers_are_those_of_the_recommender(serving, served_folder):
    recommender = Recommender.from_pretrained(served_folder, toy_dataset())
    requests = [request for request in mixed_requests() if len(request.history) <= 8]

    async def scenario():
        async with serving() as service:
            return await asyncio.gather(*map(service.recommend, requests))

    for request, served in zip(requests, asyncio.run(scenario()), strict=True):
        same(served.answer, recommender.recommend_batch([request])[0])


def test_the_number_of_threads_never_changes_an_answer(serving):
    requests = list(mixed_requests())

    async def answers(threads):
        async with serving(threads=threads) as service:
            assert await service.run(lambda _: torch.get_num_threads()) == threads
            return [await service.recommend(request) for request in requests]

    results = [asyncio.run(answers(threads)) for threads in (1, 2, 5)]
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            same(one.answer, other.answer)
            assert one.model_version == other.model_version


def test_who_came_first_is_served_first_and_takes_along_who_is_alike(serving, hold_up, until):
    kinds = [Request(history=["i1"], k=k) for k in (3, 4, 3, 5, 4, 3)]
    order = []

    async def ask(service, request):
        served = await service.recommend(request)
        order.append((request.k, served.batch))

    async def scenario():
        async with serving() as service:
            async with hold_up(service):
                tasks = []
                for request in kinds:
                    tasks.append(asyncio.create_task(ask(service, request)))
                    await until(lambda: service.counts.waiting == len(tasks))
            await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert order == [(3, 3), (3, 3), (3, 3), (4, 2), (4, 2), (5, 1)]


def test_a_returning_user_costs_the_new_items_alone(serving):
    # Ten items fit the window, which moves on by two at a time.
    history = [f"i{item}" for item in range(24)]

    async def scenario():
        async with serving() as service:
            read = []
            for length in range(1, 24):
                before = service.counts.prompts
                await service.recommend(Request(history=history[:length], k=1))
                read.append(service.counts.prompts.positions_read - before.positions_read)
            assert service.counts.prompts.prompts > 0
            service.forget_prompts()
            assert (service.counts.prompts.prompts, service.counts.prompts.nbytes) == (0, 0)
            return read

    read = asyncio.run(scenario())
    # Two codes an item, and the begin token.
    assert read[:10] == [3] + [2] * 9
    # From the eleventh item on, every other new item moves the window, and what remains of it is read, less a code that
    # its first item may have in common with that of another.
    assert read[11::2] == [2] * 6
    assert set(read[10::2]) <= {17, 18}
