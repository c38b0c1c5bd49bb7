import numpy as np
import pytest

from genrec.baselines import ItemKNN
from genrec.data.folds import join_eval_sets, user_folds
from genrec.data.toy import toy_dataset
from genrec.errors import ConfigError, DataError
from genrec.evaluation import evaluate
from genrec.evaluation.protocol import join_evaluations


def test_everyone_is_asked_once_and_never_trained_on_then():
    dataset = toy_dataset(users=23, items=30, length=5)
    splits = user_folds(dataset, folds=4)
    assert sorted(join_eval_sets([split.test for split in splits]).users.tolist()) == list(range(23))
    assert sorted(join_eval_sets([split.validation for split in splits]).users.tolist()) == list(range(23))
    for split in splits:
        asked = {*split.test.users.tolist(), *split.validation.users.tolist()}
        assert len(asked) == len(split.test) + len(split.validation)
        assert set(split.train.user_indices.tolist()) == set(range(23)) - asked
        assert (split.train.num_users, split.train.num_items) == (23, 30)
        for part in (split.test, split.validation):
            for user, history, targets in zip(part.users, part.histories, part.targets, strict=True):
                assert [*history, *targets] == dataset.histories[user].tolist()
                assert len(targets) == 1
    sizes = [len(split.test) for split in splits]
    assert max(sizes) - min(sizes) <= 1


def test_users_of_one_interaction_stay_in_training():
    dataset = toy_dataset(users=8, items=30, length=3)
    short = dataset.with_interactions((dataset.user_indices != 2) | (np.arange(24) < 8))
    for split in user_folds(short, folds=3):
        assert 2 in split.train.user_indices
        assert 2 not in split.test.users


def test_the_seed_draws_the_users():
    dataset = toy_dataset(users=20)
    first, same, other = (user_folds(dataset, seed=seed)[0].test.users.tolist() for seed in (0, 0, 1))
    assert first == same != other


def test_too_few_folds_or_users_are_refused():
    with pytest.raises(ConfigError, match="leave none to train on"):
        user_folds(toy_dataset(), folds=2)
    with pytest.raises(DataError, match="4 users have the 2 interactions"):
        user_folds(toy_dataset(users=4), folds=5)


def test_joined_folds_are_one_evaluation_of_all_users():
    folds = user_folds(toy_dataset(), folds=3)
    parts = [evaluate(ItemKNN().fit(fold.train), fold.test, ks=(1, 5)) for fold in folds]
    joined, questions = join_evaluations(parts), join_eval_sets([fold.test for fold in folds])
    assert joined.num_users == len(questions) == 60
    assert joined.metrics["ndcg@5"] == pytest.approx(np.mean([part.metrics["ndcg@5"] for part in parts]))
    hit = [targets[0] in row for targets, row in zip(questions.targets, joined.items, strict=True)]
    np.testing.assert_array_equal(joined.per_user["recall@5"], hit)
    kept = evaluate(ItemKNN().fit(folds[0].train), folds[0].test, ks=(1, 5), filter_seen=False)
    with pytest.raises(ConfigError, match="2 kinds"):
        join_evaluations([parts[0], kept])
