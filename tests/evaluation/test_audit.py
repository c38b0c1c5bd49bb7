"""Every leak that can be planted is found, and none where there is none."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.cold import cold_items
from genrec.data.dataset import Dataset
from genrec.data.folds import user_folds
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import EvalSet, global_temporal, leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation.audit import Finding, audit, audit_folds, worst
from genrec.evaluation.audit.identifiers import order_of_ids
from genrec.evaluation.audit.questions import question_times
from genrec.testing import toy_dataset

TUNED = {"ease": "validation", "popularity": "none"}


def random_dataset(users=40, items=60, length=12, seed=0, titles=None, ids=None, days=1000):
    """Histories without any order, at random moments."""
    rng = np.random.default_rng(seed)
    item = np.concatenate([rng.choice(items, size=length, replace=False) for _ in range(users)])
    ids = ids or [f"x{index}" for index in rng.permutation(items)]
    titles = titles or [f"title {index}" for index in range(items)]
    return Dataset(
        "random",
        Interactions.from_columns(
            [f"u{user}" for user in np.repeat(np.arange(users), length)],
            [ids[index] for index in item],
            timestamp=rng.integers(0, days, size=users * length),
        ),
        Catalog(pa.table({"item_id": ids, "title": titles})),
        IdMap([f"u{user}" for user in range(users)]),
    )


def found(findings):
    return {finding.check: finding for finding in findings}


def with_history(part, row, history):
    histories = [*part.histories]
    histories[row] = np.array(history, dtype=np.int32)
    return EvalSet(part.users, histories, part.targets)


@pytest.fixture(scope="module")
def dataset():
    return random_dataset()


@pytest.fixture(scope="module")
def split(dataset):
    return leave_last_out(dataset)


def test_random_data_are_clean_but_for_time(dataset, split):
    findings = audit(split, dataset, TUNED)
    assert [finding.check for finding in findings if finding.severity != "ok"] == ["training after the question"]
    assert worst(findings) == "notable"
    assert len({finding.check for finding in findings}) == len(findings) == 12
    assert all(finding.sentence.endswith(".") for finding in findings)


def test_the_temporal_split_has_no_training_after_the_test(dataset):
    findings = found(audit(global_temporal(dataset, 0.2, 0.2), dataset, TUNED))
    assert findings["training after the question"].severity == "ok"
    assert findings["time decides the target"].severity == "ok"
    assert findings["training knows the answer"].severity == "ok"


def test_a_temporal_split_that_breaks_its_promise_is_found(dataset):
    split = global_temporal(dataset, 0.2, 0.2)
    finding = found(audit(replace(split, train=dataset), dataset, TUNED))["training after the question"]
    assert finding.severity == "problem"
    assert finding.count == len(split.test)


def test_how_much_of_the_training_is_younger_by_counting(dataset, split):
    finding = found(audit(split, dataset, TUNED))["training after the question"]
    trained, histories = split.train.histories.timestamps, dataset.histories
    asked = [histories.timestamps[histories.indptr[user + 1] - 1] for user in split.test.users]
    assert finding.count == sum(bool((trained > time).any()) for time in asked)
    share = np.mean([(trained > time).mean() for time in asked])
    assert f"on average {share:.1%}" in finding.sentence


def test_training_that_has_the_answers_is_found(dataset, split):
    finding = found(audit(replace(split, train=dataset), dataset, TUNED))["training knows the answer"]
    assert finding.severity == "problem"
    # Of each of 40 users the last item is beyond the test history, the last two beyond the validation history.
    assert finding.count == 40 * (1 + 2)
    assert f"{40 * 2} of them with the very target" in finding.sentence


def test_one_training_interaction_too_many_is_found(dataset, split):
    answer = (dataset.user_indices == 7) & (dataset.item_indices == split.test.targets[7][0])
    table = pa.concat_tables([split.train.interactions.table, dataset.interactions.table.filter(answer)])
    leaky = replace(split, train=dataset.with_interactions(table))
    finding = found(audit(leaky, dataset, TUNED))["training knows the answer"]
    # Once against the history of the validation question, once against that of the test question.
    assert (finding.severity, finding.count) == ("problem", 2)
    assert "1 of them with the very target" in finding.sentence


def test_a_target_in_the_history_is_found(dataset, split):
    history = [*split.test.histories[3], split.test.targets[3][0]]
    finding = found(audit(replace(split, test=with_history(split.test, 3, history)), dataset, TUNED))[
        "target in history"
    ]
    assert (finding.severity, finding.count) == ("notable", 1)
    assert "1 of 40 test targets" in finding.sentence


def test_a_test_target_that_tuning_saw_is_found(dataset, split):
    history = [*split.validation.histories[3], split.test.targets[3][0]]
    leaky = replace(split, validation=with_history(split.validation, 3, history))
    finding = found(audit(leaky, dataset, TUNED))["validation knows the answer"]
    assert (finding.severity, finding.count) == ("problem", 1)


def test_moments_of_the_questions_with_repeats():
    # One user: item 0 at 1 and 5, item 1 at 3. The target 0 is the second time.
    dataset = Dataset(
        "d",
        Interactions.from_columns(["u"] * 3, ["a", "b", "a"], timestamp=[1, 3, 5]),
        Catalog(pa.table({"item_id": ["a", "b"], "title": ["a", "b"]})),
        IdMap(["u"]),
    )
    assert question_times(leave_last_out(dataset).test, dataset).tolist() == [5]
    assert question_times(leave_last_out(dataset).validation, dataset).tolist() == [3]
    finding = found(audit(leave_last_out(dataset), dataset, TUNED))["target in history"]
    assert finding.count == 1


def test_ties_that_decide_the_target_are_counted():
    dataset = random_dataset(days=6)
    split, histories = leave_last_out(dataset), dataset.histories
    last = histories.indptr[1:] - 1
    wanted = int((histories.timestamps[last] == histories.timestamps[last - 1]).sum())
    finding = found(audit(split, dataset, TUNED))["time decides the target"]
    assert (finding.severity, finding.count) == ("notable", wanted)
    assert wanted > 5
    temporal = global_temporal(dataset, 0.2, 0.2)
    assert found(audit(temporal, dataset, TUNED))["time decides the target"].count == 0


def test_data_without_time_say_so(dataset):
    timeless = replace(dataset, time="order")
    findings = found(audit(leave_last_out(timeless), timeless, TUNED))
    for check in ("training after the question", "time decides the target"):
        assert findings[check].severity == "notable"
        assert "no timestamps" in findings[check].sentence


def test_targets_without_training(dataset, split):
    target = split.test.targets[0][0]
    fewer = split.train.with_interactions(split.train.item_indices != target)
    finding = found(audit(replace(split, train=fewer), dataset, TUNED))["targets without training"]
    assert finding.count == (np.concatenate(split.test.targets) == target).sum()
    assert finding.severity == "notable"


def test_cold_items_are_cold_and_one_that_is_not_is_found(dataset):
    split = cold_items(dataset)
    assert found(audit(split, dataset, TUNED))["targets without training"].severity == "ok"
    finding = found(audit(replace(split, train=dataset), dataset, TUNED))["targets without training"]
    assert finding.severity == "problem"


def test_ids_numbered_along_the_histories_are_found():
    # Every user goes from an item to the next one, as where ids are given out while reading the histories.
    dataset = toy_dataset(users=40, items=60)
    finding = found(audit(leave_last_out(dataset), dataset, TUNED))["order of ids"]
    assert finding.severity == "notable"
    assert "go to the next item of the catalog" in finding.sentence


@pytest.mark.parametrize("follow", ["time", "popularity"])
def test_ids_that_follow_time_or_popularity_are_found(dataset, follow):
    histories = dataset.histories
    if follow == "time":
        value = [histories.timestamps[histories.items == item].min() for item in range(60)]
    else:
        value = -histories.item_counts(60)
    catalog = Catalog(dataset.catalog.table.take(np.argsort(value, kind="stable")))
    sorted_ids = replace(dataset, catalog=catalog)
    finding = found(audit(leave_last_out(sorted_ids), sorted_ids, TUNED))["order of ids"]
    assert finding.severity == "notable"
    assert (
        "first met (rank correlation +1.00)" if follow == "time" else "were met (rank correlation -"
    ) in finding.sentence


@pytest.mark.parametrize(("by", "ids"), [("catalog", None), ("ids", [str(7 * index % 60) for index in range(60)])])
def test_ties_sorted_by_id_are_a_problem(by, ids):
    dataset = random_dataset(days=3, ids=ids)
    rank = (
        dataset.item_indices
        if by == "catalog"
        else np.array([int(i) for i in dataset.catalog.ids.ids])[dataset.item_indices]
    )
    in_order = dataset.with_interactions(np.argsort(rank, kind="stable"))
    finding = found(audit(leave_last_out(in_order), in_order, TUNED))["order inside ties"]
    assert finding.severity == "problem"
    assert "in 100.0% of these steps the id goes up" in finding.sentence
    assert found(audit(leave_last_out(dataset), dataset, TUNED))["order inside ties"].severity == "ok"


def test_ties_sorted_by_half_are_notable():
    dataset = random_dataset(days=3)
    half = np.where(np.random.default_rng(1).random(480) < 0.5, dataset.item_indices, 0)
    mixed = dataset.with_interactions(np.argsort(half, kind="stable"))
    assert found(audit(leave_last_out(mixed), mixed, TUNED))["order inside ties"].severity == "notable"


def test_titles_that_give_the_id_away():
    ids = [f"x{index}" for index in range(60)]
    leaky = random_dataset(ids=ids, titles=[f"title ({item_id})" for item_id in ids])
    finding = found(audit(leave_last_out(leaky), leaky, TUNED))["id in title"]
    assert (finding.severity, finding.count) == ("notable", 60)
    # Numbers that are ids of others as often as the item's own.
    numbered = random_dataset(ids=[str(index) for index in range(60)], titles=[f"part {i % 2}" for i in range(60)])
    findings = found(audit(leave_last_out(numbered), numbered, TUNED))
    assert findings["id in title"].severity == "ok"
    assert (findings["titles that stand twice"].severity, findings["titles that stand twice"].count) == ("notable", 60)


@pytest.mark.parametrize("form", ["SKU-{:03d}", "a/{}", "x.{}", "item {}", "#{}!", "a-b-c-d-e-f-{}", "Ähre{}"])
@pytest.mark.parametrize("case", [str, str.upper, str.lower])
def test_own_ids_are_found_whatever_their_characters_and_case(form, case):
    ids = [form.format(index) for index in range(60)]
    leaky = random_dataset(ids=ids, titles=[f"Thing ({case(item_id)})" for item_id in ids])
    findings = found(audit(leave_last_out(leaky), leaky, TUNED))
    assert (findings["id in title"].severity, findings["id in title"].count) == ("notable", 60)
    assert findings["id of another in title"].count == 0


def test_an_id_inside_a_longer_word_is_none():
    ids = [f"a/{index:02d}" for index in range(60)]
    titles = [f"x{item_id} and {item_id}5" for item_id in ids]
    findings = found(audit_of(random_dataset(ids=ids, titles=titles)))
    assert findings["id in title"].count == findings["id of another in title"].count == 0


def audit_of(dataset):
    return audit(leave_last_out(dataset), dataset, TUNED)


def chain(ids, titles, users=40, length=8):
    """Every user goes from an item to the next one."""
    item = np.concatenate([(7 * user + np.arange(length)) % len(ids) for user in range(users)])
    return Dataset(
        "chain",
        Interactions.from_columns(
            [f"u{user}" for user in np.repeat(np.arange(users), length)],
            [ids[index] for index in item],
            timestamp=np.tile(np.arange(length), users),
        ),
        Catalog(pa.table({"item_id": ids, "title": titles})),
        IdMap([f"u{user}" for user in range(users)]),
    )


@pytest.mark.parametrize("form", ["x{:03d}", "SKU-{:03d}", "{}", "{} b"])
def test_titles_that_name_the_next_item_are_found(form):
    ids = [form.format(index) for index in np.random.default_rng(0).permutation(60)]
    titles = [f"Thing, goes before {ids[(index + 1) % 60].upper()}." for index in range(60)]
    finding = found(audit_of(chain(ids, titles)))["id of another in title"]
    assert (finding.severity, finding.count) == ("notable", 60)
    assert "in 60 of them it is the item that comes next" in finding.sentence


def test_titles_that_name_any_other_item_are_found_where_ids_are_no_chance():
    ids = [f"SKU-{index:03d}" for index in range(60)]
    titles = [f"Thing {index}, fits {ids[0]}" if 10 <= index < 15 else f"Thing {index}" for index in range(60)]
    finding = found(audit_of(random_dataset(ids=ids, titles=titles)))["id of another in title"]
    assert (finding.severity, finding.count) == ("notable", 5)
    assert "in 0 of them" in finding.sentence


@pytest.mark.parametrize(
    ("ids", "titles"),
    [
        ([str(1950 + index) for index in range(60)], [f"Film {index} ({1950 + index % 60})" for index in range(3, 63)]),
        (["alien", "matrix", *(f"film{index}" for index in range(58))], ["Alien", "Aliens", *["Matrix, alien"] * 58]),
        ([f"x{index}" for index in range(60)], [f"BMW X{index % 9} number {index}" for index in range(3, 63)]),
    ],
)
def test_years_words_and_short_ids_name_no_other_item(ids, titles):
    finding = found(audit_of(random_dataset(ids=ids, titles=titles)))["id of another in title"]
    assert (finding.severity, finding.count) == ("ok", 0)


@pytest.mark.parametrize("what", ["first met", "were met"])
def test_ids_that_follow_time_or_popularity_are_found_in_a_shuffled_catalog(what):
    dataset = random_dataset(seed=3, ids=[f"x{index}" for index in np.random.default_rng(0).permutation(60)])
    assert found(audit_of(dataset))["order of ids"].severity == "ok"
    histories = dataset.histories
    first = [histories.timestamps[histories.items == item].min() for item in range(60)]
    value = first if what == "first met" else histories.item_counts(60)
    ids = [str(number) for number in 95 + np.argsort(np.argsort(value, kind="stable"))]
    numbered = random_dataset(seed=3, ids=ids)
    finding = found(audit_of(numbered))["order of ids"]
    assert finding.severity == "notable"
    assert "the order of the sorted ids follows" in finding.sentence
    assert f"{what} (rank correlation +" in finding.sentence
    assert "the order of the catalog follows" not in finding.sentence


def test_the_order_of_a_small_catalog_is_seldom_found_by_chance():
    alarms = [order_of_ids(random_dataset(seed=seed)).severity != "ok" for seed in range(100)]
    assert sum(alarms) <= 5


def test_ids_numbered_along_the_histories_are_found_in_a_shuffled_catalog():
    ids = [str(100 + index) for index in range(60)]
    dataset = chain(ids, ids)
    shuffled = Catalog(dataset.catalog.table.take(np.random.default_rng(0).permutation(60)))
    finding = found(audit_of(replace(dataset, catalog=shuffled)))["order of ids"]
    assert "go to the next item of the sorted ids" in finding.sentence


def test_tuning_on_the_test_part_is_found_and_so_is_no_record(dataset, split):
    finding = found(audit(split, dataset, {**TUNED, "sasrec": "test"}))["tuning"]
    assert (finding.severity, finding.count) == ("problem", 1)
    assert "sasrec (test)" in finding.sentence
    assert found(audit(split, dataset))["tuning"].severity == "notable"


def test_another_data_set_is_refused(split):
    with pytest.raises(ConfigError, match="of another data set"):
        audit(split, toy_dataset())


def test_folds_are_clean_and_users_in_two_places_are_found(dataset):
    splits = user_folds(dataset, folds=4)
    findings = audit_folds(splits, dataset, TUNED)
    assert worst(findings) == "notable"
    assert [finding.severity for finding in findings[-3:]] == ["ok", "ok", "ok"]
    again = found(audit_folds([*splits, splits[0]], dataset, TUNED))
    assert (again["users of two folds"].severity, again["users of two folds"].count) == ("problem", 10)
    trained = found(audit_folds([replace(splits[0], train=dataset), *splits[1:]], dataset, TUNED))
    assert (trained["users trained and asked"].severity, trained["users trained and asked"].count) == ("problem", 20)
    assert trained["training knows the answer"].severity == "problem"
    with pytest.raises(ConfigError, match="no folds"):
        audit_folds([], dataset)


def test_the_fold_that_a_number_is_of_is_named(dataset):
    splits = user_folds(dataset, folds=4)
    history = [*splits[2].test.histories[3], splits[2].test.targets[3][0]]
    leaky = replace(splits[2], test=with_history(splits[2].test, 3, history))
    findings = found(audit_folds([*splits[:2], leaky, splits[3]], dataset, TUNED))
    assert findings["target in history"].sentence.startswith("Fold 3 of 4, the gravest: 1 of 10 test targets")
    # What all folds say alike is of the run.
    for check in ("training knows the answer", "order of ids", "tuning"):
        assert not findings[check].sentence.startswith("Fold")


def test_users_with_the_same_history_are_found_across_folds():
    dataset = toy_dataset(users=48, items=24, length=10)  # users 24 to 47 repeat users 0 to 23
    finding = audit_folds(user_folds(dataset, folds=4), dataset, TUNED)[-1]
    assert finding.check == "twins"
    assert finding.severity == "notable"
    assert 0 < finding.count <= 48


def test_findings_are_plain():
    assert Finding("a", "ok", "Fine.", 2).as_dict() == {"check": "a", "severity": "ok", "sentence": "Fine.", "count": 2}
    assert worst([]) == "ok"
