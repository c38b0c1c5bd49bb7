"""Slow but obvious ways to get what the decoders compute."""

import numpy as np
import pytest
import torch
from hypothesis import strategies as st


@pytest.fixture(scope="session")
def teacher_forced():
    """Log-probability of each item by one plain forward of prompt and item: no cache, no tree, no shared prefix."""

    @torch.inference_mode()
    def score(generator, prompt):
        vocabulary, head = generator.vocabulary, generator.head
        trie, scores = vocabulary.trie, np.zeros(vocabulary.num_items)
        for item in range(vocabulary.num_items):
            length = int(vocabulary.lengths[item])
            tokens = np.concatenate([prompt.tokens, vocabulary.tokens[item, : length - 1]])
            nodes = np.concatenate([prompt.nodes, vocabulary.nodes[item, : length - 1]])
            tokens, nodes = torch.tensor(tokens)[None], torch.tensor(nodes).long()[None]
            embeddings = generator.embed(tokens, nodes)
            positions = torch.arange(tokens.shape[1])[None]
            hidden = generator.hidden(embeddings, torch.ones_like(tokens), positions)[0, len(prompt) - 1 :]
            path = [0, *vocabulary.nodes[item, :length].tolist()]
            for level in range(length):
                children = trie.children(path[level]).tolist()
                vectors = head.code_vectors[trie.code[children]]
                if head.node_vectors is not None:
                    vectors = vectors + head.node_vectors[children]
                logprobs = torch.log_softmax(vectors @ hidden[level], dim=0)
                scores[item] += float(logprobs[children.index(path[level + 1])])
        return scores

    return score


@pytest.fixture(scope="session")
def ranked():
    """Eligible items, best first: the definition of a ranking."""

    def rank(scores, weights=None):
        total = scores if weights is None else scores + weights
        return [item for item in np.lexsort((np.arange(len(total)), -total)) if total[item] > -np.inf]

    return rank


@pytest.fixture(scope="session")
def ids():
    """A hypothesis strategy: 1 to 12 IDs of up to 3 codes and an end code, so some begin alike; (N, L), -1 padded."""
    end = 4
    paths = st.lists(
        st.lists(st.integers(0, 3), min_size=0, max_size=3).map(tuple), min_size=1, max_size=12, unique=True
    )

    def pad(rows):
        codes = np.full((len(rows), max(map(len, rows)) + 1), -1, dtype=np.int32)
        for row, path in zip(codes, rows, strict=True):
            row[: len(path) + 1] = [*path, end]
        return codes

    return paths.map(pad)
