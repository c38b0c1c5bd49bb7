"""``genrec benchmark``: options, exit status, what goes where, configs that ship."""

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from genrec.benchmark.config import BenchmarkConfig, seconds
from genrec.benchmark.models import NAMED_MODELS
from genrec.benchmark.tuning import sample_grid
from genrec.cli.benchmark import app, choose, split_dataset
from genrec.data.dataset import Dataset
from genrec.errors import ConfigError, UnsupportedError
from genrec.shipped import shipped_files, shipped_path
from genrec.testing import ScorerContract, toy_dataset

DOCS = shipped_path("eval/README.md").parents[1] / "docs" / "benchmark.md"


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def mine(tmp_path):
    """The scorer of the docs."""
    code = re.search(r"```python\n(# mine\.py.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    path = tmp_path / "mine.py"
    path.write_text(code[1])
    return path


def test_the_scorer_of_the_docs_runs_beside_a_model_that_fails_and_the_status_says_so(run, tmp_path, mine):
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from genrec.baselines import Popularity\n"
        "class Bad(Popularity):\n    name = 'bad'\n    def fit(self, dataset): raise OSError('disk')\n"
    )
    arguments = ["--data", "toy", "--models", "popularity", "--scorer", f"{mine}:LastSeen", "--scorer", f"{bad}:Bad"]
    result = run(*arguments, "--filter-seen", "--json", "--out", tmp_path / "r")
    assert result.exit_code == 1
    printed = json.loads(result.stdout)
    assert printed == json.loads((tmp_path / "r" / "report.json").read_text())
    assert [(m["name"], m["status"]) for m in printed["models"]] == [
        ("popularity", "done"),
        ("last-seen", "done"),
        ("bad", "failed"),
    ]
    assert "OSError: disk" in result.stderr
    assert "NDCG@10 0.4498" in result.stderr


def test_the_scorer_of_the_docs_passes_the_contract_of_the_docs(mine):
    contract = re.search(r"```python\n(from genrec\.testing import ScorerContract.*?)```", DOCS.read_text(), re.DOTALL)
    (mine.parent / "test_mine.py").write_text(f"from mine import LastSeen\n{contract[1]}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=mine.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_scorer_of_the_docs_has_ten_lines(mine):
    lines = [line for line in mine.read_text().splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith(("#", "import", "from"))]) <= 10


def test_no_data_is_a_usage_error(run):
    result = run()
    assert result.exit_code == 2
    assert "--data and --out are needed" in result.stderr


def test_compare_prints_a_table_and_json(run, tmp_path):
    for name in "ab":
        assert run("--data", "toy", "--models", "popularity", "--out", tmp_path / name).exit_code == 0
    result = run("compare", tmp_path / "a", tmp_path / "b")
    assert result.exit_code == 0
    assert "same questions" in result.stdout
    found = json.loads(run("compare", tmp_path / "a", tmp_path / "b", "--json").stdout)
    assert found["paired"] is True
    assert all(change["difference"] == 0 for change in found["changes"])


def test_models_lists_every_model(run):
    found = json.loads(run("models", "--json").stdout)
    assert [entry["name"] for entry in found] == list(NAMED_MODELS)
    assert all(name in run("models").stdout for name in NAMED_MODELS)


def test_every_config_that_ships_is_valid_and_names_models_there_are():
    files = shipped_files("eval/configs")
    assert {file.stem for file in files} >= {"quick", "ml-100k", "amazon-beauty", "full"}
    for file in files:
        config = BenchmarkConfig.load(shipped_path(file.as_posix()), {})
        assert set(config.models) <= set(NAMED_MODELS), file
        assert set(config.grids) <= set(NAMED_MODELS), file


@pytest.mark.parametrize("name", list(NAMED_MODELS))
def test_every_model_can_be_built_of_every_value_of_its_grid(name):
    model = NAMED_MODELS[name]
    for params in sample_grid(model.grid, trials=12):
        assert model.build(**params).name


def test_all_models_are_chosen_the_cheap_first_then_ones_own(mine):
    chosen = choose(BenchmarkConfig(), toy_dataset(), [], [f"{mine}:LastSeen"])
    families = [entrant.family for entrant in chosen]
    assert {entrant.name for entrant in chosen} == {*NAMED_MODELS, "last-seen"}
    assert set(families[: families.index("own")]) == {"floor", "cf"}
    assert families[-1] == "ceiling"


@pytest.mark.parametrize("key", ["grids: {eas: {regularization: [1.0]}}", "max_users: {eas: 3}", "max_seeds: {eas: 1}"])
def test_settings_of_a_model_that_there_is_not_are_refused(tmp_path, key):
    path = tmp_path / "x.yaml"
    path.write_text(f"models: [popularity]\n{key}\n")
    with pytest.raises(ConfigError, match=f"{key.split(':')[0]}: there is no model 'eas'") as caught:
        choose(BenchmarkConfig.load(path, {}), toy_dataset(), [], [])
    assert "did you mean ease" in caught.value.hint


def test_settings_of_a_model_that_does_not_take_part_are_kept_for_when_it_does(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("models: [popularity]\ngrids: {ease: {regularization: [1.0]}}\n")
    assert [entrant.name for entrant in choose(BenchmarkConfig.load(path, {}), toy_dataset(), [], [])] == ["popularity"]


def test_sampled_negatives_are_refused_with_the_reason(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("negatives: 100\n")
    with pytest.raises(UnsupportedError, match="sampled metrics do not estimate those of the whole catalog"):
        BenchmarkConfig.load(path, {})


def test_options_win_over_the_file_and_grids_replace_a_models_own(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("models: [ease]\ntrials: 2\ngrids: {ease: {regularization: [7.0]}}\n")
    config = BenchmarkConfig.load(path, {"trials": 4})
    assert (config.trials, config.budget) == (4, "30m")
    [entrant] = choose(config, toy_dataset(), [], [])
    assert sample_grid(entrant.grid, 6) == [{"regularization": 7.0}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trails: 3", "x.yaml: trails: Extra inputs are not permitted"),
        ("budget: 10 minutes", "'10 minutes' is no length of time"),
        ("- ease", "must be a mapping"),
        ("models: [", "is not YAML"),
        ("ks: [0]", "cut-offs are 1 or more"),
        ("trials: 0", "trials"),
    ],
)
def test_what_is_wrong_with_a_config_is_said(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        BenchmarkConfig.load(path, {})


def test_a_config_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        BenchmarkConfig.load(tmp_path / "none.yaml", {})


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("none", None)])
def test_lengths_of_time(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["0m", "10", "m", "-3m", "1d"])
def test_what_is_no_length_of_time(text):
    with pytest.raises(ValueError, match="no length of time"):
        seconds(text)


@pytest.mark.parametrize(
    ("name", "folds"),
    [("leave-last-out", 1), ("global-temporal", 1), ("next-basket", 1), ("cold-items", 1), ("k-fold", 3)],
)
def test_splits_by_name(name, folds):
    splits = split_dataset(Dataset.load("toy"), name, folds=3)
    assert len(splits) == folds
    assert all(len(split.test) for split in splits)


def test_the_contract_is_where_the_docs_say():
    assert ScorerContract.__name__ == "ScorerContract"
    assert "from genrec.testing import ScorerContract" in DOCS.read_text(encoding="utf-8")
