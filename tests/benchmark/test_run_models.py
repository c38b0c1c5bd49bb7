"""A whole run: every model in a process of its own, failures told, budgets kept, finished models not run again."""

import json
import logging
import shutil
import textwrap
from dataclasses import replace

import numpy as np
import pytest

from genrec.baselines import Popularity, Random
from genrec.benchmark.entrants import Entrant, named_entrants, own_entrant
from genrec.benchmark.machine import machine, machine_line, versions, versions_line
from genrec.benchmark.report.build import build_report
from genrec.benchmark.runner import Listener, Settings, run_models
from genrec.benchmark.store import ModelFolder
from genrec.data.folds import user_folds
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.shipped import shipped_path
from genrec.testing import toy_dataset

MIB = 2**20

SCORERS = """
import os, time
import numpy as np
from genrec.baselines import Popularity
from genrec.errors import DataError

class Raises(Popularity):
    name = "raises"
    def fit(self, dataset):
        raise ValueError("no luck")

class Dies(Popularity):
    name = "dies"
    def fit(self, dataset):
        os._exit(3)

class Sleeps(Popularity):
    name = "sleeps"
    def fit(self, dataset):
        time.sleep(600)

class Wide(Popularity):
    name = "wide"
    def fit(self, dataset):
        np.ones(150 * 2**20 // 8).sum()
        return super().fit(dataset)

class Homeless(Popularity):
    name = "homeless"
    def fit(self, dataset):
        raise DataError("users have no address", hint="import them with one")

class Broken(Popularity):
    name = "broken"
    def fit(self, dataset):
        return None

class Seeded(Popularity):
    name = "seeded"
    def __init__(self, seed: int = 0, flip: bool = False):
        super().__init__()
        self.seed, self.flip = seed, flip
    def score(self, histories):
        noise = np.random.default_rng(self.seed).random((1, 24)).astype(np.float32) * 1e3
        return super().score(histories) + noise * self.flip

class Later(Seeded):
    name = "later"
    def __init__(self, seed: int = 1):
        super().__init__(seed, flip=True)

class Tires(Seeded):
    name = "tires"
    def __init__(self, seed: int = 0):
        super().__init__(seed)
    def fit(self, dataset):
        time.sleep(600 * (self.seed > 1))
        return super().fit(dataset)

class Late(Popularity):
    name = "late"
    def recommend(self, histories, k, exclude=None):
        ranking = super().recommend(histories, k, exclude)
        ranking.items[2:, 0] = 99
        return ranking

class Stubborn(Popularity):
    name = "stubborn"
    def recommend(self, histories, k, exclude=None):
        return super().recommend(histories, k, exclude if len(histories) < 3 else None)

class Ponders(Popularity):
    name = "ponders"
    def score(self, histories):
        time.sleep(3)
        return super().score(histories)
    def recommend(self, histories, k, exclude=None):
        return Popularity.recommend(Popularity().fit(self.dataset), histories, k, exclude)
    def fit(self, dataset):
        self.dataset = dataset
        return super().fit(dataset)
"""


@pytest.fixture
def scorers(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(SCORERS))
    return lambda name, **grid: own_entrant(f"{file}:{name}", {name.lower(): grid} if grid else {})


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


class Heard(Listener):
    def __init__(self):
        self.trials, self.kept = [], []

    def hears(self, entrant, what):
        self.trials.append((entrant.name, what))

    def ends(self, finished, kept):
        self.kept.append((finished.entry.name, kept))


def test_models_are_as_good_as_in_one_process_and_one_that_fails_or_dies_stops_no_other(split, scorers, tmp_path):
    popularity = named_entrants(["popularity"], {})
    found = run_models([split], [scorers("Raises"), scorers("Dies"), *popularity], tmp_path, Settings())
    raises, dies, good = (one.entry for one in found)
    assert (raises.status, raises.note) == ("failed", "ValueError: no luck")
    assert "no luck" in (ModelFolder.of(tmp_path, "raises").path / "log.txt").read_text()
    assert dies.status == "failed"
    assert "ended with status 3" in dies.note
    assert good.status == "done"
    for evaluation in found[2].evaluations:
        expected = evaluate(Popularity().fit(split.train), split.test, filter_seen=evaluation.filter_seen)
        np.testing.assert_array_equal(evaluation.items, expected.items)
        assert evaluation.per_user.keys() == expected.per_user.keys()
        for name, values in expected.per_user.items():
            np.testing.assert_array_equal(evaluation.per_user[name], values)
    validation = evaluate(Popularity().fit(split.train), split.validation, (10,)).metrics["ndcg@10"]
    assert good.validation_ndcg == pytest.approx(validation)
    assert good.cost is not None
    assert [found.batch_size for found in good.cost.latency] == [1, 32]
    assert good.cost.fit_peak_bytes >= good.cost.base_bytes > 0


def test_memory_is_each_models_own(split, scorers, tmp_path):
    settings = Settings(modes=(True,))
    wide, small = run_models([split], [scorers("Wide"), *named_entrants(["popularity"], {})], tmp_path, settings)
    costs = wide.entry.cost, small.entry.cost
    assert costs[0].fit_peak_bytes - costs[0].base_bytes > 140 * MIB
    assert costs[0].serve_peak_bytes - costs[0].base_bytes < 100 * MIB
    assert costs[1].fit_peak_bytes - costs[1].base_bytes < 100 * MIB


def test_a_budget_tells_what_it_did_not_reach(split, scorers, tmp_path):
    settings = Settings(modes=(True,), budget_seconds=8)
    sleeps, popularity = run_models(
        [split], [scorers("Sleeps"), *named_entrants(["popularity"], {})], tmp_path, settings
    )
    assert sleeps.entry.status == "not run"
    assert sleeps.entry.note.startswith("budget: one fit takes more than the 4 s")
    assert popularity.entry.status in {"done", "not run"}
    [late] = run_models([split], [scorers("Raises")], tmp_path, Settings(budget_seconds=1e-6))
    assert (late.entry.status, late.entry.note) == ("not run", "budget: it was spent before this model's turn")


def test_finished_models_are_kept_until_something_they_depend_on_changes(split, scorers, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    run = tmp_path / "run"
    settings = Settings(modes=(True,), trials=1)
    entrants = [*named_entrants(["popularity"], {}), scorers("Seeded"), scorers("Raises")]
    first = run_models([split], entrants, run, settings)
    heard = Heard()
    second = run_models([split], entrants, run, settings, heard)
    assert heard.kept == [("popularity", True), ("seeded", True), ("raises", False)]  # a failure is tried again
    assert second[0].entry == first[0].entry
    np.testing.assert_array_equal(second[0].evaluations[0].items, first[0].evaluations[0].items)
    caplog.clear()
    (tmp_path / "mine.py").write_text(textwrap.dedent(SCORERS) + "\n# changed\n")
    heard = Heard()
    run_models([split], entrants[:2], run, settings, heard)
    assert heard.kept == [("popularity", True), ("seeded", False)]
    assert "seeded is run again: the data, the settings, the model or genrec changed" in caplog.text
    heard = Heard()
    other = leave_last_out(toy_dataset(users=61))
    run_models([other], entrants[:1], run, settings, heard)
    assert heard.kept == [("popularity", False)]


def test_seeds_are_averaged_user_by_user(split, scorers, tmp_path):
    settings = Settings(modes=(True,), seeds=3)
    [found] = run_models([split], [scorers("Seeded", flip=[True])], tmp_path, settings)
    module = __import__("sys").modules["genrec_own_mine"]
    runs = [
        evaluate(module.Seeded(seed=seed, flip=True).fit(split.train), split.test, filter_seen=True)
        for seed in range(3)
    ]
    expected = np.mean([run.per_user["ndcg@10"] for run in runs], axis=0)
    np.testing.assert_allclose(found.evaluations[0].per_user["ndcg@10"], expected)
    assert found.seeds["filtered"]["ndcg@10"] == pytest.approx([run.metrics["ndcg@10"] for run in runs])
    for kept, run in zip(found.evaluations[0].rankings, runs, strict=True):
        np.testing.assert_array_equal(kept, run.items)
    assert len(set(found.seeds["filtered"]["ndcg@10"])) > 1


def test_seeds_are_distinct_whichever_is_the_models_own(split, scorers, tmp_path):
    [found] = run_models([split], [scorers("Later")], tmp_path, Settings(modes=(True,), seeds=3))
    module = __import__("sys").modules["genrec_own_mine"]
    expected = [evaluate(module.Later(seed).fit(split.train), split.test).metrics["ndcg@10"] for seed in (1, 0, 2)]
    assert found.seeds["filtered"]["ndcg@10"] == pytest.approx(expected)
    assert len(set(expected)) == 3


def test_a_budget_that_ends_during_seeds_leaves_what_was_measured(split, scorers, tmp_path):
    settings = Settings(modes=(True,), seeds=3, budget_seconds=10)
    [found] = run_models([split], [scorers("Tires")], tmp_path, settings)
    assert found.entry.status == "done"
    assert len(found.seeds["filtered"]["ndcg@10"]) == 2
    assert found.entry.unmeasured == ["3 seeds: it has 2, then the time was over"]
    for budget, kept in ((10, True), (11, False)):
        heard = Heard()
        run_models([split], [scorers("Tires")], tmp_path, replace(settings, budget_seconds=budget), heard)
        assert heard.kept == [("tires", kept)]


def test_what_a_budget_left_unmeasured_is_measured_with_a_larger_one(split, scorers, tmp_path):
    settings = Settings(modes=(True,), budget_seconds=10)
    [short] = run_models([split], [scorers("Ponders")], tmp_path, settings)
    assert [said.split(":")[0] for said in short.entry.unmeasured] == ["auc, seen items filtered"]
    [whole] = run_models([split], [scorers("Ponders")], tmp_path, replace(settings, budget_seconds=None))
    assert whole.entry.unmeasured == []
    assert "auc" in {probe.name for probe in whole.probes}


@pytest.mark.parametrize(
    ("name", "note"), [("Late", "an item that is not in the catalog"), ("Stubborn", "items that were excluded")]
)
def test_answers_that_are_none_fail_their_model_alone(split, scorers, tmp_path, name, note):
    entrants = [scorers(name), *named_entrants(["popularity"], {})]
    settings = Settings(modes=(True,))
    wrong, right = run_models([split], entrants, tmp_path, settings)
    assert wrong.entry.status == "failed"
    assert note in wrong.entry.note
    assert right.entry.status == "done"
    assert len(build_report([wrong, right], [split], toy_dataset(), settings).done()) == 1


def test_what_lies_in_the_folder_of_another_run_is_no_figure(split, tmp_path):
    few = named_entrants(["item-knn"], {"item-knn": {}}, max_users={"item-knn": 20})
    [asked] = run_models([split], few, tmp_path, Settings(modes=(True,)))
    assert len(asked.rows) == 20
    other = leave_last_out(toy_dataset(users=30))
    [found] = run_models([other], few, tmp_path, Settings(modes=(True,), budget_seconds=1e-9))
    assert found.entry.status == "not run"
    assert (found.rows, found.probes, found.evaluations) == (None, [], [])


def test_a_row_says_what_it_was_made_with(split, tmp_path):
    [found] = run_models([split], named_entrants(["popularity"], {}), tmp_path, Settings(modes=(True,)))
    assert found.entry.machine == machine_line(machine())
    assert found.entry.versions == versions_line(versions())


def test_a_model_that_takes_hours_may_have_fewer_seeds(split, scorers, tmp_path):
    file = str(tmp_path / "mine.py")
    settings = Settings(modes=(True,), seeds=3)
    limited = own_entrant(f"{file}:Seeded", {}, max_seeds={"seeded": 2})
    [found] = run_models([split], [limited], tmp_path / "run", settings)
    assert len(found.seeds["filtered"]["ndcg@10"]) == 2
    assert found.entry.unmeasured == ["3 seeds: it has 2, by max_seeds"]
    heard = Heard()
    run_models([split], [limited], tmp_path / "run", Settings(modes=(True,), seeds=2), heard)
    assert heard.kept == [("seeded", True)], "two seeds are what was asked for"
    run_models([split], [scorers("Seeded")], tmp_path / "run", settings, heard)
    assert heard.kept[1:] == [("seeded", False)], "three are more than it has"


def test_folds_are_tuned_alone_and_asked_together(tmp_path):
    splits = user_folds(toy_dataset(), 3)
    heard = Heard()
    entrants = named_entrants(["item-knn"], {"item-knn": {"neighbours": [1, 8]}})
    [found] = run_models(splits, entrants, tmp_path, Settings(modes=(True,)), heard)
    assert found.evaluations[0].num_users == sum(len(split.test) for split in splits)
    assert len(found.entry.trials) == 3 * 2
    assert found.entry.planned_trials == 2
    assert found.entry.cost.rank_seconds == pytest.approx(found.evaluations[0].seconds), "of all folds"


def test_seeds_of_folds_are_averaged(tmp_path):
    splits = user_folds(toy_dataset(), 3)
    [found] = run_models(splits, named_entrants(["random"], {}), tmp_path, Settings(modes=(True,), seeds=2))
    runs = [
        [evaluate(Random(seed).fit(split.train), split.test).per_user["ndcg@10"] for split in splits] for seed in (0, 1)
    ]
    expected = np.mean([np.concatenate(folds) for folds in runs], axis=0)
    np.testing.assert_allclose(found.evaluations[0].per_user["ndcg@10"], expected, atol=1e-12)
    of_seeds = [np.mean([fold.mean() for fold in folds]) for folds in runs]
    assert found.seeds["filtered"]["ndcg@10"] == pytest.approx(of_seeds)


def test_folds_that_a_budget_cut_are_run_again_with_another(tmp_path):
    splits = user_folds(toy_dataset(), 3)
    settings = Settings(modes=(True,), budget_seconds=1e6)
    entrants = named_entrants(["item-knn"], {"item-knn": {"neighbours": [1, 8]}})
    run_models(splits, entrants, tmp_path, settings)
    place = ModelFolder.of(tmp_path, "item-knn").path / "result.json"
    result = json.loads(place.read_text())
    result["entry"]["trials"] = result["entry"]["trials"][:4]  # as a cut leaves it: fewer than 3 folds times 2
    place.write_text(json.dumps(result))
    for budget, kept in ((1e6, True), (2e6, False)):
        heard = Heard()
        run_models(splits, entrants, tmp_path, replace(settings, budget_seconds=budget), heard)
        assert heard.kept == [("item-knn", kept)]


def test_an_edited_recipe_is_another_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [entrant] = named_entrants(["gpt-atomic"], {})
    before = entrant.digest()
    recipe = tmp_path / "finetune" / "configs" / "gpt-atomic.yaml"
    recipe.parent.mkdir(parents=True)
    shutil.copy(shipped_path("finetune/configs/gpt-atomic.yaml"), recipe)
    assert entrant.digest() == before, "a copy changes nothing"
    recipe.write_text(recipe.read_text().replace("epochs: 16", "epochs: 1"))
    assert entrant.build({}, toy_dataset()).config.training.epochs == 1
    assert entrant.digest() != before


def test_another_class_of_the_same_file_is_another_model(split, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(SCORERS) + '\nclass Other(Popularity):\n    name = "seeded"\n')
    for name, kept in (("Seeded", False), ("Other", False), ("Other", True)):
        heard = Heard()
        run_models([split], [own_entrant(f"{file}:{name}", {})], tmp_path / "run", Settings(modes=(True,)), heard)
        assert heard.kept == [("seeded", kept)]


def test_names_must_be_there_and_distinct(split, tmp_path):
    with pytest.raises(ConfigError, match="nothing to benchmark"):
        run_models([split], [], tmp_path, Settings())
    with pytest.raises(ConfigError, match="two models have the name 'ease'"):
        run_models([split], named_entrants(["ease", "ease"], {}), tmp_path, Settings())


def test_models_of_names_that_no_file_can_have_do_not_meet(tmp_path):
    names = ["a/b", "a_b", "..", "a b", "ease+text"]
    folders = [ModelFolder.of(tmp_path, name).path for name in names]
    assert len(set(folders)) == len(names)
    assert all(folder.parent == tmp_path / "models" for folder in folders)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mine.py", "names no scorer"),
        ("nowhere.py:Mine", "no file nowhere.py"),
        ("{file}:Nobody", "has no class 'Nobody'"),
        ("{file}:os", "has no class 'os'"),
        ("{bad}:Mine", "line 2: ZeroDivisionError"),
        ("{bare}:Plain", "is not a genrec Scorer"),
        ("{bare}:Half", "lacks score, name, serves_cold_users, serves_cold_items"),
    ],
)
def test_what_is_wrong_with_ones_own_scorer_is_said(tmp_path, spec, message):
    file, bad, bare = (tmp_path / name for name in ("mine.py", "bad.py", "bare.py"))
    file.write_text(SCORERS)
    bad.write_text("\n1 / 0\n")
    bare.write_text(
        "from genrec.baselines import Scorer\nclass Plain: ...\n"
        "class Half(Scorer):\n    def fit(self, dataset): return self\n"
    )
    with pytest.raises(ConfigError, match=message):
        own_entrant(spec.format(file=file, bad=bad, bare=bare), {})


def test_an_entrant_is_built_of_its_setting(split):
    entrant = Entrant("item-knn", "cf", "named", "item-knn", {"neighbours": [7]})
    assert vars(entrant.build({"neighbours": 7}, split.train))["neighbours"] == 7


def test_what_cannot_run_here_is_told_apart_from_what_is_broken(split, scorers, tmp_path):
    toy = toy_dataset()
    timeless = leave_last_out(type(toy)("timeless", toy.interactions, toy.catalog, toy.users, time="order"))
    entrants = [*named_entrants(["popularity-recent"], {}), scorers("Homeless"), scorers("Broken")]
    recent, homeless, broken = (one.entry for one in run_models([timeless], entrants, tmp_path, Settings()))
    assert recent.status == "not run"
    assert recent.note == (
        "the data set has no timestamps, so what is recent is not known; "
        "use all-time popularity, or import the data with their timestamps"
    )
    assert (homeless.status, homeless.note) == ("not run", "users have no address; import them with one")
    assert broken.status == "failed"
    assert "must return self" in broken.note
    heard = Heard()
    run_models([timeless], entrants[:1], tmp_path, Settings(), heard)
    assert heard.kept == [("popularity-recent", False)]  # what was missing may be there now
