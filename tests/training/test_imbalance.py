"""Sampling, weights and augmentation: hand arithmetic, properties, and that they reach the loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.items.atomic import AtomicTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.testing import tiny_generator, toy_dataset
from genrec.training.augment import augment, crop, mask, reorder
from genrec.training.batches import collate
from genrec.training.config import ExamplesConfig
from genrec.training.data import load_training_data
from genrec.training.examples import InMemoryExamples, TrainingExample
from genrec.training.imbalance import history_weights, inverse_propensity, keep_probability, tail_items
from genrec.training.loss import CodeLoss
from genrec.training.sampling import HistorySampler
from genrec.trie import CatalogTrie

COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any).map(np.array)


def sampler(dataset, max_items=50, **settings):
    return HistorySampler(dataset.histories, dataset.num_items, max_items, ExamplesConfig(**settings))


@given(COUNTS, st.floats(0, 2), st.floats(1, 100))
def test_propensity_weights_have_mean_one_over_interactions_and_respect_the_clip(counts, exponent, clip):
    weights = inverse_propensity(counts, exponent, clip)
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1, rel=1e-4)
    assert weights.max() <= clip * weights.min() * (1 + 1e-5)
    assert (np.diff(weights[np.argsort(counts, kind="stable")]) <= 1e-6).all()


def test_exponent_one_gives_every_item_the_same_total_weight():
    counts = np.array([100, 10, 1])
    assert inverse_propensity(counts, 1.0, clip=1000) * counts == pytest.approx([37, 37, 37])


def test_history_weights_by_hand():
    """Histories [0, 0] and [0, 1] with counts 4 and 1: means 1/4 and 5/8, brought to mean 1."""
    dataset = toy_dataset(users=2, items=2, length=2)
    histories = type(dataset.histories)(np.array([0, 2, 4, 4]), np.array([0, 0, 0, 1]), np.zeros(4, dtype=int))
    weights = history_weights(histories, np.array([4, 1]), exponent=1.0)
    assert weights == pytest.approx([2 * 0.25 / 0.875, 2 * 0.625 / 0.875, 0])


@given(COUNTS, st.floats(0, 1))
def test_the_tail_holds_at_most_its_share(counts, share):
    is_tail = tail_items(counts, share)
    assert counts[is_tail].sum() <= share * counts.sum() + 1e-9
    assert not is_tail.any() or is_tail.all() or counts[is_tail].max() < counts[~is_tail].min()


def test_sampling_draws_users_of_rare_items_more_often():
    dataset = toy_dataset(users=40, length=6)
    counts = dataset.histories.item_counts(dataset.num_items)
    drawn = sampler(dataset, history_exponent=2.0)
    starts = [w.start for seed in range(300) for w in drawn.draw(np.random.default_rng(seed))]
    found = np.bincount(np.searchsorted(dataset.histories.indptr, starts), minlength=40) / 300
    assert found == pytest.approx(history_weights(dataset.histories, counts, 2.0), abs=0.3)
    assert len(starts) == 300 * 40


def test_frequent_targets_are_passed_over_as_often_as_the_formula_says():
    dataset = toy_dataset(users=40, length=6)
    counts = dataset.histories.item_counts(dataset.num_items)
    drawn, rng = sampler(dataset, target_threshold=0.03), np.random.default_rng(0)
    kept = np.zeros(dataset.num_items)
    for _ in range(300):
        for window in drawn.draw(rng):
            interactions, weights = drawn.targets(window, rng)
            np.add.at(kept, dataset.histories.items[interactions], weights)
    expected = keep_probability(counts, 0.03)
    assert expected.min() < 0.9
    present = counts > 0
    assert kept[present] / (300 * counts[present]) == pytest.approx(expected[present], abs=0.05)


def test_tail_copies_add_windows_in_which_tail_items_alone_are_targets():
    dataset = leave_last_out(toy_dataset(users=20, length=12)).train
    is_tail = tail_items(dataset.histories.item_counts(dataset.num_items), 0.5)
    drawn, rng = sampler(dataset, tail_copies=2, tail_share=0.5), np.random.default_rng(0)
    seen = np.zeros(dataset.num_items)
    windows = drawn.draw(rng)
    for window in windows:
        interactions, weights = drawn.targets(window, rng)
        np.add.at(seen, dataset.histories.items[interactions], 1 if weights is None else weights)
    counts = dataset.histories.item_counts(dataset.num_items)
    assert 0 < is_tail.sum() < len(is_tail)
    assert seen.tolist() == np.where(is_tail, 3 * counts, counts).tolist()
    assert len(windows) == drawn.windows_per_epoch


@given(st.integers(1, 60), st.floats(0.01, 1), st.integers(0, 2**32))
def test_augmentations_keep_what_they_promise(length, share, seed):
    rng = np.random.default_rng(seed)
    cropped, masked, shuffled = crop(length, share, rng), mask(length, share, rng), reorder(length, share, rng)
    assert (np.diff(cropped) == 1).all()
    assert len(cropped) == max(1, int(np.ceil(share * length)))
    assert (np.diff(masked) > 0).all()
    assert 1 <= len(masked) <= length
    assert sorted(shuffled) == list(range(length))
    moved = np.flatnonzero(shuffled != np.arange(length))
    assert not len(moved) or moved[-1] - moved[0] < len(cropped)


def test_a_history_is_changed_as_often_as_asked():
    rng = np.random.default_rng(0)
    shares = {"crop": 0.5, "mask": 0.5, "reorder": 1.0}
    changed = [len(augment(10, ["crop"], 0.3, shares, rng)) == 5 for _ in range(2000)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.04)


def test_weights_reach_the_loss(sequence):
    """Twice the weight of one item: its loss counts twice."""
    generator = tiny_generator(codes=np.array([[0, 2], [0, 3], [1, 2], [1, 3]], dtype=np.int32))
    example = sequence(generator, [2, 0, 3])
    loss = CodeLoss(generator)

    def of(weights):
        return loss(collate([TrainingExample(example.tokens, example.nodes, example.supervised, weights)])).item()

    single = [of(np.eye(7, dtype=np.float32)[token]) for token in range(1, 7)]
    assert of(None) == pytest.approx(sum(single), rel=1e-5)
    assert of(np.array([0, 1, 1, 2, 2, 0.5, 0.5], dtype=np.float32)) == pytest.approx(
        sum(single[:2]) + 2 * sum(single[2:4]) + 0.5 * sum(single[4:]), rel=1e-5
    )


def test_examples_know_which_interactions_they_come_from():
    dataset = toy_dataset(users=12, length=20)
    tokenizer = AtomicTokenizer.fit(dataset.num_items)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), 2)
    builder = PromptBuilder(Templates.load(), vocabulary, None, max_tokens=9)
    config = ExamplesConfig(propensity_exponent=1.0, augment=["crop", "mask", "reorder"])
    source = InMemoryExamples(dataset, builder, max_items=10, config=config)
    weights = inverse_propensity(dataset.histories.item_counts(dataset.num_items), 1.0, 10.0)
    for example in source.epoch(0, 0):
        items = dataset.histories.items[example.interactions[1:]]
        assert example.tokens[1:].tolist() == vocabulary.tokens[items, 0].tolist()
        assert example.weights.tolist() == [0, *weights[items].tolist()]
        assert example.interactions[0] == -1


def test_streams_refuse_what_needs_all_histories(toy_config, tmp_path):
    toy_dataset().save(tmp_path / "toy")
    config = toy_config("training.stream=true", "examples.tail_copies=1")
    with pytest.raises(ConfigError, match="in memory"):
        load_training_data(config, tmp_path / "toy")
