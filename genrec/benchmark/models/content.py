"""Scorers that read what items say about themselves."""

from __future__ import annotations

from genrec.baselines.content import BertKNN, BertMatcher, TfidfKNN, WordMatcher
from genrec.benchmark.models.named import NamedModel

CONTENT = {
    model.name: model
    for model in (
        NamedModel(
            "tfidf-knn",
            "content",
            TfidfKNN,
            grid={"recency": [1.0, 0.5, 1.5, 0.0], "ngrams": [1, 2]},
            source="Salton and Buckley 1988, scikit-learn",
        ),
        NamedModel(
            "bert-knn",
            "content",
            BertKNN,
            grid={"recency": [1.0, 0.5, 1.5, 0.0], "centre": [True, False]},
            source="Reimers and Gurevych, EMNLP 2019, sentence-transformers",
        ),
        NamedModel(
            "bert-matcher",
            "content",
            BertMatcher,
            grid={"dropout": [0.2, 0.4], "learning_rate": [2e-3, 1e-3], "width": [64, 128]},
            source="Hou et al., KDD 2022 (UniSRec), text part",
        ),
        NamedModel(
            "word-matcher",
            "content",
            WordMatcher,
            grid={"recency": [1.0, 0.5], "rank": [32, 64], "learning_rate": [0.02, 0.01]},
            source="TF-IDF with learned term weights, sentence-transformers",
        ),
    )
}
