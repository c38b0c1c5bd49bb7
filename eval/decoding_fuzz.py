"""Fires random requests at random generators and checks every answer: a hundred thousand by default.

Catalogs have IDs of 1 to 4 codes of any lengths, items that share an ID, and items that were removed; requests have
seen items, filters, candidates, priors from flat to sharp, caps a category, few or many beams, renormalised
probabilities. Checked for every request: only items that exist and are eligible, none twice, k of k, none over its cap,
scores that descend and are log-probability plus prior. On a sample of batches, log-probabilities are those of teacher
forcing: one plain forward pass of prompt and item, without cache, tree or shared prefix.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.provenance import provenance
from genrec.decoding.beam import beam_search
from genrec.decoding.decoded import Decoded
from genrec.decoding.exact import rerank
from genrec.decoding.weights import ItemWeights
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.code_head import CodeHead
from genrec.model.generator import Generator
from genrec.prompt.sequence import TokenSequence
from genrec.recommend.diversity import CategoryCap
from genrec.testing.tiny import WIDTH, FixedTokenizer, tiny_generator
from genrec.trie import CatalogTrie

FOLDER = Path(__file__).parent
TOLERANCE = 1e-4
"""Largest difference of scores, in nats, and relative to them where they are large."""
BATCHES_A_GENERATOR = 8


@dataclass(frozen=True, eq=False)
class Batch:
    """Requests that are decoded together."""

    prompts: list[TokenSequence]
    weights: ItemWeights
    k: int
    beams: int | list[int]
    alpha: float
    renormalise: bool
    cap: CategoryCap | None
    exact: bool


class SharedTokenizer(FixedTokenizer):
    """IDs that items may share."""

    def __init__(self, codes: np.ndarray) -> None:
        self.codes, self.num_codes, self.text_tokens = codes, int(codes.max()) + 1, None


def random_catalog(rng: np.random.Generator) -> tuple[np.ndarray, CatalogTrie]:
    """IDs of 1 to 4 codes, -1 padded; those shorter than the longest end with a code that nothing else has."""
    num_items, levels, codes_a_level = int(rng.integers(1, 400)), int(rng.integers(1, 5)), int(rng.integers(1, 12))
    codes = rng.integers(0, codes_a_level, (num_items, levels)) + np.arange(levels) * codes_a_level
    if levels > 1 and rng.random() < 0.5:
        length = rng.integers(1, levels + 1, num_items)
        codes[np.arange(levels) >= length[:, None]] = -1
        short = length < levels
        codes[np.flatnonzero(short), length[short]] = levels * codes_a_level
    if rng.random() < 0.5:
        codes = codes[rng.permutation(num_items)]
    if rng.random() < 0.6:  # else, some share an ID
        codes = np.unique(codes, axis=0)
    codes = codes.astype(np.int32)
    trie = CatalogTrie.from_codes(codes)
    gone = np.flatnonzero(rng.random(len(codes)) < 0.1)
    if rng.random() < 0.2 and 0 < len(gone) < len(codes):
        trie = trie.remove(gone).trie
    return codes, trie


def random_generator(rng: np.random.Generator) -> Generator:
    """A tiny generator on a random catalog."""
    codes, trie = random_catalog(rng)
    small = tiny_generator(num_items=2, backbone=["gpt2", "llama"][rng.integers(2)], seed=int(rng.integers(1000)))
    vocabulary = ItemVocabulary(SharedTokenizer(codes), trie, text_size=2)
    present = trie.leaf_of >= 0
    is_plain = present.all() and not trie.has_shared_leaves
    head = CodeHead(
        vocabulary,
        WIDTH,
        node_residual=bool(is_plain and rng.random() < 0.5),
        init_std=float(rng.choice([0.02, 0.3, 1.0])),
    )
    for vectors in (head.node_vectors, head.item_vectors):
        if vectors is not None:
            torch.nn.init.normal_(vectors, std=0.3)
    return Generator(small.backbone, head, vocabulary).eval()


def random_weights(rng: np.random.Generator, users: int, num_items: int) -> ItemWeights:
    """One to three sources of item weights, for each user or for all."""
    weights = ItemWeights.from_seen([[]] * users, num_items)
    for _ in range(rng.integers(0, 4)):
        rows = [1, users][rng.integers(2)]
        some = [rng.integers(0, num_items, rng.integers(0, min(num_items, 60) + 1)) for _ in range(rows)]
        kind = rng.integers(5)
        if kind == 0:
            weights += ItemWeights.from_seen(some, num_items)
        elif kind == 1:
            weights += ItemWeights.from_candidates(some, num_items)
        elif kind == 2:
            weights += ItemWeights.from_mask(rng.random((rows, num_items)) < rng.random())
        elif kind == 3:
            scale = rng.choice([0.1, 2.0, 30.0, 2000.0])
            weights += ItemWeights.from_priors(scale * rng.normal(size=(rows, num_items)))
        else:
            values = [rng.choice([-np.inf, 0.0, 0.5, -3.0], len(row)) for row in some]
            weights += ItemWeights.from_sparse(some, values, num_items, rest=float(rng.choice([0.0, 0.0, -np.inf])))
    return weights


def random_batch(rng: np.random.Generator, generator: Generator, users: int) -> Batch:
    """Requests to one generator."""
    trie, vocabulary = generator.vocabulary.trie, generator.vocabulary
    present = np.flatnonzero(trie.leaf_of >= 0)
    prompts = []
    for length in rng.integers(0, 12, users):
        history = rng.choice(present, length)
        tokens, nodes = vocabulary.tokens[history].ravel(), trie.paths[history].ravel()
        real = tokens >= 0
        prompts.append(TokenSequence(np.append(0, tokens[real]), np.concatenate([[-1], nodes[real]]).astype(np.int32)))
    num_items, k = trie.num_items, int(rng.choice([1, 3, 10, 50]))
    cap = None
    if rng.random() < 0.2:
        names = [[str(c) for c in rng.integers(0, 6, rng.integers(0, 3))] for _ in range(num_items)]
        cap = CategoryCap(names, int(rng.integers(1, 4)))
    return Batch(
        prompts=prompts,
        weights=random_weights(rng, users, num_items),
        k=k,
        beams=[int(rng.choice([1, 5, 50, 400])), rng.integers(1, 60, 3).tolist()][int(rng.random() < 0.2)],
        alpha=float(rng.choice([1.0, 0.5, 2.0, 0.0])),
        renormalise=bool(rng.random() < 0.2),
        cap=cap,
        exact=bool(rng.random() < 0.1),
    )


def answer(generator: Generator, batch: Batch) -> Decoded:
    """What the decoder makes of a batch."""
    num_items, present = generator.vocabulary.num_items, generator.vocabulary.trie.leaf_of >= 0

    def decode(count: int, users: np.ndarray) -> Decoded:
        prompts = [batch.prompts[user] for user in users]
        weights = ItemWeights.stack([batch.weights.row(int(user)) for user in users])
        if batch.exact:
            candidates = np.tile(np.flatnonzero(present).astype(np.int32), (len(users), 1))
            return rerank(generator, prompts, candidates, count, weights, batch.alpha)
        return beam_search(generator, prompts, count, batch.beams, weights, batch.alpha, renormalise=batch.renormalise)

    users = len(batch.prompts)
    if batch.cap is None:
        return decode(batch.k, np.arange(users))
    return batch.cap.search(decode, batch.k, num_users=users, num_items=num_items, first=50)


def check(generator: Generator, batch: Batch, decoded: Decoded) -> Counter[str]:
    """How many of a batch's users have each fault; none, if all is well."""
    faults: Counter[str] = Counter()
    present = generator.vocabulary.trie.leaf_of >= 0
    dense = np.broadcast_to(batch.weights.dense, (len(batch.prompts), len(present)))
    for user, items in enumerate(decoded.items):
        count = int((items >= 0).sum())
        found, scores, logprobs = items[:count], decoded.scores[user], decoded.logprobs[user]
        eligible = present & (dense[user] > -np.inf)
        faults["invalid"] += not eligible[found].all()
        faults["duplicate"] += len(set(found.tolist())) < count
        faults["padding"] += bool((items[count:] != -1).any() or (scores[count:] > -np.inf).any())
        with np.errstate(over="ignore", invalid="ignore"):
            total = logprobs[:count] + np.float32(batch.alpha) * dense[user, found]
        faults["score"] += not np.allclose(scores[:count], total, rtol=TOLERANCE, atol=TOLERANCE)
        faults["order"] += bool((np.diff(scores[:count]) > 0).any())
        if batch.cap is None:
            faults["fewer than k"] += count < min(batch.k, int(eligible.sum()))
        else:
            taken = Counter(name for item in found for name in set(batch.cap.categories[item]))
            faults["over its cap"] += max(taken.values(), default=0) > batch.cap.at_most
    return +faults


@torch.inference_mode()
def teacher_forced(generator: Generator, prompt: TokenSequence, item: int) -> float:
    """Log-probability of an item by one plain forward pass."""
    vocabulary, head = generator.vocabulary, generator.head
    trie, length = vocabulary.trie, int(vocabulary.lengths[item])
    path = [0, *trie.paths[item, :length].tolist()]
    tokens = torch.tensor(np.concatenate([prompt.tokens, vocabulary.tokens[item, : length - 1]]))[None]
    nodes = torch.tensor([*prompt.nodes.tolist(), *path[1:-1]])[None]
    positions = torch.arange(tokens.shape[1])[None]
    hidden = generator.hidden(generator.embed(tokens, nodes), torch.ones_like(tokens), positions)[0]
    total = 0.0
    for level in range(length):
        children = trie.children(path[level])
        vectors = head.code_vectors[trie.code[children]]
        if head.node_vectors is not None:
            vectors = vectors + head.node_vectors[children]
        logprobs = torch.log_softmax(vectors @ hidden[len(prompt) - 1 + level], dim=0)
        total += float(logprobs[children.tolist().index(path[level + 1])])
    return total


def difference(generator: Generator, batch: Batch, decoded: Decoded) -> float:
    """Largest difference of a user's log-probabilities from teacher forcing, relative where they are large."""
    largest = 0.0
    for item, logprob in zip(decoded.items[0], decoded.logprobs[0], strict=True):
        if item >= 0:
            expected = teacher_forced(generator, batch.prompts[0], int(item))
            largest = max(largest, abs(float(logprob) - expected) / max(1.0, abs(expected)))
    return largest


def main(
    requests: Annotated[int, typer.Option(min=1, help="How many.")] = 100_000,
    users: Annotated[int, typer.Option(min=1, help="Requests decoded together.")] = 16,
    every: Annotated[int, typer.Option(min=1, help="Teacher forcing checks one batch in so many.")] = 4,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
    out: Annotated[Path, typer.Option(help="File to write.")] = FOLDER / "results/decoding_fuzz.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Fuzz the decoder; exits with 1 if an answer is wrong."""
    faults: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    worst, number, began = 0.0, 0, time.monotonic()
    examples: list[dict[str, Any]] = []
    while counts["requests"] < requests:
        if number % BATCHES_A_GENERATOR == 0:
            generator = random_generator(np.random.default_rng([seed, number]))
            counts["catalogs"] += 1
        batch = random_batch(np.random.default_rng([seed, number, 1]), generator, users)
        decoded = answer(generator, batch)
        wrong = check(generator, batch, decoded)
        counts["requests"] += users
        counts["items"] += int((decoded.items >= 0).sum())
        counts["requests with a cap"] += users * (batch.cap is not None)
        counts["requests scored exactly"] += users * batch.exact
        if number % every == 0 and (batch.exact or not batch.renormalise):
            gap = difference(generator, batch, decoded)
            counts["scores beside teacher forcing"] += int((decoded.items[0] >= 0).sum())
            worst = max(worst, gap)
            wrong["not teacher forcing"] += gap > TOLERANCE
        if +wrong and len(examples) < 20:
            examples.append({"batch": number, "faults": dict(+wrong)})
        faults += wrong
        number += 1
        if number % 200 == 0:
            print(f"{counts['requests']:,} requests, faults: {dict(faults)}", file=sys.stderr)
    named = ["invalid", "duplicate", "fewer than k", "over its cap", "padding", "order", "score", "not teacher forcing"]
    report = {
        "counts": dict(counts),
        "faults": {name: faults[name] for name in named},
        "largest_difference_from_teacher_forcing": worst,
        "examples": examples,
        "seconds": time.monotonic() - began,
        **provenance("eval/decoding_fuzz.py", ["torch", "transformers", "numpy"]),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        rows = [(name, f"{value:,}") for name, value in {**counts, **report["faults"]}.items()]
        print_table(["what", "how many"], [*rows, ("largest difference from teacher forcing", f"{worst:.1e}")])
        stdout.print(f"written to {out}", highlight=False)
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
