"""From a configuration and a data set to a model folder."""

import json
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

from genrec.data.streaming import sort_by_user
from genrec.errors import ConfigError, DataError, ResourceError, UnsupportedError
from genrec.model.description import ModelDescription
from genrec.model.folder import load_model
from genrec.recommend.recommender import Recommender, Request
from genrec.testing import toy_dataset
from genrec.training import finetune as module
from genrec.training.config import FinetuneConfig
from genrec.training.data import load_training_data
from genrec.training.finetune import finetune

STREAM = ["training.stream=true", "training.validation_users=7"]


def names(folder):
    return {path.name for path in Path(folder).iterdir()}


def test_a_finished_folder_has_a_model_and_no_checkpoints(toy_config, tmp_path):
    config = toy_config("training.checkpoint_minutes=0", "training.validation_users=5")
    result = finetune(config, "toy", tmp_path / "model")
    assert names(tmp_path / "model") == {
        "README.md", "code_head.safetensors", "config.json", "finetune.json", "generation_config.json", "genrec.json",
        "item_tokenizer", "items.parquet", "metrics.jsonl", "model.safetensors",
    }  # fmt: skip
    description = load_model(tmp_path / "model").description
    assert description.metrics == {"validation_ndcg@10": result.training.best}
    assert (description.dataset.location, description.dataset.split) == ("toy", "leave-last-out")
    with pytest.raises(ConfigError, match="finished run"):
        finetune(config, "toy", tmp_path / "model", resume=True)
    with pytest.raises(ConfigError, match="is not empty"):
        finetune(config, "toy", tmp_path / "model")


class Killed(Exception):
    """Stands for a kill between training and writing."""


@pytest.fixture
def stopped(toy_config, tmp_path, monkeypatch):
    """The folder of a run that was killed before its model was written."""

    def stop(*arguments):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write_folder", stop)
        with pytest.raises(Killed):
            finetune(toy_config("training.checkpoint_minutes=0"), "toy", tmp_path / "model")
    return tmp_path / "model"


def test_killed_before_the_model_was_written_it_is_resumed(stopped, toy_config):
    before = (stopped / "metrics.jsonl").read_text()
    result = finetune(toy_config("training.checkpoint_minutes=0"), "toy", stopped, resume=True)
    assert (stopped / "metrics.jsonl").read_text() == before
    assert result.training.steps == json.loads(before.splitlines()[-1])["step"]
    assert result.training.loss > 0
    assert load_model(stopped).item_ids[0] == "i0"


def test_resuming_with_another_configuration_or_data_set_is_refused(stopped, toy_config):
    with pytest.raises(ConfigError, match="another configuration: training differ"):
        finetune(toy_config("training.seed=1"), "toy", stopped, resume=True)
    with pytest.raises(ConfigError, match="another configuration: data differ"):
        finetune(toy_config("training.checkpoint_minutes=0"), toy_dataset(users=59), stopped, resume=True)


def test_a_resumed_run_may_write_its_weights_in_another_type(stopped, toy_config):
    config = toy_config("training.checkpoint_minutes=0", "training.save_dtype=float16")
    finetune(config, "toy", stopped, resume=True)
    assert load_file(stopped / "code_head.safetensors")["code_vectors"].dtype == torch.float16


def test_resuming_what_was_never_started_starts_it(toy_config, tmp_path):
    assert finetune(toy_config(), "toy", tmp_path / "new", resume=True).training.steps > 0


def test_an_estimate_leaves_nothing_behind(toy_config, tmp_path):
    def stop(estimate, tokenizer):
        raise Killed

    with pytest.raises(Killed):
        finetune(toy_config(), "toy", tmp_path / "model", on_estimate=stop)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("max_items", [3, 10])
def test_estimated_tokens_are_those_trained_on(toy_config, tmp_path, max_items):
    """Within 5 %, also where histories are cut at random places."""
    config = toy_config("training.epochs=4", f"prompt.max_items={max_items}")
    result = finetune(config, "toy", tmp_path)
    assert result.estimate.tokens == pytest.approx(result.training.tokens, rel=0.05)
    assert result.estimate.padding == pytest.approx(result.training.padding, abs=0.05)
    assert result.estimate.trainable == result.estimate.parameters


def test_what_cannot_fit_is_refused_before_it_starts(toy_config, tmp_path, monkeypatch):
    free = psutil.virtual_memory()._replace(available=10_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(ResourceError, match="needs about") as error:
        finetune(toy_config(), "toy", tmp_path / "model")
    assert "tokens_per_batch" in error.value.hint
    assert not (tmp_path / "model").exists()


def test_the_same_seed_writes_the_same_model(toy_config, tmp_path):
    for name in ("one", "two"):
        finetune(toy_config(), "toy", tmp_path / name)
    one, two = (load_model(tmp_path / name).generator.state_dict() for name in ("one", "two"))
    assert all(torch.equal(tensor, two[key]) for key, tensor in one.items())


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    toy_dataset(users=30).save(folder / "toy")
    sort_by_user(folder / "toy", folder / "sorted", rows_per_group=100)
    return folder


def test_streaming_trains_and_validates_on_the_same_as_in_memory(toy_config, folders, tmp_path):
    streamed = load_training_data(toy_config(*STREAM), folders / "sorted")
    memory = load_training_data(toy_config("training.validation_users=7"), folders / "toy")
    assert len(streamed.train.interactions) == 0
    assert streamed.counts == memory.counts
    np.testing.assert_array_equal(streamed.validation.users, memory.validation.users)
    for part in ("histories", "targets"):
        pairs = zip(getattr(streamed.validation, part), getattr(memory.validation, part), strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)
    result = finetune(toy_config(*STREAM, "training.epochs=12"), folders / "sorted", tmp_path / "model")
    assert result.training.best > 0.8
    assert result.estimate.tokens == result.training.tokens
    answer = Recommender.from_pretrained(tmp_path / "model").recommend(user="u3")
    assert len(answer.items) == 10


@pytest.mark.parametrize(
    ("settings", "data", "error", "says"),
    [
        ([], "toy", DataError, "sort_by_user"),
        ([], None, ConfigError, "sort_by_user"),
        (["split=global-temporal"], "sorted", ConfigError, "split=leave-last-out"),
        (["tasks.requests_per_user=1"], "sorted", ConfigError, "tasks.requests_per_user=0"),
        (["items.kind=semantic"], "sorted", ConfigError, "items.cf_weight=0"),
    ],
)
def test_what_cannot_be_streamed_says_what_to_do(toy_config, folders, tmp_path, settings, data, error, says):
    given = toy_dataset() if data is None else folders / data
    with pytest.raises(error) as raised:
        finetune(toy_config(*STREAM, *settings), given, tmp_path / "model")
    assert says in raised.value.hint


def test_tensorboard_gets_the_metrics(toy_config, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    finetune(toy_config("report_to=[tensorboard]", "training.validation_users=5"), "toy", tmp_path)
    every = [EventAccumulator(str(file)).Reload() for file in tmp_path.rglob("events.out.tfevents*")]
    (written,) = (events for events in every if "loss" in events.Tags()["scalars"])
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    losses = [(record["step"], record["loss"]) for record in records if "loss" in record]
    assert [(event.step, event.value) for event in written.Scalars("loss")] == [
        (step, pytest.approx(loss)) for step, loss in losses
    ]
    assert len(written.Scalars("validation_ndcg@10")) == 2
    load_model(tmp_path)


def test_a_tracker_that_is_not_installed_is_named_before_anything_starts(toy_config, tmp_path, monkeypatch):
    monkeypatch.setattr(module.util, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match="mlflow is not installed") as error:
        finetune(toy_config("report_to=[mlflow]"), "toy", tmp_path / "model")
    assert error.value.hint == "pip install mlflow"
    assert not (tmp_path / "model").exists()


def test_requests_need_a_model_that_reads_text(toy_config, tmp_path):
    with pytest.raises(ConfigError, match="reads no requests"):
        finetune(toy_config("tasks.requests_per_user=1"), "toy", tmp_path)


def test_lora_on_titles_and_requests(base_folder, tmp_path):
    """A text model trains on histories and requests; its folder holds the adapter, not the base."""
    from genrec.training.config import FinetuneConfig

    mapping = {
        "base": {"kind": "pretrained", "name": str(base_folder), "lora": {"rank": 4, "alpha": 8, "dropout": 0.0}},
        "items": {"kind": "title"},
        "prompt": {"max_items": 6, "max_tokens": 120},
        "tasks": {"requests_per_user": 0.5},
        "training": {"epochs": 1, "tokens_per_batch": 2048, "validation_users": 0, "save_dtype": "float16"},
    }
    result = finetune(FinetuneConfig.from_mapping(mapping), toy_dataset(users=16), tmp_path)
    assert "model.safetensors" not in names(tmp_path)
    assert "adapter_model.safetensors" in names(tmp_path)
    assert result.estimate.trainable < 0.5 * result.estimate.parameters
    answer = Recommender.from_pretrained(tmp_path, data="toy").recommend(prompt="something like Red River", k=4)
    assert len(answer.items) == 4


def test_a_folder_that_is_called_like_a_named_set_does_not_stand_in_for_it(toy_config, tmp_path, monkeypatch):
    (tmp_path / "toy").mkdir()
    monkeypatch.chdir(tmp_path)
    finetune(toy_config("training.epochs=1", "training.validation_users=0"), "toy", tmp_path / "model")
    assert ModelDescription.read(tmp_path / "model").dataset.location == "toy"


def test_a_full_prompt_leaves_room_for_the_longest_title(tmp_path):
    """Histories longer than a prompt holds, and IDs of several codes, from scratch."""
    settings = {
        "items": {"kind": "title"},
        "base": {"kind": "scratch", "layers": 1, "width": 16, "heads": 2},
        "prompt": {"max_items": 50, "max_tokens": 12},
        "training": {"epochs": 1, "validation_users": 4},
    }
    data = toy_dataset(users=20, length=12)
    finetune(FinetuneConfig.from_mapping(settings), data, tmp_path / "m")
    recommender = Recommender.from_pretrained(tmp_path / "m", data)
    longest = recommender.model.vocabulary.tokenizer.codes.shape[1]
    assert longest > 2
    assert len(recommender.prepare(Request(user=data.users[0])).sequence) > 12 - longest
    assert len(recommender.recommend(user=data.users[0], k=5).items) == 5


@pytest.mark.parametrize("without", ["split=none", "training.validation_users=0"])
def test_what_evidence_lacks_is_said_before_anything_is_trained(toy_config, tmp_path, without):
    config = toy_config("evidence={scorers: [item-knn]}", without)
    with pytest.raises(ConfigError, match="there are none"):
        finetune(config, "toy", tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("come_back", [False, True])
def test_the_model_learns_whether_users_come_back(toy_config, tmp_path, come_back):
    """Of users who go round three items, the next is always one of the history; of others, never."""
    dataset = toy_dataset(users=40, length=9, step=8 if come_back else 1)
    finetune(toy_config("training.epochs=2", "training.validation_users=40"), dataset, tmp_path / "model")
    recommender = Recommender.from_pretrained(tmp_path / "model", dataset)
    log_odds = recommender.model.description.return_log_odds
    assert log_odds > 1 if come_back else log_odds < -1
    assert recommender.as_scorer().return_log_odds == log_odds
    history = ["i2", "i5"]
    found = recommender.recommend(history=history, k=24, include_seen=True, exact=True)
    for one in found.items:
        assert one.score - one.logprob == pytest.approx(log_odds * (one.item_id in history), abs=1e-4)
    assert len(found.items) == 24
