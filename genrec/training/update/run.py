"""Fine-tune a model with new events, compare it with the old one, and write it if it is not worse."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from genrec.data.dataset import Dataset
from genrec.data.sources import NAMED
from genrec.errors import ConfigError, ModelError
from genrec.events.store import EventStore
from genrec.files import folder_aside, fsync
from genrec.model.card import write_card
from genrec.model.description import DatasetReference
from genrec.model.folder import load_model, save_model
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.requests import RequestExamples
from genrec.prompt.templates import Templates
from genrec.recommend.evidence import FOLDER as EVIDENCE
from genrec.recommend.new_items import with_new_items
from genrec.training.config import FinetuneConfig, TrainingConfig
from genrec.training.data import position_targets
from genrec.training.examples import InMemoryExamples
from genrec.training.loop import Trainer, TrainingResult
from genrec.training.run_file import RUN_FILE
from genrec.training.update.config import UpdateConfig
from genrec.training.update.gate import answer, compare, verdict
from genrec.training.update.histories import gather
from genrec.training.update.learnt import UPDATE_FILE, Learnt
from genrec.training.update.report import UpdateReport
from genrec.version import __version__

if TYPE_CHECKING:
    from genrec.model.folder import LoadedModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A model that learns, and what it is made from."""

    folder: Path
    model: LoadedModel
    run: FinetuneConfig
    builder: PromptBuilder
    location: str
    new_items: int


def update(
    model: str | Path,
    events: EventStore,
    out: str | Path,
    *,
    data: str | Path | Dataset | None = None,
    config: UpdateConfig | None = None,
) -> UpdateReport:
    """Fine-tune a model with the events since its last update; a worse one is never written.

    Trained on are the histories that have new events, and a replay of old ones. Both models are then asked what
    users with new events met last, and held-out items of others; nothing of that was trained on. The next update
    learns what this one held out of the new events, and events about items that the data set has by then.

    Parameters
    ----------
    model
        Model folder; left as it is.
    events
        The store. Users it forgot are left out of old histories too.
    out
        Model folder to write, as a whole or not at all; must not be there, or be empty.
    data
        Named set, data set folder or data set; items that are new in it become items of the model. Default: the one
        the model was trained on.
    config
        How to train and to judge.

    Returns
    -------
    UpdateReport
        Whether the new model was promoted, and its figures.

    Raises
    ------
    ConfigError
        ``out`` is not empty, or there is nothing to compare the models by.
    GenrecError
        The model or the data set does not load.
    """
    began, config, out = time.monotonic(), config or UpdateConfig(), Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is not empty", hint="give another --out; promoted models are never overwritten")
    candidate, dataset = _candidate(Path(model).resolve(), data)  # a link to it may move meanwhile
    last = events.last
    gathered = gather(
        dataset,
        candidate.model.item_ids,
        events,
        Learnt.of_model(candidate.folder, events, len(candidate.model.item_ids) - candidate.new_items),
        last,
        candidate.run.split,
        candidate.model.description.max_items,
        config,
        baskets=candidate.run.split == "next-basket",
    )
    report = UpdateReport(
        promoted=False,
        reason=f"{gathered.new_events:,} new events to learn from, fewer than {config.min_events:,}",
        last_event=last,
        new_events=gathered.new_events,
        unknown_items=gathered.unknown_items,
        users=gathered.users,
        replayed=gathered.replayed,
        forgotten=gathered.forgotten,
        new_items=candidate.new_items,
    )
    if gathered.new_events < config.min_events or gathered.train is None:
        return report
    if not len(gathered.new) + len(gathered.old):
        hint = "wait for more events of users who have a history"
        raise ConfigError("nothing to compare the old and the new model by", hint=hint)
    before = answer(candidate.model, candidate.builder, gathered, config.beams)
    with folder_aside(out.absolute()) as aside:
        folder = aside / out.absolute().name  # its own name: the folder's documents say it
        result = _train(candidate, gathered.train, config, folder)
        scores = compare(gathered, before, answer(candidate.model, candidate.builder, gathered, config.beams))
        promoted, reason = verdict(scores, config)
        seconds = time.monotonic() - began
        found = replace(report, new=scores["new"], old=scores["old"], all=scores["all"])
        found = replace(found, learnt_events=gathered.learnt_events, loss=result.loss, seconds=seconds)
        report = replace(found, promoted=promoted, reason=reason)
        if report.promoted:
            _write(candidate, report, events, gathered.held_out, folder)
            _put_in_place(folder, out.absolute())
            events.record_training(str(out.resolve()), last)
    return report


def _candidate(folder: Path, data: str | Path | Dataset | None) -> tuple[_Candidate, Dataset]:
    """The model as it is, with the items that are new in the data set, and ready to learn."""
    model = load_model(folder)
    location = model.description.dataset.location
    if isinstance(data, Dataset):
        dataset = data
    else:
        dataset = Dataset.load(data if data is not None else location)
        if data is not None:
            location = str(data) if str(data) in NAMED else str(Path(data).resolve())
    known = set(model.item_ids)
    new = [item_id for item_id in dataset.catalog.ids.ids if item_id not in known]
    if new:
        model = with_new_items(model, dataset.catalog, new)
    # The adapter of a loaded model is frozen.
    for name, parameter in model.generator.backbone.named_parameters():
        parameter.requires_grad_(parameter.requires_grad or "lora_" in name)
    about = model.description
    builder = PromptBuilder(Templates(about.templates), model.vocabulary, model.text_tokenizer, about.max_tokens)
    return _Candidate(folder, model, _run_of(folder), builder, location, len(new)), dataset


def _run_of(folder: Path) -> FinetuneConfig:
    """How a model was fine-tuned."""
    path = folder / RUN_FILE
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} is missing: how the model was trained is not known", hint="fine-tune it") from error
    run.pop("data", None)
    return FinetuneConfig.from_mapping(run, source=str(path))


def _train(candidate: _Candidate, train: Dataset, config: UpdateConfig, folder: Path) -> TrainingResult:
    """Train in place."""
    run, model = candidate.run, candidate.model
    requests_per_user = run.tasks.requests_per_user if model.text_tokenizer is not None else 0.0
    requests = RequestExamples(train, candidate.builder.templates, config.seed) if requests_per_user else None
    max_items = model.description.max_items + 1
    one_token = bool(model.vocabulary.lengths.max() == 1)
    targets = position_targets(train, run, one_token=one_token)
    source = InMemoryExamples(train, candidate.builder, max_items, requests, requests_per_user, targets=targets)
    before = run.training
    training = TrainingConfig(
        epochs=config.epochs,
        tokens_per_batch=before.tokens_per_batch,
        accumulate=before.accumulate,
        learning_rate=before.learning_rate * config.rate,
        code_learning_rate=(before.code_learning_rate or before.learning_rate) * config.rate,
        weight_decay=before.weight_decay,
        max_grad_norm=before.max_grad_norm,
        label_smoothing=before.label_smoothing,
        seed=config.seed,
        checkpoint_minutes=1e9,  # an update that is interrupted begins anew
    )
    result = Trainer(model.generator, source, training, folder).train()
    model.generator.eval()
    return result


def _write(
    candidate: _Candidate, report: UpdateReport, events: EventStore, held_out: tuple[int, ...], folder: Path
) -> None:
    """Write the model folder."""
    model, run = candidate.model, candidate.run
    assert report.all is not None  # nothing is promoted that was not measured
    reference = DatasetReference(
        name=model.description.dataset.name,
        location=candidate.location,
        num_items=len(model.item_ids),
        split="none",  # what the first training held out may have been learnt from since
    )
    description = model.description.model_copy(
        update={
            "genrec_version": __version__,
            "dataset": reference,
            "metrics": {"held_out_ndcg@10": report.all.after},
            "files": {},
        }
    )
    learnt = {"store": events.identity, **report.to_dict(), "held_out": held_out}
    (folder / UPDATE_FILE).write_text(json.dumps(learnt, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(candidate.folder / RUN_FILE, folder / RUN_FILE)
    if (candidate.folder / EVIDENCE).is_dir():
        shutil.copytree(candidate.folder / EVIDENCE, folder / EVIDENCE)
    write_card(folder, description, model.vocabulary.tokenizer.report(), report.seconds)
    save_model(folder, model.generator, description, model.item_ids, getattr(torch, run.training.save_dtype))


def _put_in_place(folder: Path, out: Path) -> None:
    """Rename a whole folder to its name, once it is on disk."""
    for path in [*folder.rglob("*"), folder]:
        fsync(path)
    if out.exists():
        out.rmdir()
    folder.rename(out)
    fsync(out.parent)
