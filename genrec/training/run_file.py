"""What a run was started with, kept in its folder: a run is resumed with the same, or not at all."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from genrec.columns import ITEM_ID
from genrec.data.digest import add_table, interactions_digest
from genrec.data.folder import INTERACTIONS
from genrec.errors import ConfigError
from genrec.files import sha256
from genrec.model.description import FILE as DESCRIPTION

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.items.base import ItemTokenizer
    from genrec.training.config import FinetuneConfig
    from genrec.training.data import TrainingData

RUN_FILE = "finetune.json"


def describe_run(config: FinetuneConfig, parts: TrainingData) -> dict[str, Any]:
    """What a run is started with: its data set by name and size, and its configuration.

    Parameters
    ----------
    config
        The configuration.
    parts
        What is trained on.
    """
    return {"data": {"name": parts.train.name, **parts.counts}, **config.model_dump(mode="json")}


def digests_of(parts: TrainingData, tokenizer: ItemTokenizer) -> dict[str, str]:
    """sha256 of the training interactions, of the items' ids and of their codes.

    Parameters
    ----------
    parts
        What is trained on.
    tokenizer
        Fitted on it.
    """
    ids = hashlib.sha256()
    add_table(ids, parts.train.catalog.table.select([ITEM_ID]))
    codes = hashlib.sha256(str(tokenizer.codes.shape).encode())
    codes.update(tokenizer.codes.astype("<i4").tobytes())
    streamed = parts.streamed
    return {
        "interactions": interactions_digest(parts.train) if streamed is None else sha256(streamed / INTERACTIONS),
        "item_ids": ids.hexdigest(),
        "item_codes": codes.hexdigest(),
    }


def check_folder(out: Path, run: dict[str, Any], *, resume: bool) -> None:
    """Refuse a folder that is neither new nor that of the run that is resumed.

    Parameters
    ----------
    out
        The folder.
    run
        What :func:`describe_run` says now.
    resume
        Whether a run may be in it.

    Raises
    ------
    ConfigError
        If something else is in it, a finished run, or one with another configuration.
    """
    before = _read(out) if resume else None
    if before is not None:
        if (out / DESCRIPTION).exists():
            hint = "use the model, or give another --out to train anew"
            raise ConfigError(f"{out} is a finished run: there is nothing to resume", hint=hint)
        now, before = _as_trained(run), _as_trained(before)
        changed = [key for key in now if before.get(key) != now[key]]
        if changed:
            hint = f"resume with what {out / RUN_FILE} says, or write to another folder"
            raise ConfigError(f"{out} was started with another configuration: {', '.join(changed)} differ", hint=hint)
    elif out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty", hint="give another --out, or --resume to go on with a run in it")


def check_digests(out: Path, digests: dict[str, str]) -> None:
    """Refuse to resume a run whose weights were trained on something else.

    Parameters
    ----------
    out
        The run's folder. Runs that began before digests were kept are not refused.
    digests
        What :func:`digests_of` says now.

    Raises
    ------
    ConfigError
        If one differs.
    """
    before = (_read(out) or {}).get("data", {}).get("digests", {})
    changed = [name.replace("_", " ") for name in digests if before.get(name, digests[name]) != digests[name]]
    if changed:
        hint = (
            "resume with the data set, items.vectors and text encoder that it was started with, "
            f"or remove {out} to train anew"
        )
        raise ConfigError(f"{out} was started with other data: {', '.join(changed)} differ", hint=hint)


def write_run(out: Path, run: dict[str, Any], digests: dict[str, str]) -> None:
    """Write the run file.

    Parameters
    ----------
    out
        Made if it is missing.
    run, digests
        What the run is started with.
    """
    out.mkdir(parents=True, exist_ok=True)
    whole = {**run, "data": {**run["data"], "digests": digests}}
    (out / RUN_FILE).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _read(out: Path) -> dict[str, Any] | None:
    path = out / RUN_FILE
    if not path.exists():
        return None
    run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return run


def _as_trained(run: dict[str, Any]) -> dict[str, Any]:
    """A run without its digests, and without how its model is written, which may change when it is resumed."""
    data = {key: value for key, value in run.get("data", {}).items() if key != "digests"}
    training = {key: value for key, value in run.get("training", {}).items() if key != "save_dtype"}
    return {**run, "data": data, "training": training}
