"""genrec: recommendations that a language model writes and a catalog trie keeps real.

>>> from genrec import Dataset
>>> Dataset.load("toy").num_items
24
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from genrec.errors import (
    ConfigError,
    DataError,
    FilterError,
    GenrecError,
    ModelError,
    ResourceError,
    UnknownIdError,
    UnsupportedError,
)
from genrec.version import __version__

if TYPE_CHECKING:
    from genrec.data.catalog import Catalog
    from genrec.data.dataset import Dataset
    from genrec.data.interactions import Interactions
    from genrec.data.split import Split, global_temporal, leave_last_out
    from genrec.evaluation.protocol import Evaluation, evaluate
    from genrec.recommend.recommender import Answer, Recommendation, Recommender, Request
    from genrec.training.config import FinetuneConfig
    from genrec.training.finetune import FinetuneResult, finetune

# Loaded when first used, so that `import genrec` and the command line start without torch.
_LAZY = {
    "Answer": "genrec.recommend.recommender",
    "Catalog": "genrec.data.catalog",
    "Dataset": "genrec.data.dataset",
    "Evaluation": "genrec.evaluation.protocol",
    "FinetuneConfig": "genrec.training.config",
    "FinetuneResult": "genrec.training.finetune",
    "Interactions": "genrec.data.interactions",
    "Recommendation": "genrec.recommend.recommender",
    "Recommender": "genrec.recommend.recommender",
    "Request": "genrec.recommend.recommender",
    "Split": "genrec.data.split",
    "evaluate": "genrec.evaluation.protocol",
    "finetune": "genrec.training.finetune",
    "global_temporal": "genrec.data.split",
    "leave_last_out": "genrec.data.split",
}

__all__ = [
    "Answer",
    "Catalog",
    "ConfigError",
    "DataError",
    "Dataset",
    "Evaluation",
    "FilterError",
    "FinetuneConfig",
    "FinetuneResult",
    "GenrecError",
    "Interactions",
    "ModelError",
    "Recommendation",
    "Recommender",
    "Request",
    "ResourceError",
    "Split",
    "UnknownIdError",
    "UnsupportedError",
    "__version__",
    "evaluate",
    "finetune",
    "global_temporal",
    "leave_last_out",
]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    msg = f"module 'genrec' has no attribute {name!r}"
    raise AttributeError(msg)
