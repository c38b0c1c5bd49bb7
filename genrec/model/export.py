"""Export a model folder to one that plain transformers, and what builds on it, can load."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from genrec.cache import cache_folder
from genrec.columns import ITEM_ID
from genrec.errors import ConfigError, ModelError, UnsupportedError
from genrec.model.base import output_rows, text_table
from genrec.model.description import FILE as DESCRIPTION
from genrec.model.folder import ITEMS_FILE, load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from genrec.model.generator import Generator


EXPORT_FILE = "genrec-export.json"


class ExportDescription(BaseModel):
    """``genrec-export.json``: what a program that serves an export has to be told."""

    model_config = ConfigDict(extra="ignore")

    dtype: str
    """Number type to compute in, that of the model folder: others rank a little differently."""
    has_text_tokenizer: bool
    """Whether the export has a text tokenizer, or reads item codes only."""
    vocabulary_size: int
    """Text tokens and codes, V + C."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read that of a folder.

        Raises
        ------
        ModelError
            If the folder is not an export.
        """
        try:
            return cls.model_validate_json((folder / EXPORT_FILE).read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            hint = "genrec export MODEL --merged FOLDER writes one"
            raise ModelError(f"{folder} is not a merged export: it has no readable {EXPORT_FILE}", hint=hint) from error

    def serve_command(self, folder: Path) -> str:
        """The shell command that serves the folder with vLLM."""
        tokenizer = "" if self.has_text_tokenizer else " --skip-tokenizer-init"
        return f"vllm serve {shlex.quote(str(folder))} --dtype {self.dtype} --block-size 32{tokenizer}"


def merged_copy(folder: Path | str) -> Path:
    """The merged export of a model folder in the cache, made when it is not there.

    Parameters
    ----------
    folder
        A model folder.

    Returns
    -------
    Path
        A folder, named after the model folder's own and the content of its files.

    Raises
    ------
    UnsupportedError
        As :func:`export_merged`.
    """
    folder = Path(folder).resolve()  # a link to it may move meanwhile
    try:
        content = (folder / DESCRIPTION).read_bytes()  # it holds the hashes of all other files
    except OSError as error:
        hint = "a model folder is what `genrec finetune --out` wrote"
        raise ModelError(f"{folder} is not a model folder: it has no readable {DESCRIPTION}", hint=hint) from error
    name = f"{folder.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    merged = cache_folder() / "merged" / name
    if merged.exists():
        return merged
    aside = merged.with_name(f"{name}.{os.getpid()}")
    export_merged(folder, aside)
    try:
        aside.rename(merged)
    except OSError:  # another process was faster
        shutil.rmtree(aside)
    return merged


def export_merged(folder: Path | str, out: Path | str) -> Path:
    """Merge the adapter and the code vectors of a model folder into a plain causal LM.

    Its vocabulary is the V text tokens followed by one token a code, C of them; the same vectors embed and
    score a code. ``items.parquet`` holds the token ids of each item. Over the children of a trie node, its
    next-token logits are ours.

    Parameters
    ----------
    folder
        A model folder.
    out
        Folder to write; must be empty.

    Returns
    -------
    Path
        The folder written.

    Raises
    ------
    UnsupportedError
        If the model has node residuals: a plain LM has no vectors for trie nodes.
    ConfigError
        If ``out`` is not empty.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty", hint="name another folder")
    model = load_model(folder, quantization="none")
    head = model.description.head
    if head.node_residual or head.one_position:
        hint = "fine-tune with head.node_residual=false and head.one_position=false for a model that can be exported"
        raise UnsupportedError("node residuals and pooled items have no place in a plain language model", hint=hint)
    lm = _merged(model.generator)
    lm.save_pretrained(out)
    if model.text_tokenizer is not None:
        model.text_tokenizer.save_pretrained(out)
    tokens = [[int(token) for token in row if token >= 0] for row in model.generator.vocabulary.tokens]
    columns = {ITEM_ID: pa.array(model.item_ids, pa.string()), "tokens": pa.array(tokens, pa.list_(pa.int64()))}
    pq.write_table(pa.table(columns), out / ITEMS_FILE)
    about = ExportDescription(
        dtype=str(lm.dtype).removeprefix("torch."),
        has_text_tokenizer=model.text_tokenizer is not None,
        vocabulary_size=text_table(lm).num_embeddings,
    )
    (out / EXPORT_FILE).write_text(about.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return out


@torch.no_grad()
def _merged(generator: Generator) -> PreTrainedModel:
    """The backbone with its adapter merged and a row for every new token; the generator is used up."""
    from peft import PeftModel

    lm = generator.lm
    if isinstance(generator.backbone, PeftModel):
        lm = cast("PreTrainedModel", generator.backbone.merge_and_unload())
    vocabulary = generator.vocabulary
    if vocabulary.num_new_tokens:
        lm.resize_token_embeddings(vocabulary.text_size + vocabulary.num_new_tokens, mean_resizing=False)
        new = slice(vocabulary.text_size, None)
        for rows in (text_table(lm).weight, output_rows(lm)):
            rows[new] = generator.head.code_vectors.to(rows.dtype)
    return lm
