"""Items that are in the data set and not in the model: served from the start."""

import hashlib
import logging

import pyarrow as pa

from genrec.data.catalog_rows import with_rows
from genrec.recommend.recommender import Recommender
from genrec.serve.engine.model import open_model
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune


def opened(folder, kind):
    dataset = toy_dataset(items=24)
    config = {
        "base": {"kind": "scratch", "layers": 1, "width": 32, "heads": 2},
        "items": {"kind": kind, "text_weight": 0},
        "training": {"epochs": 1, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(config), dataset, folder)
    rows = pa.table({"item_id": ["new"], "title": ["Velvet Anchor"]})
    later = dataset.with_catalog(with_rows(dataset.catalog, rows).catalog)
    load = lambda: Recommender.from_pretrained(folder, later)  # noqa: E731
    opened = open_model(load, cache_bytes=0, with_fallback=True)
    assert opened.version == hashlib.sha256((folder / "genrec.json").read_bytes()).hexdigest()[:12]
    return opened.recommender


def test_an_item_that_came_after_training_is_recommended(tmp_path):
    recommender = opened(tmp_path / "model", "atomic")
    answer = recommender.recommend(history=["i1"], candidates=["new"])
    assert [one.item_id for one in answer.items] == ["new"]


def test_where_it_cannot_have_a_code_the_others_are_served(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        recommender = opened(tmp_path / "model", "semantic")
    assert "new to the model are not recommended: this model's semantic IDs" in caplog.text
    assert recommender.model.item_ids == [f"i{n}" for n in range(24)]
