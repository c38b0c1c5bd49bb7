"""The model card: README.md of a model folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.model.config import PretrainedConfig

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.items.report import TokenizerReport
    from genrec.model.description import ModelDescription


def write_card(folder: Path, description: ModelDescription, report: TokenizerReport, seconds: float) -> None:
    """Write ``README.md``: what the model is, was made from, and how to use it.

    Parameters
    ----------
    folder
        The model folder.
    description
        Its ``genrec.json``.
    report
        The item tokenizer's report.
    seconds
        Time that training took.
    """
    base = description.base
    if isinstance(base, PretrainedConfig):
        made_from = f"{base.name} with a LoRA adapter of rank {base.lora.rank}"
    else:
        made_from = f"a GPT from scratch: {base.layers} layers, width {base.width}"
    metrics = "\n".join(f"| {name} | {value:.4f} |" for name, value in description.metrics.items())
    lines = [
        f"# Generative recommender for {description.dataset.name}",
        "",
        f"Made by genrec {description.genrec_version} from {made_from} ({description.base_fingerprint}).",
        f"Trained for {seconds / 60:.1f} minutes on {description.dataset.name} "
        f"({description.dataset.num_items:,} items; held out: {description.dataset.split}).",
        "",
        f"Item tokenizer: {report}",
        "",
        "```",
        f"genrec recommend {folder.name} --history ID,ID -k 10",
        "```",
        "",
        *(["| metric | value |", "|---|---|", metrics, ""] if metrics else []),
        "Titles and histories stay with the data set; this folder holds item ids and codes only.",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
