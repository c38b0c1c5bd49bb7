"""The recommender: the one object that users hold."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.decoding.beam import beam_search
from genrec.decoding.exact import rerank
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError, ModelError, UnknownIdError
from genrec.model.folder import load_model
from genrec.prompt.builder import PromptBuilder, clean
from genrec.prompt.templates import Templates
from genrec.prompt.understanding import Matcher, Understood
from genrec.recommend.filters import filter_mask
from genrec.recommend.scorer import GenerativeScorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.decoding.decoded import Decoded
    from genrec.model.folder import LoadedModel

logger = logging.getLogger(__name__)

WANTED_PRIOR = 3.0
"""Log-weight of each wanted value an item has beyond the first, which is required."""


@dataclass(frozen=True)
class Recommendation:
    """One recommended item.

    Parameters
    ----------
    item_id, title
        The item.
    score
        What the ranking is by: the generator's log-probability, plus priors.
    logprob
        The generator's log-probability alone.
    """

    item_id: str
    title: str
    score: float
    logprob: float


@dataclass(frozen=True)
class Answer:
    """Recommendations, and what they were made from.

    Parameters
    ----------
    items
        Best first; fewer than asked for only if fewer are eligible.
    history
        Item ids that were read, oldest first, those of liked titles included.
    understood
        What was understood of the prompt; None without one.
    filters
        All filters that applied.
    eligible
        Items that passed filters and exclusions.
    """

    items: tuple[Recommendation, ...]
    history: tuple[str, ...]
    understood: Understood | None
    filters: tuple[str, ...]
    eligible: int


class Recommender:
    """Recommends items of a catalog with a fine-tuned generator.

    Parameters
    ----------
    model
        A loaded model folder.
    dataset
        The data set with the catalog it was trained on: titles, columns for filters, users' histories.

    Raises
    ------
    ModelError
        If the model knows items that the data set does not have.

    Examples
    --------
    >>> import tempfile
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> from genrec.training.finetune import finetune
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = finetune(config, toy_dataset(), folder)
    ...     recommender = Recommender.from_pretrained(folder, data=toy_dataset())
    >>> answer = recommender.recommend(history=["i0"], k=3, filters=["year>=1990"])
    >>> len(answer.items)
    3
    """

    def __init__(self, model: LoadedModel, dataset: Dataset) -> None:
        self.model = model
        self.dataset = dataset
        self.catalog = _catalog_in_model_order(dataset.catalog, model.item_ids)
        self.builder = PromptBuilder(
            Templates(model.description.templates),
            model.generator.vocabulary,
            model.text_tokenizer,
            model.description.max_tokens,
        )
        self._told_codes_only = False

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, data: str | Path | Dataset | None = None, *, quantization: str | None = None
    ) -> Self:
        """Load a model folder.

        Parameters
        ----------
        folder
            What ``finetune`` wrote.
        data
            Named set, data set folder or data set. Default: where the model was trained on.
        quantization
            none, int8 or nf4 for the base model's weights. Default: as trained.
        """
        model = load_model(folder, quantization=quantization)
        if isinstance(data, Dataset):
            return cls(model, data)
        return cls(model, Dataset.load(data if data is not None else model.description.dataset.location))

    @property
    def reads_text(self) -> bool:
        """Whether the model reads requests in words; if not, only what the matcher finds in them counts."""
        return self.model.text_tokenizer is not None

    @cached_property
    def matcher(self) -> Matcher:
        """Finds titles, values, years and prices in prompts."""
        return Matcher(self.catalog)

    def recommend(
        self,
        *,
        history: Sequence[str] | None = None,
        user: str | None = None,
        prompt: str | None = None,
        k: int = 10,
        filters: Sequence[str] = (),
        include_seen: bool = False,
        beams: int = 50,
        exact: bool = False,
    ) -> Answer:
        """Recommend items for a history, a user, a request in plain words, or any of them together.

        Parameters
        ----------
        history
            Item ids, oldest first.
        user
            A user of the data set, whose history is read before ``history``.
        prompt
            A request in plain words. Liked titles join the history; wanted values, negations, years and
            prices become filters; the words themselves are read by models that read text.
        k
            Items to recommend. Default 10.
        filters
            Expressions over catalog columns, all of which must hold: ``["year>=1990", "not genre=Horror"]``.
        include_seen
            Recommend items of the history too. Default False.
        beams
            Beam width (W). Default 50.
        exact
            Score every eligible item instead of searching. Default False.

        Returns
        -------
        Answer
            ``min(k, eligible)`` items.

        Raises
        ------
        UnknownIdError
            If a user or item is unknown.
        FilterError
            If a filter does not parse.
        ConfigError
            If there is neither a history nor a user nor a prompt, or k is below 1.
        """
        if history is None and user is None and prompt is None:
            raise ConfigError("nothing to recommend for", hint="give a history, a user or a prompt")
        if k < 1:
            raise ConfigError(f"k must be at least 1, got {k}")
        request = clean(prompt) if prompt is not None else ""
        understood = self.matcher.understand(request) if prompt is not None else None
        items = self._history(history, user, understood)
        all_filters = (*filters, *(understood.filters if understood else ()))
        weights = self._weights(items, understood, all_filters, include_seen)
        eligible = int(weights.eligible.sum())
        if request and not self.reads_text and not self._told_codes_only:
            self._told_codes_only = True
            logger.info("this model reads item codes only: of the prompt, what is shown as understood counts")
        sequence = self.builder.build(items[-self.model.description.max_items :], request or None)
        generator = self.model.generator
        if exact:
            candidates = np.arange(len(self.catalog), dtype=np.int32)[None]
            decoded = rerank(generator, [sequence], candidates, k, weights)
        else:
            decoded = beam_search(generator, [sequence], k, beams, weights)
        return Answer(
            self._titled(decoded), tuple(self.catalog.ids[int(i)] for i in items), understood, all_filters, eligible
        )

    def as_scorer(self, name: str | None = None, *, beams: int = 50) -> GenerativeScorer:
        """The generator as a scorer for ``evaluate``; histories are the model's item indices."""
        description = self.model.description
        return GenerativeScorer(
            self.model.generator,
            self.builder,
            description.max_items,
            beams=beams,
            name=name or f"generative ({description.base.kind})",
        )

    def _history(
        self, history: Sequence[str] | None, user: str | None, understood: Understood | None
    ) -> NDArray[np.int32]:
        parts = [np.empty(0, dtype=np.int32)]
        if user is not None:
            rows = self.dataset.histories[int(self.dataset.users.indices([user])[0])]
            parts.append(self._model_index[rows])
        if history:
            parts.append(self._model_index[self.dataset.catalog.ids.indices(history)])
        if understood is not None:
            parts.append(np.array(understood.liked, dtype=np.int32))
        items = np.concatenate(parts)
        if (items < 0).any():
            logger.info("%d items of the history are new to the model and not read", int((items < 0).sum()))
        return items[items >= 0]

    @cached_property
    def _model_index(self) -> NDArray[np.int32]:
        """Index in the model of each row of the data set's catalog, -1 for items the model does not know."""
        index = np.full(len(self.dataset.catalog), -1, dtype=np.int32)
        index[self.dataset.catalog.ids.indices(self.model.item_ids)] = np.arange(len(self.catalog), dtype=np.int32)
        return index

    def _weights(
        self, seen: NDArray[np.int32], understood: Understood | None, filters: Sequence[str], include_seen: bool
    ) -> ItemWeights:
        """Everything that the request excludes or prefers, as item log-weights (1, N)."""
        weights = np.zeros(len(self.catalog), dtype=np.float32)
        if understood is not None and understood.wanted_filters:
            matches = sum(
                filter_mask(self.catalog, [expression]).astype(np.float32) for expression in understood.wanted_filters
            )
            weights = np.where(matches > 0, WANTED_PRIOR * (matches - 1), -np.inf).astype(np.float32)
        weights[~filter_mask(self.catalog, list(filters))] = -np.inf
        if understood is not None:
            weights[list(understood.liked + understood.disliked)] = -np.inf
        if not include_seen:
            weights[seen] = -np.inf
        return ItemWeights.from_priors(weights[None])

    def _titled(self, decoded: Decoded) -> tuple[Recommendation, ...]:
        return tuple(
            Recommendation(self.catalog.ids[int(item)], self.catalog.titles[item], float(score), float(logprob))
            for item, score, logprob in zip(decoded.items[0], decoded.scores[0], decoded.logprobs[0], strict=True)
            if item >= 0
        )


def _catalog_in_model_order(catalog: Catalog, item_ids: list[str]) -> Catalog:
    """The rows of the items a model knows, in the order of its codes."""
    if catalog.ids.ids == item_ids:
        return catalog
    try:
        rows = catalog.ids.indices(item_ids)
    except UnknownIdError as error:
        hint = "give the data set the model was trained on, or a later state of it"
        raise ModelError(f"the data set lacks an item of the model: {error.message}", hint=hint) from error
    if len(rows) < len(catalog):
        logger.info("%d items of the data set are new to the model and not recommended", len(catalog) - len(rows))
    return Catalog(catalog.table.take(rows))
