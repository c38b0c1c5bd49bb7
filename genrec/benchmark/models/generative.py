"""Generators, alone and guided; fusions of scorers; and the ceiling of what candidates allow.

What guides is the same everywhere: EASE, which knows who met what, and neighbours by text, which know what things are.
Generators are imported when one is made: transformers takes seconds, and a worker that measures EASE need not wait.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from genrec.baselines import EASE
from genrec.baselines.content import BertKNN, BertMatcher, TfidfKNN
from genrec.baselines.sequential import SASRec, TextSASRec
from genrec.benchmark.models.named import NamedModel
from genrec.recommend.fusion import Fusion
from genrec.retrieval import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genrec.baselines.base import Scorer
    from genrec.benchmark.generators import TrainedGenerator
    from genrec.benchmark.kept_generators import KeptGenerators
    from genrec.benchmark.zero_shot import ZeroShotGenerator
    from genrec.recommend.fusion import How

Help = Literal["", "evidence", "candidates"]
"""What EASE and text are to a generator: nothing, guides of its search, or a retriever that it chooses from."""


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


def trained(
    recipe: str,
    help_of: Help = "",
    *,
    dropout: float | None = None,
    seed: int = 0,
    kept: KeptGenerators | None = None,
) -> TrainedGenerator:
    """Train a shipped recipe; the whole catalog alone, or with the help of EASE and text."""
    from genrec.benchmark.generators import TrainedGenerator

    overrides = [f"training.seed={seed}", *([] if dropout is None else [f"base.dropout={dropout}"])]
    return TrainedGenerator(f"finetune/configs/{recipe}.yaml", overrides, kept=kept, **_helped(help_of))


def zero_shot(help_of: Help = "", *, max_items: int = 10) -> ZeroShotGenerator:
    """SmolLM2 as it is, writing titles; the whole catalog alone, or with the help of EASE and text."""
    from genrec.benchmark.zero_shot import ZeroShotGenerator

    return ZeroShotGenerator(max_items=max_items, **_helped(help_of, num_candidates=50))


def _helped(help_of: Help, num_candidates: int = 200) -> dict[str, Any]:
    """How EASE and text take part, as a generator's keywords."""
    match help_of:
        case "evidence":
            return {"evidence": ease_and_text()}
        case "candidates":
            return {"retriever": ease_and_text(), "num_candidates": num_candidates}
        case _:
            return {}


def oracle(n: int = 200) -> Oracle:
    """The answers, where EASE and text have them among their candidates."""
    return Oracle(ease_and_text(), n)


RECIPES = "the recipes under finetune/configs"
UNTRAINED = "SmolLM2, titles, no training"
LANGUAGE_MODEL_USERS = 1000
"""A fine-tuned language model answers in about a second on a CPU."""
ZERO_SHOT_USERS = 300
"""One that writes titles takes several."""
REGULARIZATION = (100.0, 300.0, 1000.0)
DROPOUT = (0.3, 0.1, 0.5)


def _with_help(
    name: str,
    build: Callable[..., Scorer],
    source: str,
    grid: dict[str, Sequence[object]] | None = None,
    max_users: int | None = None,
) -> list[NamedModel]:
    """The rows of a generator: alone, guided by EASE and text, and choosing among their candidates."""
    return [
        NamedModel(
            f"{name}+{help_of}" if help_of else name,
            "hybrid" if help_of else "generative",
            partial(build, help_of=help_of),
            grid or {},
            source,
            max_users,
        )
        for help_of in get_args(Help)
    ]


GENERATORS = [
    *_with_help("gpt-atomic", partial(trained, "gpt-atomic"), RECIPES, grid={"dropout": DROPOUT}),
    *_with_help("gpt-semantic", partial(trained, "gpt-semantic"), RECIPES, grid={"dropout": DROPOUT}),
    *_with_help("gpt-title", partial(trained, "gpt-title"), RECIPES, grid={"dropout": DROPOUT}),
    NamedModel("gpt-distilled", "generative", partial(trained, "gpt-distilled"), source=RECIPES),
    *_with_help("smollm2-atomic", partial(trained, "smollm2-atomic"), RECIPES, max_users=LANGUAGE_MODEL_USERS),
    *_with_help("smollm2-semantic", partial(trained, "smollm2-semantic"), RECIPES, max_users=LANGUAGE_MODEL_USERS),
    *_with_help("smollm2-title", partial(trained, "smollm2-title"), RECIPES, max_users=LANGUAGE_MODEL_USERS),
    *_with_help("zero-shot", zero_shot, UNTRAINED, max_users=ZERO_SHOT_USERS),
]
GENERATIVE = {model.name: model for model in GENERATORS if model.family == "generative"}
HYBRID = {model.name: model for model in GENERATORS if model.family == "hybrid"}

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
        NamedModel(
            "sasrec+ease+text", "fusion", sasrec_ease_and_text, {"dropout": DROPOUT}, source="weights on validation"
        ),
        NamedModel(
            "sasrec+sasrec-text+ease+text",
            "fusion",
            sasrec_ids_and_text,
            {"dropout": DROPOUT},
            source="Collins et al., 2025",
        ),
        NamedModel(
            "sasrec+matcher+ease+text",
            "fusion",
            transformers_ease_and_text,
            {"dropout": DROPOUT},
            source="weights on validation",
        ),
    )
}

CEILING = {"oracle": NamedModel("oracle", "ceiling", oracle, source="the answers, among a retriever's candidates")}
