"""A shop of 24 things with categories, years and prices, and untrained models of it."""

import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.model.config import PretrainedConfig
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_dataset
from genrec.testing.tiny_base import save_tiny_base
from genrec.testing.untrained import untrained_model


@pytest.fixture(scope="session")
def shop():
    toy = toy_dataset()
    prices = pa.array([None if i % 12 == 11 else 2.5 * (i * 7 % 24) for i in range(24)])
    return Dataset("shop", toy.interactions, Catalog(toy.catalog.table.append_column("price", prices)), toy.users)


@pytest.fixture(scope="session")
def recommender(shop):
    """It reads item codes only."""
    return Recommender(untrained_model(shop), shop)


@pytest.fixture(scope="session")
def reader(shop, tmp_path_factory):
    """It reads text."""
    folder = save_tiny_base(tmp_path_factory.mktemp("base"), shop.catalog.titles)
    return Recommender(untrained_model(shop, PretrainedConfig(name=str(folder))), shop)
