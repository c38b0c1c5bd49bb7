"""From what a user calls an engine to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.decoding.engines.http_engine import HTTPEngine
from genrec.decoding.engines.vllm_engine import VLLMEngine
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.decoding.engines.token_engine import TokenEngine
    from genrec.items.vocabulary import ItemVocabulary


def open_engine(name: str, folder: Path, vocabulary: ItemVocabulary) -> TokenEngine:
    """Open an engine other than torch for a model folder.

    Parameters
    ----------
    name
        ``vllm``, or the address of a vLLM server, ``http://...``.
    folder
        The model folder.
    vocabulary
        Item tokens and the catalog trie of the model.

    Raises
    ------
    ConfigError
        If there is no such engine.
    EngineError
        If it does not start or does not answer.

    Examples
    --------
    >>> from pathlib import Path
    >>> from genrec.testing import tiny_generator
    >>> open_engine("vlm", Path("model"), tiny_generator(num_items=6).vocabulary)
    Traceback (most recent call last):
        ...
    genrec.errors.ConfigError: no such engine: 'vlm'
      hint: engines are torch, vllm, and the address of a vLLM server, http://...
    """
    if name == "vllm":
        return VLLMEngine.from_model(folder, vocabulary)
    if name.startswith(("http://", "https://")):
        return HTTPEngine(name, vocabulary)
    hint = "engines are torch, vllm, and the address of a vLLM server, http://..."
    raise ConfigError(f"no such engine: {name!r}", hint=hint)
