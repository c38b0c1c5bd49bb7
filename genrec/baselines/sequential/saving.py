"""A sequential model on disk: settings as JSON, weights as safetensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file, save_file

from genrec.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from genrec.baselines.sequential.network import ItemTransformer

FORMAT_VERSION = 1
SETTINGS_FILE, WEIGHTS_FILE = "sequential.json", "sequential.safetensors"


@dataclass(frozen=True, eq=False)
class Saved:
    """What a folder holds.

    Parameters
    ----------
    settings
        Keywords of the scorer's constructor.
    num_items
        Number of items (N) of the network.
    weights
        Its parameters by name.
    """

    settings: dict[str, Any]
    num_items: int
    weights: dict[str, Tensor]


def save_network(folder: Path, network: ItemTransformer, *, kind: str, settings: Mapping[str, object]) -> None:
    """Write a network and what is needed to build it again.

    Parameters
    ----------
    folder
        Made if it is not there.
    network
        The network.
    kind
        Name of the scorer.
    settings
        Keywords of its constructor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    description = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "num_items": network.num_items,
        "settings": dict(settings),
    }
    (folder / SETTINGS_FILE).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    save_file(network.state_dict(), folder / WEIGHTS_FILE)


def read_saved(folder: Path, *, kind: str) -> Saved:
    """Read what :func:`save_network` wrote.

    Parameters
    ----------
    folder
        Holds both files.
    kind
        Name of the scorer that it must be of.

    Returns
    -------
    Saved
        Settings and weights.

    Raises
    ------
    ModelError
        A file is missing, of another kind, or written by a newer genrec.
    """
    for name in (SETTINGS_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            msg = f"no {kind} model in {folder}: {name} is missing"
            raise ModelError(msg, hint="give a folder that its save() wrote")
    description = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    if description["format_version"] > FORMAT_VERSION:
        msg = (
            f"{folder / SETTINGS_FILE} has format version {description['format_version']}, newer than {FORMAT_VERSION}"
        )
        raise ModelError(msg, hint="upgrade genrec")
    if description["kind"] != kind:
        raise ModelError(f"{folder} holds a {description['kind']} model, not {kind}")
    return Saved(description["settings"], description["num_items"], load_file(folder / WEIGHTS_FILE))
