"""Scorers that configurations may ask for by name, at settings that are good on sets of different kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.baselines.content.bert_knn import BertKNN
from genrec.baselines.content.tfidf_knn import TfidfKNN
from genrec.baselines.ease import EASE
from genrec.baselines.item_knn import ItemKNN
from genrec.baselines.markov import MarkovChain
from genrec.baselines.popularity import Popularity
from genrec.baselines.sequential.sasrec import SASRec
from genrec.baselines.sequential.text_sasrec import TextSASRec
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from genrec.baselines.base import Scorer


def item_knn_recent(neighbours: int = 300, shrinkage: float = 10.0, recency: float = 1.5) -> ItemKNN:
    """Item-kNN in which what the user met last counts most."""
    return ItemKNN(neighbours, shrinkage=shrinkage, recency=recency)


def ease_recent(regularization: float = 100.0, recency: float = 0.75) -> EASE:
    """EASE in which what the user met last counts most, in training too."""
    return EASE(regularization, recency, training_recency=0.25)


def markov_skip(reach: int = 20, smoothing: float = 30.0) -> MarkovChain:
    """Markov chain over skips, from each of the last items; `reach` is of both."""
    return MarkovChain(smoothing, reach, context=reach)


def popularity_recent(half_life: float = 0.05) -> Popularity:
    """Popularity that halves with every twentieth of the time that the data span."""
    return Popularity(half_life)


def scorer_named(name: str, seed: int = 0) -> Scorer:
    """Make an unfitted scorer.

    Parameters
    ----------
    name
        popularity-recent, markov-skip, sasrec, sasrec-text, ease, ease-recent, item-knn, item-knn-recent, tfidf-knn
        or bert-knn, as ``genrec benchmark models`` calls them.
    seed
        Of scorers that are trained. Default 0.

    Raises
    ------
    ConfigError
        There is none of that name.

    Examples
    --------
    >>> scorer_named("ease").name
    'ease'
    """
    match name:
        case "markov-skip":
            return markov_skip()
        case "popularity-recent":
            return popularity_recent()
        case "sasrec":
            return SASRec(seed=seed)
        case "sasrec-text":
            return TextSASRec(seed=seed)
        case "ease":
            return EASE()
        case "ease-recent":
            return ease_recent()
        case "item-knn":
            return ItemKNN()
        case "item-knn-recent":
            return item_knn_recent()
        case "tfidf-knn":
            return TfidfKNN()
        case "bert-knn":
            return BertKNN()
        case _:
            raise ConfigError(f"no scorer {name!r} to ask", hint="upgrade genrec, or name another one")
