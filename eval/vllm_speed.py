"""Measures whole decodes of SmolLM2-135M: genrec in torch, genrec's search over vLLM, and vLLM's own beam search.

One user, a prompt of 200 text tokens that is new in each round, 50 beams, IDs of 3 codes. vLLM's own search knows no
catalog and writes 3 tokens of any kind. Run it where vLLM is: ``make vllm`` makes such an environment.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from decoding_worker import BEAMS, CODES, LEVELS, K, Model, generator_of, load, random_codes

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.provenance import provenance
from genrec.decoding.engines import TorchEngine, VLLMEngine
from genrec.model.export import EXPORT_FILE, ExportDescription
from genrec.model.generator import Generator
from genrec.prompt.sequence import TokenSequence

OUT = Path(__file__).parent / "results" / "vllm_speed.json"
PROMPT_TOKENS, CACHE_BYTES, BLOCK_TOKENS = 200, 2**29, 32
BAR = 25


def write_merged(generator: Generator, model: Model, folder: Path) -> None:
    """The model with its codes as rows of the vocabulary, as ``export_merged`` writes one."""
    vocabulary, base = generator.vocabulary, load(model)
    size = vocabulary.text_size + vocabulary.num_new_tokens
    base.lm.resize_token_embeddings(size, mean_resizing=False)
    base.lm.get_input_embeddings().weight.data[vocabulary.text_size :] = generator.head.code_vectors.data
    base.lm.save_pretrained(folder)
    if base.text_tokenizer is not None:
        base.text_tokenizer.save_pretrained(folder)
    about = ExportDescription(dtype="float32", has_text_tokenizer=True, vocabulary_size=size)
    (folder / EXPORT_FILE).write_text(about.model_dump_json(), encoding="utf-8")


def seconds(decode: Callable[[TokenSequence], Any], prompts: list[TokenSequence]) -> list[float]:
    """Seconds of each decode but the first, which warms up."""
    times = []
    for prompt in prompts:
        began = time.perf_counter()
        decode(prompt)
        times.append(time.perf_counter() - began)
        print(f"  {times[-1]:.2f} s", file=sys.stderr)
    return times[1:]


def vllm_own(folder: Path, prompts: list[TokenSequence], eager: bool, block_tokens: int | None) -> list[float]:
    """Time the ``beam_search`` of vLLM, with prefix caching, which holds whole blocks of tokens only."""
    from vllm import LLM, TokensPrompt
    from vllm.sampling_params import BeamSearchParams

    llm = LLM(
        model=str(folder),
        dtype="float32",
        enable_prefix_caching=True,
        **({} if block_tokens is None else {"block_size": block_tokens}),
        kv_cache_memory_bytes=CACHE_BYTES,
        max_logprobs=2 * BEAMS,
        max_model_len=512,
        enforce_eager=eager,
    )
    params = BeamSearchParams(beam_width=BEAMS, max_tokens=LEVELS, ignore_eos=True)
    times = seconds(lambda p: llm.beam_search([TokensPrompt(prompt_token_ids=p.tokens.tolist())], params), prompts)
    llm.llm_engine.engine_core.shutdown()
    return times


def main(
    model: Annotated[Model, typer.Option(help="With what; tiny_text to see that it runs.")] = Model.smollm2,
    rounds: Annotated[int, typer.Option(min=1, help="Decodes to time, after one to warm up.")] = 3,
    eager: Annotated[bool, typer.Option("--eager", help="vLLM compiles nothing: starts sooner.")] = False,
    out: Annotated[Path, typer.Option(help="File to write.")] = OUT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Measure, and write a report."""
    base = load(model)
    generator = generator_of(base, random_codes(10_000, LEVELS, CODES))
    tokens = np.random.default_rng(1).integers(3, base.text_size, (rounds + 1, PROMPT_TOKENS))
    prompts = [TokenSequence(row, np.full(PROMPT_TOKENS, -1, dtype=np.int32)) for row in tokens]
    times: dict[str, list[float]] = {}
    print("genrec in torch", file=sys.stderr)
    times["genrec in torch"] = seconds(lambda p: TorchEngine(generator).beam_search([p], K, BEAMS), prompts)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_merged(generator, model, folder)
        print("genrec over vLLM", file=sys.stderr)
        with VLLMEngine(folder, generator.vocabulary, cache_bytes=CACHE_BYTES, eager=eager) as engine:
            times["genrec over vLLM"] = seconds(lambda p: engine.beam_search([p], K, BEAMS), prompts)
        print("vLLM's own beam search", file=sys.stderr)
        times["vLLM's own beam search"] = vllm_own(folder, prompts, eager, None)
        print("the same with shorter blocks", file=sys.stderr)
        times[f"the same, blocks of {BLOCK_TOKENS} tokens"] = vllm_own(folder, prompts, eager, BLOCK_TOKENS)
    ours = median(times["genrec in torch"])
    report = {
        "model": str(model),
        "prompt_tokens": PROMPT_TOKENS,
        "beams": BEAMS,
        "codes": LEVELS,
        "seconds": times,
        "times_as_long_as_torch": {name: median(some) / ours for name, some in times.items()},
        "bar": BAR,
        "eager": eager,
        **provenance("eval/vllm_speed.py", ["torch", "transformers", packages_distributions()["vllm"][0]]),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
        return
    rows = [(name, median(some), median(some) / ours) for name, some in times.items()]
    print_table(["decode", "seconds", "times torch"], rows)
    stdout.print(f"written to {out}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
