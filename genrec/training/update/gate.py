"""The regression gate: a model that answers held-out questions worse than the old one is not promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.evaluation.protocol import evaluate
from genrec.recommend.scorer import GenerativeScorer
from genrec.training.update.report import SliceScores

if TYPE_CHECKING:
    from genrec.data.split import EvalSet
    from genrec.model.folder import LoadedModel
    from genrec.prompt.builder import PromptBuilder
    from genrec.training.update.config import UpdateConfig
    from genrec.training.update.histories import UpdateData

Scores = tuple[float | None, float | None]
"""NDCG@10 on new and on old questions; None where there are none."""


def answer(model: LoadedModel, builder: PromptBuilder, data: UpdateData, beams: int) -> Scores:
    """Ask a model, as it stands, the questions of an update."""
    scorer = GenerativeScorer(model.generator, builder, model.description.max_items, beams=beams, name="update")

    def score(questions: EvalSet) -> float | None:
        return float(evaluate(scorer, questions, ks=(10,)).metrics["ndcg@10"]) if len(questions) else None

    return score(data.new), score(data.old)


def compare(data: UpdateData, before: Scores, after: Scores) -> dict[str, SliceScores | None]:
    """Scores of both models on each kind of questions, ``new`` and ``old``, and on ``all``."""
    kinds = {"new": (len(data.new), before[0], after[0]), "old": (len(data.old), before[1], after[1])}
    found = {
        kind: None if was is None or now is None else SliceScores(count, was, now)
        for kind, (count, was, now) in kinds.items()
    }
    asked = [scores for scores in found.values() if scores is not None]
    count = sum(scores.questions for scores in asked)
    was = sum(scores.questions * scores.before for scores in asked) / count
    now = sum(scores.questions * scores.after for scores in asked) / count
    return {**found, "all": SliceScores(count, was, now)}


def verdict(scores: dict[str, SliceScores | None], config: UpdateConfig) -> tuple[bool, str]:
    """Whether the new model is promoted, and why.

    Examples
    --------
    >>> from genrec.training.update.config import UpdateConfig
    >>> new, old = SliceScores(10, 0.10, 0.20), SliceScores(10, 0.10, 0.08)
    >>> verdict({"new": new, "old": old, "all": SliceScores(20, 0.10, 0.14)}, UpdateConfig())
    (False, 'NDCG@10 on old questions fell by 0.0200, more than 0.01')
    """
    for kind, found in scores.items():
        limit = config.max_drop if kind == "all" else config.max_slice_drop
        if found is not None and found.before - found.after > limit:
            return False, f"NDCG@10 on {kind} questions fell by {found.before - found.after:.4f}, more than {limit:g}"
    whole = scores["all"]
    assert whole is not None  # an update without questions is refused before
    return True, f"NDCG@10 {whole.before:.4f} -> {whole.after:.4f} on {whole.questions:,} held-out questions"
