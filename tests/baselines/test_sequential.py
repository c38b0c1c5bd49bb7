"""SASRec and BERT4Rec: the contract, what a position may see, seeds, the toy set's answer, saving."""

import json
import logging

import numpy as np
import pytest
import torch

from genrec.baselines.sequential import BERT4Rec, SASRec
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError, ModelError
from genrec.evaluation import evaluate
from genrec.testing import toy_dataset, toy_next_item
from genrec.testing.scorer_contract import ScorerContract

SMALL = {"width": 16, "dropout": 0.1, "learning_rate": 0.01, "batch_positions": 256}
MODELS = pytest.mark.parametrize("model", [SASRec, BERT4Rec])


def histories_of(*rows):
    return [np.array(row, dtype=np.int32) for row in rows]


class TestSASRec(ScorerContract):
    def make_scorer(self):
        return SASRec(**SMALL, epochs=3)


class TestSampledSASRec(ScorerContract):
    def make_scorer(self):
        return SASRec(**SMALL, epochs=3, negatives=8)


class TestShortSightedSASRec(ScorerContract):
    def make_scorer(self):
        return SASRec(**SMALL, epochs=3, max_length=4)


class TestBERT4Rec(ScorerContract):
    def make_scorer(self):
        return BERT4Rec(**SMALL, epochs=3)


class TestShortSightedBERT4Rec(ScorerContract):
    def make_scorer(self):
        return BERT4Rec(**SMALL, epochs=3, max_length=4)


@pytest.fixture(scope="module")
def dataset():
    """Users and items enough for the answer to be learned, two windows a history."""
    return toy_dataset(users=120, items=24, length=10, step=5)


@pytest.fixture(scope="module")
def sasrec(dataset):
    return SASRec(**SMALL, epochs=4, layers=2, max_length=6).fit(dataset)


@pytest.fixture(scope="module")
def bert4rec(dataset):
    return BERT4Rec(**SMALL, epochs=4, max_length=6).fit(dataset)


@pytest.mark.parametrize(
    "scorer",
    [SASRec(**SMALL, epochs=15), SASRec(**SMALL, epochs=15, negatives=10), BERT4Rec(**SMALL, epochs=40)],
    ids=["sasrec", "sampled", "bert4rec"],
)
def test_learns_what_follows_what(dataset, scorer):
    scorer.fit(dataset)
    history = [3, toy_next_item(3, step=5)]
    best = scorer.recommend(histories_of(history, [history[1]]), 1).items[:, 0].tolist()
    assert best == [toy_next_item(history[1], step=5)] * 2


@MODELS
def test_a_user_without_history_gets_what_histories_begin_with(model):
    """30 users begin at items 0 to 2, and go on to item 11."""
    dataset = toy_dataset(users=240, items=24, length=10)
    dataset = dataset.with_interactions(dataset.user_indices % 24 < 3)
    scorer = model(**SMALL, epochs=40).fit(dataset)
    assert scorer.recommend(histories_of([]), 1).items.item() in {0, 1, 2}


def test_a_prediction_does_not_depend_on_what_comes_later(sasrec):
    past, future, other = [4, 9, 14], [19, 0, 5], [2, 2, 23]
    _, scores = sasrec.position_scores(histories_of(past + future, past + other, past))
    np.testing.assert_allclose(scores[:3], scores[6:9], atol=1e-5)
    np.testing.assert_allclose(scores[3], scores[9], atol=1e-5)
    np.testing.assert_allclose(scores[:3], scores[12:], atol=1e-5)
    assert np.abs(scores[4] - scores[10]).max() > 1e-3  # here the histories differ


def test_a_prediction_depends_on_the_order(sasrec):
    one, two = sasrec.score(histories_of([4, 9, 14], [14, 9, 4]))
    assert np.abs(one - two).max() > 1e-3


@pytest.mark.parametrize("fixture", ["sasrec", "bert4rec"])
def test_padding_and_neighbours_change_nothing(request, fixture):
    scorer = request.getfixturevalue(fixture)
    rows = histories_of([1], [], [7, 3, 1, 8, 0, 2, 2, 5], [9, 9])
    alone = np.concatenate([scorer.score([row]) for row in rows])
    np.testing.assert_allclose(scorer.score(rows), alone, atol=1e-5)
    np.testing.assert_allclose(scorer.score(rows[::-1])[::-1], alone, atol=1e-5)


def test_a_mask_sees_both_sides(bert4rec):
    """Items before and after a masked one change what is predicted there; padding behind does not."""
    network, mask = bert4rec._network, 24
    rows = torch.tensor([[4, mask, 14, 19], [4, mask, 14, 0], [5, mask, 14, 19]])
    with torch.inference_mode():
        full = network(rows, torch.ones(3, 4, dtype=torch.bool))[:, 1]
        cut = network(rows, torch.tensor([[True, True, True, False]]).expand(3, 4))[:, 1]
    assert (full[0] - full[1]).abs().max() > 1e-3
    assert (full[0] - full[2]).abs().max() > 1e-3
    torch.testing.assert_close(cut[0], cut[1])


def test_windows_are_masked_at_random_or_ask_what_comes_next():
    """4,000 windows of 5: a third of the tokens, the last where chance took none; or a window cut and its last one."""
    lengths = torch.full((4000,), 5)
    torch.manual_seed(0)
    cut, masked = BERT4Rec(mask_share=1 / 3, last_share=0.0)._mask(lengths, 6)
    masked &= torch.arange(6) < cut[:, None]
    assert (cut == 5).all()
    assert masked.any(1).all()
    assert masked[:, :4].float().mean() == pytest.approx(1 / 3, abs=0.02)
    assert masked[:, 4].float().mean() == pytest.approx(1 / 3 + (2 / 3) ** 5, abs=0.03)
    cut, masked = BERT4Rec(last_share=1.0)._mask(lengths, 6)
    assert torch.bincount(cut).tolist() == pytest.approx([0, 800, 800, 800, 800, 800], abs=100)
    torch.testing.assert_close(masked, torch.arange(6) == cut[:, None] - 1)


@pytest.mark.parametrize("fixture", ["sasrec", "bert4rec"])
def test_scores_are_log_probabilities_and_old_items_are_forgotten(request, fixture):
    scorer = request.getfixturevalue(fixture)
    recent = [1, 2, 3, 4, 5, 6]
    scores = scorer.score(histories_of([20, 21, *recent], [9, 8, 7, *recent]))
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, rtol=1e-4)
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)


def test_position_scores_agree_with_scores_of_each_beginning(sasrec):
    """Up to max_length, and at every position that ends a window."""
    history = [4, 9, 14, 19, 0, 5]
    rows, scores = sasrec.position_scores(histories_of([], history, [7]))
    assert rows.tolist() == [1] * 6 + [2]
    wanted = sasrec.score(histories_of(*[history[:end] for end in range(6)], []))
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_position_scores_of_long_histories_see_half_a_window_at_least(sasrec):
    """6 positions, moved on by 3: position t is answered from the first window that holds it."""
    history = np.random.default_rng(0).integers(0, 24, 11).astype(np.int32)
    stream = np.concatenate([[24], history[:-1]])
    _, scores = sasrec.position_scores([history])
    for position in range(11):
        start = 0 if position < 6 else 3 * ((position - 6) // 3 + 1)
        tokens = torch.from_numpy(stream[start : position + 1])[None]
        with torch.inference_mode():
            state = sasrec._network(tokens, torch.ones_like(tokens, dtype=torch.bool))[:, -1]
            wanted = torch.log_softmax(sasrec._network.scores(state), 1)[0]
        np.testing.assert_allclose(scores[position], wanted, atol=1e-5)
        assert min(position + 1, 4) <= tokens.shape[1] <= 6


def test_position_scores_of_nothing(sasrec):
    rows, scores = sasrec.position_scores(histories_of([], []))
    assert rows.shape == (0,)
    assert scores.shape == (0, 24)


@MODELS
def test_a_seed_decides_the_result(dataset, model):
    probe = histories_of([4, 9], [])
    fits = [model(**SMALL, epochs=2, seed=seed).fit(dataset).score(probe) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert np.abs(fits[0] - fits[2]).max() > 1e-3


@MODELS
def test_fitting_leaves_the_callers_random_numbers_alone(dataset, model):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    model(**SMALL, epochs=1).fit(dataset)
    torch.testing.assert_close(torch.rand(3), wanted)


def test_the_epoch_that_validates_best_is_kept(dataset, caplog):
    """The figure of the log is that of the benchmark, and the weights are those of the best epoch."""
    split = leave_last_out(dataset)
    scorer = SASRec(**SMALL, epochs=12, patience=2)
    scorer.use_validation(split.validation)
    with caplog.at_level(logging.INFO, "genrec.baselines.sequential.trainer"):
        scorer.fit(split.train)
    lines = [record.getMessage() for record in caplog.records]
    figures = [float(line.split()[-1]) for line in lines if " epoch " in line and line.startswith("sasrec epoch")]
    assert 3 <= len(figures) <= 12
    assert figures.index(max(figures)) == max(0, len(figures) - 3) or len(figures) == 12
    measured = evaluate(scorer, split.validation, ks=(10,)).metrics["ndcg@10"]
    assert measured == pytest.approx(max(figures), abs=6e-5)


def test_without_validation_all_epochs_are_trained(dataset, caplog):
    with caplog.at_level(logging.INFO, "genrec.baselines.sequential.trainer"):
        SASRec(**SMALL, epochs=3, patience=1).fit(dataset)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [f"sasrec epoch {n}" for n in (1, 2, 3)]


def test_training_is_silent(dataset, capfd):
    SASRec(**SMALL, epochs=1).fit(dataset)
    assert capfd.readouterr() == ("", "")


@MODELS
def test_a_saved_model_scores_alike(dataset, model, tmp_path):
    settings = {"negatives": 9} if model is SASRec else {"mask_share": 0.5}
    scorer = model(**SMALL, **settings, epochs=1).fit(dataset)
    scorer.save(tmp_path / "model")
    loaded = model.load(tmp_path / "model")
    probe = histories_of([4, 9], [])
    np.testing.assert_array_equal(loaded.score(probe), scorer.score(probe))
    assert (loaded.size, loaded.training) == (scorer.size, scorer.training)
    assert loaded._settings() == scorer._settings()


def test_what_cannot_be_loaded_is_named(dataset, tmp_path):
    with pytest.raises(ModelError, match=r"no sasrec model in .* sequential.json is missing"):
        SASRec.load(tmp_path)
    BERT4Rec(**SMALL, epochs=1).fit(dataset).save(tmp_path)
    with pytest.raises(ModelError, match="holds a bert4rec model, not sasrec"):
        SASRec.load(tmp_path)
    file = tmp_path / "sequential.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format_version": 99}))
    with pytest.raises(ModelError, match="format version 99, newer than 1"):
        BERT4Rec.load(tmp_path)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="width 10 is not a multiple of 4 heads"):
        SASRec(width=10, heads=4)
    with pytest.raises(ConfigError, match="max_length 1 leaves no room"):
        BERT4Rec(max_length=1)


def test_a_full_softmax_over_a_large_catalog_warns(dataset, monkeypatch):
    monkeypatch.setattr("genrec.baselines.sequential.sasrec.LARGE", 23)
    with pytest.warns(UserWarning, match="negatives=4096"):
        SASRec(**SMALL, epochs=1).fit(dataset)
    SASRec(**SMALL, epochs=1, negatives=5).fit(dataset)
