"""A run is resumed with the data, the items and the item codes that it was started with, or not at all."""

import json

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.streaming import sort_by_user
from genrec.errors import ConfigError
from genrec.model.folder import load_model
from genrec.testing import toy_dataset
from genrec.training import finetune as module
from genrec.training.finetune import finetune


class Killed(Exception):
    """Stands for a kill between training and writing."""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a run that is killed before its model is written; gives its folder."""

    def start(config, data):
        def stop(*arguments):
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(module, "_write_folder", stop)
            with pytest.raises(Killed):
                finetune(config, data, tmp_path / "model")
        return tmp_path / "model"

    return start


@pytest.fixture
def vectors(tmp_path):
    """A file of item vectors, and others in its place."""

    def write(seed):
        np.save(tmp_path / "vectors.npy", np.random.default_rng(seed).normal(size=(24, 8)).astype(np.float32))
        return tmp_path / "vectors.npy"

    return write


@pytest.fixture
def config(toy_config):
    def make(vectors=None, **training):
        training = {"epochs": 1, "tokens_per_batch": 256, "validation_users": 0, "checkpoint_minutes": 0, **training}
        if vectors is None:
            return toy_config(training=training)
        items = {"kind": "semantic", "levels": 2, "text_weight": 0, "cf_weight": 0, "vectors": str(vectors)}
        return toy_config(items=items, training=training)

    return make


def test_other_vectors_under_the_same_name_are_refused_and_the_old_ones_go_on(start, config, vectors):
    settings = config(vectors(0))
    folder = start(settings, "toy")
    before = (folder / "finetune.json").read_text()
    vectors(1)
    with pytest.raises(ConfigError, match="other data: item codes differ") as error:
        finetune(settings, "toy", folder, resume=True)
    assert "items.vectors" in error.value.hint
    assert f"remove {folder}" in error.value.hint
    assert (folder / "finetune.json").read_text() == before
    vectors(0)
    finetune(settings, "toy", folder, resume=True)
    assert len(load_model(folder).item_ids) == 24


def test_as_many_other_interactions_are_refused(start, config):
    folder = start(config(), toy_dataset())
    with pytest.raises(ConfigError, match="other data: interactions differ"):
        finetune(config(), toy_dataset(step=5), folder, resume=True)


def test_as_many_other_items_are_refused(start, config):
    folder = start(config(), toy_and_one_more("tea"))
    with pytest.raises(ConfigError, match="other data: item ids differ"):
        finetune(config(), toy_and_one_more("coffee"), folder, resume=True)


def toy_and_one_more(item_id):
    """Toy data with an item that nobody met."""
    dataset = toy_dataset()
    table = dataset.catalog.table
    more = table.slice(0, 1).set_column(table.column_names.index("item_id"), "item_id", pa.array([item_id]))
    return dataset.with_catalog(Catalog(pa.concat_tables([table, more])))


def test_the_same_data_set_may_come_from_elsewhere(start, config, tmp_path):
    toy_dataset().save(tmp_path / "saved")
    folder = start(config(), toy_dataset())
    finetune(config(), tmp_path / "saved", folder, resume=True)
    load_model(folder)


def test_streamed_interactions_count_too(start, config, tmp_path):
    for name, step in (("one", 1), ("other", 5)):
        toy_dataset(users=30, step=step).save(tmp_path / name)
        sort_by_user(tmp_path / name, tmp_path / f"{name}-sorted")
    settings = config(stream=True)
    folder = start(settings, tmp_path / "one-sorted")
    with pytest.raises(ConfigError, match="other data: interactions differ"):
        finetune(settings, tmp_path / "other-sorted", folder, resume=True)
    finetune(settings, tmp_path / "one-sorted", folder, resume=True)
    load_model(folder)


def test_a_run_from_before_digests_were_kept_goes_on(start, config, vectors):
    settings = config(vectors(0))
    folder = start(settings, "toy")
    run = json.loads((folder / "finetune.json").read_text())
    digests = run["data"].pop("digests")
    (folder / "finetune.json").write_text(json.dumps(run))
    finetune(settings, "toy", folder, resume=True)
    assert json.loads((folder / "finetune.json").read_text())["data"]["digests"] == digests
    load_model(folder)
