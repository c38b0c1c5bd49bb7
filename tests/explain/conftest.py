"""Models to explain: untrained ones, whose scores lie apart, one of them reading text, and one that knows toy data."""

import shutil

import pytest

from genrec.model.config import PretrainedConfig
from genrec.model.description import EvidenceDescription, ModelDescription
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_dataset
from genrec.testing.tiny_base import save_tiny_base
from genrec.testing.untrained import untrained_model
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

DATASET = toy_dataset()


@pytest.fixture(scope="session")
def recommender():
    """It reads item codes only, 8 of them at most."""
    return Recommender(untrained_model(DATASET), DATASET)


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """It reads text."""
    folder = save_tiny_base(tmp_path_factory.mktemp("base"), DATASET.catalog.titles)
    return Recommender(untrained_model(DATASET, PretrainedConfig(name=str(folder))), DATASET)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A model that has learnt that item i is followed by item i + 1."""
    folder = tmp_path_factory.mktemp("explained") / "model"
    mapping = {
        "base": {"kind": "scratch", "width": 64, "heads": 2, "dropout": 0.0},
        "items": {"kind": "atomic"},
        "prompt": {"max_items": 6, "max_tokens": 32},
        "training": {"epochs": 12, "tokens_per_batch": 256, "learning_rate": 3e-3, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(mapping), DATASET, folder)
    return folder


@pytest.fixture(scope="session")
def guided_folder(model_folder, tmp_path_factory):
    """The same model, whose search item neighbours guide."""
    folder = tmp_path_factory.mktemp("guided") / "model"
    shutil.copytree(model_folder, folder)
    about = EvidenceDescription(scorers=["item-knn"], weights=[1.0], strength=2.0)
    ModelDescription.read(folder).model_copy(update={"evidence": about}).write(folder)
    return folder
