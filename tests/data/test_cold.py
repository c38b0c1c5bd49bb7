import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.baselines import Popularity
from genrec.data.cold import cold_items, select_questions, shorten_histories
from genrec.data.folds import join_eval_sets
from genrec.data.split import EvalSet
from genrec.data.toy import toy_dataset
from genrec.errors import ConfigError, DataError
from genrec.evaluation.protocol import evaluate


@given(st.integers(0, 50), st.sampled_from([0.1, 0.3]))
def test_against_the_definition(seed, share):
    dataset = toy_dataset(users=12, items=20, length=9)
    try:
        split = cold_items(dataset, share, seed)
    except DataError:  # so few items that nobody met one after another
        return
    count = round(share * 20)
    held_out = set(range(20)) - set(split.train.item_indices.tolist())
    tuned, tested = ({int(target[0]) for target in part.targets} for part in (split.validation, split.test))
    assert tuned.isdisjoint(tested)
    assert max(len(tuned), len(tested)) <= count
    assert tuned | tested <= held_out
    for part in (split.validation, split.test):
        for user, history, target in zip(part.users, part.histories, part.targets, strict=True):
            full = dataset.histories[user].tolist()
            place = full.index(target[0])
            before = [item for item in full[:place] if item in history]
            assert history.tolist() == before
            assert set(full[:place]) - set(before) <= held_out
            # The last of its kind that this user met.
            kind = tuned if part is split.validation else tested
            assert not kind & set(full[place + 1 :])
            # What is trained on lies before the question.
            trained = split.train.histories[user].tolist()
            assert set(trained) <= set(full[:place])


def test_held_out_items_that_were_met_are_seen_items():
    split = cold_items(toy_dataset(users=40, items=24, length=12), share=0.3)
    for part in (split.validation, split.test):
        before = [len(met) - len(history) for met, history in zip(part.met, part.histories, strict=True)]
        assert max(before) > 0
        ranked = evaluate(Popularity().fit(split.train), part, ks=(24,)).items
        for items, met, history in zip(ranked, part.met, part.histories, strict=True):
            assert set(history) <= set(met)
            assert not set(items) & set(met)
        some = select_questions(part, np.arange(len(part)) % 2 == 0)
        assert [met.tolist() for met in some.seen] == [met.tolist() for met in part.seen[::2]]
    joined = join_eval_sets([split.validation, split.test])
    assert len(joined.seen) == len(split.validation) + len(split.test)
    assert joined.seen[-1].tolist() == split.test.met[-1].tolist()


def test_training_keeps_users_who_met_no_held_out_item():
    dataset = toy_dataset(users=12, items=40, length=3)
    split = cold_items(dataset, share=0.05)
    asked = {*split.test.users.tolist(), *split.validation.users.tolist()}
    free = [user for user in range(12) if user not in asked]
    lengths = split.train.histories.lengths
    assert (lengths[free] > 0).any()
    assert (split.train.num_users, split.train.num_items) == (12, 40)


def test_what_cannot_be_held_out_is_refused():
    for share in (0, 0.5, -1):
        with pytest.raises(ConfigError, match="must leave some to train on"):
            cold_items(toy_dataset(), share)
    with pytest.raises(DataError, match="is none"):
        cold_items(toy_dataset(items=4), 0.1)
    # Each user has one item, so there is no history to ask with.
    with pytest.raises(DataError, match=r"no user met a held-out item"):
        cold_items(toy_dataset(users=24, items=24, length=1), 0.1)


QUESTIONS = EvalSet(
    np.array([5, 7], dtype=np.int32),
    [np.array([1, 2, 3, 4], dtype=np.int32), np.array([9], dtype=np.int32)],
    [np.array([6], dtype=np.int32), np.array([8], dtype=np.int32)],
)


@pytest.mark.parametrize(("length", "wanted"), [(0, [[], []]), (1, [[4], [9]]), (3, [[2, 3, 4], [9]])])
def test_short_histories_keep_the_last_items(length, wanted):
    short = shorten_histories(QUESTIONS, length)
    assert [history.tolist() for history in short.histories] == wanted
    assert [target.tolist() for target in short.targets] == [[6], [8]]
    assert short.users.tolist() == [5, 7]
    with pytest.raises(ConfigError, match="-1 items"):
        shorten_histories(QUESTIONS, -1)


def test_some_of_the_questions():
    few = select_questions(QUESTIONS, np.array([False, True]))
    assert (few.users.tolist(), few.histories[0].tolist(), few.targets[0].tolist()) == ([7], [9], [8])
    assert len(few) == 1
