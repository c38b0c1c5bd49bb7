"""The models that the benchmark knows by name, a file a family."""

from __future__ import annotations

from genrec.evaluation.models.cf import CF, FEATURES, FLOOR
from genrec.evaluation.models.content import CONTENT
from genrec.evaluation.models.generative import CEILING, FUSION, GENERATIVE, HYBRID
from genrec.evaluation.models.named import NamedModel
from genrec.evaluation.models.sequential import SEQUENTIAL

__all__ = ["NAMED_MODELS", "NamedModel"]

NAMED_MODELS: dict[str, NamedModel] = {
    **FLOOR,
    **CF,
    **CONTENT,
    **FEATURES,
    **SEQUENTIAL,
    **FUSION,
    **GENERATIVE,
    **HYBRID,
    **CEILING,
}
