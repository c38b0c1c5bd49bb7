"""Export a model folder to one that plain transformers, and what builds on it, can load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from genrec.columns import ITEM_ID
from genrec.errors import ConfigError, UnsupportedError
from genrec.model.base import output_rows, text_table
from genrec.model.folder import ITEMS_FILE, load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from genrec.model.generator import Generator


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
    if model.generator.head.node_vectors is not None:
        hint = "fine-tune with head.node_residual=false to get a model that can be exported"
        raise UnsupportedError("node residuals have no place in a plain language model", hint=hint)
    lm = _merged(model.generator)
    lm.save_pretrained(out)
    if model.text_tokenizer is not None:
        model.text_tokenizer.save_pretrained(out)
    tokens = [[int(token) for token in row if token >= 0] for row in model.generator.vocabulary.tokens]
    columns = {ITEM_ID: pa.array(model.item_ids, pa.string()), "tokens": pa.array(tokens, pa.list_(pa.int64()))}
    pq.write_table(pa.table(columns), out / ITEMS_FILE)
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
