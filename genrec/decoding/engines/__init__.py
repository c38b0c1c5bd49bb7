"""Engines: the same search, and the same ranking, whatever computes the model."""

from genrec.decoding.engines.base import Engine
from genrec.decoding.engines.http_engine import HTTPEngine
from genrec.decoding.engines.opening import open_engine
from genrec.decoding.engines.torch_engine import TorchEngine
from genrec.decoding.engines.vllm_engine import VLLMEngine

__all__ = ["Engine", "HTTPEngine", "TorchEngine", "VLLMEngine", "open_engine"]
