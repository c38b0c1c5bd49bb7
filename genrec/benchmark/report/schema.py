"""``report.json``: everything a benchmark found, in one documented, versioned shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from genrec.benchmark.cost import Latency
from genrec.evaluation import bootstrap

SCHEMA_VERSION: Literal[1] = 1
MAIN_METRIC = "ndcg@10"
LIFT = "popularity_lift@10"

Params = dict[str, Any]


class Interval(BaseModel, extra="forbid"):
    """A mean over users with its 95 % bootstrap interval."""

    mean: float
    """Over the users."""

    low: float
    """Lower end."""

    high: float
    """Upper end."""

    @classmethod
    def of(cls, interval: bootstrap.Interval) -> Interval:
        """Take what the bootstrap found."""
        return cls(mean=interval.mean, low=interval.low, high=interval.high)


class TrialEntry(BaseModel, extra="forbid"):
    """One setting that tuning tried."""

    params: Params
    """Keywords the model was built with."""

    outcome: Literal["done", "time", "failed"]
    """``time``: cut by the budget."""

    ndcg: float | None
    """NDCG@10 on the validation part."""

    fit_seconds: float
    """Of ``fit`` alone."""

    seconds: float
    """Of fitting and validating."""

    note: str = ""
    """Error of a failed trial."""


class Cost(BaseModel, extra="forbid"):
    """What the chosen model cost, in a process of its own."""

    fit_seconds: float
    """Of the kept trial's ``fit``; 0 for a model that came fitted."""

    rank_seconds: float
    """To rank the catalog for all test questions once."""

    base_bytes: int
    """Resident memory of the process before it fitted anything: Python and the libraries that all models need."""

    fit_peak_bytes: int
    """Peak resident memory while fitting, `base_bytes` included."""

    serve_peak_bytes: int
    """Peak resident memory while serving batches of 1 and 32, `base_bytes` included."""

    model_bytes: int
    """Of the arrays and tensors that the fitted model holds."""

    latency: list[Latency]
    """At batch sizes 1 and 32."""


class SliceEntry(BaseModel, extra="forbid"):
    """A model on a part of the users, or of the target items."""

    group: str
    """What is cut by: history length, target popularity, a user attribute ..."""

    name: str
    """Which part."""

    users: int
    """Test questions in it."""

    metrics: dict[str, Interval]
    """By name and cut-off."""


class ShortEntry(BaseModel, extra="forbid"):
    """A model that sees only the latest items of each history, on a sample of the users."""

    items: int | None
    """Items it sees; null for whole histories, of the same users."""

    users: int
    """Test questions asked."""

    metrics: dict[str, Interval]
    """By name and cut-off."""


class GapEntry(BaseModel, extra="forbid"):
    """The groups of users that a model serves best and worst."""

    group: str
    """What the users are grouped by."""

    metric: str
    """What is measured, such as ``"ndcg@10"``."""

    best: str
    """Group with the highest mean, of those with enough questions."""

    worst: str
    """Group with the lowest."""

    difference: Interval
    """Between the means of the two; the interval lies too high, because they were chosen for their distance."""

    p_value: float
    """Share of random groupings into groups of these sizes whose gap is as large."""

    p_holm: float
    """Corrected for the ways in which the users of this model are grouped."""

    left_out: list[str]
    """Groups of too few questions."""


class ModeEntry(BaseModel, extra="forbid"):
    """A model on the test part, with seen items filtered or kept."""

    filter_seen: bool
    """Whether items of the history were kept out of the ranking."""

    users: int
    """Test questions asked; fewer than there are, of a model with a limit of users."""

    metrics: dict[str, Interval]
    """Accuracy by name and cut-off, ``"ndcg@10"``; with several seeds, the mean over them."""

    seeds: dict[str, list[float]] = Field(default_factory=dict)
    """Mean over users for each seed, of a model that has a seed when several were asked for."""

    beyond: dict[str, float | None] = Field(default_factory=dict)
    """Of the lists rather than of hits: coverage, novelty, diversity, popularity lift, Gini ..."""

    slices: list[SliceEntry] = Field(default_factory=list)
    """Accuracy by part of the users and items."""

    auc: Interval | None = None
    """Area under the ROC curve over the whole catalog, on a sample of the users; null where it was not measured."""

    auc_users: int = 0
    """Test questions of that sample."""

    short_histories: list[ShortEntry] = Field(default_factory=list)
    """What the model is worth when it sees the latest items only."""

    gaps: list[GapEntry] = Field(default_factory=list)
    """Fairness: how far the best and the worst served group of users lie apart."""


class ModelEntry(BaseModel, extra="forbid"):
    """A model: how it was chosen, what it costs, how good it is."""

    name: str
    """As in ``--models``; of a model folder or a user's scorer, its own name."""

    family: str
    """floor, cf, content, sequential, fusion, generative, hybrid, ceiling, or own."""

    source: str = ""
    """Paper or library it follows."""

    status: Literal["done", "failed", "not run"]
    """``not run``: the budget did not reach it, or it cannot run on these data or this machine."""

    note: str = ""
    """Why it failed or was not run, and what helps."""

    validation_ndcg: float | None = None
    """NDCG@10 on the validation part with `params`; with k-fold, the mean over folds."""

    params: Params = Field(default_factory=dict)
    """Chosen on the validation part; of the first fold, with k-fold."""

    planned_trials: int = 0
    """Settings that tuning was to try in each fold."""

    trials: list[TrialEntry] = Field(default_factory=list)
    """Settings that it tried, in order, fold after fold."""

    seconds: float = 0.0
    """Wall time of everything about this model, with what it was spared because an earlier model of the run had trained
    its generator or encoded its texts."""

    commit: str | None = None
    """As the report's, when this model ran: a row that was kept may be of another. Null if it is not known."""

    generator_commits: list[str] = Field(default_factory=list)
    """Others than that, at which generators had been trained that an earlier model of the run kept."""

    machine: str | None = None
    """Processor, cores and memory that this model ran with. Null if it is not known."""

    versions: str | None = None
    """Of genrec and what computed, when this model ran. Null if it is not known."""

    cost: Cost | None = None
    """None unless done."""

    results: list[ModeEntry] = Field(default_factory=list)
    """One a seen-mode."""

    unmeasured: list[str] = Field(default_factory=list)
    """What has no figure, and why: it took too long, or failed."""

    def was_cut(self, folds: int) -> bool:
        """Whether time was short for some of the trials that were planned, of so many folds."""
        ended = [trial for trial in self.trials if trial.outcome != "time"]
        return len(ended) < self.planned_trials * folds


def best_on_validation(models: Sequence[ModelEntry]) -> ModelEntry:
    """The model with the highest validation NDCG@10, of those that were asked the most questions; at least one.

    Examples
    --------
    >>> def model(name, users, ndcg):
    ...     mode = ModeEntry(filter_seen=True, users=users, metrics={})
    ...     return ModelEntry(name=name, family="cf", status="done", validation_ndcg=ndcg, results=[mode])
    >>> best_on_validation([model("a", 900, 0.1), model("sampled", 150, 0.2), model("b", 900, 0.15)]).name
    'b'
    """
    asked = [max((mode.users for mode in model.results), default=0) for model in models]
    whole = [model for model, users in zip(models, asked, strict=True) if users == max(asked)]
    return max(whole, key=lambda model: model.validation_ndcg or 0.0)


class Comparison(BaseModel, extra="forbid"):
    """A paired test of two models over the users."""

    metric: str
    """Such as ``"ndcg@10"``."""

    filter_seen: bool
    """Seen-mode of both."""

    users: int | None = None
    """Test questions that both were asked."""

    model: str
    """The model."""

    baseline: str
    """Whom it is compared with."""

    mean: float
    """Of the model."""

    baseline_mean: float
    """Of the baseline."""

    difference: Interval
    """Model minus baseline."""

    better: int
    """Users for whom the model's value is higher."""

    worse: int
    """Users for whom it is lower."""

    effect: float
    """Mean of the differences over their standard deviation."""

    rank_effect: float
    """Of Wilcoxon's test: 1 where all differences are in the model's favour, -1 where none is."""

    p_randomisation: float
    """Of the paired randomisation test, alone."""

    p_wilcoxon: float
    """Of Wilcoxon's signed-rank test, alone."""

    p_holm: float
    """Of the randomisation test, corrected for the number of models."""

    p_wilcoxon_holm: float
    """Of Wilcoxon's test, corrected."""

    detectable: float
    """Least true difference that the test would find in 4 of 5 repeats."""

    compared: int
    """Number of models that the correction is for."""


class Finding(BaseModel, extra="forbid"):
    """One check of the leakage audit."""

    check: str
    """What was looked for."""

    severity: Literal["ok", "notable", "problem"]
    """``notable`` is to be known when reading the figures; with a ``problem`` they cannot be believed."""

    sentence: str
    """What was found."""

    count: int
    """How many questions, interactions or items it concerns."""


class Protocol(BaseModel, extra="forbid"):
    """How everything was measured."""

    split: str
    """Method."""

    folds: int
    """1, or the number of folds."""

    filter_seen: list[bool]
    """Modes reported."""

    ks: list[int]
    """Cut-offs."""

    trials: int
    """Settings tried for each model, at most."""

    seeds: int
    """Fits of models with a seed."""

    budget_seconds: float | None
    """Time limit of the whole run; null for none."""

    selection: str
    """What tuning chose by."""

    questions_sha256: str
    """Digest of the training part and of all questions: runs with the same can be compared user by user."""

    counts: dict[str, int]
    """Users, items, training interactions, validation and test questions, longest history."""


class Report(BaseModel, extra="forbid"):
    """A whole benchmark."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """Raised when a reader of an older version would misread the file."""

    dataset: str
    """Name of the data set."""

    dataset_sha256: str
    """Digest of its interactions and catalog."""

    created: datetime
    """When the report was written, UTC."""

    command: str
    """What was typed, for the record."""

    commit: str | None = None
    """Commit of the checkout that genrec ran from, ``-dirty`` with changed files; null for an installed genrec."""

    versions: dict[str, str]
    """Of genrec and what it computes with."""

    machine: dict[str, str | int]
    """Processor, cores used, memory."""

    protocol: Protocol
    """How everything was measured."""

    data_card: dict[str, Any] = Field(default_factory=dict)
    """What the data look like: sparsity, repeats, ties, popularity curve."""

    audit: list[Finding] = Field(default_factory=list)
    """Leakage audit."""

    models: list[ModelEntry]
    """In the order they ran."""

    baseline: str | None = None
    """The collaborative filter, or fusion without a generator, with the best validation NDCG@10; without one, the best
    floor or content model."""

    baseline_given: bool = False
    """Whether the baseline was asked for by name, instead of chosen by validation."""

    comparisons: list[Comparison] = Field(default_factory=list)
    """Every model but a ceiling against the baseline, on the questions that both were asked."""

    verdict: list[str] = Field(default_factory=list)
    """In words, no more than the numbers say."""

    def result(self, model: str, filter_seen: bool) -> ModeEntry | None:
        """Figures of a model in a seen-mode, if there are any."""
        for entry in self.models:
            for mode in entry.results:
                if entry.name == model and mode.filter_seen == filter_seen:
                    return mode
        return None

    def ranked(self, filter_seen: bool, *, ceiling: bool = True) -> list[tuple[ModelEntry, Interval]]:
        """Models with their NDCG@10 in a seen-mode, the best first; a ceiling is no model, so it can be left out."""
        models = [model for model in self.done() if ceiling or model.family != "ceiling"]
        results = [(model, self.result(model.name, filter_seen)) for model in models]
        found = [(model, result.metrics[MAIN_METRIC]) for model, result in results if result is not None]
        return sorted(found, key=lambda pair: -pair[1].mean)

    def label(self, model: str) -> str:
        """Name of a model in tables and charts, with its users where it was asked some of the questions only."""
        users = next(mode.users for entry in self.models if entry.name == model for mode in entry.results)
        return model if users == self.protocol.counts["test_questions"] else f"{model} ({users:,} users)"

    def done(self) -> list[ModelEntry]:
        """Models that have figures."""
        return [model for model in self.models if model.status == "done"]
