"""Transformers over item IDs and over texts."""

from __future__ import annotations

from genrec.baselines.sequential import BERT4Rec, SASRec, TextSASRec
from genrec.benchmark.models.named import NamedModel


def sasrec_sampled(dropout: float = 0.3, layers: int = 1, negatives: int = 1024, seed: int = 0) -> SASRec:
    """SASRec whose softmax is over a sample of the catalog, as one large enough would need."""
    return SASRec(dropout=dropout, layers=layers, negatives=negatives, seed=seed)


SEQUENTIAL = {
    model.name: model
    for model in (
        NamedModel(
            "sasrec",
            "sequential",
            SASRec,
            {"dropout": [0.3, 0.5], "layers": [1, 2], "label_smoothing": [0.1, 0.0]},
            "Kang and McAuley, ICDM 2018; Klenitskiy and Vasilev, RecSys 2023",
        ),
        NamedModel(
            "sasrec-sampled",
            "sequential",
            sasrec_sampled,
            {"negatives": [1024, 4096], "dropout": [0.3, 0.5], "layers": [1, 2]},
            "Klenitskiy and Vasilev, RecSys 2023",
        ),
        NamedModel(
            "sasrec-text",
            "sequential",
            TextSASRec,
            {"dropout": [0.3, 0.1], "layers": [1, 2]},
            "Yuan et al., SIGIR 2023; Hou et al., KDD 2022",
        ),
        NamedModel(
            "bert4rec",
            "sequential",
            BERT4Rec,
            {"dropout": [0.3, 0.2], "mask_share": [0.3, 0.6], "layers": [2, 1]},
            "Sun et al., CIKM 2019; Petrov and Macdonald, RecSys 2022",
        ),
    )
}
