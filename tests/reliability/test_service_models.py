"""Models are replaced under load, broken ones refused, and every answer names its model."""

import asyncio
import hashlib
import json
import shutil

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file

from genrec.errors import ModelError
from genrec.files import sha256
from genrec.recommend.recommender import Recommender
from genrec.recommend.request import Request
from genrec.serve.engine import Service
from genrec.testing import toy_dataset

REQUESTS = [Request(history=[f"i{item}", f"i{item + 2}"], k=5) for item in range(8)]


def answers(folder):
    """Item ids that a model answers, without a service."""
    recommender = Recommender.from_pretrained(folder, toy_dataset())
    return [ids(answer) for answer in recommender.recommend_batch(REQUESTS)]


def ids(answer):
    return [item.item_id for item in answer.items]


def version(folder):
    return hashlib.sha256((folder / "genrec.json").read_bytes()).hexdigest()[:12]


def test_a_model_is_replaced_under_load_without_an_error(serving, served_folder, other_folder):
    wanted = {version(folder): answers(folder) for folder in (served_folder, other_folder)}
    assert len(wanted) == 2
    assert answers(served_folder) != answers(other_folder)
    seen = []

    async def client(service, number, stop):
        while not stop.is_set():
            row = number % len(REQUESTS)
            served = await service.recommend(REQUESTS[row])
            assert ids(served.answer) == wanted[served.model_version][row]
            assert served.source == "generator"
            seen.append(served.model_version)
            number += 1

    async def scenario():
        async with serving() as service:
            assert service.version == version(served_folder)
            stop = asyncio.Event()
            clients = [asyncio.create_task(client(service, number, stop)) for number in range(6)]
            for folder in (other_folder, served_folder, other_folder):
                await asyncio.sleep(0.2)
                assert await service.replace(folder) == service.version == version(folder)
                swapped = len(seen)
                await asyncio.sleep(0.2)
                # Those that were under way may still come from the old one, no other.
                assert set(seen[swapped + 6 :]) == {version(folder)}
            assert service.ready
            stop.set()
            await asyncio.gather(*clients)

    asyncio.run(scenario())
    assert set(seen) == set(wanted)


def test_the_folder_is_loaded_again(served_folder, other_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(served_folder, folder)

    async def scenario():
        async with Service(folder, data=toy_dataset()) as service:
            shutil.rmtree(folder)
            shutil.copytree(other_folder, folder)
            assert await service.replace() == version(other_folder)
            return [ids((await service.recommend(request)).answer) for request in REQUESTS]

    assert asyncio.run(scenario()) == answers(other_folder)


def truncate(folder):
    path = folder / "code_head.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose_a_file(folder):
    (folder / "items.parquet").unlink()


def describe_nonsense(folder):
    (folder / "genrec.json").write_text("{}")


def fill_with_nan(folder):
    """A model whose every hash is right."""
    path = folder / "model.safetensors"
    save_file({name: torch.full_like(t, torch.nan) for name, t in load_file(path).items()}, path, {"format": "pt"})
    rehash(folder, path)


def cut_code_vectors(folder):
    path = folder / "code_head.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"code_vectors": tensors["code_vectors"][:-1].clone()}, path)
    rehash(folder, path)


def rehash(folder, path):
    description = json.loads((folder / "genrec.json").read_text())
    description["files"][path.name] = sha256(path)
    (folder / "genrec.json").write_text(json.dumps(description))


@pytest.mark.parametrize(
    "damage", [truncate, flip_a_bit, lose_a_file, describe_nonsense, fill_with_nan, cut_code_vectors, shutil.rmtree]
)
def test_a_broken_model_is_refused_and_the_old_one_stays(serving, served_folder, other_folder, tmp_path, damage):
    folder = tmp_path / "model"
    shutil.copytree(other_folder, folder)
    damage(folder)

    async def scenario():
        async with serving() as service:
            before = [ids((await service.recommend(request)).answer) for request in REQUESTS]
            with pytest.raises(ModelError):
                await service.replace(folder)
            assert service.ready
            assert service.version == version(served_folder)
            assert [ids((await service.recommend(request)).answer) for request in REQUESTS] == before
            # What is loaded again is what was served last.
            assert await service.replace() == version(served_folder)

    asyncio.run(scenario())


ROWS = pa.table({"item_id": ["new"], "title": ["Crimson Comet"], "categories": [["Drama"]], "year": [2024]})


def test_new_items_are_known_to_the_next_request_and_stay_when_the_model_is_replaced(serving, atomic_folders):
    folder, other_folder = atomic_folders
    request = Request(history=["i1"], k=24, beams=24, filters=["year>=2024"])

    async def scenario():
        async with serving(folder) as service:
            assert (await service.recommend(request)).answer.items == ()
            await service.update_items(ROWS)
            served = await service.recommend(request)
            assert ids(served.answer) == ["new"]
            assert served.model_version == service.version
            assert len((await service.recommend(Request(history=["new"], k=3))).answer.items) == 3
            await service.replace(other_folder)
            served = await service.recommend(request)
            assert (ids(served.answer), served.model_version) == (["new"], version(other_folder))

    asyncio.run(scenario())


def test_a_new_item_can_be_answered_by_the_fallback(serving, hold_up, atomic_folders):
    async def scenario():
        async with serving(atomic_folders[0]) as service:
            await service.update_items(ROWS)
            async with hold_up(service):
                return await service.recommend(Request(history=["new"], k=25, include_seen=True), timeout_s=0.5)

    served = asyncio.run(scenario())
    assert served.source == "fallback"
    assert ids(served.answer)[-1] == "new"
    assert len(served.answer.items) == 25
