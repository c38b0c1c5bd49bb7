"""A backbone in bfloat16, as pre-trained ones are on GPUs, beside a code head in float32."""

import numpy as np
import pytest
import torch

from genrec.decoding import beam_search, score_items
from genrec.testing.tiny_base import tiny_text_generator
from genrec.training.batches import collate
from genrec.training.examples import TrainingExample
from genrec.training.loss import CodeLoss

CODES = np.array([[0, 2], [0, 3], [1, 2]], dtype=np.int32)


@pytest.fixture(params=[False, True], ids=["new tokens", "titles"])
def generator(request):
    made, _ = tiny_text_generator(CODES, titles=request.param, node_residual=True)
    made.backbone.to(torch.bfloat16)
    return made


def sequence(generator, items):
    vocabulary = generator.vocabulary
    tokens, nodes = vocabulary.tokens[items].ravel(), vocabulary.nodes[items].ravel()
    supervised = np.append(False, np.ones(len(tokens), dtype=bool))
    return TrainingExample(np.append(7, tokens), np.append(-1, nodes).astype(np.int32), supervised)


def test_inputs_are_summed_in_float32_and_rounded_once(generator):
    example = sequence(generator, [0, 2])
    tokens, nodes = torch.tensor(example.tokens), torch.tensor(example.nodes).long()
    head, size = generator.head, generator.vocabulary.text_size
    found = generator.embed(tokens[None], nodes[None])[0]
    assert found.dtype == torch.bfloat16
    for row, token, node in zip(found, tokens, nodes, strict=True):
        table = generator.lm.get_input_embeddings().weight
        vector = table[token].float() if token < size else head.code_vectors[token - size]
        item = head.node_item[node] if node >= 0 else -1
        expected = vector if item < 0 else vector + head.item_vectors[item]
        assert torch.equal(row, expected.to(torch.bfloat16))


def test_it_trains_and_answers(generator):
    loss = CodeLoss(generator)(collate([sequence(generator, [0, 2, 1])]))
    loss.backward()
    assert generator.head.item_vectors.grad[[0, 2]].abs().sum(1).min() > 0
    example = sequence(generator, [0])
    scores = score_items(generator, [example])
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-4)
    found = beam_search(generator, [example], k=3)
    assert found.logprobs[0] == pytest.approx(scores[0, found.items[0]], abs=0.05)
