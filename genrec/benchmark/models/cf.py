"""Floors and collaborative filtering: scorers that know interactions only; and EASE with words beside.

The first value of each grid is a setting that is good on both ML-100K and amazon-beauty, by validation NDCG@10 of
leave-last-out; the others are those that were best on one of the two.
"""

from __future__ import annotations

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
from genrec.baselines.named import ease_recent, item_knn_recent, markov_skip, popularity_recent
from genrec.benchmark.models.named import NamedModel


def user_knn_pearson(neighbours: int = 100, shrinkage: float = 0.0) -> UserKNN:
    """User-kNN by correlation."""
    return UserKNN(neighbours, "pearson", shrinkage)


def user_knn_recent(neighbours: int = 100, recency: float = 0.75) -> UserKNN:
    """User-kNN in which what a user met last counts most."""
    return UserKNN(neighbours, recency=recency)


def item_knn_jaccard(neighbours: int = 20, shrinkage: float = 0.0) -> ItemKNN:
    """Item-kNN by the share of common users."""
    return ItemKNN(neighbours, "jaccard", shrinkage)


def item_knn_euclidean(neighbours: int = 20, shrinkage: float = 10.0) -> ItemKNN:
    """Item-kNN by inverse distance."""
    return ItemKNN(neighbours, "euclidean", shrinkage)


def hybrid_knn(weight: float = 0.5, neighbours: int = 20) -> HybridKNN:
    """User-kNN and item-kNN; `neighbours` are users."""
    return HybridKNN(weight, UserKNN(neighbours, shrinkage=10.0), ItemKNN(shrinkage=10.0))


def hybrid_knn_recent(weight: float = 0.5, neighbours: int = 100) -> HybridKNN:
    """User-kNN and item-kNN in which what a user met last counts most; `neighbours` are users."""
    return HybridKNN(weight, user_knn_recent(neighbours), item_knn_recent())


def ease_features_recent(
    regularization: float = 100.0, feature_weight: float = 10.0, recency: float = 0.5
) -> EASEWithFeatures:
    """EASE with words in which what the user met last counts most."""
    return EASEWithFeatures(regularization, recency, feature_weight)


def als_recent(regularization: float = 30.0, alpha: float = 10.0, recency: float = 0.75, seed: int = 0) -> ALS:
    """ALS in which what the user met last has most confidence."""
    return ALS(regularization=regularization, alpha=alpha, recency=recency, seed=seed)


def bpr_recent(regularization: float = 0.001, recency: float = 1.0, seed: int = 0) -> BPR:
    """BPR in which what the user met last counts most."""
    return BPR(regularization=regularization, recency=recency, seed=seed)


FLOOR = {
    model.name: model
    for model in (
        NamedModel("random", "floor", Random),
        NamedModel("popularity", "floor", Popularity),
        NamedModel(
            "popularity-recent",
            "floor",
            popularity_recent,
            {"half_life": [0.05, 0.3, 0.1, 0.02, 0.01]},
            "Ji et al., SIGIR 2020",
        ),
    )
}

NEIGHBOURS = "Ferrari Dacrema et al., RecSys 2019"
FUSED = "Wang et al., SIGIR 2006"
WEIGHTED = "Hu et al., ICDM 2008, implicit"
PAIRWISE = "Rendle et al., UAI 2009, implicit"
SKIPS = "Ludewig and Jannach, UMUAI 2018"
CEASE = "Jeunen et al., RecSys 2020 (CEASE)"

CF = {
    model.name: model
    for model in (
        NamedModel("user-knn", "cf", UserKNN, {"neighbours": [100, 20, 300], "shrinkage": [0.0, 10.0]}, NEIGHBOURS),
        NamedModel(
            "user-knn-pearson",
            "cf",
            user_knn_pearson,
            {"neighbours": [100, 20, 300], "shrinkage": [0.0, 10.0]},
            "Resnick et al., CSCW 1994",
        ),
        NamedModel(
            "user-knn-recent", "cf", user_knn_recent, {"neighbours": [100, 50, 300], "recency": [0.75, 0.5]}, NEIGHBOURS
        ),
        NamedModel("item-knn", "cf", ItemKNN, {"neighbours": [20, 100], "shrinkage": [0.0, 10.0, 50.0]}, NEIGHBOURS),
        NamedModel(
            "item-knn-jaccard",
            "cf",
            item_knn_jaccard,
            {"neighbours": [20, 100], "shrinkage": [0.0, 10.0, 50.0]},
            NEIGHBOURS,
        ),
        NamedModel(
            "item-knn-euclidean",
            "cf",
            item_knn_euclidean,
            {"neighbours": [20, 100], "shrinkage": [10.0, 100.0, 0.0]},
            NEIGHBOURS,
        ),
        NamedModel(
            "item-knn-recent",
            "cf",
            item_knn_recent,
            {"neighbours": [300, 50], "shrinkage": [10.0, 0.0], "recency": [1.5, 1.0]},
            NEIGHBOURS,
        ),
        NamedModel("hybrid-knn", "cf", hybrid_knn, {"weight": [0.5, 0.3, 0.7], "neighbours": [20, 100]}, FUSED),
        NamedModel(
            "hybrid-knn-recent",
            "cf",
            hybrid_knn_recent,
            {"weight": [0.5, 0.3, 0.7], "neighbours": [100, 300]},
            FUSED,
        ),
        NamedModel("ease", "cf", EASE, {"regularization": [100.0, 30.0, 300.0, 1000.0]}, "Steck, WWW 2019"),
        NamedModel(
            "ease-recent",
            "cf",
            ease_recent,
            {"regularization": [100.0, 30.0, 300.0], "recency": [0.75, 0.5]},
            "Steck, WWW 2019",
        ),
        NamedModel("als", "cf", ALS, {"regularization": [30.0, 10.0], "alpha": [10.0, 40.0, 1.0]}, WEIGHTED),
        NamedModel(
            "als-recent",
            "cf",
            als_recent,
            {"regularization": [30.0, 10.0], "alpha": [10.0, 1.0], "recency": [0.75, 1.0]},
            WEIGHTED,
        ),
        NamedModel(
            "bpr",
            "cf",
            BPR,
            {"learning_rate": [0.05, 0.02], "regularization": [0.001, 0.01, 0.0003]},
            PAIRWISE,
        ),
        NamedModel(
            "bpr-recent",
            "cf",
            bpr_recent,
            {"regularization": [0.001, 0.01], "recency": [1.0, 1.5, 0.75]},
            PAIRWISE,
        ),
        NamedModel("markov", "cf", MarkovChain, {"smoothing": [10.0, 100.0, 1.0]}, SKIPS),
        NamedModel("markov-skip", "cf", markov_skip, {"reach": [20, 5], "smoothing": [30.0, 100.0, 10.0]}, SKIPS),
    )
}

FEATURES = {
    model.name: model
    for model in (
        NamedModel(
            "ease-features",
            "fusion",
            EASEWithFeatures,
            {"regularization": [100.0, 300.0, 30.0], "feature_weight": [10.0, 30.0]},
            CEASE,
        ),
        NamedModel(
            "ease-features-recent",
            "fusion",
            ease_features_recent,
            {"regularization": [100.0, 300.0], "feature_weight": [10.0, 30.0], "recency": [0.5, 0.75]},
            CEASE,
        ),
    )
}
