"""Small models, and the sequences they are trained on."""

import numpy as np
import pytest

from genrec.testing import toy_catalog
from genrec.testing.tiny_base import save_tiny_base
from genrec.training.config import FinetuneConfig
from genrec.training.examples import TrainingExample


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    """A base model that reads text."""
    return save_tiny_base(tmp_path_factory.mktemp("base"), toy_catalog(24).titles)


@pytest.fixture(scope="session")
def sequence():
    """A begin token and a history whose items are all targets, for a generator."""

    def make(generator, items):
        vocabulary = generator.vocabulary
        tokens, nodes = vocabulary.tokens[items], vocabulary.nodes[items]
        real = tokens >= 0
        return TrainingExample(
            np.append(0, tokens[real]).astype(np.int64),
            np.append(-1, nodes[real]).astype(np.int32),
            np.append(False, np.ones(int(real.sum()), dtype=bool)),
        )

    return make


@pytest.fixture(scope="session")
def toy_config():
    """A configuration for toy data: from scratch, no dropout, a batch of a few histories."""

    def make(*overrides, **sections):
        small = {
            "base": {"kind": "scratch", "layers": 2, "width": 32, "heads": 2, "dropout": 0.0},
            "items": {"kind": "atomic"},
            "prompt": {"max_items": 10, "max_tokens": 32},
            "training": {"epochs": 2, "tokens_per_batch": 128, "validation_users": 0},
        }
        return FinetuneConfig.from_mapping(small | sections, overrides)

    return make
