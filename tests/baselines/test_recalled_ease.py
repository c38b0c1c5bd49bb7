"""EASE that is not solved twice for the same interactions."""

import os

import numpy as np
import pytest

from genrec.baselines import recalled_ease
from genrec.baselines.ease import EASE
from genrec.baselines.recalled_ease import KEPT, RecalledEASE
from genrec.testing import toy_dataset

DATASET = toy_dataset(users=30, items=20)
HISTORIES = [np.array([3, 4], dtype=np.int32), np.array([], dtype=np.int32)]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recalled_ease, "LEAST_ITEMS", 20)
    return tmp_path / "cache" / "ease"


@pytest.fixture
def solved(monkeypatch):
    """Data sets that EASE was solved on."""
    asked, gram = [], EASE._gram
    monkeypatch.setattr(EASE, "_gram", lambda self, dataset: asked.append(dataset) or gram(self, dataset))
    return asked


def test_the_same_interactions_are_solved_once(cache, solved):
    first = RecalledEASE.of(EASE(50, recency=0.5)).fit(DATASET).score(HISTORIES)
    again = RecalledEASE.of(EASE(50, recency=0.5)).fit(DATASET)
    assert len(solved) == 1
    assert isinstance(again._weights, np.memmap)
    np.testing.assert_array_equal(again.score(HISTORIES), first)
    np.testing.assert_array_equal(EASE(50, recency=0.5).fit(DATASET).score(HISTORIES), first)


def test_whatever_changes_the_weights_is_solved_anew(solved):
    fewer = DATASET.with_interactions(np.arange(len(DATASET.interactions)) != 7)
    for scorer, dataset in ((EASE(50), DATASET), (EASE(50), fewer), (EASE(60), DATASET), (EASE(50, 0, 0.5), DATASET)):
        found = RecalledEASE.of(scorer).fit(dataset).score(HISTORIES)
        np.testing.assert_array_equal(found, scorer.fit(dataset).score(HISTORIES))
    assert len(solved) == 8


def test_small_catalogs_are_not_kept(cache):
    RecalledEASE().fit(toy_dataset(users=30, items=19))
    assert not cache.exists()


def test_those_used_last_stay(cache, solved):
    for number in range(KEPT):
        RecalledEASE(10 + number).fit(DATASET)
    for age, file in enumerate(sorted(cache.iterdir(), key=lambda file: file.stat().st_mtime_ns)):
        os.utime(file, (1000 + age, 1000 + age))
    RecalledEASE(10).fit(DATASET)  # the oldest is used again
    RecalledEASE(99).fit(DATASET)
    assert len(list(cache.iterdir())) == KEPT
    before = len(solved)
    RecalledEASE(10).fit(DATASET)
    assert len(solved) == before
    RecalledEASE(11).fit(DATASET)
    assert len(solved) == before + 1


def test_where_nothing_can_be_written_it_is_solved_and_said(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path / "file"))
    found = RecalledEASE().fit(DATASET).score(HISTORIES)
    np.testing.assert_array_equal(found, EASE().fit(DATASET).score(HISTORIES))
    assert "not kept" in caplog.text
