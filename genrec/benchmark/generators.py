"""Scorers that make their generator when they are fitted: by training, or from a folder."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar, Self

from genrec.baselines.base import Ranking, Scorer
from genrec.errors import ConfigError
from genrec.recommend.recommender import Recommender
from genrec.recommend.scorer import GenerativeScorer
from genrec.retrieval.candidates import Candidates
from genrec.shipped import given_or_shipped
from genrec.training.config import FinetuneConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from genrec.benchmark.kept_generators import KeptGenerators
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet


class GeneratorScorer(Scorer):
    """A scorer that makes a generator when it is fitted, and may have others guide it.

    Parameters
    ----------
    name
        Name in reports.
    evidence, alpha
        As in :class:`~genrec.recommend.scorer.GenerativeScorer`.
    retriever
        A scorer whose ``num_candidates`` best are all that may be recommended. Default: the whole catalog.
    num_candidates
        Default 200.
    """

    serves_cold_users: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        *,
        evidence: Scorer | None = None,
        alpha: float | None = None,
        retriever: Scorer | None = None,
        num_candidates: int = 200,
    ) -> None:
        self.name = name
        self.evidence = evidence
        self.alpha = alpha
        self.candidates = None if retriever is None else Candidates(retriever, num_candidates)
        self._validation: EvalSet | None = None
        self._generative: GenerativeScorer | None = None

    @abstractmethod
    def make(self, dataset: Dataset, validation: EvalSet | None) -> GenerativeScorer:
        """Make the generator, unguided.

        Parameters
        ----------
        dataset
            Training part of a split.
        validation
            Questions by which to stop; None: there are none.
        """

    def use_validation(self, validation: EvalSet) -> None:
        """Let the next :meth:`fit` stop training and choose the strength of evidence by these questions.

        Parameters
        ----------
        validation
            Of the same split as the training data.
        """
        self._validation = validation

    def fit(self, dataset: Dataset) -> Self:
        """Make the generator and fit what guides it.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        made = self.make(dataset, self._validation)
        generative = GenerativeScorer(
            made.generator,
            made.builder,
            made.max_items,
            beams=made.beams,
            name=self.name,
            batch_size=made.batch_size,
            candidates=self.candidates,
            evidence=self.evidence,
            alpha=self.alpha,
            return_log_odds=made.return_log_odds,
        )
        if self._validation is not None:
            generative.use_validation(self._validation)
        self._generative = generative.fit(dataset)
        return self

    # Known only from the generator, so no class variable.
    @property
    def serves_cold_items(self) -> bool:  # type: ignore[override]
        """As :class:`~genrec.recommend.scorer.GenerativeScorer` says, once fitted."""
        return self.generative.serves_cold_items

    @property
    def generative(self) -> GenerativeScorer:
        """The scorer that :meth:`fit` made."""
        if self._generative is None:
            raise ConfigError(f"{self.name} has no generator yet", hint="fit it first")
        return self._generative

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """As :meth:`GenerativeScorer.score <genrec.recommend.scorer.GenerativeScorer.score>`."""
        return self.generative.score(histories)

    def score_eligible(
        self, histories: Sequence[NDArray[np.int32]], exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> NDArray[np.float32]:
        """As the generator's own: candidates are drawn from what is not excluded."""
        return self.generative.score_eligible(histories, exclude)

    def recommend(
        self, histories: Sequence[NDArray[np.int32]], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> Ranking:
        """As :meth:`GenerativeScorer.recommend <genrec.recommend.scorer.GenerativeScorer.recommend>`."""
        return self.generative.recommend(histories, k, exclude)


class TrainedGenerator(GeneratorScorer):
    """Fine-tunes a generator when it is fitted.

    Parameters
    ----------
    config
        A configuration, or a YAML file, such as the shipped ``finetune/configs/gpt-semantic.yaml``. Its ``split`` does
        not count: the training part it is fitted on is trained on, the validation questions say when to stop.
    overrides
        ``section.key=value`` strings that win over the file.
    folder
        Where to write the model folder. Default: nowhere, the model is kept in memory alone.
    kept
        Where to look for what was trained just so before, and else to leave it; its questions say when to stop. Not
        together with `folder`. Default nowhere.
    beams
        Beam width. Default 50.
    name
        Name in reports. Default: the name of the file.
    evidence, alpha, retriever, num_candidates
        As in :class:`GeneratorScorer`.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import toy_dataset
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> scorer = TrainedGenerator(config).fit(toy_dataset(items=8))
    >>> scorer.recommend([np.array([3, 4], dtype=np.int32)], k=3).items.shape
    (1, 3)
    """

    def __init__(
        self,
        config: FinetuneConfig | str | Path,
        overrides: Sequence[str] = (),
        *,
        folder: str | Path | None = None,
        kept: KeptGenerators | None = None,
        beams: int = 50,
        name: str | None = None,
        evidence: Scorer | None = None,
        alpha: float | None = None,
        retriever: Scorer | None = None,
        num_candidates: int = 200,
    ) -> None:
        if folder is not None and kept is not None:
            raise ConfigError("a model is written to a folder or kept with a run, not both")
        if isinstance(config, FinetuneConfig):
            self.config, label = config, "generative"
        else:
            self.config, label = FinetuneConfig.from_yaml(given_or_shipped(Path(config)), overrides), Path(config).stem
        super().__init__(
            name or label, evidence=evidence, alpha=alpha, retriever=retriever, num_candidates=num_candidates
        )
        self.folder = folder
        self.kept = kept
        self.beams = beams

    def make(self, dataset: Dataset, validation: EvalSet | None) -> GenerativeScorer:
        """Fine-tune on all of a data set.

        Parameters
        ----------
        dataset
            Training part of a split.
        validation
            Questions by which to stop; None: it trains all epochs.
        """
        from genrec.training.finetune import finetune

        # Which split the data set is a part of is not known here, so the folder says none, and no benchmark will take
        # it for a model that has not seen its test items. What guides the generator is this scorer's own.
        config = self.config.model_copy(update={"split": "none", "evidence": None})
        with TemporaryDirectory() as scratch:
            if self.kept is not None:
                folder = self.kept.trained(config, dataset)
            else:
                folder = Path(self.folder or scratch)
                finetune(config, dataset, folder, validation=validation)
            return Recommender.from_pretrained(folder, dataset).as_scorer(self.name, beams=self.beams)


class SavedGenerator(GeneratorScorer):
    """A model folder that was fine-tuned before, on the training part of the same split.

    Parameters
    ----------
    folder
        What ``genrec finetune`` wrote.
    beams
        Beam width. Default 50.
    name
        Name in reports. Default: the folder's name.
    evidence, alpha, retriever, num_candidates
        As in :class:`GeneratorScorer`.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        beams: int = 50,
        name: str | None = None,
        evidence: Scorer | None = None,
        alpha: float | None = None,
        retriever: Scorer | None = None,
        num_candidates: int = 200,
    ) -> None:
        self.folder = Path(folder).resolve()  # a link to it may move between one fit and the next
        self.beams = beams
        super().__init__(
            name or self.folder.name,
            evidence=evidence,
            alpha=alpha,
            retriever=retriever,
            num_candidates=num_candidates,
        )

    def make(self, dataset: Dataset, validation: EvalSet | None) -> GenerativeScorer:
        """Load the model.

        Parameters
        ----------
        dataset
            With the items that the model knows, in the same order.
        validation
            Not read.

        Raises
        ------
        ConfigError
            The items are others, or stand in another order.
        """
        recommender = Recommender.from_pretrained(self.folder, dataset)
        if recommender.catalog.ids.ids != dataset.catalog.ids.ids:
            msg = f"the items of {self.folder} are not those of {dataset.name}, or stand in another order"
            raise ConfigError(msg, hint="use a model on the data set it was fine-tuned on")
        return recommender.as_scorer(self.name, beams=self.beams)
