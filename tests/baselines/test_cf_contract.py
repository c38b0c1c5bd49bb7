"""Every collaborative scorer and floor keeps the contract of a scorer."""

import pytest

from genrec.baselines import (
    ALS,
    BPR,
    EASE,
    EASEWithFeatures,
    HybridKNN,
    ItemKNN,
    MarkovChain,
    Popularity,
    Random,
    UserKNN,
)
from genrec.errors import ConfigError
from genrec.testing.scorer_contract import ScorerContract

# As in benchmarks: one entry a variant that computes otherwise.
SCORERS = {
    "random": Random,
    "popularity-recent": lambda: Popularity(half_life=0.2),
    "popularity-window": lambda: Popularity(window=3, unit="days"),
    "user-knn": lambda: UserKNN(neighbours=5),
    "user-knn-pearson": lambda: UserKNN(similarity="pearson", shrinkage=2),
    "user-knn-recent": lambda: UserKNN(recency=0.5),
    "item-knn-jaccard": lambda: ItemKNN(similarity="jaccard"),
    "item-knn-euclidean": lambda: ItemKNN(similarity="euclidean", shrinkage=5),
    "item-knn-recent": lambda: ItemKNN(recency=0.5),
    "hybrid-knn": lambda: HybridKNN(weight=0.3),
    "ease-recent": lambda: EASE(recency=0.5, training_recency=0.25),
    "ease-features": EASEWithFeatures,
    "als": lambda: ALS(factors=8, regularization=0.1),
    "als-recent": lambda: ALS(factors=8, regularization=0.1, recency=0.5),
    "bpr": lambda: BPR(factors=8, iterations=20),
    "bpr-recent": lambda: BPR(factors=8, iterations=20, recency=1.0),
    "markov": MarkovChain,
    "markov-recent": lambda: MarkovChain(reach=3, context=2, half_life=0.2),
}


@pytest.mark.parametrize("name", SCORERS)
class TestCollaborativeScorers(ScorerContract):
    @pytest.fixture(autouse=True)
    def remember_name(self, name):
        self.scorer_name = name

    def make_scorer(self):
        return SCORERS[self.scorer_name]()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Popularity(half_life=0), "half_life=0 must be positive"),
        (lambda: Popularity(window=-1), "window=-1 must be positive"),
        (lambda: Popularity(half_life=1, unit="weeks"), "unit='weeks' must be span or days"),
        (lambda: UserKNN(neighbours=0), "neighbours=0 must be at least 1"),
        (lambda: UserKNN(similarity="dice"), "similarity='dice' must be one of cosine, jaccard"),
        (lambda: ItemKNN(recency=-1), "recency=-1 must not be negative"),
        (lambda: ItemKNN(neighbours_of="both"), "neighbours_of='both': candidate or history"),
        (lambda: HybridKNN(weight=1.5), "weight=1.5 must be from 0 to 1"),
        (lambda: EASE(training_recency=-1), "training_recency=-1 must not be negative"),
        (lambda: EASEWithFeatures(feature_weight=0), "feature_weight=0 must be positive"),
        (lambda: ALS(factors=0), "factors=0 and iterations=15 must be at least 1"),
        (lambda: ALS(alpha=0), "alpha=0 must be positive"),
        (lambda: BPR(learning_rate=0), "learning_rate=0 must be positive"),
        (lambda: MarkovChain(smoothing=0), "smoothing=0 must be positive"),
        (lambda: MarkovChain(reach=0), "reach=0 and context=1 must be at least 1"),
    ],
)
def test_options_out_of_range_are_refused_at_once(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
