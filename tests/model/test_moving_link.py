"""What is loaded through a symbolic link is one model, also where the link moves in between."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from genrec.baselines.sequential import SASRec
from genrec.decoding.exact import score_items
from genrec.model.description import EvidenceDescription, ModelDescription
from genrec.model.export import merged_copy
from genrec.model.folder import load_interface, load_model, save_model
from genrec.prompt.templates import Templates
from genrec.recommend.evidence import FOLDER, guides_alone
from genrec.recommend.recommender import Recommender
from genrec.testing import tiny_prompt, toy_dataset

DATASET = toy_dataset(items=24)
GUIDED = EvidenceDescription(scorers=["sasrec"], weights=[0.5], trained=["sasrec"], offered=["sasrec"])
IDS = {"first": [f"i{n}" for n in range(24)], "second": [f"i{n}" for n in reversed(range(24))]}


@pytest.fixture
def link(make_model, tmp_path):
    """A link to the first of two models, which is guided and the other is not."""
    for seed, (name, ids) in enumerate(IDS.items()):
        generator, description = make_model("scratch")
        for parameter in generator.parameters():
            parameter.data += seed
        if name == "first":
            SASRec(layers=1, heads=1, width=8, epochs=1).fit(DATASET).save(tmp_path / name / FOLDER / "sasrec")
            description = description.model_copy(update={"evidence": GUIDED, "templates": Templates.load().sources})
        save_model(tmp_path / name, generator, description, ids)
    (tmp_path / "current").symlink_to(tmp_path / "first")
    return tmp_path / "current"


@pytest.fixture
def moved(link, monkeypatch):
    """The link moves to the second model once a description was read, or before one is."""

    def arrange(when):
        read = ModelDescription.read.__func__

        def move():
            if link.resolve().name == "first":
                aside = link.with_name("aside")
                aside.symlink_to(link.with_name("second"))
                aside.replace(link)

        def reading(cls, folder):
            if when == "before":
                move()
            found = read(cls, folder)
            move()
            return found

        monkeypatch.setattr(ModelDescription, "read", classmethod(reading))

    return arrange


def scores(model):
    return score_items(model.generator, [tiny_prompt(model.generator, [3, 1, 4])])


def test_a_model(link, moved):
    first, second = (load_model(link.with_name(name)) for name in IDS)
    moved("after")
    found = load_model(link)
    assert link.resolve().name == "second"
    assert found.item_ids == IDS["first"]
    np.testing.assert_array_equal(scores(found), scores(first))
    assert not np.allclose(scores(first), scores(second))


def test_an_interface(link, moved):
    moved("after")
    assert load_interface(link).item_ids == IDS["first"]
    assert load_interface(link).item_ids == IDS["second"]


def test_a_recommender_and_what_lies_in_its_folder(link, moved):
    moved("after")
    found = Recommender.from_pretrained(link, DATASET)
    assert found.model.item_ids == IDS["first"]
    assert found.evidence is not None
    assert found.folder == link.with_name("first")


def test_guides(link, moved):
    moved("after")
    assert len(guides_alone(link, IDS["first"]).scorers) == 1


def test_a_merged_copy(link, moved, tmp_path, monkeypatch):
    moved("before")
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path / "cache"))
    merged = merged_copy(link)
    assert merged.name.startswith("first-")
    assert pq.read_table(merged / "items.parquet")["item_id"].to_pylist() == IDS["first"]
