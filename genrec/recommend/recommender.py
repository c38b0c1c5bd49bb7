"""The recommender: the one object that users hold."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.data.dataset import Dataset
from genrec.decoding.engines import Engine, TorchEngine, open_engine
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError, UnknownIdError, UnsupportedError
from genrec.model.folder import LoadedModel, load_interface
from genrec.model.inference import load_for_inference
from genrec.prompt.builder import PromptBuilder, clean
from genrec.prompt.templates import Templates
from genrec.prompt.understanding import Matcher
from genrec.recommend.diversity import CategoryCap
from genrec.recommend.evidence import ScorerEvidence, fusion_of
from genrec.recommend.model_items import ModelItems, known
from genrec.recommend.new_items import with_rows_of_items
from genrec.recommend.newcomers import Newcomers, with_newcomers
from genrec.recommend.prepared import Prepared
from genrec.recommend.request import Answer, Recommendation, Request
from genrec.recommend.request_weights import WANTED_PRIOR, request_weights
from genrec.recommend.scorer import GenerativeScorer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from genrec.decoding.decoded import Decoded
    from genrec.model.folder import ModelInterface
    from genrec.prompt.understanding import Understood
    from genrec.recommend.evidence import Evidence

__all__ = ["WANTED_PRIOR", "Answer", "Recommendation", "Recommender", "Request"]

logger = logging.getLogger(__name__)


class Recommender:
    """Recommends items of a catalog with a fine-tuned generator.

    Parameters
    ----------
    model
        A loaded model folder; without its weights if an engine elsewhere has them.
    dataset
        The data set with the catalog it was trained on: titles, columns for filters, users' histories.
    engine
        What computes the model. Default: torch, in this process.
    templates
        The model's prompt templates, if they are compiled already.

    Attributes
    ----------
    history_step
        Items by which the oldest that is read moves on, where a history is longer than the model reads. Default 1: the
        newest `max_items` are read. With more, a growing history keeps its beginning for some items, so that an engine
        that remembers prompts (:meth:`Engine.remember_prompts`) reads the new items alone; up to
        ``history_step - 1`` items fewer are read.
    folder
        The model folder that it was loaded from, without links; None if it was put together otherwise.
    evidence
        Scorers whose word is added to the generator's log-probabilities; :meth:`from_pretrained` fits those that the
        model folder names. Default None: the generator alone.
    online
        What is added beside, such as an :class:`~genrec.recommend.online.OnlineModel` for the model's items.
        Default None: nothing.

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

    def __init__(
        self,
        model: LoadedModel | ModelInterface,
        dataset: Dataset,
        engine: Engine | None = None,
        templates: Templates | None = None,
    ) -> None:
        if engine is None:
            if not isinstance(model, LoadedModel):
                raise ConfigError("a model without weights needs an engine", hint="load it with load_model")
            engine = TorchEngine(model.generator)
        self.model = model
        self.engine = engine
        self.dataset = dataset
        self.items = ModelItems(dataset.catalog, model.item_ids)
        self.catalog = self.items.catalog
        self.builder = PromptBuilder(
            templates or Templates(model.description.templates),
            model.vocabulary,
            model.text_tokenizer,
            model.description.max_tokens,
        )
        self.history_step = 1
        self.folder: Path | None = None
        self.evidence: ScorerEvidence | None = None
        self.online: Evidence | None = None
        self._told_codes_only = False

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        data: str | Path | Dataset | None = None,
        *,
        quantization: str | None = None,
        engine: str = "torch",
        evidence: bool = True,
    ) -> Self:
        """Load a model folder.

        Parameters
        ----------
        folder
            What ``finetune`` wrote.
        data
            Named set, data set folder or data set. Default: where the model was trained on.
        quantization
            none, int8 or nf4 for the base model's weights, or dynamic-int8 on a CPU, with torch. Default: as trained.
        engine
            What computes the model: torch; vllm, in this process; or the address of a vLLM server, ``http://...``.
            Default torch.
        evidence
            Fit the scorers that the folder names on the data set, and let them guide the search. Default True.
        """
        with_torch = engine == "torch"
        if not with_torch and quantization is not None:
            raise UnsupportedError(f"quantization={quantization} with engine={engine}", hint="use engine=torch")
        folder = Path(folder).resolve()  # a link to it may move meanwhile: weights and evidence are of one model
        model = load_for_inference(folder, quantization) if with_torch else load_interface(folder)
        if not isinstance(data, Dataset):
            data = Dataset.load(data if data is not None else model.description.dataset.location)
        made = cls(model, data, None if with_torch else open_engine(engine, folder, model.vocabulary))
        made.folder = folder
        about = model.description.evidence
        if evidence and about is not None and about.strength:
            made.evidence = ScorerEvidence.fitted(about, data, model.item_ids, folder)
        return made

    @property
    def reads_text(self) -> bool:
        """Whether the model reads requests in words; if not, only what the matcher finds in them counts."""
        return self.model.text_tokenizer is not None

    @cached_property
    def matcher(self) -> Matcher:
        """Finds titles, values, years and prices in prompts."""
        return Matcher(self.catalog, meaning=self.reads_text)

    @cached_property
    def newcomers(self) -> Newcomers:
        """Items that nobody in the data set has met."""
        return Newcomers(self.dataset, self.items)

    def recommend(
        self,
        *,
        history: Sequence[str] | None = None,
        user: str | None = None,
        prompt: str | None = None,
        k: int = 10,
        filters: Sequence[str] = (),
        boosts: Mapping[str, float] | None = None,
        max_per_category: int | None = None,
        candidates: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        include_seen: bool = False,
        new_items: int = 0,
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
        boosts
            Log-weights of filter expressions: ``{"genre=Comedy": 0.5}`` makes comedies 1.65 times as likely; negative
            ones demote. Default none.
        max_per_category
            Most items of one category among the k: going down the ranking, an item is passed over if one of its
            categories is full. Default: any number.
        candidates
            Item ids, of a retriever for example, outside of which nothing is recommended. Default: the whole catalog.
        exclude
            Item ids that are never recommended, such as what a user hid; they do not join the history.
        include_seen
            Recommend items of the history too. Default False.
        new_items
            Most of the last places of the k that are left to items that nobody in the data set has met: those that text
            neighbours alone would recommend in a list half as long again, which a model seldom chooses. Default 0.
        beams
            Beam width (W). Default 50.
        exact
            Score every eligible item instead of searching. Default False.

        Returns
        -------
        Answer
            ``min(k, eligible)`` items, less what a cap leaves out.

        Raises
        ------
        UnknownIdError
            If a user or item is unknown.
        FilterError
            If a filter does not parse.
        ConfigError
            If there is neither a history nor a user nor a prompt, a number is below 1, a boost is not finite, or
            items that are capped by category have none.
        """
        request = Request(
            history=history,
            user=user,
            prompt=prompt,
            k=k,
            filters=filters,
            boosts=boosts or {},
            max_per_category=max_per_category,
            candidates=candidates,
            exclude=exclude,
            include_seen=include_seen,
            new_items=new_items,
            beams=beams,
            exact=exact,
        )
        return self.recommend_batch([request])[0]

    def recommend_batch(self, requests: Sequence[Request], *, batch_size: int = 32) -> list[Answer]:
        """Answer several requests, those alike in ``k``, ``beams``, ``exact`` and ``max_per_category`` together.

        Parameters
        ----------
        requests
            The requests; each is answered as by :meth:`recommend`.
        batch_size
            Most prompts decoded together; bounds memory. Default 32.

        Returns
        -------
        list of Answer
            In the order of the requests.

        Raises
        ------
        GenrecError
            As :meth:`recommend` does, before anything is decoded.
        """
        prepared: list[Prepared] = []
        for start in range(0, len(requests), batch_size):
            for one in self.prepare_each(requests[start : start + batch_size]):
                if isinstance(one, Exception):
                    raise one
                prepared.append(one)
        answers: dict[int, Answer] = {}
        # Prompts of similar length go together, so that little of the work is padding.
        order = sorted(range(len(prepared)), key=lambda row: (requests[row].like, len(prepared[row].sequence)))
        for _, group in groupby(order, key=lambda row: requests[row].like):
            alike = list(group)
            for start in range(0, len(alike), batch_size):
                rows = alike[start : start + batch_size]
                answers.update(zip(rows, self.decode([prepared[row] for row in rows]), strict=True))
        return [answers[row] for row in range(len(prepared))]

    def with_items(self, rows: pa.Table, *, vectors: NDArray[np.float32] | None = None) -> Self:
        """Make a recommender that knows new and changed items at once, without training; this one stays as it is.

        Parameters
        ----------
        rows
            ``item_id`` and any columns: values replace those of known items, except where they are null. New items
            need a ``title``.
        vectors
            float32 (M, D) of those M rows that are new to the model, made as those that semantic IDs were fitted on.
            Default: the text encoder's, zeros for what is not of text.

        Returns
        -------
        Recommender
            Shares the weights. Known items keep their codes, also where their title changes.

        Raises
        ------
        DataError
            A row does not fit the catalog.
        UnsupportedError
            Some items are new, and the engine is not torch or their codes cannot be made.
        ConfigError
            No codes are left for new items.
        """
        parts = with_rows_of_items(self.model, self.dataset, self.engine, rows, vectors)
        made = type(self)(*parts, self.builder.templates)
        made.history_step = self.history_step
        if self.evidence is not None:
            made.evidence = self.evidence.for_items(made.model.item_ids)
        if self.online is not None:
            made.online = self.online.for_items(made.model.item_ids)
        if "matcher" in vars(self):  # whoever asks in words next shall not wait for it
            made.matcher  # noqa: B018
        if "newcomers" in vars(self):
            made.newcomers  # noqa: B018
        return made

    def as_scorer(self, name: str | None = None, *, beams: int = 50, evidence: bool = False) -> GenerativeScorer:
        """The generator as a scorer for ``evaluate``; histories are the model's item indices.

        Parameters
        ----------
        name
            Name in reports. Default: says what kind of model it is.
        beams
            Beam width. Default 50.
        evidence
            Guided by what the model folder names, which :meth:`GenerativeScorer.fit` then fits. Default: alone.

        Raises
        ------
        UnsupportedError
            If the engine is not torch: no other scores a whole catalog in useful time.
        """
        if not isinstance(self.model, LoadedModel):
            raise UnsupportedError("only the torch engine scores whole catalogs", hint="use engine=torch")
        description = self.model.description
        about = description.evidence if evidence else None
        if about is not None and not about.strength:
            about = None
        return GenerativeScorer(
            self.model.generator,
            self.builder,
            description.max_items,
            beams=beams,
            name=name or f"generative ({description.base.kind})",
            evidence=None if about is None else fusion_of(about, self.folder, self.model.item_ids),
            alpha=None if about is None else about.strength,
            return_log_odds=(description if about is None else about).return_log_odds,
        )

    def prepare(self, request: Request) -> Prepared:
        """Everything that comes before decoding.

        Raises
        ------
        GenrecError
            As :meth:`recommend` does.
        """
        [prepared] = self.prepare_each([request])
        if isinstance(prepared, Exception):
            raise prepared
        return prepared

    def prepare_each(self, requests: Sequence[Request]) -> list[Prepared | Exception]:
        """The same for several requests, which costs less than one by one; of each, what it would raise instead."""
        made: list[Prepared | Exception] = []
        for request in requests:
            try:
                made.append(self._understood(request))
            except UnknownIdError as error:
                made.append(UnknownIdError(f"{error.message} in data set {self.dataset.name}", hint=error.hint))
            except Exception as error:  # the others shall not suffer from it
                made.append(error)
        ready = [one for one in made if isinstance(one, Prepared)]
        guides = [guide for guide in (self.evidence, self.online) if guide is not None]
        heard = [guide.weights_of([one.history for one in ready]) for guide in guides if ready]
        ready = [replace(one, weights=sum(added, start=one.weights)) for one, *added in zip(ready, *heard, strict=True)]
        whole = iter(self.newcomers.placed(one) if one.request.new_items else one for one in ready)
        return [next(whole) if isinstance(one, Prepared) else one for one in made]

    def _understood(self, request: Request) -> Prepared:
        """A request as it is prepared, but for what guides the search."""
        words = clean(request.prompt) if request.prompt is not None else ""
        understood = self.matcher.understand(words) if request.prompt is not None else None
        if understood is not None and not self.reads_text:
            understood = self.items.title_words.explain(understood)
        if words and not self.reads_text and not self._told_codes_only:
            self._told_codes_only = True
            logger.info("this model reads item codes only: of the prompt, what is shown as understood counts")
        if request.max_per_category is not None and not any(self.catalog.categories):
            raise ConfigError("max_per_category: the items have no categories")
        history = self._history(request, understood)
        filters = (*request.filters, *(understood.filters if understood else ()))
        # Scorers that guide the search bring their own.
        returns = self.model.description.return_log_odds if self.evidence is None else 0.0
        weights = request_weights(request, self.items, history, understood, filters, returns)
        sequence = self.builder.build(self._window(history), words or None)
        return Prepared(request, history, understood, filters, weights, sequence)

    def decode(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Answer requests that are alike (:attr:`Request.like`) in one decode."""
        decoded = self._decode(prepared)
        return [self.answer(one, decoded, row) for row, one in enumerate(prepared)]

    def _decode(self, batch: Sequence[Prepared]) -> Decoded:
        request, num_items = batch[0].request, len(self.catalog)

        def search(count: int, users: NDArray[np.int64], weights: list[ItemWeights]) -> Decoded:
            sequences, stacked = [batch[user].sequence for user in users], ItemWeights.stack(weights)
            if request.exact:
                return self.engine.rank_all(sequences, count, stacked)
            return self.engine.beam_search(sequences, count, request.beams, stacked)

        def decode(count: int, users: NDArray[np.int64]) -> Decoded:
            return search(count, users, [batch[user].weights for user in users])

        if request.max_per_category is None:
            return with_newcomers(decode(request.k, np.arange(len(batch))), batch, search, None)
        cap = CategoryCap(self.catalog.categories, request.max_per_category)
        first = num_items if request.exact else request.beams
        decoded = cap.search(decode, request.k, num_users=len(batch), num_items=num_items, first=first)
        return with_newcomers(decoded, batch, search, cap)

    def answer(self, prepared: Prepared, decoded: Decoded, row: int = 0) -> Answer:
        """What a row of decoded items is to who asked."""
        ids, titles = self.catalog.ids.ids, self.catalog.titles
        found = zip(decoded.items[row], decoded.scores[row], decoded.logprobs[row], strict=True)
        new = set() if prepared.places is None else set(prepared.places.items.tolist())
        return Answer(
            tuple(
                Recommendation(ids[item], titles[item], float(score), float(logprob), int(item) in new)
                for item, score, logprob in found
                if item >= 0
            ),
            tuple([ids[item] for item in prepared.history.tolist()]),
            prepared.understood,
            prepared.filters,
            int(prepared.weights.eligible.sum()) + len(new),
        )

    def _window(self, history: NDArray[np.int32]) -> NDArray[np.int32]:
        """The newest items, of which the model reads `max_items` at most."""
        excess = max(len(history) - self.model.description.max_items, 0)
        return history[-(-excess // self.history_step) * self.history_step :]

    def _history(self, request: Request, understood: Understood | None) -> NDArray[np.int32]:
        """Item indices of everything that was met or is liked, oldest first."""
        parts = [np.empty(0, dtype=np.int32)]
        if request.user is not None:
            rows = self.dataset.histories[int(self.dataset.users.indices([request.user])[0])]
            parts.append(self.items.of_rows(rows))
        if request.history:
            parts.append(self.items.of_ids(request.history))
        if understood is not None:
            parts.append(np.array(understood.liked, dtype=np.int32))
        return known(np.concatenate(parts), "the history")
