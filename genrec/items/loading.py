"""Reads a saved item tokenizer of any kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from safetensors.numpy import load_file

from genrec.errors import ModelError
from genrec.items.atomic import AtomicTokenizer
from genrec.items.base import ARRAYS_FILE, FORMAT_VERSION, SETTINGS_FILE
from genrec.items.quantizer import ResidualQuantizer
from genrec.items.semantic import SemanticTokenizer
from genrec.items.title import TitleTokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.items.base import ItemTokenizer


def load_item_tokenizer(folder: Path) -> ItemTokenizer:
    """Read what :meth:`ItemTokenizer.save <genrec.items.base.ItemTokenizer.save>` wrote.

    Parameters
    ----------
    folder
        Holds ``item_tokenizer.json`` and ``item_tokenizer.safetensors``.

    Returns
    -------
    ItemTokenizer
        Of the kind that was saved, with the same codes.

    Raises
    ------
    ModelError
        A file is missing, or was written by a newer genrec.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     AtomicTokenizer.fit(2).save(Path(folder))
    ...     load_item_tokenizer(Path(folder)).codes.tolist()
    [[0], [1]]
    """
    for name in (SETTINGS_FILE, ARRAYS_FILE):
        if not (folder / name).is_file():
            msg = f"no item tokenizer in {folder}: {name} is missing"
            raise ModelError(msg, hint="give a folder written by `genrec finetune` or ItemTokenizer.save")
    settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    if settings["format_version"] > FORMAT_VERSION:
        msg = f"{folder / SETTINGS_FILE} has format version {settings['format_version']}, newer than {FORMAT_VERSION}"
        raise ModelError(msg, hint="upgrade genrec")
    arrays = load_file(folder / ARRAYS_FILE)
    match settings["kind"]:
        case AtomicTokenizer.kind:
            return AtomicTokenizer(arrays["codes"])
        case SemanticTokenizer.kind:
            return SemanticTokenizer(ResidualQuantizer(arrays["codebooks"]), arrays["codes"], settings["collisions"])
        case TitleTokenizer.kind:
            return TitleTokenizer(
                arrays["codes"],
                arrays["text_tokens"],
                settings["collisions"],
                settings["max_tokens"],
                settings.get("learned", False),  # folders of before had base models that read text
            )
        case kind:
            msg = f"{folder / SETTINGS_FILE} names the unknown kind {kind!r}"
            raise ModelError(msg, hint="known kinds are atomic, semantic and title")
