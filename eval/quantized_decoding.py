"""Decodes with quantized weights on a CPU: what each kind gains in time, and what it loses in NDCG@10.

The model is the shipped adapter on SmolLM2-135M, its validation questions those of leave-last-out on ML-100K; the
test split is not looked at. Times are of the decode that decoding_speed.py measures: a prompt of 200 tokens, 50 beams,
IDs of 3 levels, one user. All kinds take turns, so that what else the machine does hits them alike; they are medians,
and the median of each round's ratio to float32. NDCG is asked of the kinds that are faster.

Kinds: float32 as loaded, with the adapter merged, torch's dynamic int8 and torchao's two int8 schemes on the merged
model, and bitsandbytes int8 and nf4 under the adapter, as ``from_pretrained(quantization=...)`` has them. What is
not installed, or fails, is named with its error.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any, cast

import numpy as np
import torch
import transformers
import typer
from decoding_worker import BEAMS, CODES, LEVELS, K, Model, generator_of, prompts_of, random_codes
from peft import PeftModel

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.provenance import provenance
from genrec.data.dataset import Dataset
from genrec.data.split import EvalSet, leave_last_out
from genrec.decoding.beam import beam_search
from genrec.evaluation.protocol import evaluate
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.model.base import BaseModel
from genrec.model.folder import LoadedModel, load_model
from genrec.model.generator import Generator
from genrec.recommend.recommender import Recommender

FOLDER = Path(__file__).parent
MODEL = FOLDER.parent / "finetune/models/smollm2-ml-100k"
REFERENCE = "float32"


def merged(folder: Path) -> LoadedModel:
    """The model with its adapter merged into the weights."""
    loaded = load_model(folder, quantization="none")
    generator = loaded.generator
    lm = cast("transformers.PreTrainedModel", cast("PeftModel", generator.backbone).merge_and_unload())
    return LoadedModel(
        Generator(lm, generator.head, generator.vocabulary).eval(),
        loaded.text_tokenizer,
        loaded.item_ids,
        loaded.description,
    )


def torch_dynamic(folder: Path) -> LoadedModel:
    """Int8 weights, activations quantized as they come: torch's own kernels."""
    loaded = merged(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that torchao will take over
        torch.ao.quantization.quantize_dynamic(
            loaded.generator.lm.base_model, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
        )
    return loaded


def torchao(folder: Path, scheme: str) -> LoadedModel:
    """Int8 weights by torchao, not compiled."""
    from torchao import quantization

    loaded = merged(folder)
    quantization.quantize_(loaded.generator.lm.base_model, getattr(quantization, scheme)())
    return loaded


KINDS: dict[str, Callable[[Path], LoadedModel]] = {
    REFERENCE: lambda folder: load_model(folder, quantization="none"),
    "float32, merged": merged,
    "torch dynamic int8": torch_dynamic,
    "torchao int8 weights": lambda folder: torchao(folder, "Int8WeightOnlyConfig"),
    "torchao int8 dynamic": lambda folder: torchao(folder, "Int8DynamicActivationInt8WeightConfig"),
    "bitsandbytes int8": lambda folder: load_model(folder, quantization="int8"),
    "bitsandbytes nf4": lambda folder: load_model(folder, quantization="nf4"),
}


def load_kinds(folder: Path) -> tuple[dict[str, LoadedModel], dict[str, str]]:
    """The models that load and compute, and the errors of the others."""
    models, errors = {}, {}
    for name, load in KINDS.items():
        print(f"loading {name}", file=sys.stderr)
        try:
            model = load(folder)
            decode(model)()
            models[name] = model
        except Exception as error:
            errors[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return models, errors


def decode(model: LoadedModel, items: int = 10_000) -> Callable[[], object]:
    """One decode of the shape that decoding_speed.py has."""
    generator = model.generator
    base = BaseModel(generator.lm, model.text_tokenizer, generator.vocabulary.text_size, "")
    timed = generator_of(base, random_codes(items, LEVELS, CODES))
    prompts = prompts_of(timed.vocabulary, Model.smollm2, 1)
    return lambda: beam_search(timed, prompts, K, BEAMS)


def times(models: dict[str, LoadedModel], rounds: int) -> dict[str, list[float]]:
    """Seconds of a decode, a round of each kind in turn."""
    calls = {name: decode(model) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for number in range(rounds + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - began)
        print(f"timed {number} of {rounds} rounds", file=sys.stderr)
    return seconds


def questions(data: str, users: int) -> tuple[Dataset, EvalSet]:
    """Validation questions of some users, drawn with a fixed seed."""
    dataset = Dataset.load(data)
    everyone = leave_last_out(dataset).validation
    return dataset, questions_at(everyone, sample_rows(len(everyone), users))


def ndcg(model: LoadedModel, dataset: Dataset, asked: EvalSet) -> np.ndarray:
    """NDCG@10 of each user, seen items filtered."""
    return evaluate(Recommender(model, dataset).as_scorer(), asked, ks=(10,)).per_user["ndcg@10"]


def times_faster(seconds: list[float], reference: list[float]) -> float:
    """The median over rounds of one kind's speed relative to float32."""
    return 1 / median(s / r for s, r in zip(seconds, reference, strict=True))


def loss(scores: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """NDCG@10 of one kind, and what it differs by from float32, user by user."""
    lost = scores - reference
    return {
        "ndcg@10": float(scores.mean()),
        "ndcg@10_difference": float(lost.mean()),
        "standard_error_of_difference": float(lost.std(ddof=1) / np.sqrt(len(lost))),
    }


def row_of(name: str, kind: dict[str, Any]) -> tuple[str, ...]:
    """A kind as a row of the table."""
    if "error" in kind:
        return name, kind["error"], "", "", ""
    speed = name, f"{kind['seconds']:.3f}", f"{kind['times_faster']:.2f}"
    if "ndcg@10" not in kind:
        return *speed, "", ""
    difference = f"{kind['ndcg@10_difference']:+.4f} ({kind['standard_error_of_difference']:.4f})"
    return *speed, f"{kind['ndcg@10']:.4f}", difference


def main(
    model: Annotated[Path, typer.Option(help="Model folder with an adapter.")] = MODEL,
    data: Annotated[str, typer.Option(help="Its data set.")] = "ml-100k",
    users: Annotated[int, typer.Option(min=2, help="Validation users.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, help="Decodes to time, after one to warm up.")] = 9,
    out: Annotated[Path, typer.Option(help="File to write.")] = FOLDER / "results/quantized_decoding.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Measure quantized decoding."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # says at every product what it casts
    models, errors = load_kinds(model)
    seconds = times(models, rounds)
    dataset, asked = questions(data, users)
    scores: dict[str, np.ndarray] = {}
    for name, loaded in models.items():
        if times_faster(seconds[name], seconds[REFERENCE]) >= 1:
            print(f"validation of {name}", file=sys.stderr)
            scores[name] = ndcg(loaded, dataset, asked)
    kinds: dict[str, dict[str, Any]] = {
        name: {"seconds": median(some), "times_faster": times_faster(some, seconds[REFERENCE])}
        | (loss(scores[name], scores[REFERENCE]) if name in scores else {})
        for name, some in seconds.items()
    }
    kinds |= {name: {"error": error} for name, error in errors.items()}
    report = {
        "kinds": kinds,
        "users": len(asked),
        "rounds": rounds,
        **provenance("eval/quantized_decoding.py", ["torch", "torchao", "bitsandbytes", "transformers", "peft"]),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
        return
    rows = [row_of(name, kind) for name, kind in kinds.items()]
    print_table(["weights", "seconds", "times faster", "NDCG@10", "difference (s.e.)"], rows)
    stdout.print(f"written to {out}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
