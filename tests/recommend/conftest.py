"""A model of a data set without training it."""

import pytest

from genrec.testing.untrained import untrained_model


@pytest.fixture(scope="session")
def toy_model():
    """Make a model with random weights, on semantic IDs of a data set's catalog."""
    return untrained_model
