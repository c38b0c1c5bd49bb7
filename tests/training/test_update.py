"""A model that learns new events, and is promoted only if it is not worse for it."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pytest
import torch
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.data.catalog_rows import with_rows
from genrec.errors import ConfigError
from genrec.events import Event, EventStore
from genrec.model.description import ModelDescription
from genrec.model.folder import load_model
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_dataset, toy_next_item
from genrec.training.finetune import finetune
from genrec.training.update import UpdateConfig, update

DATASET = toy_dataset(users=60, items=24, length=10)
LEARN = UpdateConfig(epochs=6, rate=5.0, min_events=20)
SPOIL = UpdateConfig(epochs=2, rate=300.0, min_events=20)
LEARN_MUCH = UpdateConfig(epochs=20, rate=5.0, min_events=20, max_drop=1.0, max_slice_drop=1.0)


@pytest.fixture(scope="module")
def model(toy_config, tmp_path_factory):
    """Half-trained: there is something left to learn."""
    folder = tmp_path_factory.mktemp("update") / "model"
    finetune(toy_config("training.epochs=1"), "toy", folder)
    return folder


@pytest.fixture
def store(tmp_path):
    with EventStore.open(tmp_path / "events.db") as opened:
        yield opened


def go_on(store, users=range(30), count=4, first=0):
    """Users of the toy data do what they would do next."""
    events = []
    for user in users:
        item = int(DATASET.histories[user][-1])
        for _ in range(first):
            item = toy_next_item(item)
        for step in range(count):
            item, at = toy_next_item(item), 2_000_000_000 + 1_000 * (first + step)
            events.append(Event(f"{user}.{first + step}", f"u{user}", f"i{item}", "interaction", "view", timestamp=at))
    store.append(events)


def weights_of(folder):
    return {name: tensor.clone() for name, tensor in load_model(folder).generator.state_dict().items()}


def test_a_better_model_is_promoted_and_says_what_it_learnt(model, store, tmp_path):
    go_on(store)
    before = weights_of(model)
    report = update(model, store, tmp_path / "new", config=LEARN)
    assert report.promoted, report.lines()
    assert (report.new_events, report.learnt_events, report.users, report.replayed) == (120, 105, 30, 30)
    assert report.all.after > report.all.before
    assert (report.new.questions, report.old.questions) == (15, 30)
    assert any(line.startswith("learnt 105 events of 30 users") for line in report.lines())
    made = load_model(tmp_path / "new")
    assert made.description.metrics == {"held_out_ndcg@10": report.all.after}
    assert made.description.dataset.split == "none"
    assert not torch.equal(weights_of(tmp_path / "new")["head.code_vectors"], before["head.code_vectors"])
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights_of(model).items())
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()
    assert store.forget("u1").models == (str((tmp_path / "new").resolve()),)
    answer = Recommender.from_pretrained(tmp_path / "new").recommend(user="u1", k=3)
    assert len(answer.items) == 3
    assert "genrec recommend new" in (tmp_path / "new" / "README.md").read_text()


def test_a_worse_model_is_never_written(model, store, tmp_path):
    go_on(store)
    report = update(model, store, tmp_path / "new", config=SPOIL)
    assert not report.promoted
    assert report.failed
    assert report.all.after < report.all.before
    assert "fell by" in report.reason
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"events.db"}
    assert store.forget("u1").models == ()


def test_the_next_update_begins_where_the_last_one_ended(model, store, tmp_path):
    go_on(store)
    first = update(model, store, tmp_path / "m2", config=LEARN)
    assert first.promoted, first.lines()
    nothing = update(tmp_path / "m2", store, tmp_path / "m3", config=LEARN)
    assert (nothing.promoted, nothing.failed, nothing.new_events) == (False, False, 0)
    assert not (tmp_path / "m3").exists()
    go_on(store, users=range(30, 40), count=2)
    second = update(tmp_path / "m2", store, tmp_path / "m3", config=LEARN)
    assert second.new_events == 20
    # What 15 users were asked for is learnt now, and what 5 are asked for now is not.
    assert (second.users, second.new.questions, second.learnt_events) == (25, 5, 30)
    # Another store with the same numbers is not taken for this one.
    with EventStore.open(tmp_path / "other.db") as other:
        go_on(other)
        assert update(tmp_path / "m2", other, tmp_path / "m4", config=LEARN).new_events == 120


def test_an_adapter_learns_and_its_base_stays(base_folder, toy_config, store, tmp_path):
    base = {"kind": "pretrained", "name": str(base_folder), "lora": {"rank": 4, "dropout": 0.0}}
    training = {"epochs": 1, "tokens_per_batch": 512, "validation_users": 0, "learning_rate": 0.003}
    tasks = {"requests_per_user": 0.5}
    config = toy_config(base=base, tasks=tasks, training=training, prompt={"max_items": 10, "max_tokens": 128})
    finetune(config, "toy", tmp_path / "lora")
    go_on(store)
    report = update(tmp_path / "lora", store, tmp_path / "new", config=LEARN.model_copy(update={"rate": 1.0}))
    assert report.promoted, report.lines()
    before, after = weights_of(tmp_path / "lora"), weights_of(tmp_path / "new")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("lora_" in name or name.startswith("head.") for name in changed)
    assert any("lora_B" in name for name in changed)
    assert Recommender.from_pretrained(tmp_path / "new", DATASET).recommend(prompt="a comedy", k=2).items


@pytest.fixture
def later(tmp_path):
    """The data set with two items that the model does not know."""
    rows = pa.table({"item_id": ["n1", "n2"], "title": ["Velvet Anchor", "Copper Bell"]})
    replace(DATASET, catalog=with_rows(DATASET.catalog, rows).catalog).save(tmp_path / "later")
    return str(tmp_path / "later")


def meet_n1(store):
    """Thirty users, and then something else."""
    go_on(store, count=2)
    at = {"kind": "interaction", "value": "view", "timestamp": 2_000_000_500}
    store.append([Event(f"n{user}", f"u{user}", "n1", **at) for user in range(30)])


def logprobs(folder):
    found = Recommender.from_pretrained(folder).recommend(history=["i1", "i2"], k=26, exact=True)
    return {one.item_id: one.logprob for one in found.items}


def test_items_that_are_new_in_the_data_set_are_learnt(model, store, later, tmp_path):
    meet_n1(store)
    report = update(model, store, tmp_path / "new", data=later, config=LEARN_MUCH)
    assert (report.new_items, report.unknown_items) == (2, 0)
    assert load_model(tmp_path / "new").item_ids[-2:] == ["n1", "n2"]
    found = logprobs(tmp_path / "new")
    assert found["n1"] > found["n2"] + 0.5


def test_events_about_items_that_the_data_set_lacks_are_learnt_once_it_has_them(model, store, later, tmp_path):
    meet_n1(store)
    first = update(model, store, tmp_path / "m2", config=LEARN_MUCH)
    assert (first.last_event, first.new_events, first.unknown_items) == (90, 60, 30)
    assert first.lines()[1] == "30 events wait for the data set to have their items"
    second = update(tmp_path / "m2", store, tmp_path / "m3", data=later, config=LEARN_MUCH)
    assert (second.new_events, second.unknown_items) == (30, 0)
    assert second.learnt_events == 30 + first.new.questions
    found = logprobs(tmp_path / "m3")
    assert found["n1"] > found["n2"] + 0.5
    assert update(tmp_path / "m3", store, tmp_path / "m4", data=later, config=LEARN_MUCH).new_events == 0


class BusyStore(EventStore):
    """Events arrive just before the store is read."""

    def tastes(self):
        go_on(self, users=range(30, 40), count=2)
        return super().tastes()


def test_events_that_arrive_meanwhile_are_learnt_by_the_next_update(model, store, tmp_path):
    go_on(store)
    with BusyStore.open(store.path) as busy:
        first = update(model, busy, tmp_path / "m2", config=LEARN_MUCH)
    assert (first.last_event, first.new_events, first.users) == (120, 120, 30)
    second = update(tmp_path / "m2", store, tmp_path / "m3", config=LEARN_MUCH)
    assert (second.last_event, second.new_events) == (140, 20)
    assert store.forget("u35").models == (str((tmp_path / "m3").resolve()),)


def test_few_events_are_waited_for(model, store, tmp_path):
    go_on(store, users=[1], count=3)
    report = update(model, store, tmp_path / "new")
    assert report.lines() == ["nothing done: 3 new events to learn from, fewer than 100"]
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(model, store, tmp_path):
    with pytest.raises(ConfigError, match="is not empty"):
        update(model, store, model)


def test_what_a_killed_update_left_is_gone_after_the_next(model, store, tmp_path):
    go_on(store)
    arguments = [
        "update",
        str(model),
        "--events",
        str(store.path),
        "--out",
        str(tmp_path / "killed"),
        "--epochs",
        "500",
    ]
    process = subprocess.Popen([sys.executable, "-m", "genrec", *arguments], stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob(".killed*/killed/metrics.jsonl")):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert list(tmp_path.glob(".killed*"))
    assert update(model, store, tmp_path / "new", config=LEARN).promoted
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"events.db", "new"}


def run(*arguments):
    return CliRunner().invoke(app, ["update", *map(str, arguments)])


def test_the_command_promotes_and_moves_a_link(model, store, tmp_path):
    go_on(store)
    link = tmp_path / "current"
    link.symlink_to(model)
    options = ["--events", store.path, "--out", tmp_path / "new", "--epochs", 6, "--rate", 5, "--link", link]
    done = run(model, *options, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["promoted"] is True
    assert report["all"]["after"] > report["all"]["before"]
    assert link.resolve() == (tmp_path / "new").resolve()
    assert run(model, *options).exit_code != 0  # the folder is taken


def test_a_link_that_moves_meanwhile_does_not_mix_two_models(model, store, tmp_path, monkeypatch):
    (tmp_path / "nothing").mkdir()
    link, read = tmp_path / "current", ModelDescription.read.__func__
    link.symlink_to(model)

    def reading(cls, folder):
        found = read(cls, folder)
        link.unlink()
        link.symlink_to(tmp_path / "nothing")
        return found

    monkeypatch.setattr(ModelDescription, "read", classmethod(reading))
    assert "fewer than" in update(link, store, tmp_path / "new").reason
    assert link.resolve().name == "nothing"


def test_the_command_ends_with_1_when_the_model_is_worse(model, store, tmp_path):
    go_on(store)
    link = tmp_path / "current"
    link.symlink_to(model)
    done = run(model, "--events", store.path, "--out", tmp_path / "new", "--rate", 300, "--link", link)
    assert done.exit_code == 1
    assert "not promoted: NDCG@10" in done.stderr
    assert "NDCG@10, all: " in done.stderr
    assert link.resolve() == model.resolve()
    assert not (tmp_path / "new").exists()


def test_the_command_ends_with_0_when_there_is_nothing_to_do(model, store, tmp_path):
    done = run(model, "--events", store.path, "--out", tmp_path / "new")
    assert done.exit_code == 0
    assert "nothing done" in done.stdout


def test_a_store_that_is_not_there_is_not_made(model, tmp_path):
    done = run(model, "--events", tmp_path / "none.db", "--out", tmp_path / "new")
    assert isinstance(done.exception, ConfigError)
    assert not (tmp_path / "none.db").exists()
