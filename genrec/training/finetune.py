"""Fine-tune a generator on a data set: from a configuration to a model folder."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from genrec.data.dataset import Dataset
from genrec.data.split import EvalSet, global_temporal, leave_last_out
from genrec.decoding.trie import CatalogTrie
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.card import write_card
from genrec.model.description import DatasetReference, ModelDescription
from genrec.model.folder import save_model
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.requests import RequestExamples
from genrec.prompt.templates import Templates
from genrec.recommend.scorer import GenerativeScorer
from genrec.training.estimate import Estimate, estimate
from genrec.training.examples import InMemoryExamples, StreamedExamples
from genrec.training.loop import Trainer, TrainingResult
from genrec.training.tokenizing import fit_item_tokenizer
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec.items.base import ItemTokenizer
    from genrec.training.config import FinetuneConfig
    from genrec.training.examples import ExampleSource

logger = logging.getLogger(__name__)

RUN_FILE = "finetune.json"


@dataclass(frozen=True, eq=False)
class FinetuneResult:
    """A finished run.

    Parameters
    ----------
    folder
        The model folder.
    training
        How the loop ended.
    estimate
        What had been expected.
    """

    folder: Path
    training: TrainingResult
    estimate: Estimate


def finetune(
    config: FinetuneConfig,
    data: str | Path | Dataset,
    out: str | Path,
    *,
    resume: bool = False,
    on_estimate: Callable[[Estimate, ItemTokenizer], None] | None = None,
) -> FinetuneResult:
    """Fine-tune a generator and write a model folder.

    Parameters
    ----------
    config
        What to train and how.
    data
        Named set, data set folder, or a data set in memory.
    out
        Model folder to write; must be empty unless ``resume``.
    resume
        Go on from the last checkpoint in ``out``; the configuration must be the one it was started with.
    on_estimate
        Called with the estimate and the item tokenizer before training starts.

    Returns
    -------
    FinetuneResult
        The folder and how training went.

    Raises
    ------
    ConfigError
        If ``out`` is not empty, or ``resume`` with another configuration.
    ResourceError
        If the run cannot fit the memory.

    Examples
    --------
    >>> import tempfile
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = finetune(config, toy_dataset(users=8), folder)
    >>> result.training.steps
    1
    """
    out = Path(out)
    dataset = data if isinstance(data, Dataset) else Dataset.load(data)
    _prepare_folder(out, config, resume)
    torch.manual_seed(config.training.seed)
    train, validation = _split(config, dataset)

    templates = Templates.load(config.prompt.templates)
    base = load_base(config.base, max_positions=config.prompt.max_tokens + 1)
    tokenizer = fit_item_tokenizer(config.items, train, base.text_tokenizer, config.training.seed)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), base.text_size)
    generator = build_generator(
        base, vocabulary, config.base, config.head, titles=dataset.catalog.titles, seed=config.training.seed
    )
    if config.base.kind == "scratch" or config.base.quantization == "none":
        generator.to("cuda" if torch.cuda.is_available() else "cpu")
    builder = PromptBuilder(templates, vocabulary, base.text_tokenizer, config.prompt.max_tokens)
    source = _examples(config, train, builder, data)

    expected = estimate(generator, source, config.training)
    if on_estimate:
        on_estimate(expected, tokenizer)
    expected.check()
    scorer = GenerativeScorer(
        generator, builder, config.prompt.max_items, beams=config.training.validation_beams, name="validation"
    )
    trainer = Trainer(
        generator,
        source,
        config.training,
        out,
        _validation(scorer, validation, config),
        tuple(config.report_to),
    )
    result = trainer.train(resume=resume)
    generator.eval()

    description = ModelDescription(
        genrec_version=__version__,
        base=config.base,
        base_fingerprint=base.fingerprint,
        head=config.head,
        max_items=config.prompt.max_items,
        max_tokens=config.prompt.max_tokens,
        templates=templates.sources,
        dataset=DatasetReference(
            name=dataset.name, location=_location(data, dataset), num_items=dataset.num_items, split=config.split
        ),
        metrics={"validation_ndcg@10": result.best} if result.best is not None else {},
    )
    write_card(out, description, tokenizer.report(), result.seconds)
    save_model(out, generator, description, dataset.catalog.ids.ids, getattr(torch, config.training.save_dtype))
    return FinetuneResult(out, result, expected)


def _prepare_folder(out: Path, config: FinetuneConfig, resume: bool) -> None:
    """A new folder, or the one of the run that is resumed."""
    written = out / RUN_FILE
    if resume and written.exists():
        before = json.loads(written.read_text(encoding="utf-8"))
        now = json.loads(config.model_dump_json())
        if before != now:
            changed = [key for key in now if before.get(key) != now[key]]
            hint = f"resume with the configuration in {written}, or write to another folder"
            raise ConfigError(f"{out} was started with another configuration: {', '.join(changed)} differ", hint=hint)
        return
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty", hint="give another --out, or --resume to go on with a run in it")
    out.mkdir(parents=True, exist_ok=True)
    written.write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _split(config: FinetuneConfig, dataset: Dataset) -> tuple[Dataset, EvalSet | None]:
    if config.split == "none":
        return dataset, None
    split = leave_last_out(dataset) if config.split == "leave-last-out" else global_temporal(dataset)
    return split.train, split.validation


def _examples(
    config: FinetuneConfig, train: Dataset, builder: PromptBuilder, data: str | Path | Dataset
) -> ExampleSource:
    max_items = config.prompt.max_items + 1
    requests_per_user = config.tasks.requests_per_user
    if config.training.stream:
        if isinstance(data, Dataset) or requests_per_user or config.split == "temporal":
            hint = "set training.stream=false"
            raise ConfigError("streaming needs a data set folder, no requests and no temporal split", hint=hint)
        held_out = 2 if config.split == "leave-last-out" else 0
        return StreamedExamples(Path(data), builder, max_items, train.num_users, held_out=held_out)
    requests = None
    if requests_per_user:
        if config.base.kind == "scratch":
            raise ConfigError("a from-scratch model reads no requests", hint="set tasks.requests_per_user=0")
        requests = RequestExamples(train, builder.templates, config.training.seed)
    return InMemoryExamples(train, builder, max_items, requests, requests_per_user)


def _validation(
    scorer: GenerativeScorer, validation: EvalSet | None, config: FinetuneConfig
) -> Callable[[], float] | None:
    """NDCG@10 of a fixed sample of validation users, seen items filtered."""
    size = config.training.validation_users
    if validation is None or not size or not len(validation):
        return None
    rng = np.random.default_rng(config.training.seed)
    rows = np.sort(rng.permutation(len(validation))[:size])
    sample = EvalSet(
        validation.users[rows],
        [validation.histories[row] for row in rows],
        [validation.targets[row] for row in rows],
    )
    return lambda: evaluate(scorer, sample, ks=(10,)).metrics["ndcg@10"]


def _location(data: str | Path | Dataset, dataset: Dataset) -> str:
    """Where the data set can be loaded from again; a folder as an absolute path."""
    if isinstance(data, Dataset):
        return dataset.name
    return str(Path(data).resolve()) if Path(data).exists() else str(data)
