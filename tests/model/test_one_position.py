"""One position an item: inputs are sums of codes, and loss, beams and exact scores agree with definitions."""

import numpy as np
import pytest
import torch

from genrec.decoding import beam_search, score_items
from genrec.errors import UnsupportedError
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig, ScratchConfig
from genrec.prompt.sequence import TokenSequence
from genrec.testing.tiny import FixedTokenizer
from genrec.training.batches import collate
from genrec.training.examples import TrainingExample
from genrec.training.loss import CodeLoss
from genrec.training.teacher import TeacherTargets
from genrec.trie import CatalogTrie

UNEVEN = np.array([[0, 3, 5], [0, 3, 6], [0, 4, -1], [1, 3, 5], [1, 5, -1], [2, -1, -1]], dtype=np.int32)


@pytest.fixture(params=[False, True], ids=["plain", "residual"])
def generator(request):
    tokenizer = FixedTokenizer(UNEVEN, None)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(UNEVEN), 2, one_position=True)
    config = ScratchConfig(layers=1, width=16, heads=2, dropout=0.0)
    head = CodeHeadConfig(node_residual=request.param, one_position=True)
    made = build_generator(load_base(config, max_positions=8), vocabulary, config, head).eval()
    for parameter in made.head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made


def prompt(generator, items):
    vocabulary = generator.vocabulary
    tokens = np.append(0, vocabulary.tokens[items, 0]).astype(np.int64)
    return TokenSequence(tokens, np.append(-1, vocabulary.nodes[items, 0]).astype(np.int32))


@torch.no_grad()
def logprobs_by_definition(generator, items):
    """A softmax at each node on the way to each item, states and vectors put together by hand."""
    head, trie = generator.head, generator.vocabulary.trie
    table = generator.lm.get_input_embeddings().weight
    rows = [table[0]]
    for item in items:
        row = head.code_vectors[[code for code in UNEVEN[item] if code >= 0]].sum(0)
        rows.append(row if head.item_vectors is None else row + head.item_vectors[item])
    ones = torch.ones(1, len(rows), dtype=torch.long)
    hidden = generator.hidden(torch.stack(rows)[None], ones, torch.arange(len(rows))[None])[0, -1]
    result = []
    for item in range(len(UNEVEN)):
        total, path = 0.0, [0, *(node for node in trie.paths[item] if node >= 0)]
        for level in range(len(path) - 1):
            state = hidden
            if level:
                so_far = head.code_vectors[UNEVEN[item, :level].tolist()].sum(0)
                state = head.depth_reader(hidden[None], so_far[None])[0]
            children = trie.children(path[level]).tolist()
            vectors = [
                head.code_vectors[trie.code[n]] + (0 if head.node_vectors is None else head.node_vectors[n])
                for n in children
            ]
            logprobs = torch.log_softmax(torch.stack(vectors) @ state, 0)
            total += float(logprobs[children.index(path[level + 1])])
        result.append(total)
    return np.array(result)


def test_an_item_is_one_token_and_says_which_it_is(generator):
    vocabulary = generator.vocabulary
    assert vocabulary.tokens.tolist() == [[2 + code] for code in (5, 6, 4, 5, 5, 2)]
    assert vocabulary.nodes[:, 0].tolist() == vocabulary.trie.leaf_of.tolist()
    assert vocabulary.lengths.tolist() == [1] * 6


def test_exact_scores_beams_and_loss_are_those_of_the_definition(generator):
    histories = [[], [4], [2, 0, 5]]
    expected = np.array([logprobs_by_definition(generator, items) for items in histories])
    assert np.exp(expected).sum(1) == pytest.approx(1, abs=1e-5)
    prompts = [prompt(generator, items) for items in histories]
    np.testing.assert_allclose(score_items(generator, prompts), expected, atol=1e-4)
    decoded = beam_search(generator, prompts, k=6, beams=6)
    np.testing.assert_allclose(decoded.logprobs, -np.sort(-expected, axis=1), atol=1e-4)
    assert (decoded.items == np.argsort(-expected, axis=1)).all()
    sequence = prompt(generator, [2, 0, 5, 1])
    example = TrainingExample(sequence.tokens, sequence.nodes, np.arange(5) == 4)
    assert CodeLoss(generator)(collate([example])).item() == pytest.approx(-expected[2, 1], rel=1e-4)


def test_with_ids_of_one_code_it_changes_nothing():
    made = []
    for one_position in (False, True):
        tokenizer = FixedTokenizer(np.arange(6, dtype=np.int32)[:, None])
        vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), 2, one_position)
        config = ScratchConfig(layers=1, width=16, heads=2, dropout=0.0)
        head = CodeHeadConfig(node_residual=True, one_position=one_position)
        made.append(build_generator(load_base(config, max_positions=8), vocabulary, config, head).eval())
    several, one = made
    for parameter in several.head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    one.load_state_dict(several.state_dict())
    prompts = [prompt(one, items) for items in ([], [4], [2, 0, 5])]
    np.testing.assert_array_equal(score_items(one, prompts), score_items(several, prompts))
    np.testing.assert_array_equal(beam_search(one, prompts, k=6).items, beam_search(several, prompts, k=6).items)


def test_titles_are_too_long_for_one_position(generator):
    tokenizer = FixedTokenizer(UNEVEN, np.arange(2, 9))
    vocabulary = ItemVocabulary(tokenizer, generator.vocabulary.trie, 9)
    config = ScratchConfig(layers=1, width=16, heads=2)
    base = load_base(config)
    base = type(base)(base.lm, object(), 9, "")
    with pytest.raises(UnsupportedError, match="one position"):
        build_generator(base, vocabulary, config, CodeHeadConfig(one_position=True))


@torch.no_grad()
def test_on_average_the_teacher_is_learned_whole(generator):
    """Along paths drawn from the teacher: the cross entropy of its distribution over items, at all levels."""
    logprobs = logprobs_by_definition(generator, [2, 0])
    items = np.array([[0, 1, 3, 4]] * 3, dtype=np.int32)
    share = np.array([[0.4, 0.3, 0.2, 0.1]] * 3, dtype=np.float16)
    loss = CodeLoss(generator, teacher=TeacherTargets(items, share), sampled=True)
    loss.teacher_weight = 0.6
    sequence = prompt(generator, [2, 0, 5])
    many = [TrainingExample(sequence.tokens, sequence.nodes, np.arange(4) == 3, None, np.arange(-1, 3))] * 4000
    expected = 0.4 * -logprobs[5] + 0.6 * -(np.array([0.4, 0.3, 0.2, 0.1]) * logprobs[[0, 1, 3, 4]]).sum()
    torch.manual_seed(0)
    assert loss(collate(many)).item() / 4000 == pytest.approx(expected, rel=0.02)
