"""Measures how fast genrec's training loop is beside transformers.Trainer with peft, in real tokens a second.

Both train the same LoRA adapter and the same new rows of the same language model on the same sequences. What differs is
what each does by default: genrec buckets sequences by length and evaluates the softmax over items only; transformers
draws batches of 8 at random, pads each to its longest sequence and evaluates text and items at every position.

Rounds alternate. transformers is timed from the start to the end of its loop, genrec for the whole call. Padding is
work, but never counted. genrec sorts what a round gives it, a thousand sequences in training: the fewer steps a round,
the more padding it is charged with (15% of 32 windows, 5% of 256, 2% in training).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import transformers
import typer
from numpy.typing import NDArray
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import DataCollatorForSeq2Seq, PreTrainedTokenizerBase

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.provenance import provenance
from genrec.items.atomic import AtomicTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import BaseModel, load_base, text_table
from genrec.model.build import build_generator
from genrec.model.config import LoRAConfig, PretrainedConfig
from genrec.model.generator import Generator
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.shipped import shipped_path
from genrec.testing.tiny_base import save_tiny_base
from genrec.training.batches import Batch, collate
from genrec.training.config import FinetuneConfig, PromptConfig, TasksConfig, TrainingConfig
from genrec.training.data import TrainingData, load_training_data
from genrec.training.examples import TrainingExample
from genrec.training.loop import Trainer
from genrec.training.loss import CodeLoss
from genrec.trie import CatalogTrie

RECIPE = "finetune/configs/smollm2-atomic.yaml"
TRANSFORMERS_BATCH = transformers.TrainingArguments(output_dir="unused").per_device_train_batch_size
BAR = 1.5
IGNORED = -100
"""Label of a token that is no target, to transformers."""
TEMPLATE_TOKENS = 64
"""Tokens that the templates' own words may take."""


class Base(StrEnum):
    """The language model: SmolLM2-135M, or a tiny random one to see that the script runs."""

    smollm2 = "smollm2"
    tiny = "tiny"


class Sequences(StrEnum):
    """What is trained on.

    windows: histories cut as the recipe does, into windows of 51 items, most of them full. recipe: these, and requests
    in words with their answers, as the recipe trains. whole: each history in one piece, 19 to 735 items in ML-100K.
    """

    windows = "windows"
    recipe = "recipe"
    whole = "whole"


class Rows(StrEnum):
    """The peft option that trains the new rows of the vocabulary."""

    trainable_token_indices = "trainable_token_indices"
    modules_to_save = "modules_to_save"


def now() -> NDArray[np.float64]:
    """Seconds gone by, and seconds of processor time, which other work on the machine stretches less."""
    return np.array([time.perf_counter(), time.process_time()])


@dataclass(frozen=True)
class Pass:
    """What one side did in one round: real tokens, tokens with padding, optimizer steps, the two times of now()."""

    tokens: int
    computed: int
    steps: int
    took: NDArray[np.float64]

    @property
    def speed(self) -> float:
        """Real tokens a second."""
        return float(self.tokens / self.took[0])


class GenrecSide:
    """genrec's generator and loop."""

    def __init__(self, generator: Generator, config: TrainingConfig) -> None:
        self.generator = generator
        self.config = config

    def train(self, examples: Sequence[TrainingExample]) -> Pass:
        """One pass over the examples."""
        with tempfile.TemporaryDirectory() as folder:
            began = now()
            result = Trainer(self.generator, _Fixed(examples), self.config, Path(folder)).train()
            took = now() - began
        return Pass(result.tokens, round(result.tokens / (1 - result.padding)), result.steps, took)

    @torch.no_grad()
    def loss(self, batch: Batch) -> float:
        """Mean loss of the batch's targets: a softmax over items."""
        return float(CodeLoss(self.generator.eval())(batch.to(self.generator.device))) / batch.num_targets


@dataclass(frozen=True, eq=False)
class _Fixed:
    """The same examples whatever the epoch."""

    examples: Sequence[TrainingExample]

    @property
    def examples_per_epoch(self) -> int:
        return len(self.examples)

    def epoch(self, seed: int, epoch: int) -> Iterator[TrainingExample]:
        """Yield them in order."""
        return iter(self.examples)


class TransformersSide:
    """transformers.Trainer over a peft model whose vocabulary has a row more for every item."""

    def __init__(self, model: PeftModel, collator: DataCollatorForSeq2Seq, text_size: int) -> None:
        self.model = model
        self.collator = collator
        self.text_size = text_size

    def train(self, examples: Sequence[TrainingExample]) -> Pass:
        """One pass over the examples."""
        counted = _CountingCollator(self.collator)
        clock = _LoopClock()
        with tempfile.TemporaryDirectory() as folder:
            arguments = transformers.TrainingArguments(
                output_dir=folder,
                num_train_epochs=1,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=torch.cuda.is_available(),
            )
            rows = [_as_features(example) for example in examples]
            trainer = transformers.Trainer(
                self.model, arguments, data_collator=counted, train_dataset=rows, callbacks=[clock]
            )
            trainer.remove_callback(transformers.PrinterCallback)
            steps = trainer.train().global_step
        return Pass(counted.tokens, counted.computed, steps, clock.took)

    @torch.no_grad()
    def losses(self, examples: Sequence[TrainingExample]) -> tuple[float, float]:
        """Mean loss of the targets: over the whole vocabulary, as it trains, and over the items' rows only."""
        batch = self.collator([_as_features(example) for example in examples]).to(self.model.device)
        output = self.model.eval()(**batch)
        logits, labels = output.logits[:, :-1].float(), batch["labels"][:, 1:]
        target = labels >= 0
        items = torch.nn.functional.cross_entropy(logits[target][:, self.text_size :], labels[target] - self.text_size)
        return float(output.loss), float(items)


class _CountingCollator:
    """Counts the tokens of the batches that it passes on."""

    def __init__(self, collator: DataCollatorForSeq2Seq) -> None:
        self.collator = collator
        self.tokens = self.computed = 0

    def __call__(self, features: list[dict[str, list[int]]]) -> dict[str, Any]:
        batch: dict[str, Any] = self.collator(features)
        self.tokens += int(batch["attention_mask"].sum())
        self.computed += batch["attention_mask"].numel()
        return batch


class _LoopClock(transformers.TrainerCallback):
    """Times what lies between the start and the end of the loop."""

    def on_train_begin(self, *_: object, **__: object) -> None:
        self.began = now()

    def on_train_end(self, *_: object, **__: object) -> None:
        self.took = now() - self.began


def _as_features(example: TrainingExample) -> dict[str, list[int]]:
    labels = np.where(example.supervised, example.tokens, IGNORED)
    return {"input_ids": example.tokens.tolist(), "attention_mask": [1] * len(example), "labels": labels.tolist()}


def load(base: Base, config: FinetuneConfig, titles: Sequence[str]) -> BaseModel:
    """The language model; each call loads it anew."""
    if base is Base.smollm2:
        return load_base(config.base)
    with tempfile.TemporaryDirectory() as folder:
        return load_base(PretrainedConfig(name=str(save_tiny_base(folder, titles))))


def sides(base: Base, config: FinetuneConfig, titles: Sequence[str], rows: Rows) -> tuple[GenrecSide, TransformersSide]:
    """Both sides over one language model each, with the same first vectors of the items."""
    assert isinstance(config.base, PretrainedConfig)  # what the recipe fine-tunes
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    one, other = (load(base, config, titles) for _ in range(2))
    assert one.text_tokenizer is not None  # both bases read text
    tokenizer = AtomicTokenizer.fit(len(titles))
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), one.text_size)
    generator = build_generator(one, vocabulary, config.base, config.head, titles=titles)
    torch.nn.Module.to(other.lm, device)
    model = peft_model(other, generator.head.code_vectors.detach(), config.base.lora, rows)
    training = config.training.model_copy(update={"epochs": 1, "checkpoint_minutes": float("inf")})
    collator = DataCollatorForSeq2Seq(one.text_tokenizer)
    return GenrecSide(generator.to(device), training), TransformersSide(model, collator, one.text_size)


def peft_model(base: BaseModel, item_rows: torch.Tensor, lora: LoRAConfig, rows: Rows) -> PeftModel:
    """The language model with rows for the items, and an adapter that trains them and the linear layers."""
    size = base.text_size + len(item_rows)
    base.lm.resize_token_embeddings(size, mean_resizing=False)
    text_table(base.lm).weight.data[base.text_size :] = item_rows
    by_index = rows is Rows.trainable_token_indices
    adapter = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
        trainable_token_indices=list(range(base.text_size, size)) if by_index else None,
        modules_to_save=None if by_index else ["embed_tokens"],
        # SmolLM2 reads and writes with one matrix; copies that drift apart would be another model.
        ensure_weight_tying=not by_index,
    )
    return get_peft_model(base.lm, adapter)


def stream(
    generator: Generator,
    tokenizer: PreTrainedTokenizerBase,
    config: FinetuneConfig,
    parts: TrainingData,
    kind: Sequences,
) -> Iterator[TrainingExample]:
    """Training sequences in random order, epoch after epoch, without end."""
    longest = int(parts.train.histories.lengths.max())
    changed: dict[str, Any] = {}
    if kind is not Sequences.recipe:
        changed["tasks"] = TasksConfig(requests_per_user=0)
    if kind is Sequences.whole:
        changed["prompt"] = PromptConfig(max_items=longest, max_tokens=longest + TEMPLATE_TOKENS)
    config = config.model_copy(update=changed)
    builder = PromptBuilder(Templates.load(), generator.vocabulary, tokenizer, config.prompt.max_tokens)
    source = parts.examples(config, builder)
    for epoch in count():
        yield from source.epoch(config.training.seed, epoch)


def compare(
    one: GenrecSide, other: TransformersSide, sequences: Iterator[TrainingExample], steps: int, rounds: int
) -> dict[str, Any]:
    """Warm up, then alternate; medians of real tokens a second."""
    warm_up = list(islice(sequences, TRANSFORMERS_BATCH))
    full, items = other.losses(warm_up)
    initial = {"genrec": one.loss(collate(warm_up)), "transformers": full, "transformers_over_items": items}
    one.train(warm_up)
    other.train(warm_up)
    passes: dict[str, list[Pass]] = {"genrec": [], "transformers": []}
    lengths: list[int] = []
    for number in range(rounds):
        examples = list(islice(sequences, steps * TRANSFORMERS_BATCH))
        lengths += map(len, examples)
        for name, side in (("genrec", one), ("transformers", other)):
            done = side.train(examples)
            passes[name].append(done)
            print(f"round {number + 1}: {name} {done.speed:,.0f} real tokens/s", file=sys.stderr)
    ratio = median(done.speed for done in passes["genrec"]) / median(done.speed for done in passes["transformers"])
    return {
        "sequence_tokens": {"min": min(lengths), "median": median(lengths), "max": max(lengths)},
        "initial_loss": {name: round(value, 5) for name, value in initial.items()},
        "sides": {name: _summary(ran) for name, ran in passes.items()},
        "ratio": round(ratio, 3),
        "bar": BAR,
        "passed": ratio >= BAR,
    }


def _summary(passes: list[Pass]) -> dict[str, Any]:
    tokens, computed = sum(done.tokens for done in passes), sum(done.computed for done in passes)
    seconds, cpu_seconds = np.sum([done.took for done in passes], axis=0)
    return {
        "real_tokens_per_second": round(median(done.speed for done in passes), 1),
        "rounds": [round(done.speed, 1) for done in passes],
        "real_tokens": tokens,
        "padding": round(1 - tokens / computed, 4),
        "steps": sum(done.steps for done in passes),
        "seconds": round(float(seconds), 1),
        "cpu_seconds": round(float(cpu_seconds), 1),
    }


def measure(base: Base, data: str, kinds: Sequence[Sequences], rows: Rows, steps: int, rounds: int) -> dict[str, Any]:
    """Everything but where it ran."""
    config = FinetuneConfig.from_yaml(shipped_path(RECIPE))
    parts = load_training_data(config, data)
    results = {}
    for kind in kinds:
        one, other = sides(base, config, parts.train.catalog.titles, rows)
        sequences = stream(one.generator, other.collator.tokenizer, config, parts, kind)
        print(f"{kind}: warming up", file=sys.stderr)
        results[str(kind)] = compare(one, other, sequences, steps, rounds)
    return {
        "base": str(base),
        "data": data,
        "recipe": RECIPE,
        "transformers": {"rows": str(rows), "sequences_per_batch": TRANSFORMERS_BATCH},
        "genrec": {"tokens_per_batch": config.training.tokens_per_batch},
        "results": results,
    }


def main(
    base: Annotated[Base, typer.Option(help="smollm2, or tiny to see that it runs.")] = Base.smollm2,
    data: Annotated[str, typer.Option(help="Named set or data set folder.")] = "ml-100k",
    sequences: Annotated[list[Sequences] | None, typer.Option(help="Repeat for several. Default: all.")] = None,
    rows: Annotated[Rows, typer.Option(help="How peft trains the item rows.")] = Rows.trainable_token_indices,
    steps: Annotated[int, typer.Option(min=1, help="Steps of transformers a round.")] = 32,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each with sequences of its own.")] = 3,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path(__file__).parent / "results/training_speed.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Compare the training speed of genrec with that of transformers.Trainer and peft."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    measured = measure(base, data, sequences or list(Sequences), rows, steps, rounds)
    report = {**measured, **provenance("eval/training_speed.py", ["torch", "transformers", "peft", "accelerate"])}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
        return
    for kind, result in report["results"].items():
        table = [
            (name, *(f"{side[column]:,}" for column in ("real_tokens_per_second", "padding", "steps", "seconds")))
            for name, side in result["sides"].items()
        ]
        print_table([kind, "real tokens/s", "padding", "steps", "seconds"], table)
        stdout.print(f"ratio {result['ratio']:.2f}, to be at least {BAR}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
