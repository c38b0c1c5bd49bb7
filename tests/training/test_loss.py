"""The loss against definitions: sums over all items, log-softmax by hand, one sequence at a time."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig, PretrainedConfig
from genrec.testing import tiny_generator
from genrec.training.batches import collate
from genrec.training.examples import TrainingExample
from genrec.training.loss import CodeLoss

UNEVEN = np.array([[0, 3, 5], [0, 3, 6], [0, 4, -1], [1, 3, 5], [1, 5, -1], [2, -1, -1]], dtype=np.int32)
GENERATORS = {
    "atomic": lambda: tiny_generator(codes=np.arange(6, dtype=np.int32)[:, None]),
    "semantic": lambda: tiny_generator(codes=UNEVEN),
    "semantic with residuals": lambda: tiny_generator(codes=UNEVEN, node_residual=True),
    "title": lambda: tiny_generator(codes=UNEVEN, backbone="llama", titles=True),
}


@pytest.fixture(params=GENERATORS, scope="module")
def generator(request):
    return GENERATORS[request.param]()


@torch.no_grad()
def item_logprobs(generator, history, smoothing=0.0):
    """Log-probability of every item after a history: a plain forward of each, a log-softmax at each level."""
    vocabulary, head = generator.vocabulary, generator.head
    trie, result = vocabulary.trie, []
    for item in range(vocabulary.num_items):
        items = [*history, item]
        real = vocabulary.tokens[items] >= 0
        tokens = torch.tensor([0, *vocabulary.tokens[items][real]])[None]
        nodes = torch.tensor([-1, *vocabulary.nodes[items][real].tolist()])[None]
        positions = torch.arange(tokens.shape[1])[None]
        hidden = generator.hidden(generator.embed(tokens, nodes), torch.ones_like(tokens), positions)[0]
        path = [0, *vocabulary.nodes[item][vocabulary.nodes[item] >= 0].tolist()]
        total = 0.0
        for level, (parent, child) in enumerate(pairwise(path)):
            state = hidden[len(hidden) - len(path) + level]
            children = trie.children(parent).tolist()
            vectors = [
                head.code_vectors[trie.code[node]] + (0 if head.node_vectors is None else head.node_vectors[node])
                for node in children
            ]
            logprobs = torch.log_softmax(torch.stack(vectors) @ state, dim=0)
            right = logprobs[children.index(child)]
            total += float((1 - smoothing) * right + smoothing * logprobs.mean())
        result.append(total)
    return np.array(result)


def test_probabilities_of_all_items_sum_to_one(generator):
    assert np.exp(item_logprobs(generator, [4, 2])).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_the_log_probabilities_of_the_items(generator, sequence, smoothing):
    """Every position supervises: item t given the items before it."""
    history = [4, 0, 2, 5, 3, 1]
    expected = -sum(item_logprobs(generator, history[:t], smoothing)[item] for t, item in enumerate(history))
    loss = CodeLoss(generator, smoothing)(collate([sequence(generator, history)]))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_by_hand():
    """Two items with logits 1 and 0: 0.9 * -log(e / (e + 1)) + 0.1 * the mean of both."""
    generator = tiny_generator(codes=np.array([[0], [1]], dtype=np.int32))
    head = generator.head
    head.code_vectors.data.zero_()
    head.code_vectors.data[0, 0] = 1.0
    states = torch.zeros(1, head.width)
    states[0, 0] = 1.0
    loss = CodeLoss(generator, 0.1)._root_losses(states, torch.tensor([1]))
    first, second = -np.log(np.e / (np.e + 1)), -np.log(1 / (np.e + 1))
    assert loss.item() == pytest.approx(0.9 * first + 0.1 * (first + second) / 2, abs=1e-6)


def test_a_padded_batch_is_its_sequences_one_by_one(generator, sequence):
    loss = CodeLoss(generator)
    examples = [sequence(generator, items) for items in ([0], [4, 2, 1, 3, 5, 0], [3, 3], [1, 5, 2, 0])]
    alone = sum(loss(collate([example])) for example in examples)
    assert loss(collate(examples)).item() == pytest.approx(alone.item(), rel=1e-5)


def test_gradients_of_a_padded_batch_are_those_of_its_sequences(generator, sequence):
    loss = CodeLoss(generator)
    examples = [sequence(generator, items) for items in ([0], [4, 2, 1, 3, 5, 0], [3, 3])]
    together = gradients(generator, loss(collate(examples)))
    alone = gradients(generator, sum(loss(collate([example])) for example in examples))
    assert together.keys() == alone.keys()
    for name, gradient in together.items():
        torch.testing.assert_close(gradient, alone[name], rtol=1e-3, atol=1e-4, msg=name)


def test_items_only_compete_with_items(sequence):
    """Text tokens have no part in the loss: it is that of a model whose text rows differ."""
    generator = tiny_generator(codes=UNEVEN, backbone="llama")
    batch = collate([sequence(generator, [0, 4, 2])])
    before = CodeLoss(generator)(batch).item()
    generator.lm.get_output_embeddings().weight.data.normal_(std=100.0)
    assert CodeLoss(generator)(batch).item() == before


def test_text_between_items_is_read_and_not_predicted():
    """An item after text starts at the root; the text itself is no target."""
    generator = tiny_generator(codes=UNEVEN, titles=True, backbone="llama")
    tokens = np.concatenate([[0], generator.vocabulary.tokens[2, :2], [1, 1], generator.vocabulary.tokens[0]])
    nodes = np.concatenate([[-1], generator.vocabulary.nodes[2, :2], [-1, -1], generator.vocabulary.nodes[0]])
    loss = CodeLoss(generator)
    both = loss(collate([TrainingExample(tokens, nodes.astype(np.int32), nodes >= 0)]))
    first = loss(collate([TrainingExample(tokens, nodes.astype(np.int32), (nodes >= 0) & (np.arange(8) < 3))]))
    last = loss(collate([TrainingExample(tokens, nodes.astype(np.int32), (nodes >= 0) & (np.arange(8) >= 3))]))
    assert both.item() == pytest.approx(first.item() + last.item(), rel=1e-5)
    assert min(first.item(), last.item()) > 0


@pytest.mark.parametrize("residual", [False, True])
def test_gradients_reach_the_adapter_and_the_code_head_and_nothing_else(base_folder, sequence, residual):
    vocabulary = tiny_generator(codes=UNEVEN).vocabulary
    config = PretrainedConfig(name=str(base_folder))
    base = load_base(config)
    vocabulary = type(vocabulary)(vocabulary.tokenizer, vocabulary.trie, base.text_size)
    generator = build_generator(base, vocabulary, config, CodeHeadConfig(node_residual=residual))
    found = gradients(generator, CodeLoss(generator)(collate([sequence(generator, [0, 4, 2, 5, 1])])))
    adapter = {name for name, _ in generator.named_parameters() if "lora_" in name}
    head = {"head.code_vectors"} | ({"head.node_vectors", "head.item_vectors"} if residual else set())
    assert found.keys() == adapter | head == generator.trainable().keys()
    # lora_B starts at zero, so lora_A has a gradient of zero at the first step.
    moving = {name for name, gradient in found.items() if gradient.abs().sum() > 0}
    assert moving == {name for name in found if "lora_A" not in name}


def gradients(generator, loss):
    generator.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in generator.named_parameters() if p.grad is not None}
