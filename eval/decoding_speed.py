"""Measures what constrained decoding costs: trie, step, item weights, whole decodes beside transformers.generate.

* trie: building, adding, removing, loading; bytes an item.
* step: constraint and selection for 50 beams, in catalogs of 10 thousand to 10 million items, and beside transformers'
  PrefixConstrainedLogitsProcessor over a dict trie on the same rows.
* weights: what 100 seen items, and a dense prior, add to a decode over 100,000 items of 4 levels x 256 codes.
* small, smollm2, titles: whole decodes beside transformers.generate(num_beams=50, prefix_allowed_tokens_fn=...), each
  side in a process of its own, with its peak memory, the profile of ours, and its floor: the matrix products alone.
  titles are those of ml-100k, up to 31 tokens: what follows where one title is left is read by generate alone.

Both sides are warmed up; times are medians. Models have random codes: what is searched for changes no time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from transformers import PrefixConstrainedLogitsProcessor

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.provenance import provenance
from genrec.decoding.step import TrieStep
from genrec.trie import CatalogTrie

FOLDER = Path(__file__).parent
WORKER = FOLDER / "decoding_worker.py"
BEAMS, LEVELS, CODES = 50, 4, 256
VOCABULARY = 49_152
"""Text tokens of SmolLM2, in front of the codes."""


class Part(StrEnum):
    """What is measured."""

    trie = "trie"
    step = "step"
    weights = "weights"
    small = "small"
    smollm2 = "smollm2"
    titles = "titles"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    catalogs: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    beside_transformers: int = 100_000
    builds: tuple[int, ...] = (1_000_000, 10_000_000)
    changes: int = 1000
    rounds: int = 5
    steps: int = 300
    weighted: tuple[str, ...] = ("--items", "100000", "--levels", "4", "--codes", "256")
    small: tuple[str, ...] = ("--model", "small", "--users", "32", "--items", "10000")
    smollm2: tuple[str, ...] = ("--model", "smollm2", "--users", "1", "--items", "10000")
    titles: tuple[str, ...] = ("--model", "smollm2", "--users", "1", "--titles", "ml-100k")
    weights_model: str = "small"
    weights_users: tuple[str, ...] = ("1", "32")


QUICK = Sizes(
    catalogs=(1000, 2000),
    beside_transformers=1000,
    builds=(1000,),
    changes=10,
    rounds=1,
    steps=3,
    weighted=("--items", "500", "--levels", "3", "--codes", "16"),
    small=("--model", "tiny", "--users", "3", "--items", "300"),
    smollm2=("--model", "tiny_text", "--users", "1", "--items", "300"),
    titles=("--model", "tiny_text", "--users", "1", "--titles", "toy"),
    weights_model="tiny",
    weights_users=("2",),
)


def random_ids(num_items: int) -> np.ndarray:
    """Random IDs of 4 codes of 256, (N, L) int32."""
    return np.random.default_rng(0).integers(0, CODES, (num_items, LEVELS), dtype=np.int32)


def seconds(call: Callable[[], Any], rounds: int) -> float:
    """Median seconds of a call, after one to warm up."""
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)


def measure_trie(sizes: Sizes) -> dict[str, Any]:
    """Building, changing, saving and loading."""
    results = {}
    for num_items in sizes.builds:
        ids = random_ids(num_items)
        new, items = random_ids(num_items)[: sizes.changes] ^ 1, np.arange(num_items, num_items + sizes.changes)
        build = seconds(lambda ids=ids: CatalogTrie.from_codes(ids), sizes.rounds)
        trie = CatalogTrie.from_codes(ids)
        more = trie.add(new, items).trie
        with tempfile.TemporaryDirectory() as folder:
            trie.save(Path(folder))
            load = seconds(lambda folder=folder: CatalogTrie.load(Path(folder)), sizes.rounds)
        results[str(num_items)] = {
            "build_seconds": build,
            "items_per_second": num_items / build,
            "bytes_per_item": trie.nbytes / num_items,
            "load_ms": load * 1e3,
            "changed_items": sizes.changes,
            "add_seconds": seconds(lambda trie=trie, new=new, items=items: trie.add(new, items), sizes.rounds),
            "remove_seconds": seconds(lambda more=more, items=items: more.remove(items), sizes.rounds),
        }
    few, many = results[str(sizes.builds[0])], results[str(sizes.builds[-1])]
    return {
        "results": results,
        "bars": [
            bar("trie: items built a second", min(few["items_per_second"], many["items_per_second"]), 1e6),
            bar("trie: bytes an item", max(few["bytes_per_item"], many["bytes_per_item"]), 75, below=True),
            bar("trie: ms to load, memory mapped", many["load_ms"], 50, below=True),
        ],
    }


def rows_at(trie: CatalogTrie, depth: int) -> np.ndarray:
    """Up to 50 nodes of one depth, ascending."""
    first, end = trie.level_offsets[depth : depth + 2]
    nodes = np.random.default_rng(depth).choice(np.arange(first, end), min(BEAMS, end - first), replace=False)
    return np.sort(nodes)


def measure_step(sizes: Sizes) -> dict[str, Any]:
    """The step in catalogs of several sizes, and transformers' on the same rows of one of them."""
    results = {}
    for num_items in sizes.catalogs:
        trie = CatalogTrie.from_codes(random_ids(num_items))
        result: dict[str, Any] = {"ms": [], "children": []}
        theirs: dict[str, list[float]] = {"codes": [], "codes and text": []}
        step = TrieStep(trie)
        for depth in range(1, LEVELS):
            nodes = rows_at(trie, depth)
            result["ms"].append(1e3 * genrec_step(step, nodes, sizes.steps))
            result["children"].append(int((trie.indptr[nodes + 1] - trie.indptr[nodes]).sum()))
            if num_items == sizes.beside_transformers:
                for name, text_size in (("codes", 0), ("codes and text", VOCABULARY)):
                    theirs[name].append(1e3 * transformers_step(trie, nodes, text_size, sizes.rounds))
        if theirs["codes"]:
            result["transformers_ms"] = theirs
            result["times_faster"] = {name: sum(ms) / sum(result["ms"]) for name, ms in theirs.items()}
        results[str(num_items)] = result
    one, few, many = (results[str(n)] for n in (sizes.beside_transformers, sizes.catalogs[0], sizes.catalogs[-1]))
    return {
        "results": results,
        "bars": [
            bar("step: ms, the dearest level", max(one["ms"]), 0.25, below=True),
            bar("step: times faster than transformers' processor", one["times_faster"]["codes and text"], 50),
            bar("step: times slower in the largest catalog", sum(many["ms"]) / sum(few["ms"]), 2, below=True),
        ],
    }


def genrec_step(step: TrieStep, nodes: np.ndarray, rounds: int) -> float:
    """Seconds of the constraint and the selection."""
    rows = torch.from_numpy(nodes).long()[None]
    scores, logprobs = torch.randn(1, len(nodes)), torch.randn(1, len(nodes), CODES).log_softmax(-1)
    with torch.inference_mode():
        return seconds(lambda: step(rows, scores, logprobs, BEAMS), rounds)


def transformers_step(trie: CatalogTrie, nodes: np.ndarray, text_size: int, rounds: int) -> float:
    """Seconds of the constraint and the selection as ``generate`` does them, over a dict trie."""
    tree: dict[int, Any] = {}
    for row in (trie.code[trie.paths] + text_size).tolist():
        node = tree
        for token in row:
            node = node.setdefault(token, {})
    texts = []
    for node in nodes:
        path: list[int] = []
        while node > 0:
            path.insert(0, int(trie.code[node]) + text_size)
            node = trie.parent[node]
        texts.append(path)

    def allowed(_: int, text: torch.Tensor) -> list[int]:
        node = tree
        for token in text.tolist():
            node = node[token]
        return list(node)

    processor = PrefixConstrainedLogitsProcessor(allowed, num_beams=len(nodes))
    tokens, scores = torch.tensor(texts), torch.randn(len(nodes), 1)
    logprobs = torch.randn(len(nodes), text_size + CODES).log_softmax(-1)
    with torch.inference_mode():
        return seconds(
            lambda: (processor(tokens, logprobs) + scores).flatten().topk(min(2 * BEAMS, logprobs.numel())), rounds
        )


def work(side: str, options: Sequence[str], rounds: int) -> dict[str, Any]:
    """What one side does, in a process of its own."""
    print(f"{side} {' '.join(options)}", file=sys.stderr)
    command = [sys.executable, str(WORKER), "--side", side, "--rounds", str(rounds), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure_weights(sizes: Sizes) -> dict[str, Any]:
    """What weights add to a decode of one user and of many."""
    results = {
        users: work("weights", ["--model", sizes.weights_model, "--users", users, *sizes.weighted], sizes.rounds * 4)
        for users in sizes.weights_users
    }
    return {
        "results": results,
        "bars": [
            bar("weights: share that seen items add", max(r["seen_adds"] for r in results.values()), 0.2, below=True),
            bar(
                "weights: ms a user that a dense prior adds",
                max(r["prior_adds_ms_a_user"] for r in results.values()),
                2,
                below=True,
            ),
        ],
    }


def measure_decode(options: Sequence[str], rounds: int, name: str, faster: float) -> dict[str, Any]:
    """Whole decodes of both sides."""
    ours, theirs = work("genrec", options, rounds), work("transformers", options, rounds)
    return {
        "results": {"genrec": ours, "transformers": theirs},
        "bars": [
            bar(f"{name}: times faster than generate", theirs["seconds"] / ours["seconds"], faster),
            bar(
                f"{name}: peak memory of decoding, share of generate's",
                ours["peak_bytes_of_decoding"] / theirs["peak_bytes_of_decoding"],
                1,
                below=True,
            ),
        ],
    }


def bar(name: str, value: float, limit: float, *, below: bool = False) -> dict[str, Any]:
    """A measured value beside what it shall reach, or stay below."""
    return {"name": name, "value": value, "bar": limit, "passed": value <= limit if below else value >= limit}


def main(
    part: Annotated[str, typer.Option(help=f"Parts, separated by commas: {', '.join(Part)}.")] = ",".join(Part),
    quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes, only to see that it runs.")] = False,
    out: Annotated[Path, typer.Option(help="File to write.")] = FOLDER / "results/decoding_speed.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Measure the decoder."""
    sizes = QUICK if quick else Sizes()
    measures: dict[Part, Callable[[], dict[str, Any]]] = {
        Part.trie: lambda: measure_trie(sizes),
        Part.step: lambda: measure_step(sizes),
        Part.weights: lambda: measure_weights(sizes),
        Part.small: lambda: measure_decode(sizes.small, sizes.rounds, "small GPT, 32 users", 20),
        Part.smollm2: lambda: measure_decode(sizes.smollm2, sizes.rounds, "SmolLM2, one user", 25),
        Part.titles: lambda: measure_decode(sizes.titles, sizes.rounds, "SmolLM2, titles, one user", 25),
    }
    parts = {}
    for name in (Part(name) for name in part.split(",")):
        print(f"measuring {name}", file=sys.stderr)
        parts[str(name)] = measures[name]()
    made = provenance("eval/decoding_speed.py", ["torch", "transformers", "numpy"])
    report = {"parts": parts, "quick": quick, **made}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
        return
    bars = [one for measured in parts.values() for one in measured["bars"]]
    table = [
        (one["name"], f"{one['value']:,.4g}", f"{one['bar']:,.4g}", "yes" if one["passed"] else "no") for one in bars
    ]
    print_table(["what", "measured", "bar", "reached"], table)
    stdout.print(f"written to {out}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
