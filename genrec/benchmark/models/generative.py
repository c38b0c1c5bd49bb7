"""Generators, alone and guided; fusions of scorers; and the ceiling of what candidates allow.

What guides is the same everywhere: EASE, which knows who met what, and neighbours by text, which know what things are.
Generators are imported when one is made: transformers takes seconds, and a worker that measures EASE need not wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.baselines import EASE
from genrec.baselines.content import BertKNN, BertMatcher, TfidfKNN
from genrec.baselines.sequential import SASRec, TextSASRec
from genrec.benchmark.models.named import NamedModel
from genrec.recommend.fusion import Fusion
from genrec.retrieval import Oracle

if TYPE_CHECKING:
    from genrec.baselines.base import Scorer
    from genrec.benchmark.generators import TrainedGenerator
    from genrec.benchmark.zero_shot import ZeroShotGenerator
    from genrec.recommend.fusion import How


def ease_and_text(regularization: float = 100.0, how: How = "z-score") -> Fusion:
    """EASE and neighbours by words and by meaning."""
    return Fusion([EASE(regularization, recency=0.5), TfidfKNN(), BertKNN()], how=how)


def sasrec_ease_and_text(dropout: float = 0.3, regularization: float = 100.0, seed: int = 0) -> Fusion:
    """SASRec beside EASE and neighbours by text."""
    return Fusion([SASRec(dropout=dropout, seed=seed), EASE(regularization, recency=0.5), TfidfKNN(), BertKNN()])


def transformers_ease_and_text(dropout: float = 0.3, regularization: float = 100.0, seed: int = 0) -> Fusion:
    """SASRec and its counterpart on texts beside EASE and neighbours by text."""
    transformers = [SASRec(dropout=dropout, seed=seed), BertMatcher(seed=seed)]
    return Fusion([*transformers, EASE(regularization, recency=0.5), TfidfKNN(), BertKNN()])


def sasrec_ids_and_text(dropout: float = 0.3, regularization: float = 100.0, seed: int = 0) -> Fusion:
    """All that teaches and guides the default generator, without it."""
    transformers = [SASRec(dropout=dropout, seed=seed), TextSASRec(seed=seed)]
    return Fusion([*transformers, EASE(regularization, recency=0.5), BertKNN()], name="sasrec+sasrec-text+ease+text")


def gpt_atomic(dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT from scratch, one token an item."""
    return _gpt("gpt-atomic", dropout, seed)


def gpt_semantic(dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT from scratch on semantic IDs."""
    return _gpt("gpt-semantic", dropout, seed)


def gpt_title(dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT from scratch that writes titles."""
    return _gpt("gpt-title", dropout, seed)


def gpt_distilled(dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT on semantic IDs, taught by SASRec and text."""
    return _gpt("gpt-distilled", dropout, seed)


def gpt_atomic_evidence(dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT on atomic IDs, EASE and text as evidence."""
    return _gpt("gpt-atomic", dropout, seed, evidence=ease_and_text())


def gpt_semantic_evidence(dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT on semantic IDs, EASE and text as evidence."""
    return _gpt("gpt-semantic", dropout, seed, evidence=ease_and_text())


def gpt_semantic_candidates(num_candidates: int = 200, dropout: float = 0.3, seed: int = 0) -> TrainedGenerator:
    """GPT on semantic IDs, nothing but the candidates of EASE and text."""
    return _gpt("gpt-semantic", dropout, seed, retriever=ease_and_text(), num_candidates=num_candidates)


def smollm2_atomic(seed: int = 0) -> TrainedGenerator:
    """SmolLM2 with LoRA, one token an item."""
    return _finetuned("smollm2-atomic", seed)


def smollm2_semantic(seed: int = 0) -> TrainedGenerator:
    """SmolLM2 with LoRA on semantic IDs."""
    return _finetuned("smollm2-semantic", seed)


def smollm2_title(seed: int = 0) -> TrainedGenerator:
    """SmolLM2 with LoRA that writes titles."""
    return _finetuned("smollm2-title", seed)


def smollm2_semantic_evidence(seed: int = 0) -> TrainedGenerator:
    """SmolLM2 with LoRA on semantic IDs, EASE and text as evidence."""
    return _finetuned("smollm2-semantic", seed, evidence=ease_and_text())


def zero_shot(max_items: int = 10) -> ZeroShotGenerator:
    """SmolLM2 as it is, writing titles."""
    from genrec.benchmark.zero_shot import ZeroShotGenerator

    return ZeroShotGenerator(max_items=max_items)


def zero_shot_candidates(num_candidates: int = 50) -> ZeroShotGenerator:
    """SmolLM2 as it is, writing titles of the candidates of EASE and text."""
    from genrec.benchmark.zero_shot import ZeroShotGenerator

    return ZeroShotGenerator(retriever=ease_and_text(), num_candidates=num_candidates)


def oracle(n: int = 200) -> Oracle:
    """The answers, where EASE and text have them among their candidates."""
    return Oracle(ease_and_text(), n)


def _gpt(
    config: str,
    dropout: float,
    seed: int,
    *,
    evidence: Scorer | None = None,
    retriever: Scorer | None = None,
    num_candidates: int = 200,
) -> TrainedGenerator:
    from genrec.benchmark.generators import TrainedGenerator

    return TrainedGenerator(
        f"finetune/configs/{config}.yaml",
        [f"base.dropout={dropout}", f"training.seed={seed}"],
        evidence=evidence,
        retriever=retriever,
        num_candidates=num_candidates,
    )


def _finetuned(config: str, seed: int, *, evidence: Scorer | None = None) -> TrainedGenerator:
    from genrec.benchmark.generators import TrainedGenerator

    return TrainedGenerator(f"finetune/configs/{config}.yaml", [f"training.seed={seed}"], evidence=evidence)


RECIPES = "the recipes under finetune/configs"
UNTRAINED = "SmolLM2, titles, no training"
LANGUAGE_MODEL_USERS = 1000
"""A fine-tuned language model answers in about a second on a CPU."""
ZERO_SHOT_USERS = 300
"""One that writes titles takes several."""
REGULARIZATION = (100.0, 300.0, 1000.0)
DROPOUT = (0.3, 0.1, 0.5)

GENERATIVE = {
    model.name: model
    for model in (
        NamedModel("gpt-atomic", "generative", gpt_atomic, {"dropout": DROPOUT}, RECIPES),
        NamedModel("gpt-semantic", "generative", gpt_semantic, {"dropout": DROPOUT}, RECIPES),
        NamedModel("gpt-title", "generative", gpt_title, {"dropout": DROPOUT}, RECIPES),
        NamedModel("gpt-distilled", "generative", gpt_distilled, source=RECIPES),
        NamedModel("smollm2-atomic", "generative", smollm2_atomic, source=RECIPES, max_users=LANGUAGE_MODEL_USERS),
        NamedModel("smollm2-semantic", "generative", smollm2_semantic, source=RECIPES, max_users=LANGUAGE_MODEL_USERS),
        NamedModel("smollm2-title", "generative", smollm2_title, source=RECIPES, max_users=LANGUAGE_MODEL_USERS),
        NamedModel("zero-shot", "generative", zero_shot, source=UNTRAINED, max_users=ZERO_SHOT_USERS),
    )
}

FUSION = {
    model.name: model
    for model in (
        NamedModel(
            "ease+text",
            "fusion",
            ease_and_text,
            {"regularization": REGULARIZATION, "how": ["z-score", "reciprocal-rank"]},
            "weights on validation",
        ),
        NamedModel("sasrec+ease+text", "fusion", sasrec_ease_and_text, source="weights on validation"),
        NamedModel("sasrec+sasrec-text+ease+text", "fusion", sasrec_ids_and_text, source="Collins et al., 2025"),
        NamedModel("sasrec+matcher+ease+text", "fusion", transformers_ease_and_text, source="weights on validation"),
    )
}

HYBRID = {
    model.name: model
    for model in (
        NamedModel("gpt-atomic+evidence", "hybrid", gpt_atomic_evidence, source=RECIPES),
        NamedModel("gpt-semantic+evidence", "hybrid", gpt_semantic_evidence, source=RECIPES),
        NamedModel("gpt-semantic+candidates", "hybrid", gpt_semantic_candidates, source=RECIPES),
        NamedModel(
            "smollm2-semantic+evidence",
            "hybrid",
            smollm2_semantic_evidence,
            source=RECIPES,
            max_users=LANGUAGE_MODEL_USERS,
        ),
        NamedModel("zero-shot+candidates", "hybrid", zero_shot_candidates, source=UNTRAINED, max_users=ZERO_SHOT_USERS),
    )
}

CEILING = {"oracle": NamedModel("oracle", "ceiling", oracle, source="the answers, among a retriever's candidates")}
