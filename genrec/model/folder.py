"""Model folders: what transformers and peft write, the code head, the item tokenizer, genrec.json."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file, save_file

from genrec.columns import ITEM_ID
from genrec.errors import ModelError
from genrec.items.loading import load_item_tokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import BaseModel, load_base, load_text_tokenizer, output_rows, text_size_of, text_table
from genrec.model.code_head import CodeHead
from genrec.model.config import PretrainedConfig, Quantization, ScratchConfig, check_quantization
from genrec.model.description import ModelDescription
from genrec.model.generator import Generator
from genrec.trie import CatalogTrie

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peft import PeftModel
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HEAD_FILE = "code_head.safetensors"
ADAPTER_FILE = "adapter_model.safetensors"
ITEMS_FILE = "items.parquet"
TOKENIZER_FOLDER = "item_tokenizer"


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model folder in memory.

    Parameters
    ----------
    generator
        In evaluation mode.
    text_tokenizer
        The base model's tokenizer; None if the model reads item codes only.
    item_ids
        Item id of each of the N items the model knows, in the order of its codes.
    description
        ``genrec.json``.
    """

    generator: Generator
    text_tokenizer: PreTrainedTokenizerBase | None
    item_ids: list[str]
    description: ModelDescription

    @property
    def vocabulary(self) -> ItemVocabulary:
        """Item tokens and the catalog trie."""
        return self.generator.vocabulary


@dataclass(frozen=True, eq=False)
class ModelInterface:
    """A model folder in memory without its weights: what writes prompts and reads answers, for engines elsewhere.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.
    text_tokenizer, item_ids, description
        As those of :class:`LoadedModel`.
    """

    vocabulary: ItemVocabulary
    text_tokenizer: PreTrainedTokenizerBase | None
    item_ids: list[str]
    description: ModelDescription


def save_model(
    folder: Path,
    generator: Generator,
    description: ModelDescription,
    item_ids: Sequence[str],
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a model folder.

    Parameters
    ----------
    folder
        Made if it is missing; other files in it are left alone.
    generator
        The trained model.
    description
        Written last, with the hashes of the files.
    item_ids
        Id of each item (N).
    dtype
        Number type of the tensors. Default float32.

    Raises
    ------
    ModelError
        If a weight is NaN, or infinite in that type; nothing is written then.
    """
    head, backbone = _converted(generator.head.state_dict(), dtype), _converted(_backbone_state(generator), dtype)
    folder.mkdir(parents=True, exist_ok=True)
    base = description.base
    _save_backbone(folder, generator, base.name if isinstance(base, PretrainedConfig) else "", backbone)
    save_file({name: t.cpu() for name, t in head.items()}, folder / HEAD_FILE)
    generator.vocabulary.tokenizer.save(folder / TOKENIZER_FOLDER)
    pq.write_table(pa.table({ITEM_ID: pa.array(item_ids, pa.string())}), folder / ITEMS_FILE)
    description.write(folder)


def load_model(folder: Path | str, *, quantization: str | None = None) -> LoadedModel:
    """Read a model folder that ``save_model`` wrote.

    Parameters
    ----------
    folder
        The folder.
    quantization
        Quantize the base model's weights otherwise than in training: none, int8 or nf4. Default: as trained.

    Returns
    -------
    LoadedModel
        On the GPU if there is one, else on the CPU.

    Raises
    ------
    ModelError
        If the folder is not whole or the base model is not to be had.
    ConfigError
        If there is no such quantization, or it does not apply to the model.
    """
    folder = Path(folder).resolve()  # a link to it may move meanwhile: all files are of one model
    description = ModelDescription.read(folder)
    config = description.base
    if quantization is not None:
        check_quantization(config, quantization, get_args(Quantization))
    if quantization is not None and isinstance(config, PretrainedConfig):
        config = PretrainedConfig.model_validate(config.model_dump() | {"quantization": quantization})
    tokenizer = load_item_tokenizer(folder / TOKENIZER_FOLDER)
    base = _load_saved_base(folder, config)
    trie, one_position = CatalogTrie.from_codes(tokenizer.codes), description.head.one_position
    vocabulary = ItemVocabulary(tokenizer, trie, base.text_size, one_position)
    head = CodeHead(
        vocabulary,
        text_table(base.lm).embedding_dim,
        node_residual=description.head.node_residual,
        text_rows=None if tokenizer.text_tokens is None else output_rows(base.lm),
    )
    saved = {name: t.float() for name, t in load_file(folder / HEAD_FILE).items()}
    if head.depth_reader is None and one_position:  # older folders have one, which nothing used
        saved = {name: t for name, t in saved.items() if not name.startswith("depth_reader.")}
    missing = head.load_state_dict(saved, strict=False)
    if missing.missing_keys or missing.unexpected_keys:
        raise ModelError(f"{folder / HEAD_FILE} does not fit the model: {missing}")
    backbone: PreTrainedModel | PeftModel = base.lm
    if isinstance(config, PretrainedConfig):
        from peft import PeftModel

        if not (folder / ADAPTER_FILE).is_file():  # peft would look for a pickle
            raise ModelError(f"{folder / ADAPTER_FILE} is missing", hint="copy the folder again, or fine-tune anew")
        backbone = PeftModel.from_pretrained(base.lm, str(folder))
    generator = Generator(backbone, head, vocabulary)
    if config.kind == "scratch" or config.quantization == "none":
        generator.to("cuda" if torch.cuda.is_available() else "cpu")
    else:
        head.to(base.lm.device)
    item_ids = pq.read_table(folder / ITEMS_FILE)[ITEM_ID].to_pylist()
    return LoadedModel(generator.eval(), base.text_tokenizer, item_ids, description)


def load_interface(folder: Path | str) -> ModelInterface:
    """Read a model folder, except for its weights and those of its base model.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    ModelError
        If the folder is not whole or the base model's tokenizer is not to be had.
    """
    folder = Path(folder).resolve()  # a link to it may move meanwhile: all files are of one model
    description = ModelDescription.read(folder)
    tokenizer = load_item_tokenizer(folder / TOKENIZER_FOLDER)
    text_size = text_size_of(description.base, folder)
    return ModelInterface(
        ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), text_size, description.head.one_position),
        load_text_tokenizer(description.base),
        pq.read_table(folder / ITEMS_FILE)[ITEM_ID].to_pylist(),
        description,
    )


def _converted(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Tensors as they are written, all finite."""
    converted = {name: t.detach().to(dtype).contiguous() for name, t in tensors.items()}
    for name, tensor in converted.items():
        if tensor.isfinite().all():
            continue
        kind, limit = str(dtype).removeprefix("torch."), torch.finfo(dtype).max
        if tensors[name].isfinite().all():
            largest = float(tensors[name].abs().max())
            hint = f"{kind} ends at {limit:.6g}: set training.save_dtype=float32, with which a run can be resumed"
            raise ModelError(f"{name} has weights up to {largest:.3g}, infinite in {kind}", hint=hint)
        raise ModelError(f"{name} has weights that are NaN or infinite", hint="train with a lower learning rate")
    return converted


def _backbone_state(generator: Generator) -> dict[str, Tensor]:
    """What training changes of the backbone: the adapter, or all of a model from scratch."""
    from peft import PeftModel, get_peft_model_state_dict

    is_adapted = isinstance(generator.backbone, PeftModel)
    state: dict[str, Tensor] = (
        get_peft_model_state_dict(generator.backbone) if is_adapted else generator.backbone.state_dict()
    )
    return state


def _save_backbone(folder: Path, generator: Generator, base_name: str, state: dict[str, Tensor]) -> None:
    from peft import PeftModel

    if isinstance(generator.backbone, PeftModel):
        # Where the base model lay on this machine says nothing on another one: its name does.
        config = copy.copy(generator.backbone.peft_config["default"])
        config.base_model_name_or_path = base_name
        config.save_pretrained(str(folder))
        adapter = {name: t.cpu() for name, t in state.items()}
        save_file(adapter, folder / ADAPTER_FILE, metadata={"format": "pt"})
    else:
        generator.backbone.save_pretrained(folder, state_dict=state)


def _load_saved_base(folder: Path, config: ScratchConfig | PretrainedConfig) -> BaseModel:
    if isinstance(config, PretrainedConfig):
        return load_base(config)
    from transformers import AutoModelForCausalLM

    lm = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
    return BaseModel(lm, load_text_tokenizer(config), text_table(lm).num_embeddings, "from scratch")
