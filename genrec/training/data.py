"""What a run trains and validates on: in memory, or streamed from a data set folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from genrec.baselines.position_targets import targets_for
from genrec.columns import USER_ID
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.folder import INTERACTIONS, ITEMS, USERS, read_manifest
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.sources import NAMED
from genrec.data.split import SPLITS, TEMPORAL, EvalSet
from genrec.data.streaming import stream_histories
from genrec.errors import ConfigError
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.prompt.requests import RequestExamples
from genrec.training.config import ExamplesConfig
from genrec.training.examples import InMemoryExamples, StreamedExamples

if TYPE_CHECKING:
    from datasets import IterableDataset
    from numpy.typing import NDArray

    from genrec.baselines.position_targets import PositionTargets
    from genrec.prompt.builder import PromptBuilder
    from genrec.training.config import FinetuneConfig
    from genrec.training.examples import ExampleSource

logger = logging.getLogger(__name__)

TIED = 0.75
"""Share of interactions at the moment of the one before above which they look like lines of orders."""
HELD_OUT = 2
"""Interactions at the end of a history that leave-last-out keeps from training."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The training part of a split, and its validation part.

    Parameters
    ----------
    train
        Catalog, users and training interactions; no interactions if they are streamed.
    validation
        A fixed sample of validation users, who are ranked while it trains; None: nothing is validated.
    questions
        All validation users, of whom guides are weighed by as many as ``evidence`` says; None: there are none, or
        interactions are streamed.
    location
        Where the data set can be loaded from again: a name, or an absolute path.
    counts
        Users, items and interactions of the whole data set.
    streamed
        Folder to stream from; None: ``train`` has the interactions.
    lengths
        Length of each user's history in a streamed folder, int64 (U,).
    """

    train: Dataset
    validation: EvalSet | None
    questions: EvalSet | None
    location: str
    counts: dict[str, int]
    streamed: Path | None = None
    lengths: NDArray[np.int64] | None = None

    def examples(self, config: FinetuneConfig, builder: PromptBuilder) -> ExampleSource:
        """Source of the training examples.

        Raises
        ------
        ConfigError
            If a from-scratch model is to be trained on requests, or a model whose items take several tokens on next
            baskets.
        UnsupportedError
            If age is to matter and the data set has no timestamps.
        """
        max_items = config.prompt.max_items + 1
        if self.streamed is not None and self.lengths is not None:
            held_out = HELD_OUT if config.split == "leave-last-out" else 0
            return StreamedExamples(self.streamed, builder, max_items, self.lengths, held_out=held_out)
        requests_per_user = config.tasks.requests_per_user
        requests = None
        if requests_per_user:
            if config.base.kind == "scratch":
                raise ConfigError("a from-scratch model reads no requests", hint="set tasks.requests_per_user=0")
            requests = RequestExamples(self.train, builder.templates, config.training.seed)
        one_token = bool(builder.vocabulary.lengths.max() == 1)
        targets = position_targets(self.train, config, asked=self.validation, one_token=one_token)
        return InMemoryExamples(self.train, builder, max_items, requests, requests_per_user, config.examples, targets)


def position_targets(
    train: Dataset, config: FinetuneConfig, *, asked: EvalSet | None = None, one_token: bool
) -> PositionTargets:
    """What a configuration has the positions of training histories predict.

    Parameters
    ----------
    train
        Training interactions.
    config
        Its ``examples`` and ``split`` count.
    asked
        Questions of a split that was made already. Default: ``split`` says what will be asked.
    one_token
        Whether an item is one token of a sequence.

    Raises
    ------
    ConfigError
        If a model whose items take several tokens is to be trained on next baskets.
    UnsupportedError
        If age is to matter and the data set has no timestamps.
    """
    kind = config.examples.targets
    baskets = config.split == "next-basket" or (asked is not None and asked.whole_baskets)
    if (kind == "next-basket" or (kind == "auto" and baskets)) and (not one_token or config.examples.augment):
        reason = "histories are augmented" if one_token else "items take several tokens"
        if kind != "auto":
            hint = "set head.one_position=true and examples.augment=[], or examples.targets=next-item"
            raise ConfigError(f"examples.targets: next-basket cannot be where {reason}", hint=hint)
        logger.warning("%s, so positions are trained to predict next items, not next baskets", reason)
        kind = "next-item"
    in_future = config.split in TEMPORAL or (asked is not None and asked.in_future)
    return targets_for(train, kind, config.examples.half_life, whole_baskets=baskets, in_future=in_future)


def load_training_data(
    config: FinetuneConfig, data: str | Path | Dataset, validation: EvalSet | None = None
) -> TrainingData:
    """Split a data set as a configuration asks for.

    Parameters
    ----------
    config
        Its ``split`` and ``training`` count; with ``training.stream`` interactions are never all in memory.
    data
        Named set, data set folder, or a data set in memory.
    validation
        Questions of a split that was made already: ``data`` is then its training part, all of it trained on.

    Raises
    ------
    ConfigError
        If what the configuration asks for cannot be streamed.
    DataError
        If the data set does not load, or is to be streamed and not sorted by user.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> parts = load_training_data(FinetuneConfig(), toy_dataset(users=8, length=10))
    >>> len(parts.train.interactions), len(parts.validation)
    (64, 8)
    """
    if config.training.stream:
        if validation is not None:
            raise ConfigError("training.stream splits by itself", hint="set training.stream=false")
        return _streamed(config, data)
    dataset = data if isinstance(data, Dataset) else Dataset.load(data)
    counts = {"users": dataset.num_users, "items": dataset.num_items, "interactions": len(dataset.interactions)}
    if validation is not None:
        return TrainingData(dataset, _sampled(validation, config), validation, _location(data), counts)
    if config.split == "none":
        return TrainingData(dataset, None, None, _location(data), counts)
    _mention_baskets(config, dataset)
    split = SPLITS[config.split](dataset)
    return TrainingData(split.train, _sampled(split.validation, config), split.validation, _location(data), counts)


def _mention_baskets(config: FinetuneConfig, dataset: Dataset) -> None:
    """Say that the data look like orders of several items, where they are about to be taken for sequences."""
    ties = dataset.histories.count_ties() / max(len(dataset.interactions), 1)
    if ties > TIED and dataset.time != "order" and config.split != "next-basket":
        message = (
            "%.0f%% of the interactions share their moment with the one before: if these are orders of several items, "
            "--set split=next-basket learns what the next order holds"
        )
        logger.info(message, 100 * ties)


def _streamed(config: FinetuneConfig, data: str | Path | Dataset) -> TrainingData:
    if isinstance(data, Dataset) or not Path(data).is_dir():
        hint = "save the data set and sort it: genrec.data.streaming.sort_by_user(folder, out)"
        raise ConfigError("training.stream reads a data set folder", hint=hint)
    if config.tasks.requests_per_user or config.split in TEMPORAL:
        hint = "set training.stream=false, or tasks.requests_per_user=0 and split=leave-last-out"
        raise ConfigError("requests and temporal splits need the interactions in memory", hint=hint)
    if config.examples != ExamplesConfig() or config.training.teacher is not None:
        hint = "set training.stream=false"
        raise ConfigError("a teacher, and sampling of histories, need the interactions in memory", hint=hint)
    if config.items.kind == "semantic" and config.items.cf_weight:
        hint = "set items.cf_weight=0, and bring such vectors of your own in items.vectors if you have them"
        raise ConfigError("collaborative vectors need the interactions in memory", hint=hint)
    folder = Path(data)
    histories = stream_histories(folder)
    manifest = read_manifest(folder)
    catalog = Catalog(pq.read_table(folder / ITEMS))
    users = IdMap(pq.read_table(folder / USERS, columns=[USER_ID])[USER_ID])
    nothing = Interactions(pq.ParquetFile(folder / INTERACTIONS).schema_arrow.empty_table())
    train = Dataset(manifest["name"], nothing, catalog, users, manifest["source"], manifest["licence"])
    lengths = _lengths(folder, users)
    counts = {"users": len(users), "items": len(catalog), "interactions": int(lengths.sum())}
    validation = None
    if config.split == "leave-last-out":
        asked = np.flatnonzero(lengths > HELD_OUT)
        asked = asked[_sample(len(asked), config)]
        validation = _ask_second_to_last(histories, asked) if len(asked) else None
    return TrainingData(train, validation, None, _location(data), counts, folder, lengths)


def _ask_second_to_last(histories: IterableDataset, users: NDArray[np.int64]) -> EvalSet:
    """The validation questions of leave-last-out for some users."""
    wanted = set(users.tolist())
    items = {row["user"]: np.array(row["items"], dtype=np.int32) for row in histories if row["user"] in wanted}
    return EvalSet(users.astype(np.int32), [items[user][:-2] for user in users], [items[user][-2:-1] for user in users])


def _lengths(folder: Path, users: IdMap) -> NDArray[np.int64]:
    """Interactions of each user, int64 (U,)."""
    lengths = np.zeros(len(users), dtype=np.int64)
    with pq.ParquetFile(folder / INTERACTIONS) as file:
        for batch in file.iter_batches(columns=[USER_ID]):
            lengths += np.bincount(users.indices(batch.column(0)), minlength=len(users))
    return lengths


def _sampled(validation: EvalSet, config: FinetuneConfig) -> EvalSet | None:
    chosen = _sample(len(validation), config)
    return questions_at(validation, chosen) if len(chosen) else None


def _sample(size: int, config: FinetuneConfig) -> NDArray[np.int64]:
    """Rows of the validation users that are ranked, ascending."""
    return sample_rows(size, config.training.validation_users, config.training.seed)


def _location(data: str | Path | Dataset) -> str:
    """Where ``Dataset.load`` finds the data set again: the name of a named set, else an absolute path."""
    if isinstance(data, Dataset):
        return data.name
    return str(data) if str(data) in NAMED else str(Path(data).resolve())
