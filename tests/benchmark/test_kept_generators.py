"""A generator is trained once a run, whoever asks for it, and everyone is charged for it."""

import json
import logging
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from filelock import FileLock

from genrec.baselines import ItemKNN, Popularity
from genrec.benchmark.entrants import named_entrants
from genrec.benchmark.generators import TrainedGenerator
from genrec.benchmark.kept_generators import KeptGenerators, TrainingCost
from genrec.benchmark.runner import Settings, run_models
from genrec.benchmark.tuning import tune
from genrec.checkout import commit
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.items import encoder
from genrec.testing import toy_dataset
from genrec.training.checkpoint import last_progress
from genrec.training.config import FinetuneConfig

TINY = {
    "base": {"kind": "scratch", "width": 16, "heads": 2, "layers": 1},
    "items": {"kind": "atomic"},
    "training": {"epochs": 2},
}


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


def tiny(**training):
    return FinetuneConfig.from_mapping({**TINY, "training": {**TINY["training"], **training}})


def fitted(split, kept=None, config=None, **helped):
    scorer = TrainedGenerator(config or tiny(), kept=kept, beams=5, **helped)
    scorer.use_validation(split.validation)
    return scorer.fit(split.train)


def trainings_in(folder):
    return [path for path in folder.iterdir() if path.is_dir()]


def test_what_is_found_ranks_as_what_is_trained_anew(split, tmp_path):
    kept = KeptGenerators(tmp_path, split.validation)
    histories = split.test.histories[:8]
    for helped in ({}, {"evidence": ItemKNN()}, {"retriever": ItemKNN(), "num_candidates": 6}):
        found = fitted(split, kept, **helped).recommend(histories, 5)
        anew = fitted(split, **helped).recommend(histories, 5)
        np.testing.assert_array_equal(found.items, anew.items)
        np.testing.assert_allclose(found.scores, anew.scores, rtol=1e-5)
    assert len(trainings_in(tmp_path)) == 1


def test_a_generator_is_scored_among_the_candidates_that_it_ranks(split, tmp_path):
    scorer = fitted(split, KeptGenerators(tmp_path, split.validation), retriever=ItemKNN(), num_candidates=6)
    histories = split.test.histories[:8]
    ranked = scorer.recommend(histories, 5, exclude=histories).items
    for items, row, history in zip(ranked, scorer.score_eligible(histories, histories), histories, strict=True):
        eligible = set(np.flatnonzero(np.isfinite(row)))
        assert set(items[items >= 0]) <= eligible
        assert len(eligible) == 6
        assert not eligible & set(history)


def test_another_setting_other_data_or_other_questions_are_trained_apart(split, tmp_path):
    kept = KeptGenerators(tmp_path, split.validation)
    others = leave_last_out(toy_dataset(users=61))
    config = tiny()
    folders = [
        kept.trained(config, split.train),
        kept.trained(tiny(seed=1), split.train),
        KeptGenerators(tmp_path, None).trained(config, split.train),
        kept.trained(config, others.train),
    ]
    assert len(set(folders)) == len(trainings_in(tmp_path)) == 4


def test_what_was_spared_is_told_once(split, tmp_path):
    trainings = KeptGenerators(tmp_path, split.validation)
    trainings.trained(tiny(), split.train)
    assert trainings.take_spared() == TrainingCost()
    trainings.trained(tiny(), split.train)
    spared = trainings.take_spared()
    assert spared.seconds > 0
    assert trainings.take_spared() == TrainingCost()


def test_a_fit_is_charged_for_the_training_that_it_found(split, tmp_path):
    kept = KeptGenerators(tmp_path, split.validation)
    fitted(split, kept)
    (folder,) = trainings_in(tmp_path)
    (folder / "training_cost.json").write_text('{"seconds": 1000.0, "grown_bytes": 1099511627776}')
    tuned = tune(lambda params: TrainedGenerator(tiny(), kept=kept, beams=5), split, [{}], kept=kept)
    assert 1000 < tuned.fit_seconds < 1100
    assert tuned.fit_bytes > 2**40
    assert tuned.trials[0].seconds < 100, "the budget counts what was spent now"


def test_texts_are_charged_once_to_a_model_whose_guides_read_them_too(split, tmp_path, monkeypatch):
    monkeypatch.setattr(encoder, "cache_folder", lambda: tmp_path / "cache")

    class Slow:
        def encode(self, texts, **options):
            time.sleep(1.5)
            return np.eye(len(texts), dtype=np.float32)

    def train(config, dataset, folder, **options):
        encoder.encode_cached(dataset.catalog.titles)
        folder.mkdir(parents=True)

    class Guided(Popularity):
        def fit(self, dataset):
            kept.trained(tiny(), dataset)
            encoder.encode_cached(dataset.catalog.titles)
            return super().fit(dataset)

    monkeypatch.setattr(encoder, "load_encoder", lambda name: Slow())
    monkeypatch.setattr("genrec.training.finetune.finetune", train)
    kept = KeptGenerators(tmp_path / "generators", None)
    seconds = [tune(lambda params: Guided(), split, [{}], kept=kept).fit_seconds for _ in range(2)]
    assert all(1.5 <= one < 2.5 for one in seconds), seconds


def test_waiting_for_another_run_is_no_training(split, tmp_path):
    kept = KeptGenerators(tmp_path, split.validation)
    folder = kept.trained(tiny(), split.train)
    (folder / "training_cost.json").write_text('{"seconds": 0.5, "grown_bytes": 0}')
    held = threading.Event()

    def hold():
        with FileLock(f"{folder}.lock"):
            held.set()
            time.sleep(2)

    threading.Thread(target=hold).start()
    held.wait()
    began = time.perf_counter()
    kept.trained(tiny(), split.train)
    waited = time.perf_counter() - began
    assert waited > 1.5
    assert kept.take_spared().seconds + waited == pytest.approx(0.5, abs=0.3)


def test_a_generator_that_other_code_trained_is_told(split, tmp_path):
    kept = KeptGenerators(tmp_path, split.validation)
    cost = kept.trained(tiny(), split.train) / "training_cost.json"
    assert json.loads(cost.read_text())["commit"] == commit()
    assert kept.commits == [], "it trained itself"
    cost.write_text(json.dumps({**json.loads(cost.read_text()), "commit": "f00"}))
    names = ["gpt-atomic"]
    kept.trained(tiny(), split.train)
    assert kept.commits == ["f00"]
    run = run_models([split], named_entrants(names, {"gpt-atomic": {}}), tmp_path / "run", Settings(modes=(True,)))
    for made in (tmp_path / "run" / "generators").glob("*/training_cost.json"):
        made.write_text(json.dumps({**json.loads(made.read_text()), "commit": "f00"}))
    again = run_models(
        [split], named_entrants(names, {"gpt-atomic": {}}), tmp_path / "run", Settings(modes=(True,), ks=(10,))
    )
    assert [one.entry.generator_commits for one in (*run, *again)] == [[], ["f00"]]


TRAIN = """
import json, sys
from pathlib import Path
from genrec.benchmark.kept_generators import KeptGenerators
from genrec.data.split import leave_last_out
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
split = leave_last_out(toy_dataset())
config = FinetuneConfig.from_mapping(json.loads(sys.argv[2]))
KeptGenerators(Path(sys.argv[1]), split.validation).trained(config, split.train)
"""


def training(config, folder):
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(folder), json.dumps(config.model_dump(mode="json"))])


def test_a_training_that_is_killed_goes_on_and_is_charged_for_all_of_it(split, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    config = tiny(epochs=40, checkpoint_minutes=0, validate_every=20)
    whole = KeptGenerators(tmp_path / "whole", split.validation).trained(config, split.train)
    run = training(config, tmp_path / "killed")
    while not list((tmp_path / "killed").glob("*/checkpoints/step-*")):
        assert run.poll() is None
        time.sleep(0.005)
    run.kill()
    run.wait()
    (unfinished,) = trainings_in(tmp_path / "killed")
    spent = last_progress(unfinished / "checkpoints").seconds
    kept = KeptGenerators(tmp_path / "killed", split.validation)
    folder = kept.trained(config, split.train)
    assert "going on with" in caplog.text
    assert trainings_in(tmp_path / "killed") == [folder]
    assert (folder / "code_head.safetensors").read_bytes() == (whole / "code_head.safetensors").read_bytes()
    assert kept.take_spared().seconds == spent > 0
    assert json.loads((folder / "training_cost.json").read_text())["seconds"] > spent


def test_two_runs_that_share_a_folder_train_once(tmp_path):
    runs = [training(tiny(), tmp_path) for _ in range(2)]
    assert [run.wait(120) for run in runs] == [0, 0]
    (folder,) = trainings_in(tmp_path)
    written = (folder / "training_cost.json").stat().st_mtime
    assert all(path.stat().st_mtime <= written for path in folder.rglob("*")), "nothing was written after it was whole"


def test_a_model_is_not_written_to_two_places(tmp_path):
    with pytest.raises(ConfigError, match="not both"):
        TrainedGenerator(tiny(), folder=tmp_path, kept=KeptGenerators(tmp_path, None))


def test_a_run_trains_once_for_a_generator_and_the_help_it_has(split, tmp_path):
    names = ["gpt-atomic", "gpt-atomic+evidence", "gpt-atomic+candidates"]
    fewer = {name: 20 for name in names[1:]}
    entrants = named_entrants(names, {name: {} for name in names}, max_users=fewer)
    run = run_models([split], entrants, tmp_path, Settings(trials=1, seeds=2, modes=(True,)))
    assert [one.entry.status for one in run] == ["done"] * 3
    assert len(trainings_in(tmp_path / "generators")) == 2, "one a seed"
    alone, guided, chosen = (one.entry.cost.fit_seconds for one in run)
    assert min(guided, chosen) > 0.9 * alone
