"""Who takes part in a benchmark: named models, a user's own scorers, fine-tuned model folders."""

from __future__ import annotations

import difflib
import inspect
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow.parquet as pq

from genrec.benchmark.digests import recipe_digest
from genrec.benchmark.own_scorer import load_scorer_class
from genrec.columns import ITEM_ID
from genrec.data.digest import interactions_digest
from genrec.data.split import SPLITS
from genrec.errors import ConfigError
from genrec.files import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from genrec.baselines.base import Scorer
    from genrec.benchmark.kept_generators import KeptGenerators
    from genrec.data.dataset import Dataset


logger = logging.getLogger(__name__)

Part = Literal["whole", "alone", "guides"]


@dataclass(frozen=True)
class Entrant:
    """One model of a run, in a form that another process can build it from.

    Parameters
    ----------
    name
        In the report; distinct within a run.
    family
        As in :class:`~genrec.benchmark.models.NamedModel`, or ``"own"``.
    kind
        Whether `locator` is a name, ``path.py:Name`` or a model folder.
    locator
        Where the model is found.
    grid
        Values that tuning may try for each parameter, the default first.
    source
        Paper or library.
    max_users
        Validation and test questions it is asked at most; None for all.
    max_seeds
        Fits at most of its chosen setting, where the run asks for several seeds; None for no limit.
    part
        Of a model folder: the model as users get it, guided if it names scorers for that; the generator alone; or
        those scorers without it. Default ``"whole"``.
    """

    name: str
    family: str
    kind: Literal["named", "own", "folder"]
    locator: str
    grid: Mapping[str, Sequence[object]] = field(default_factory=dict)
    source: str = ""
    max_users: int | None = None
    max_seeds: int | None = None
    part: Part = "whole"

    def build(self, params: Mapping[str, object], dataset: Dataset, generators: KeptGenerators | None = None) -> Scorer:
        """Make the scorer, unfitted unless it is a fine-tuned model.

        Parameters
        ----------
        params
            Keywords of this trial.
        dataset
            The training part, whose catalog a fine-tuned model reads.
        generators
            Where a named generator is kept once it is trained, and found again. Default nowhere.
        """
        match self.kind:
            case "named" | "own":
                kept = {"kept": generators} if self.kind == "named" and self.takes("kept") else {}
                return self._builder()(**params, **kept)
            case "folder":
                from genrec.recommend.evidence import guides_alone
                from genrec.recommend.recommender import Recommender

                if self.part == "guides":
                    return guides_alone(Path(self.locator), dataset.catalog.ids.ids)
                recommender = Recommender.from_pretrained(self.locator, dataset, evidence=False)
                return recommender.as_scorer(self.name, evidence=self.part == "whole")

    def takes(self, parameter: str) -> bool:
        """Whether the scorer is built with a parameter of this name, such as ``seed``.

        Examples
        --------
        >>> from genrec.benchmark.entrants import named_entrants
        >>> [entrant.takes("seed") for entrant in named_entrants(["ease", "sasrec"], {})]
        [False, True]
        """
        return self.kind != "folder" and parameter in inspect.signature(self._builder()).parameters

    def default_seed(self) -> object:
        """Seed of a fit that is given none, of a model that takes one."""
        return inspect.signature(self._builder()).parameters["seed"].default

    def fits(self, seeds: int) -> int:
        """How often the chosen setting of a model with a seed is fitted, where the run asks for so many seeds."""
        return seeds if self.max_seeds is None else min(seeds, self.max_seeds)

    def _builder(self) -> Callable[..., Scorer]:
        """What makes a named scorer or a user's own."""
        if self.kind == "own":
            return load_scorer_class(self.locator)
        from genrec.benchmark.models import NAMED_MODELS

        return NAMED_MODELS[self.locator].build

    def digest(self) -> str:
        """What changes when the model does: the hash of its file, with its class, or of a model folder's description.

        Of a generator that is trained, its recipe counts, too, which may lie in the folder one works in. Other files
        that a user's own scorer imports do not.
        """
        match self.kind:
            case "named":
                scorer = self._builder()() if self.takes("kept") else None
                recipe = getattr(scorer, "config", None)
                return self.locator if recipe is None else f"{self.locator} {recipe_digest(recipe)}"
            case "own":
                path, _, name = self.locator.rpartition(":")
                return f"{sha256(Path(path))} {name}"
            case "folder":
                return sha256(Path(self.locator) / "genrec.json")


def named_entrants(
    names: Sequence[str],
    grids: Mapping[str, Mapping[str, Sequence[object]]],
    max_users: Mapping[str, int] | None = None,
    max_seeds: Mapping[str, int] | None = None,
) -> list[Entrant]:
    """Look up models by name.

    Parameters
    ----------
    names
        In the order they shall run.
    grids
        Grids that replace a model's own, by name.
    max_users
        Limits of users that replace a model's own, by name. Default none.
    max_seeds
        Limits of seeds, by name. Default none.

    Raises
    ------
    ConfigError
        No model of that name.

    Examples
    --------
    >>> [entrant.family for entrant in named_entrants(["popularity", "ease"], {})]
    ['floor', 'cf']
    """
    from genrec.benchmark.models import NAMED_MODELS

    entrants = []
    limits, most_seeds = max_users or {}, max_seeds or {}
    for name in names:
        if name not in NAMED_MODELS:
            near = difflib.get_close_matches(name, NAMED_MODELS, n=3) or list(NAMED_MODELS)
            hint = f"there are {', '.join(near)}; `genrec benchmark models` lists all; a fine-tuned one: --model-folder"
            raise ConfigError(f"unknown model {name!r}", hint=hint)
        model = NAMED_MODELS[name]
        grid, limit = grids.get(name, model.grid), limits.get(name, model.max_users)
        entrants.append(Entrant(name, model.family, "named", name, grid, model.source, limit, most_seeds.get(name)))
    return entrants


def own_entrant(
    spec: str,
    grids: Mapping[str, Mapping[str, Sequence[object]]],
    max_users: Mapping[str, int] | None = None,
    max_seeds: Mapping[str, int] | None = None,
) -> Entrant:
    """Take a user's scorer.

    Parameters
    ----------
    spec
        ``path.py:Name``.
    grids
        Grids by the scorer's name; without one it runs with its defaults.
    max_users
        Limits of users by name. Default none.
    max_seeds
        Limits of seeds by name. Default none.

    Raises
    ------
    ConfigError
        No such file or class, or the class is no scorer.
    """
    scorer = load_scorer_class(spec)
    limit = (max_users or {}).get(scorer.name)
    seeds = (max_seeds or {}).get(scorer.name)
    return Entrant(scorer.name, "own", "own", spec, grids.get(scorer.name, {}), spec, limit, seeds)


def folder_entrants(
    folder: Path,
    dataset: Dataset,
    split: str,
    max_users: Mapping[str, int] | None = None,
    train: Dataset | None = None,
) -> list[Entrant]:
    """Take a fine-tuned model as users get it; if something guides it, also its generator alone, and its guides alone.

    Parameters
    ----------
    folder
        What ``genrec finetune`` wrote; its name is the model's.
    dataset
        Whose items the model must know, in the same order.
    split
        What the benchmark holds out; the model must not have been trained on it.
    max_users
        Limits of users by name. Default none.
    train
        Training part of that split, on which the model must have been trained. Default: that is not looked at.

    Raises
    ------
    ModelError
        No model folder.
    ConfigError
        The model was fine-tuned on other items, or on what the benchmark asks for.
    """
    from genrec.model.description import ModelDescription

    folder = folder.resolve()
    description = ModelDescription.read(folder)
    if pq.read_table(folder / "items.parquet", columns=[ITEM_ID])[ITEM_ID].to_pylist() != dataset.catalog.ids.ids:
        msg = f"the items of {folder} are not those of {dataset.name}, or stand in another order"
        raise ConfigError(msg, hint="benchmark a model on the data set it was fine-tuned on")
    held_out = description.dataset.split
    if held_out != split:
        msg = f"{folder} was trained with split {held_out}: it may have seen the test items of {split}"
        way_out = f"fine-tune it with --set split={split}"
        if split not in SPLITS:
            way_out = f"a model folder can be benchmarked with {', '.join(SPLITS)}, one it was fine-tuned with"
        raise ConfigError(msg, hint=way_out)
    if train is not None:
        _check_trained_on(folder, description.dataset.train_sha256, train, split)
    evidence = description.evidence
    guided = evidence is not None and evidence.strength > 0
    parts: list[tuple[str, str, Part]] = [
        (folder.name, "hybrid", "whole"),
        (f"{folder.name}, alone", "generative", "alone"),
        (f"{folder.name}, guides alone", "fusion", "guides"),
    ]
    if not guided:
        parts = [(folder.name, "generative", "whole")]
    limits = max_users or {}
    return [
        Entrant(name, family, "folder", str(folder), {}, "genrec finetune", limits.get(name), part=part)
        for name, family, part in parts
    ]


def _check_trained_on(folder: Path, digest: str | None, train: Dataset, split: str) -> None:
    """The same items and the same split of other interactions may still have the answers in them."""
    if digest is None:
        message = "%s does not say which interactions it was trained on, so it may have seen the answers: "
        logger.warning(message + "fine-tune it again to be sure", folder)
    elif digest != interactions_digest(train):
        msg = f"{folder} was trained on other interactions than the training part of {split} of {train.name}"
        hint = "it may have seen the answers: fine-tune it again on this data set"
        raise ConfigError(msg, hint=hint)
