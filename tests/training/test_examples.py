"""Windows of histories, in memory and streamed."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.baselines.position_targets import PositionTargets
from genrec.data.split import leave_last_out
from genrec.data.streaming import sort_by_user
from genrec.errors import DataError
from genrec.items.atomic import AtomicTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.testing import toy_basket_dataset, toy_dataset
from genrec.training.config import ExamplesConfig
from genrec.training.examples import InMemoryExamples, StreamedExamples
from genrec.training.sampling import expected_windows, windows
from genrec.trie import CatalogTrie


def builder(num_items=24, max_tokens=64):
    tokenizer = AtomicTokenizer.fit(num_items)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), 2)
    return PromptBuilder(Templates.load(), vocabulary, None, max_tokens)


def streamed(folder, dataset, **settings):
    return StreamedExamples(folder, builder(), 6, dataset.histories.lengths, **settings)


@pytest.fixture
def sorted_toy(tmp_path):
    dataset = toy_dataset(users=30, length=11)
    dataset.save(tmp_path / "toy")
    sort_by_user(tmp_path / "toy", tmp_path / "sorted", rows_per_group=60)
    return dataset, tmp_path / "sorted"


@given(st.integers(1, 200), st.integers(1, 30), st.data())
def test_windows_cover_every_position_once(length, size, data):
    offset = data.draw(st.integers(1, size))
    cut = windows(length, size, offset)
    assert [position for start, end in cut for position in range(start, end)] == list(range(length))
    assert all(0 < end - start <= size for start, end in cut)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=20), st.integers(1, 20))
def test_expected_windows_is_the_mean_over_offsets(lengths, size):
    mean = sum(np.mean([len(windows(n, size, o)) for o in range(1, size + 1)]) for n in lengths if n)
    assert expected_windows(np.array(lengths), size) == pytest.approx(mean)


def as_lists(examples):
    return [example.tokens.tolist() for example in examples]


def test_an_epoch_trains_every_interaction_once():
    train = leave_last_out(toy_dataset(users=20, length=12)).train
    source = InMemoryExamples(train, builder(), max_items=4)
    examples = list(source.epoch(seed=0, epoch=3))
    assert sum(int(example.supervised.sum()) for example in examples) == len(train.interactions)
    assert len(examples) == pytest.approx(source.examples_per_epoch, rel=0.1)


def test_epochs_differ_and_are_repeatable():
    source = InMemoryExamples(toy_dataset(length=12), builder(), max_items=4)
    first, again, other = (as_lists(source.epoch(0, epoch)) for epoch in (1, 1, 2))
    assert first == again != other


def test_streamed_examples_are_those_in_memory_in_another_order(sorted_toy):
    dataset, folder = sorted_toy
    train = leave_last_out(dataset).train
    stream = StreamedExamples(folder, builder(), 20, dataset.histories.lengths, buffer=7)
    memory = InMemoryExamples(train, builder(), max_items=20)
    first, again, other = (as_lists(stream.epoch(0, epoch)) for epoch in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == sorted(as_lists(memory.epoch(0, 1)))
    assert stream.examples_per_epoch == memory.examples_per_epoch


def test_short_histories_are_streamed_as_leave_last_out_trains_them(tmp_path):
    """Users with fewer than 3 interactions have nothing held out."""
    dataset = toy_dataset(users=6, length=4)
    rows = np.ones(len(dataset.interactions), dtype=bool)
    rows[np.flatnonzero(dataset.user_indices == 2)[2:]] = False
    dataset = dataset.with_interactions(rows)
    dataset.save(tmp_path / "toy")
    sort_by_user(tmp_path / "toy", tmp_path / "sorted")
    memory = InMemoryExamples(leave_last_out(dataset).train, builder(), max_items=6)
    streaming = streamed(tmp_path / "sorted", dataset)
    assert sorted(as_lists(streaming.epoch(0, 0))) == sorted(as_lists(memory.epoch(0, 0)))


def test_an_unsorted_folder_is_refused_with_the_function_that_sorts_it(tmp_path):
    dataset = toy_dataset(users=6)
    dataset.save(tmp_path / "toy")
    with pytest.raises(DataError, match=r"not sorted by user") as error:
        streamed(tmp_path / "toy", dataset)
    assert "genrec.data.streaming.sort_by_user" in error.value.hint


def test_memory_of_streaming_does_not_grow_with_the_data(tmp_path):
    """Eight times the histories: the same peak, but for the ids of the users."""
    peaks = []
    for users in (200, 1600):
        dataset = toy_dataset(users=users, length=40)
        dataset.save(tmp_path / "toy")
        sort_by_user(tmp_path / "toy", tmp_path / f"sorted-{users}", rows_per_group=2000)
        stream = StreamedExamples(tmp_path / f"sorted-{users}", builder(), 60, dataset.histories.lengths, buffer=50)
        del dataset
        sum(len(example) for example in stream.epoch(0, 0))
        tracemalloc.start()
        sum(len(example) for example in stream.epoch(0, 1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.7 * peaks[0]


def test_positions_are_asked_for_next_baskets_and_windows_that_ask_nothing_are_left_out():
    dataset = toy_basket_dataset(users=6, length=3)  # baskets of three
    rows = {int(node): item for item, node in enumerate(builder(24).vocabulary.nodes[:, 0])}
    source = InMemoryExamples(
        dataset, builder(24), 9, config=ExamplesConfig(), targets=PositionTargets(dataset, next_basket=True)
    )
    examples = list(source.epoch(seed=0, epoch=0))
    assert len(examples) == source.examples_per_epoch == 6
    for example in examples:
        read = [rows[node] // 3 for node in example.nodes[1:]]  # the basket of each item
        asked = [
            rows[node] // 3 if on else None
            for node, on in zip(example.answers[1:], example.supervised[1:], strict=True)
        ]
        first, second, third = read[::3]
        assert read == [first] * 3 + [second] * 3 + [third] * 3
        assert asked == [first, second, second, second, third, third, third, None, None]
    small = InMemoryExamples(
        dataset, builder(24), 2, config=ExamplesConfig(), targets=PositionTargets(dataset, next_basket=True)
    )
    found = list(small.epoch(seed=0, epoch=0))  # the last window of a history may have nothing that comes after it
    assert all(example.supervised.any() for example in found)
    assert len(found) < sum(len(windows(9, 2, 1)) for _ in range(6))
    assert abs(len(found) - small.examples_per_epoch) <= 6
