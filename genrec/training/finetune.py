"""Fine-tune a generator on a data set: from a configuration to a model folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator

from genrec.baselines.trained import fit_allowed
from genrec.data.digest import interactions_digest
from genrec.errors import ConfigError, UnsupportedError
from genrec.evaluation.protocol import evaluate
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base, load_text_tokenizer
from genrec.model.build import build_generator
from genrec.model.card import write_card
from genrec.model.description import DatasetReference, ModelDescription
from genrec.model.folder import save_model
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.recommend.evidence import choose_evidence, save_evidence
from genrec.recommend.fusion import fit_returns
from genrec.recommend.scorer import GenerativeScorer
from genrec.training.checkpoint import remove_checkpoints
from genrec.training.data import load_training_data
from genrec.training.estimate import Estimate, estimate
from genrec.training.loop import CHECKPOINTS, Trainer, TrainingResult
from genrec.training.run_file import check_digests, check_folder, describe_run, digests_of, write_run
from genrec.training.teacher import TeacherTargets, make_targets
from genrec.training.tokenizing import fit_item_tokenizer, item_vectors
from genrec.trie import CatalogTrie
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet
    from genrec.items.base import ItemTokenizer
    from genrec.model.base import BaseModel
    from genrec.model.description import EvidenceDescription
    from genrec.model.generator import Generator
    from genrec.training.config import FinetuneConfig
    from genrec.training.data import TrainingData

logger = logging.getLogger(__name__)

TEACHER = "teacher"


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
    validation: EvalSet | None = None,
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
    validation
        Questions of a split that was made already. ``data`` is then its training part: all of it is trained on, and
        ``config.split`` only says how it was made. Default: ``data`` is split as the configuration says.
    resume
        Go on from the last checkpoint in ``out``; configuration (but for ``training.save_dtype``) and data must be
        those it was started with, down to the codes that items get.
        Once the model folder is whole, its checkpoints are removed.
    on_estimate
        Called with the estimate and the item tokenizer before training starts.

    Returns
    -------
    FinetuneResult
        The folder and how training went.

    Raises
    ------
    ConfigError
        If ``out`` is not empty; if ``resume`` with another configuration or data set, or of a finished run; if
        ``evidence`` is to be weighed and there are no validation users.
    ResourceError
        If the run cannot fit the memory.
    TrainingError
        If training diverges.
    ModelError
        If a weight is infinite in ``training.save_dtype``.
    UnsupportedError
        If something that the configuration asks for is not installed.

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
    _check_trackers(config.report_to)
    parts = load_training_data(config, data, validation)
    _check_evidence(config, parts)
    run = describe_run(config, parts)
    processes = Accelerator()
    if processes.is_main_process:
        check_folder(out, run, resume=resume)
    built = _build(config, parts.train, processes.device)
    source = parts.examples(config, built.builder)
    expected = estimate(built.generator, source, config.training)
    if processes.is_main_process:
        digests = digests_of(parts, built.tokenizer)
        check_digests(out, digests)
        if on_estimate:
            on_estimate(expected, built.tokenizer)
        expected.check()
        write_run(out, run, digests)
    processes.wait_for_everyone()

    teacher = _teacher(config, parts, out, processes, baskets=source.next_basket)
    validate = _validation(built, parts.validation, config)
    trainer = Trainer(built.generator, source, config.training, out, validate, tuple(config.report_to), teacher)
    result = trainer.train(resume=resume)
    built.generator.eval()
    if processes.is_main_process:
        evidence = _evidence(config, parts, built, out)
        _write_folder(out, config, parts, built, result, evidence, _returns(config, parts, built))
    processes.wait_for_everyone()
    return FinetuneResult(out, result, expected)


@dataclass(frozen=True, eq=False)
class _Built:
    """A generator that is ready to be trained, and what it was put together from."""

    base: BaseModel
    tokenizer: ItemTokenizer
    generator: Generator
    builder: PromptBuilder


def _build(config: FinetuneConfig, train: Dataset, device: torch.device) -> _Built:
    tokenizer = fit_item_tokenizer(config.items, train, load_text_tokenizer(config.base), config.training.seed)
    torch.manual_seed(config.training.seed)  # weights of a model from scratch
    # A prompt may be of full length, and all codes of an item but the last are read after it.
    base = load_base(config.base, max_positions=config.prompt.max_tokens + max(tokenizer.codes.shape[1] - 1, 1))
    trie = CatalogTrie.from_codes(tokenizer.codes)
    vocabulary = ItemVocabulary(tokenizer, trie, base.text_size, config.head.one_position)
    generator = build_generator(
        base,
        vocabulary,
        config.base,
        config.head,
        titles=train.catalog.titles,
        item_vectors=item_vectors(config.items, train, config.training.seed) if config.head.init == "vectors" else None,
        seed=config.training.seed,
    )
    # Quantized weights already lie where they are to be computed with.
    if config.base.kind == "scratch" or config.base.quantization == "none":
        generator.to(device)
    templates = Templates.load(config.prompt.templates)
    builder = PromptBuilder(templates, vocabulary, base.text_tokenizer, config.prompt.max_tokens)
    return _Built(base, tokenizer, generator, builder)


def _teacher(
    config: FinetuneConfig, parts: TrainingData, out: Path, processes: Accelerator, *, baskets: bool
) -> TeacherTargets | None:
    """Soft targets, made once by one process and kept beside the checkpoints while the run lasts."""
    teacher, folder = config.training.teacher, out / CHECKPOINTS / TEACHER
    if teacher is None:
        return None
    if baskets and not teacher.baskets:
        logger.info("no teacher for next baskets (training.teacher.baskets)")
        return None
    if processes.is_main_process and not (folder / "weights.json").exists():
        read = config.prompt.max_items
        make_targets(teacher, parts.train, parts.validation, config.training.seed, folder, max_items=read)
    processes.wait_for_everyone()
    return TeacherTargets.load(teacher.targets or folder)


def _evidence(config: FinetuneConfig, parts: TrainingData, built: _Built, out: Path) -> EvidenceDescription | None:
    """What guides the search of the finished model; what was trained for it is written."""
    if config.evidence is None or parts.validation is None or parts.questions is None:
        return None
    trained, seed = out / CHECKPOINTS / TEACHER, config.training.seed
    scorers = fit_allowed(config.evidence.scorers, parts.train, parts.validation, seed, trained)
    if not scorers:
        return None
    alone = GenerativeScorer(built.generator, built.builder, config.prompt.max_items)
    about = choose_evidence(scorers, alone, parts.train, parts.questions, config.evidence.validation_users)
    save_evidence(about, scorers, out)
    return about


def _returns(config: FinetuneConfig, parts: TrainingData, built: _Built) -> float:
    """How users come back to an item, beside what the generator says that nothing guides."""
    # A model that reads text takes seconds to score a whole catalog, and learns of returns from them alone.
    if parts.validation is None or built.base.text_tokenizer is not None:
        return 0.0
    return fit_returns(GenerativeScorer(built.generator, built.builder, config.prompt.max_items), parts.validation)


def _check_evidence(config: FinetuneConfig, parts: TrainingData) -> None:
    """Said before anything is trained: what scorers weigh is chosen when the model is finished."""
    if config.evidence is None:
        return
    if parts.streamed is not None:
        hint = "--set training.stream=false, or --set evidence=null"
        raise ConfigError("evidence needs the interactions in memory", hint=hint)
    if parts.validation is None:
        hint = (
            "--set evidence=null, or another split and training.validation_users, for users with 3 interactions or more"
        )
        raise ConfigError("evidence is weighed on validation users, and there are none", hint=hint)


def _check_trackers(names: Sequence[str]) -> None:
    """Accelerate leaves out a tracker that is not installed without a word."""
    for name in names:
        if util.find_spec(name) is None:
            raise UnsupportedError(f"report_to: {name} is not installed", hint=f"pip install {name}")


def _write_folder(
    out: Path,
    config: FinetuneConfig,
    parts: TrainingData,
    built: _Built,
    result: TrainingResult,
    evidence: EvidenceDescription | None,
    return_log_odds: float,
) -> None:
    """Write the model folder; once it is whole, the checkpoints have served."""
    catalog = parts.train.catalog
    description = ModelDescription(
        genrec_version=__version__,
        base=config.base,
        base_fingerprint=built.base.fingerprint,
        head=config.head,
        items=config.items,
        max_items=config.prompt.max_items,
        max_tokens=config.prompt.max_tokens,
        templates=built.builder.templates.sources,
        dataset=DatasetReference(
            name=parts.train.name,
            location=parts.location,
            num_items=len(catalog),
            split=config.split,
            train_sha256=None if parts.streamed else interactions_digest(parts.train),
        ),
        evidence=evidence,
        return_log_odds=return_log_odds,
        metrics={"validation_ndcg@10": result.best} if result.best is not None else {},
    )
    write_card(out, description, built.tokenizer.report(), result.seconds)
    save_model(out, built.generator, description, catalog.ids.ids, getattr(torch, config.training.save_dtype))
    remove_checkpoints(out / CHECKPOINTS)


def _validation(built: _Built, validation: EvalSet | None, config: FinetuneConfig) -> Callable[[], float] | None:
    """NDCG@10 of validation users, seen items filtered."""
    if validation is None:
        return None
    beams = config.training.validation_beams
    scorer = GenerativeScorer(built.generator, built.builder, config.prompt.max_items, beams=beams, name="validation")
    return lambda: evaluate(scorer, validation, ks=(10,)).metrics["ndcg@10"]
