"""The answer of a report in words, no stronger than the tests behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.benchmark.report.schema import best_on_validation
from genrec.benchmark.tuning import METRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.benchmark.report.schema import Comparison, ModelEntry, Report

LEVEL = 0.05
GENERATES = ("generative", "hybrid")
TRAINED = ("sequential", "fusion", *GENERATES)
FEW_QUESTIONS = 500
HELP = "ease+text"
HELPS = {"evidence": "guide", "candidates": "choose what may be recommended by"}
"""What EASE and text do for a named generator, by the end of its name."""
RIVALS = {
    "cf": "collaborative filtering",
    "sequential": "the best sequence model that scores items",
    "fusion": "the best fusion without a generator",
}


def better(test: Comparison) -> bool:
    """Whether the corrected test and the interval both say that the model is better than the baseline."""
    return test.p_holm < LEVEL and test.difference.low > 0


def worse(test: Comparison) -> bool:
    """Whether both say that it is worse."""
    return test.p_holm < LEVEL and test.difference.high < 0


def doubt(test: Comparison) -> str:
    """What Wilcoxon's test says of a difference that was shown, where it says something else; empty where it agrees.

    It weighs ranks of differences and not their size, so it may say that most users lose where a few gain much.
    """
    if not better(test) and not worse(test):
        return ""
    if (test.rank_effect > 0) != better(test):
        says = "points the other way"
    elif test.p_wilcoxon_holm >= LEVEL:
        says = "does not confirm it"
    else:
        return ""
    return f"Wilcoxon's test {says} (p {_p(test.p_wilcoxon_holm)}; {test.better} users better off, {test.worse} worse)"


def summarise(report: Report) -> list[str]:
    """Say whether generation beats CF, who else is better, and how far that can be believed.

    Parameters
    ----------
    report
        With its comparisons.

    Returns
    -------
    list of str
        Sentences, the main one first.
    """
    mode = report.protocol.filter_seen[0]
    tests = [c for c in report.comparisons if c.metric == METRIC and c.filter_seen == mode]
    if report.baseline is None or not tests:
        return ["Nothing is compared: it takes a baseline and another model with figures.", *_limits(report, tests)]
    models = {model.name: model for model in report.models}
    family = models[report.baseline].family
    chosen = (
        f"{family}, asked for by name" if report.baseline_given else f"the {family} model that is best on validation"
    )
    sentences = [
        *_generation(tests, models, report.baseline, report.baseline_given),
        _others(tests, models, report.baseline),
    ]
    of_models = f"{tests[0].compared} model{'s' * (tests[0].compared != 1)}"
    sentences.append(
        f"{METRIC} over {report.protocol.counts['test_questions']:,} test questions, seen items "
        f"{'filtered' if mode else 'kept'}. Baseline {report.baseline}: {chosen}. "
        f"p of the paired randomisation test, corrected for {of_models} (Holm)."
    )
    return [*sentences, *_doubts(tests), *_limits(report, tests)]


def _generation(tests: Sequence[Comparison], models: dict[str, ModelEntry], baseline: str, given: bool) -> list[str]:
    """The answer, and the figures behind it."""
    generative = [c for c in tests if models[c.model].family in GENERATES]
    if not generative:
        if not any(model.family in GENERATES for model in models.values()):
            return []
        return ["Whether generation beats collaborative filtering is open: no generative model has figures."]
    # Validation chooses here too: the best of several on the test part would be flattered by it.
    chosen = best_on_validation([models[c.model] for c in generative]).name
    best = next(c for c in generative if c.model == chosen)
    kind = baseline if given else RIVALS.get(models[baseline].family, "the baseline")
    if better(best):
        answer = f"Generation beats {kind} here."
    elif worse(best):
        answer = f"Generation does not beat {kind} here: it is worse."
    else:
        answer = f"Not shown that generation beats {kind} here, nor that it does not."
    difference = best.difference
    figures = (
        f"{best.model}, the generative model that is best on validation, has {best.mean:.4f}, {baseline} "
        f"{best.baseline_mean:.4f}: {difference.mean:+.4f} (95 % interval {difference.low:+.4f} to "
        f"{difference.high:+.4f}), p {_p(best.p_holm)}."
    )
    power = f" A true difference of {best.detectable:.4f} would be found in 4 of 5 such runs."
    told = better(best) or worse(best) or round(best.detectable, 4) == 0  # of equals nothing is known
    return [answer, figures + power * (not told), *_helped(best, models)]


def _helped(best: Comparison, models: dict[str, ModelEntry]) -> list[str]:
    """What is not known of a named generator that EASE and text guide, or choose candidates for, where they are not."""
    _, _, help_of = best.model.partition("+")
    rival = models.get(HELP)
    if models[best.model].family != "hybrid" or help_of not in HELPS or (rival is not None and rival.status == "done"):
        return []
    return [
        f"EASE and text {HELPS[help_of]} {best.model}, and have no figures by themselves here: how much of its figures "
        f"is theirs is not told. --models {HELP} adds them."
    ]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _others(tests: Sequence[Comparison], models: dict[str, ModelEntry], baseline: str) -> str:
    ahead = sorted((c for c in tests if better(c)), key=lambda c: -c.difference.mean)
    behind = sum(worse(c) for c in tests)
    named = ", ".join(f"{c.model} ({models[c.model].family}, {c.difference.mean:+.4f})" for c in ahead)
    head = f"Better than {baseline}: {named}." if ahead else f"No model is shown to be better than {baseline}."
    return f"{head} Worse: {behind}. Not told apart: {len(tests) - len(ahead) - behind}."


def _doubts(tests: Sequence[Comparison]) -> list[str]:
    """Of models that are better by their mean, where the ranks of the differences do not say so."""
    doubts = [f"{test.model}: {said}" for test in tests if better(test) and (said := doubt(test))]
    if not doubts:
        return []
    return [f"Better in the mean, which the ranks of the users' differences do not bear out. {'; '.join(doubts)}."]


def _limits(report: Report, tests: Sequence[Comparison]) -> list[str]:
    """What a reader must know before believing any of it."""
    limits = []
    problems = [finding.check for finding in report.audit if finding.severity == "problem"]
    if problems:
        limits.append(f"The leakage audit found problems ({', '.join(problems)}): the figures cannot be believed.")
    detectable = sorted(test.detectable for test in tests)[len(tests) // 2] if tests else 0.0
    if round(detectable, 3) > 0 and report.protocol.counts["test_questions"] < FEW_QUESTIONS:
        limits.append(f"Few questions: true differences below about {detectable:.3f} would mostly go unnoticed.")
    sampled = [label for m in report.done() if m.results and (label := report.label(m.name)) != m.name]
    if sampled:
        limits.append(f"Asked a sample of the test questions, and compared on these: {', '.join(sampled)}.")
    cut = [m.name for m in report.done() if m.was_cut(report.protocol.folds)]
    if cut:
        limits.append(f"For want of time, tuned with fewer trials than planned: {', '.join(cut)}.")
    absent = [m.name for m in report.models if m.status == "not run"]
    if absent:
        limits.append(f"Not run, for reasons that stand under Without figures: {', '.join(absent)}.")
    failed = [m.name for m in report.models if m.status == "failed"]
    if failed:
        limits.append(f"Failed: {', '.join(failed)}.")
    if report.protocol.seeds == 1 and any(m.family in TRAINED for m in report.done()):
        limits.append(
            "Each model was fitted once: how much trained models vary from fit to fit is not in the intervals."
        )
    return limits
