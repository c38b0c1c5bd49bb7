"""``genrec finetune``: from a configuration and a data set to a model folder."""

from __future__ import annotations

import logging
import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec.cli.console import print_json, stderr, stdout

if TYPE_CHECKING:
    from genrec.items.base import ItemTokenizer
    from genrec.training.estimate import Estimate


def finetune(
    data: Annotated[str, typer.Option("--data", help="Name of a data set, or a data set folder.")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write.")],
    config: Annotated[
        Path, typer.Option("--config", help="YAML file: a shipped one (genrec recipes ls), or a copy of your own.")
    ] = Path("finetune/configs/gpt-distilled.yaml"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value that wins over the file; repeatable.")
    ] = None,
    estimate_only: Annotated[bool, typer.Option("--estimate-only", help="Say what it would take, and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fine-tune a generator on a data set and write a model folder."""
    from genrec.errors import ConfigError
    from genrec.shipped import given_or_shipped
    from genrec.training.config import FinetuneConfig
    from genrec.training.estimate import duration
    from genrec.training.finetune import finetune as run
    from genrec.training.run_file import RUN_FILE

    if resume and not (out / RUN_FILE).exists():
        hint = "name the folder of the run with --out, or begin one without --resume"
        raise ConfigError(f"{out}: there is no run to resume", hint=hint)
    settings = FinetuneConfig.from_yaml(given_or_shipped(config), set_ or [])
    quiet_libraries()

    def say(estimate: Estimate, tokenizer: ItemTokenizer) -> None:
        stderr.print(f"items: {tokenizer.report()}", soft_wrap=True)
        stderr.print(f"estimate: {estimate}", soft_wrap=True)
        if estimate_only:
            if json:
                print_json({"items": str(tokenizer.report()), **asdict(estimate)})
            estimate.check()
            raise typer.Exit

    result = run(settings, data, out, resume=resume, on_estimate=say)
    training = result.training
    if json:
        print_json(
            {
                "model": str(result.folder),
                "steps": training.steps,
                "tokens": training.tokens,
                "seconds": training.seconds,
                "loss": training.loss,
                "padding": training.padding,
                "validation_ndcg@10": training.best,
                "best_epoch": training.best_epoch,
            }
        )
        return
    best = "" if training.best is None else f", validation NDCG@10 {training.best:.4f} (epoch {training.best_epoch})"
    took = duration(training.seconds)
    stdout.print(f"{training.tokens:,} tokens in {took}, {training.padding:.0%} padding{best}", soft_wrap=True)
    stdout.print(f"model: {result.folder}", soft_wrap=True)
    stdout.print(f"next: genrec recommend {shlex.quote(str(result.folder))} --history ITEM_ID,ITEM_ID", soft_wrap=True)


# What bitsandbytes says of kernels for CPUs that genrec does without, and of a cast in every layer of an int8 model.
_NOISE = {
    "bitsandbytes.backends.cpu.ops": "Failed to load CPU gemm_4bit_forward",
    "bitsandbytes.autograd._functions": "MatMul8bitLt: inputs will be cast",
}


def quiet_libraries() -> None:
    """Silence the progress bars of the libraries that read and write weights: ours says what matters."""
    quiet_bitsandbytes()
    # Read when datasets is imported, which most commands never do.
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    import transformers

    transformers.utils.logging.disable_progress_bar()


def quiet_bitsandbytes() -> None:
    """Leave out two messages of bitsandbytes that say nothing to whoever runs a command; the others stay."""
    for name in _NOISE:
        logging.getLogger(name).addFilter(_matters)


def _matters(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOISE[record.name])
