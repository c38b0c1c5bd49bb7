"""``genrec.json``: what a model folder says about itself."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from genrec.errors import ModelError
from genrec.files import sha256
from genrec.items.config import ItemsConfig
from genrec.model.config import BaseModelConfig, CodeHeadConfig

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
FILE = "genrec.json"
VERSION_DIGITS = 12


class DatasetReference(BaseModel):
    """Where titles and histories come from; a model folder never holds those itself."""

    model_config = ConfigDict(extra="ignore")

    name: str
    """Name of the data set."""
    location: str
    """Named set, or folder, that it was loaded from."""
    num_items: int
    """Items when the model was trained (N)."""
    split: str
    """What was held out of training."""
    train_sha256: str | None = None
    """Digest of the interactions that it was trained on. None: older, streamed, or learnt from events since."""


class EvidenceDescription(BaseModel):
    """Scorers that guide the search, and how much; validation chose the numbers."""

    model_config = ConfigDict(extra="ignore")

    scorers: list[str]
    """Fitted on the data set when the model is loaded, except for those that are trained."""
    weights: list[float]
    """Of each one's z-scores, beside the generator's log-probabilities."""
    strength: float = 1.0
    """What all of these are multiplied by. 0: the generator is asked alone."""
    trained: list[str] = []
    """Scorers whose weights were trained with the model and lie in its folder, under ``evidence/``."""
    return_log_odds: float = 0.0
    """Log-weight of the items of the history, where they may be recommended: how users come back to an item."""
    offered: list[str] = []
    """Scorers that validation could choose from. Empty in older folders, which name what it chose alone."""
    questions: int = 1000
    """Validation questions that chose, at most."""


class ModelDescription(BaseModel):
    """All that is needed to load a model folder, beside its tensors.

    Keys that a newer genrec wrote and this one does not know are ignored and logged.
    """

    model_config = ConfigDict(extra="allow")

    format_version: int = FORMAT_VERSION
    """Layout of the folder."""
    genrec_version: str
    """Version that wrote it."""
    base: BaseModelConfig
    """The base model."""
    base_fingerprint: str
    """Hub commit or sha256 of the base weights."""
    head: CodeHeadConfig
    """The code head."""
    items: ItemsConfig | None = None
    """How the item tokenizer was fitted, so that new items get their codes in the same way. None: not known."""
    max_items: int
    """Longest history, in items."""
    max_tokens: int
    """Longest prompt, in tokens."""
    templates: dict[str, str]
    """Text of the prompt templates by file name."""
    dataset: DatasetReference
    """The data set it was trained on."""
    return_log_odds: float = 0.0
    """Log-weight of the items of the history, where they may be recommended and nothing guides the search."""
    evidence: EvidenceDescription | None = None
    """What guides its search. None: nothing."""
    metrics: dict[str, float] = {}
    """What was measured when it was made."""
    files: dict[str, str] = {}
    """sha256 of every other file in the folder."""
    _version: str = PrivateAttr(default="")

    @property
    def version(self) -> str:
        """First 12 digits of the sha256 of the ``genrec.json`` it was read from; empty if it was not read."""
        return self._version

    def write(self, folder: Path) -> None:
        """Write ``genrec.json`` with the hashes of all files that are there now."""
        described = self.model_copy(update={"files": _hashes(folder)})
        (folder / FILE).write_text(described.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelDescription:
        """Read and check a model folder's description.

        Raises
        ------
        ModelError
            If it is missing, not readable, of a newer format, or a file of the folder has changed since.
        """
        try:
            content = (folder / FILE).read_bytes()
            raw: dict[str, Any] = json.loads(content)
        except OSError as error:
            hint = "a model folder is what `genrec finetune --out` wrote"
            raise ModelError(f"{folder} is not a model folder: it has no readable {FILE}", hint=hint) from error
        except ValueError as error:  # not JSON, or not text
            raise ModelError(f"{folder / FILE}: not JSON: {error}") from error
        if raw.get("format_version", 0) > FORMAT_VERSION:
            found = raw["format_version"]
            raise ModelError(f"{folder} has format {found}, newer than {FORMAT_VERSION}", hint="upgrade genrec")
        try:
            description = cls.model_validate(raw)
        except ValidationError as error:
            raise ModelError(f"{folder / FILE}: {error}") from error
        description._version = hashlib.sha256(content).hexdigest()[:VERSION_DIGITS]
        if description.model_extra:
            logger.info("%s: keys of a newer version ignored: %s", folder / FILE, ", ".join(description.model_extra))
        now = _hashes(folder)
        for name, digest in description.files.items():
            if now.get(name) != digest:
                state = "is missing" if name not in now else "has changed since it was written"
                raise ModelError(f"{folder / name} {state}", hint="copy the folder again, or fine-tune anew")
        return description


def _hashes(folder: Path) -> dict[str, str]:
    """sha256 of the files of a model folder; checkpoints, logs and the card may change."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_ours = path.suffix in {".safetensors", ".parquet", ".json", ".npy"} and path.name != FILE
        if path.is_file() and is_ours and not name.startswith("checkpoints/"):
            hashes[name] = sha256(path)
    return hashes
