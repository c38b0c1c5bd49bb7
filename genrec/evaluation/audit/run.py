"""All checks of a split, and those of a cross-validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError
from genrec.evaluation.audit import identifiers, questions, titles, users
from genrec.evaluation.audit.finding import ORDER, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genrec.data.dataset import Dataset
    from genrec.data.split import Split

PARTS_TO_TUNE_ON = ("validation", "none")


def audit(split: Split, dataset: Dataset, tuned_on: Mapping[str, str] | None = None) -> list[Finding]:
    """Look for what would let a model know the answers.

    Parameters
    ----------
    split
        As it was measured on.
    dataset
        What it was made of: all interactions, with their times.
    tuned_on
        The part that each model's settings were chosen on, by model: ``"validation"``, ``"none"`` or ``"test"``.
        Default None: it was not recorded, which is notable.

    Returns
    -------
    list of Finding
        One a check, in a fixed order, the good news included.

    Raises
    ------
    ConfigError
        The split has other users or items than the data set.

    Examples
    --------
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> for finding in audit(leave_last_out(dataset), dataset, {"ease": "validation"}):
    ...     print(finding.severity, finding.check)
    ok target in history
    ok training knows the answer
    ok validation knows the answer
    ok training after the question
    ok time decides the target
    ok targets without training
    notable order of ids
    ok order inside ties
    ok id in title
    ok id of another in title
    ok titles that stand twice
    ok tuning
    """
    return [*_of_split(split, dataset), *_of_dataset(dataset), _tuning(tuned_on)]


def audit_folds(splits: Sequence[Split], dataset: Dataset, tuned_on: Mapping[str, str] | None = None) -> list[Finding]:
    """Audit a cross-validation: every fold, and the folds among each other.

    Parameters
    ----------
    splits
        Of :func:`genrec.data.folds.user_folds`.
    dataset
        What they were made of.
    tuned_on
        As for :func:`audit`.

    Returns
    -------
    list of Finding
        Of each check, that of the fold where it is gravest, which its sentence names if others found something else;
        then those that take all folds.

    Examples
    --------
    >>> from genrec.data.folds import user_folds
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> findings = audit_folds(user_folds(dataset), dataset, {"ease": "none"})
    >>> [finding.check for finding in findings][-3:]
    ['users of two folds', 'users trained and asked', 'twins']
    """
    if not splits:
        raise ConfigError("no folds to audit")
    by_check = zip(*(_of_split(split, dataset) for split in splits), strict=True)
    gravest = [_gravest(found) for found in by_check]
    trained = users.trained_and_asked(splits)
    across = [users.asked_twice(splits), trained, users.twins(splits, dataset)]
    return [*gravest, *_of_dataset(dataset), _tuning(tuned_on), *across]


def _of_split(split: Split, dataset: Dataset) -> list[Finding]:
    same = split.train.num_users == dataset.num_users and split.train.num_items == dataset.num_items
    if not same:
        raise ConfigError("the split is of another data set: users or items differ")
    return [
        questions.target_in_history(split),
        questions.training_knows(split),
        questions.validation_knows(split),
        questions.training_after(split, dataset),
        questions.ties_decide(split, dataset),
        questions.cold_targets(split),
    ]


def _of_dataset(dataset: Dataset) -> list[Finding]:
    return [
        identifiers.order_of_ids(dataset),
        identifiers.order_inside_ties(dataset),
        *titles.ids_in_titles(dataset),
        titles.titles_twice(dataset.catalog),
    ]


def _gravest(found: Sequence[Finding]) -> Finding:
    """The gravest finding of one check; its sentence names the fold unless all folds say the same."""
    fold = max(range(len(found)), key=lambda fold: (ORDER.index(found[fold].severity), found[fold].count))
    gravest = found[fold]
    if all(finding == gravest for finding in found):
        return gravest
    return replace(gravest, sentence=f"Fold {fold + 1} of {len(found)}, the gravest: {gravest.sentence}")


def _tuning(tuned_on: Mapping[str, str] | None) -> Finding:
    if tuned_on is None:
        return Finding("tuning", "notable", "What each model was tuned on was not recorded.")
    wrong = sorted(name for name, part in tuned_on.items() if part not in PARTS_TO_TUNE_ON)
    if wrong:
        parts = ", ".join(f"{name} ({tuned_on[name]})" for name in wrong)
        sentence = f"Settings were chosen on other questions than those of the validation part: {parts}."
        return Finding("tuning", "problem", sentence, len(wrong))
    tuned = int(np.sum([part == "validation" for part in tuned_on.values()]))
    sentence = (
        f"{tuned} models were tuned on the validation part, {len(tuned_on) - tuned} not at all, none on the test."
    )
    return Finding("tuning", "ok", sentence)
