"""Decodes with one side, genrec or transformers, in a process of its own: seconds, peak memory, profile, floor.

``decoding_speed.py`` starts it; by itself it prints one JSON object, for a look at one side.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import transformers
import typer

from genrec.data.dataset import Dataset
from genrec.decoding import beam
from genrec.decoding.beam import beam_search
from genrec.decoding.decoded import Decoded
from genrec.decoding.weights import ItemWeights
from genrec.items.title import TitleTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import BaseModel, load_base
from genrec.model.build import build_generator
from genrec.model.code_head import CodeHead
from genrec.model.config import CodeHeadConfig, PretrainedConfig, ScratchConfig
from genrec.model.generator import Generator
from genrec.prompt.sequence import TokenSequence
from genrec.testing.tiny import FixedTokenizer
from genrec.testing.tiny_base import save_tiny_base
from genrec.trie import CatalogTrie

BEAMS, K, SEEN = 50, 10, 100
LEVELS, CODES = 3, 32
END = 0
"""Text token that ends titles of any length for transformers; SmolLM2's end of text."""


class Side(StrEnum):
    """Who decodes; weights: genrec with and without exclusions and priors."""

    genrec = "genrec"
    transformers = "transformers"
    weights = "weights"


class Model(StrEnum):
    """SmolLM2-135M, a GPT of 2 layers of 128, or tiny models in their places to see that the script runs."""

    smollm2 = "smollm2"
    small = "small"
    tiny_text = "tiny_text"
    tiny = "tiny"


def load(model: Model) -> BaseModel:
    """The language model."""
    torch.manual_seed(0)
    if model is Model.tiny_text:
        with tempfile.TemporaryDirectory() as folder:
            return load_base(PretrainedConfig(name=str(save_tiny_base(folder, ["a title"]))))
    if model is Model.smollm2:
        return load_base(PretrainedConfig(dtype="float32"))
    return load_base(ScratchConfig(width=128 if model is Model.small else 16, dropout=0.0))


def random_codes(num_items: int, levels: int, codes_per_level: int) -> np.ndarray:
    """Distinct random IDs, (N, L) int32; levels have codes of their own, as semantic IDs."""
    which = np.random.default_rng(0).choice(codes_per_level**levels, size=num_items, replace=False)
    digits = np.stack(np.unravel_index(which, (codes_per_level,) * levels), axis=1)
    return (digits + np.arange(levels) * codes_per_level).astype(np.int32)


def title_generator(base: BaseModel, data: str) -> Generator:
    """The language model, which writes the titles of a data set with its own output rows."""
    assert base.text_tokenizer is not None  # a model that reads text has one
    tokenizer = TitleTokenizer.fit(Dataset.load(data).catalog.titles, base.text_tokenizer)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), base.text_size)
    return build_generator(base, vocabulary, PretrainedConfig(), CodeHeadConfig()).eval()


def generator_of(base: BaseModel, codes: np.ndarray) -> Generator:
    """The language model with random code vectors beside it."""
    vocabulary = ItemVocabulary(FixedTokenizer(codes), CatalogTrie.from_codes(codes), base.text_size)
    head = CodeHead(vocabulary, base.lm.get_input_embeddings().weight.shape[1], init_std=0.1)
    return Generator(base.lm, head, vocabulary).eval()


def prompts_of(vocabulary: ItemVocabulary, model: Model, users: int) -> list[TokenSequence]:
    """200 text tokens; from a model that reads items, histories of 10 to 50 of them."""
    rng = np.random.default_rng(1)
    if model in {Model.smollm2, Model.tiny_text}:
        tokens = rng.integers(3, vocabulary.text_size, (users, 200))
        return [TokenSequence(row, np.full(200, -1, dtype=np.int32)) for row in tokens]
    prompts = []
    for length in rng.integers(10, 51, users):
        history = rng.integers(0, vocabulary.num_items, length)
        tokens = np.concatenate([[0], vocabulary.tokens[history].ravel()])
        prompts.append(
            TokenSequence(tokens, np.concatenate([[-1], vocabulary.nodes[history].ravel()]).astype(np.int32))
        )
    return prompts


def transformers_decode(base: BaseModel, vocabulary: ItemVocabulary, prompts: list[TokenSequence]) -> Callable[[], Any]:
    """``generate`` with the catalog as a dict trie, the items' codes as rows of the vocabulary."""
    lm = base.lm
    if vocabulary.num_new_tokens:
        lm.resize_token_embeddings(vocabulary.text_size + vocabulary.num_new_tokens, mean_resizing=False)
    tree: dict[int, Any] = {}
    for row in vocabulary.tokens.tolist():
        node = tree
        for token in row:
            if token >= 0:
                node = node.setdefault(token, {})
    longest = max(map(len, prompts))
    tokens = torch.zeros(len(prompts), longest, dtype=torch.int64)
    mask = torch.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = torch.from_numpy(prompt.tokens)
        mask[row, longest - len(prompt) :] = 1

    def allowed(_: int, text: torch.Tensor) -> list[int]:
        node = tree
        for token in text[longest:].tolist():
            node = node.get(token, {})  # what follows the end of a title is padding
        return list(node) or [END]

    levels = vocabulary.trie.num_levels
    one_length = int(vocabulary.lengths.min()) == levels
    return lambda: lm.generate(
        tokens,
        attention_mask=mask,
        num_beams=BEAMS,
        num_return_sequences=K,
        do_sample=False,
        min_new_tokens=levels if one_length else None,
        max_new_tokens=levels + (not one_length),
        length_penalty=0.0,
        eos_token_id=END,
        pad_token_id=0,
        prefix_allowed_tokens_fn=allowed,
    )


def resident(field: str) -> int:
    """VmRSS, or its peak VmHWM, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    match = re.search(rf"{field}:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def timed(decode: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """Median seconds after one warm-up, and the peak of memory since this was called."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts again from here
    before = resident("VmRSS")
    decode()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        decode()
        seconds.append(time.perf_counter() - began)
    peak = resident("VmHWM")
    return {"seconds": median(seconds), "rounds": seconds, "peak_bytes": peak, "peak_bytes_of_decoding": peak - before}


@contextmanager
def stopwatch(generator: Generator) -> Iterator[dict[str, float]]:
    """Seconds by part of a decode while it is open."""
    spent: dict[str, float] = defaultdict(float)

    def watch(owner: object, name: str, part: Callable[..., str]) -> tuple[object, str, object]:
        original = getattr(owner, name)

        def call(*given: object, **options: object) -> object:
            began = time.perf_counter()
            result = original(*given, **options)
            spent[part(*given)] += time.perf_counter() - began
            return result

        setattr(owner, name, call)
        return owner, name, original

    seen = iter(["prefill"])
    watched = [
        watch(generator, "hidden", lambda *_: next(seen, "level passes")),
        watch(generator, "embed", lambda *_: "embedding"),
        watch(generator.head, "root_logprobs", lambda *_: "head"),
        watch(generator.head, "child_logprobs", lambda *_: "head"),
        watch(beam, "_best", lambda *_: "selection"),
        watch(beam, "_weigh", lambda *_: "weights"),
        watch(beam, "_items_of", lambda *_: "ranking of items"),
    ]
    try:
        yield spent
    finally:
        for owner, name, original in watched:
            if owner is beam:
                setattr(owner, name, original)
            else:
                delattr(owner, name)


def profile(generator: Generator, decode: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """Where the seconds of a decode go, and the seconds of its matrix products with weights alone."""
    passes: list[dict[str, float]] = []
    for _ in range(rounds):
        with stopwatch(generator) as spent:
            began = time.perf_counter()
            decode()
            total = time.perf_counter() - began
        passes.append({**spent, "all else": total - sum(spent.values()), "total": total})
    shapes: list[tuple[torch.nn.Module, tuple[int, ...]]] = []
    linear = (torch.nn.Linear, transformers.pytorch_utils.Conv1D)
    hooks = [
        module.register_forward_pre_hook(lambda module, given: shapes.append((module, tuple(given[0].shape))))
        for module in generator.lm.base_model.modules()
        if isinstance(module, linear)
    ]
    decode()
    for hook in hooks:
        hook.remove()
    inputs = {shape: torch.randn(shape) for _, shape in shapes}
    floors = []
    with torch.inference_mode():
        for _ in range(rounds + 1):
            began = time.perf_counter()
            for module, shape in shapes:
                module(inputs[shape])
            floors.append(time.perf_counter() - began)
    seconds = {part: median(one.get(part, 0.0) for one in passes) for part in passes[0]}
    return {
        "seconds": seconds,
        "floor_seconds": median(floors[1:]),
        "decode_over_floor": seconds["total"] / median(floors[1:]),
    }


def weights_cost(generator: Generator, prompts: list[TokenSequence], rounds: int) -> dict[str, Any]:
    """Seconds of a decode without weights, with seen items, and with a dense prior, a round of each in turn."""
    num_items, rng = generator.vocabulary.num_items, np.random.default_rng(2)
    seen = [rng.choice(num_items, min(SEEN, num_items // 2), replace=False) for _ in prompts]
    priors = rng.normal(size=(len(prompts), num_items)).astype(np.float32)
    make: dict[str, Callable[[], ItemWeights | None]] = {
        "none": lambda: None,
        "seen": lambda: ItemWeights.from_seen(seen, num_items),
        "prior": lambda: ItemWeights.from_priors(priors),
        "prior and seen": lambda: ItemWeights.from_priors(priors) + ItemWeights.from_seen(seen, num_items),
    }
    seconds: dict[str, list[float]] = {name: [] for name in make}
    for number in range(rounds + 1):
        for name, weights in make.items():
            began = time.perf_counter()
            beam_search(generator, prompts, K, BEAMS, weights())
            if number:
                seconds[name].append(time.perf_counter() - began)
    middle = {name: median(times) for name, times in seconds.items()}
    return {
        "users": len(prompts),
        "items": num_items,
        "seconds": middle,
        "seen_adds": median(s / n for s, n in zip(seconds["seen"], seconds["none"], strict=True)) - 1,
        "prior_adds_ms_a_user": 1e3
        * median(p - n for p, n in zip(seconds["prior"], seconds["none"], strict=True))
        / len(prompts),
    }


def main(
    side: Annotated[Side, typer.Option(help="Who decodes.")] = Side.genrec,
    model: Annotated[Model, typer.Option(help="With what.")] = Model.tiny,
    users: Annotated[int, typer.Option(min=1, help="Prompts in a batch.")] = 1,
    items: Annotated[int, typer.Option(min=50, help="Items of the catalog.")] = 1000,
    levels: Annotated[int, typer.Option(min=1, help="Codes of an ID.")] = LEVELS,
    codes: Annotated[int, typer.Option(min=2, help="Codes of a level.")] = CODES,
    titles: Annotated[
        str | None, typer.Option(help="Data set whose titles are the IDs, instead of random codes.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Decodes to time, after one to warm up.")] = 3,
) -> None:
    """Decode, and print one JSON object."""
    transformers.logging.set_verbosity_error()
    base = load(model)
    generator = title_generator(base, titles) if titles else generator_of(base, random_codes(items, levels, codes))
    prompts = prompts_of(generator.vocabulary, model, users)
    if side is Side.weights:
        print(json.dumps(weights_cost(generator, prompts, rounds)))
    elif side is Side.genrec:

        def decode() -> Decoded:
            return beam_search(generator, prompts, K, BEAMS)

        print(json.dumps({**timed(decode, rounds), "profile": profile(generator, decode, rounds)}))
    else:
        print(json.dumps(timed(transformers_decode(base, generator.vocabulary, prompts), rounds)))


if __name__ == "__main__":
    typer.run(main)
