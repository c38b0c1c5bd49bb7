"""From what the models answered to the report: intervals, tests, slices, verdict."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genrec.benchmark.digests import dataset_digest, split_digest
from genrec.benchmark.machine import machine, versions
from genrec.benchmark.report.figures import Asked, mode_entries, of_first_fit
from genrec.benchmark.report.schema import (
    Comparison,
    Finding,
    Interval,
    ModelEntry,
    Protocol,
    Report,
    best_on_validation,
)
from genrec.benchmark.report.summary import summarise
from genrec.benchmark.store import common_questions
from genrec.benchmark.tuning import METRIC
from genrec.checkout import commit
from genrec.errors import ConfigError
from genrec.evaluation.audit import audit, audit_folds
from genrec.evaluation.data_card import data_card
from genrec.evaluation.significance import compare, holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from genrec.benchmark.runner import Finished, Settings
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet, Split
    from genrec.evaluation import significance

logger = logging.getLogger(__name__)

COMPARED = (METRIC, "recall@10")
CEILING = "ceiling"
MANY_USERS = 5_000
"""Above so many, a fifth of the resamples gives intervals as steady, in a time one waits for."""


def build_report(
    finished: Sequence[Finished],
    splits: Sequence[Split],
    dataset: Dataset,
    settings: Settings,
    *,
    command: str = "",
    against: str | None = None,
) -> Report:
    """Compute all that a report states, from per-user values and rankings.

    Parameters
    ----------
    finished
        One a model.
    splits
        One, or one a fold.
    dataset
        What was split.
    settings
        Of the run.
    command
        What was typed. Default unknown.
    against
        Name of the model that all others are compared with. Default: see :func:`best_baseline`.

    Returns
    -------
    Report
        Ready to be written.

    Raises
    ------
    ConfigError
        `against` is a ceiling.
    """
    check_against(against, {one.entry.name: one.entry.family for one in finished})
    asked = Asked.of(splits)
    models = [
        one.entry.model_copy(
            update={
                "results": mode_entries(one, asked, settings.modes[0]),
                "unmeasured": [*one.entry.unmeasured, *of_first_fit(one)],
            }
        )
        for one in finished
    ]
    given = any(model.name == against and model.status == "done" for model in models)
    if against is not None and not given:
        logger.warning("%s has no figures: the others are compared with the best on validation", against)
    baseline = against if given else best_baseline(models)
    report = Report(
        dataset=dataset.name,
        dataset_sha256=dataset_digest(dataset),
        created=datetime.now(UTC),
        command=command,
        commit=commit(),
        versions=versions(),
        machine=machine(),
        protocol=_protocol(splits, asked.questions, settings),
        data_card=_card(dataset, splits),
        audit=_audit(splits, dataset, models),
        models=models,
        baseline=baseline,
        baseline_given=given,
        comparisons=_comparisons(finished, baseline, settings.modes) if baseline else [],
    )
    return report.model_copy(update={"verdict": summarise(report)})


def check_against(against: str | None, families: Mapping[str, str]) -> None:
    """Refuse a ceiling as the one that all others are compared with: it is told the answers.

    Parameters
    ----------
    against
        Its name; None where none was given.
    families
        Family of each model that takes part, by name.

    Raises
    ------
    ConfigError
        It is a ceiling.

    Examples
    --------
    >>> check_against("ease", {"ease": "cf", "oracle": "ceiling"})
    >>> check_against("oracle", {"ease": "cf", "oracle": "ceiling"})
    Traceback (most recent call last):
        ...
    genrec.errors.ConfigError: against: 'oracle' is a ceiling, which is told the answers: nothing is compared with it
    hint: name another that takes part: ease
    """
    if against is None or families.get(against) != CEILING:
        return
    others = ", ".join(name for name, family in families.items() if family != CEILING)
    hint = f"name another that takes part: {others}" if others else "leave it out, or let another model take part"
    raise ConfigError(
        f"against: {against!r} is a ceiling, which is told the answers: nothing is compared with it", hint=hint
    )


def _card(dataset: Dataset, splits: Sequence[Split]) -> dict[str, Any]:
    """The data card as JSON has it, so that a report is the same before and after it is written."""
    card: dict[str, Any] = json.loads(json.dumps(data_card(dataset, splits[0] if len(splits) == 1 else None).as_dict()))
    return card


def _audit(splits: Sequence[Split], dataset: Dataset, models: Sequence[ModelEntry]) -> list[Finding]:
    tuned_on = {m.name: "validation" if m.planned_trials > 1 else "none" for m in models if m.status == "done"}
    found = audit(splits[0], dataset, tuned_on) if len(splits) == 1 else audit_folds(splits, dataset, tuned_on)
    return [Finding.model_validate(finding.as_dict()) for finding in found]


def best_baseline(models: Sequence[ModelEntry]) -> str | None:
    """Whom every model is compared with: validation chooses, the test part is not looked at.

    The strongest that knows interactions, in order or not, alone or fused with others, but without a generator:
    whether generation is worth it is asked of that. Only where there is none, a floor or content model. A model that
    was asked a sample of the questions counts where nobody was asked more: some questions are easier than others.

    Examples
    --------
    >>> def model(name, family, ndcg):
    ...     return ModelEntry(name=name, family=family, status="done", validation_ndcg=ndcg)
    >>> models = [model("ease", "cf", 0.07), model("sasrec", "sequential", 0.08), model("gpt", "generative", 0.1)]
    >>> best_baseline(models), best_baseline([*models, model("ease+text", "fusion", 0.09)])
    ('sasrec', 'ease+text')
    """
    for families in (("cf", "sequential", "fusion"), ("floor", "content")):
        known = [m for m in models if m.status == "done" and m.family in families and m.validation_ndcg is not None]
        if known:
            return best_on_validation(known).name
    return None


def _comparisons(finished: Sequence[Finished], baseline: str, modes: Sequence[bool]) -> list[Comparison]:
    """Test every model on the questions that it and the baseline were asked."""
    models = [one for one in finished if one.entry.family != CEILING]
    entries = []
    for mode in modes:
        for metric in COMPARED:
            tests = _tests(models, baseline, metric, mode)
            # Those of other questions were corrected apart; the correction is for all together.
            p_values = holm([test.p_randomisation for test in tests]), holm([test.p_wilcoxon for test in tests])
            for test, p, p_wilcoxon in zip(tests, *p_values, strict=True):
                corrected = replace(test, p_holm=float(p), p_wilcoxon_holm=float(p_wilcoxon), compared=len(tests))
                entries.append(_tested(corrected, mode))
    return entries


def _tests(models: Sequence[Finished], baseline: str, metric: str, mode: bool) -> list[significance.Comparison]:
    """Tests of all models, those of the same questions together."""
    values = {
        one.entry.name: (evaluation.per_user[metric], one.rows)
        for one in models
        for evaluation in one.evaluations
        if evaluation.filter_seen == mode
    }
    if baseline not in values:
        return []
    groups: dict[bytes, dict[str, NDArray[np.float64]]] = {}
    for name, (mine, rows) in values.items():
        found, reference = common_questions(mine, rows, *values[baseline])
        if name != baseline and len(found) >= 2:
            groups.setdefault(b"" if rows is None else rows.tobytes(), {baseline: reference})[name] = found
    tests: dict[str, significance.Comparison] = {}
    for per_user in groups.values():
        resamples = 10_000 if len(per_user[baseline]) <= MANY_USERS else 2_000
        tests |= {test.model: test for test in compare(per_user, baseline, metric, resamples=resamples)}
    return [tests[name] for name in values if name in tests]


def _tested(found: significance.Comparison, filter_seen: bool) -> Comparison:
    values = asdict(found) | {
        "filter_seen": filter_seen,
        "users": found.difference.users,
        "difference": Interval.of(found.difference),
    }
    return Comparison.model_validate({name: values[name] for name in Comparison.model_fields})


def _protocol(splits: Sequence[Split], asked: EvalSet, settings: Settings) -> Protocol:
    train = splits[0].train
    mode = "filtered" if settings.modes[0] else "kept"
    return Protocol(
        split=splits[0].method if len(splits) == 1 else "k-fold",
        folds=len(splits),
        filter_seen=list(settings.modes),
        ks=list(settings.ks),
        trials=settings.trials,
        seeds=settings.seeds,
        budget_seconds=settings.budget_seconds,
        selection=f"validation {METRIC}, seen items {mode}, seeded grid sample",
        questions_sha256=split_digest(splits),
        counts={
            "users": train.num_users,
            "items": train.num_items,
            "training_interactions": len(train.interactions),
            "validation_questions": sum(len(split.validation) for split in splits),
            "test_questions": len(asked),
            "items_in_the_longest_history": max(map(len, asked.histories), default=0),
        },
    )
