"""Text with item spans: what is written by definition, and by ``generate`` of transformers."""

import copy
from itertools import groupby
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LogitsProcessorList

from genrec.decoding.exact import score_items
from genrec.decoding.item_spans import ItemSpans
from genrec.decoding.logits_processor import CatalogLogitsProcessor, ItemSpanLogitsProcessor
from genrec.decoding.spans import generate_with_items
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError, UnsupportedError
from genrec.items.vocabulary import ItemVocabulary
from genrec.prompt.sequence import TokenSequence
from genrec.testing import tiny_codes
from genrec.testing.tiny_base import tiny_text_generator
from genrec.trie import CatalogTrie

TEXT_ONLY = np.array([[0, 2], [0, 3], [1, 2]], dtype=np.int32)


def prompt_of(*tokens):
    return TokenSequence(np.array(tokens), np.full(len(tokens), -1, dtype=np.int32))


@torch.inference_mode()
def likely_marker(generator, prompt, step):
    """The token that the text model writes at some step by itself, so that spans open now and then."""
    tokens = torch.tensor(prompt.tokens)[None]
    for _ in range(step + 1):
        logits = generator.lm(tokens).logits[0, -1]
        logits[0] = -torch.inf  # the end token
        tokens = torch.cat([tokens, logits.argmax().view(1, 1)], dim=1)
    return int(tokens[0, -1])


@torch.inference_mode()
def by_definition(generator, prompt, request):
    """Greedy text with items, each token from a plain forward pass of all before it, the catalog as a list of IDs."""
    vocabulary, head, lm = generator.vocabulary, generator.head, generator.lm
    trie, ids = vocabulary.trie, [vocabulary.code_tokens[row[row >= 0]].tolist() for row in request.codes]
    tokens, nodes, items = prompt.tokens.tolist(), prompt.nodes.tolist(), []
    weights = dict(enumerate(request.dense.tolist()))
    path = [] if tokens[-1] == request.marker else None
    while (room := request.max_new_tokens + len(prompt) - len(tokens)) > 0:
        live = {i for i in weights if weights[i] > -np.inf and not (request.distinct and i in items)}
        if len(tokens) == len(prompt.tokens) and not live:
            path = None
        given = torch.tensor(tokens)[None], torch.tensor(nodes)[None]
        positions = torch.arange(len(tokens))[None]
        hidden = generator.hidden(generator.embed(*given), torch.ones_like(given[0]), positions)[0, -1]
        if path is None:
            logits = lm.get_output_embeddings()(hidden)
            if not live or room <= max(vocabulary.lengths):
                logits[request.marker] = -torch.inf
            token, node = int(logits.argmax()), -1
            path = [] if token == request.marker else None
        else:
            if not path:
                node = 0
            elif vocabulary.one_position:  # what was written of the item stands in no sequence
                so_far = head.code_vectors[np.array(path) - vocabulary.text_size].sum(0)
                hidden = head.depth_reader(hidden[None], so_far[None])[0]
            children = trie.children(node)
            vectors = head.code_vectors[trie.code[children]]
            if head.node_vectors is not None:
                vectors = vectors + head.node_vectors[children]
            scores = torch.log_softmax(vectors @ hidden, dim=0).tolist()
            best = {}
            for child, score in zip(children.tolist(), scores, strict=True):
                step = int(vocabulary.code_tokens[trie.code[child]])
                begin = [*path, step]
                below = [weights[i] for i in live if ids[i][: len(begin)] == begin]
                if below:
                    best[child] = score + request.alpha * (np.logaddexp.reduce(below) - np.log(len(below))), step
            node = max(best, key=lambda child: best[child][0])
            token = best[node][1]
            path = [*path, token]
            if path in ids:
                items.append(ids.index(path))
                path = None
            elif vocabulary.one_position:
                continue
        tokens.append(token)
        nodes.append(node)
        if token == 0 and node == -1:
            break
    return tokens[len(prompt) :], nodes[len(prompt) :], items


@st.composite
def requests(draw, ids):
    codes = draw(ids)
    n = len(codes)
    excluded = sorted(draw(st.sets(st.integers(0, n - 1), max_size=n)))
    prior = (
        np.array(draw(st.lists(st.integers(-8, 8), min_size=n, max_size=n))) / 2 if draw(st.booleans()) else np.zeros(n)
    )
    weights = ItemWeights.from_seen([excluded], n)
    if prior.any():
        weights += ItemWeights.from_priors(prior)
    return SimpleNamespace(
        codes=codes,
        weights=weights,
        dense=weights.dense[0].astype(np.float64),
        alpha=draw(st.sampled_from([1.0, 0.5])),
        distinct=draw(st.booleans()),
        max_new_tokens=draw(st.integers(5, 24)),
        titles=draw(st.booleans()),
        one_position=draw(st.booleans()),
        step=draw(st.integers(0, 2)),
        seed=draw(st.integers(0, 20)),
        opened=draw(st.booleans()),
    )


def generator_of(request, *, node_residual=False):
    """A generator and its tokenizer; titles are too long for one position."""
    return tiny_text_generator(
        request.codes, titles=request.titles, node_residual=node_residual, seed=request.seed,
        one_position=request.one_position and not request.titles,
    )  # fmt: skip


def check_answer(generator, tokenizer, request, answer):
    """What holds for every answer, however its tokens were chosen."""
    vocabulary, trie = generator.vocabulary, generator.vocabulary.trie
    tokens, nodes = answer.tokens.tokens, answer.tokens.nodes
    assert len(tokens) <= request.max_new_tokens
    assert all(isinstance(item, int) and request.dense[item] > -np.inf for item in answer.items)
    assert not request.distinct or len(set(answer.items)) == len(answer.items)
    assert (tokens[nodes < 0] < vocabulary.text_size).all()
    written = [vocabulary.tokens[item][: vocabulary.lengths[item]].tolist() for item in answer.items]
    assert tokens[nodes >= 0].tolist() == [token for row in written for token in row]
    assert [trie.items_at(node)[0] for node in nodes[nodes >= 0] if trie.is_leaf[node]] == answer.items
    text = [segment for segment in answer.segments if isinstance(segment, str)]
    # Each run of text is decoded by itself: its bytes are no part of a character that goes on behind an item.
    runs = groupby(zip(tokens.tolist(), nodes.tolist(), strict=True), key=lambda pair: pair[1] < 0)
    plain = [[token for token, _ in run if token not in (request.marker, 0)] for is_text, run in runs if is_text]
    assert text == [tokenizer.decode(run) for run in plain if run]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_greedy_answers_are_those_by_definition(ids, data):
    request = data.draw(requests(ids))
    generator, tokenizer = generator_of(request, node_residual=data.draw(st.booleans()))
    prompt = prompt_of(40, 41 + request.seed, 90)
    request.marker = likely_marker(generator, prompt, request.step)
    if request.opened:
        prompt = prompt_of(40, request.marker)
    answer = generate_with_items(
        generator, tokenizer, prompt, marker=request.marker, max_new_tokens=request.max_new_tokens,
        weights=request.weights, alpha=request.alpha, distinct=request.distinct,
    )  # fmt: skip
    tokens, nodes, items = by_definition(generator, prompt, request)
    assert answer.tokens.tokens.tolist() == tokens
    assert answer.tokens.nodes.tolist() == nodes
    assert answer.items == items
    check_answer(generator, tokenizer, request, answer)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_drawn_answers_hold_eligible_items_and_text(ids, data):
    request = data.draw(requests(ids))
    generator, tokenizer = generator_of(request)
    request.marker = likely_marker(generator, prompt_of(40, 90), request.step)
    with torch.no_grad():  # what is written by itself seldom holds a given token when it is drawn
        generator.lm.get_output_embeddings().weight[request.marker] *= 4
    prompt = prompt_of(40, request.marker if request.opened else 90)
    options = {
        "marker": request.marker, "max_new_tokens": request.max_new_tokens, "weights": request.weights,
        "alpha": request.alpha, "distinct": request.distinct,
        "temperature": data.draw(st.sampled_from([0.3, 1.0, 5.0])),
    }  # fmt: skip
    answers = [generate_with_items(generator, tokenizer, prompt, **options, seed=seed) for seed in (1, 2, 1)]
    for answer in answers:
        check_answer(generator, tokenizer, request, answer)
    assert answers[0].segments == answers[2].segments


@pytest.mark.parametrize("one_position", [False, True])
def test_items_are_drawn_with_their_probability(one_position):
    generator, tokenizer = tiny_text_generator(tiny_codes(6), std=0.5, one_position=one_position)
    prompt = prompt_of(40, 50)
    draws = [
        generate_with_items(
            generator, tokenizer, prompt, marker=50, max_new_tokens=1 if one_position else 2, temperature=1.0, seed=seed
        ).items[0]
        for seed in range(300)
    ]
    probability = np.exp(score_items(generator, [prompt])[0])
    assert probability.max() > 0.25
    np.testing.assert_allclose(np.bincount(draws, minlength=6) / 300, probability, atol=4 * np.sqrt(0.25 / 300))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_generate_of_transformers_writes_the_same(ids, data):
    request = data.draw(requests(ids))
    generator, tokenizer = tiny_text_generator(request.codes, titles=request.titles, seed=request.seed)
    lm, vocabulary = copy.deepcopy(generator.lm), generator.vocabulary
    if vocabulary.num_new_tokens:
        lm.resize_token_embeddings(vocabulary.text_size + vocabulary.num_new_tokens, mean_resizing=False)
        lm.get_input_embeddings().weight.data[vocabulary.text_size :] = generator.head.code_vectors.data
    prompt = prompt_of(40, 41 + request.seed, 90)
    marker = likely_marker(generator, prompt, request.step)
    answer = generate_with_items(
        generator, tokenizer, prompt, marker=marker, max_new_tokens=request.max_new_tokens,
        weights=request.weights, alpha=request.alpha, distinct=request.distinct,
    )  # fmt: skip
    spans = ItemSpans(vocabulary, marker, request.weights, request.alpha, distinct=request.distinct)
    allow = ItemSpanLogitsProcessor(spans, prompt_length=3, max_new_tokens=request.max_new_tokens)
    rows = torch.tensor(prompt.tokens)[None].repeat(2, 1)
    written = lm.generate(
        rows, attention_mask=torch.ones_like(rows), logits_processor=LogitsProcessorList([allow]), do_sample=False,
        max_new_tokens=request.max_new_tokens, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    assert written[0, 3:].tolist() == written[1, 3:].tolist() == answer.tokens.tokens.tolist()


def test_each_user_of_generate_has_weights_of_their_own():
    codes = tiny_codes(20)
    generator, _ = tiny_text_generator(codes)
    lm, vocabulary = copy.deepcopy(generator.lm), generator.vocabulary
    lm.resize_token_embeddings(vocabulary.text_size + vocabulary.num_new_tokens, mean_resizing=False)
    lm.get_input_embeddings().weight.data[vocabulary.text_size :] = generator.head.code_vectors.data
    weights = ItemWeights.from_candidates([[3, 5], [9]], 20)
    spans = ItemSpans(vocabulary, 50, weights, distinct=True)
    prompts = torch.tensor([[40, 50], [41, 50]])
    written = lm.generate(
        prompts, attention_mask=torch.ones_like(prompts), do_sample=True, num_beams=3, num_return_sequences=3,
        max_new_tokens=2, eos_token_id=0, pad_token_id=0,
        logits_processor=LogitsProcessorList([ItemSpanLogitsProcessor(spans, 2, 2)]),
    )  # fmt: skip
    rows = spans.read(written[:, 1:])
    # Beams that `generate` needs beyond the items there are may hold anything; it gives them no score.
    assert {items for items in rows.items[:3] if items} == {(3,), (5,)}
    assert {items for items in rows.items[3:] if items} == {(9,)}


def test_a_marker_without_eligible_items_is_not_written():
    generator, tokenizer = tiny_text_generator(TEXT_ONLY)
    prompt = prompt_of(40, 90)
    marker = likely_marker(generator, prompt, 0)
    nothing = ItemWeights.from_candidates([[]], 3)
    for start in (prompt, prompt_of(40, marker)):
        answer = generate_with_items(generator, tokenizer, start, marker=marker, weights=nothing, max_new_tokens=20)
        assert marker not in answer.tokens.tokens
        assert answer.items == []


def test_items_that_share_a_leaf_are_named_one_after_the_other():
    codes = np.array([[0, 1], [0, 1], [0, 1]], dtype=np.int32)
    size = 100
    shared = SimpleNamespace(codes=codes, num_codes=2, text_tokens=None)
    vocabulary = ItemVocabulary(shared, CatalogTrie.from_codes(codes), size)
    weights = ItemWeights.from_sparse([[1, 2]], [[2.0, 1.0]], 3)
    spans = ItemSpans(vocabulary, 50, weights, distinct=True)
    text = torch.tensor([[50, size, size + 1] * 3 + [50]])
    rows = spans.read(text)
    assert rows.items == ((1, 2, 0),)
    assert rows.node.tolist() == [-1]


def test_token_ids_do_not_say_which_item_of_one_position_is_meant():
    vocabulary = tiny_text_generator(TEXT_ONLY, one_position=True)[0].vocabulary
    spans = ItemSpans(vocabulary, 50)
    for refused in (
        lambda: CatalogLogitsProcessor(vocabulary, 1, eos_token_id=0),
        lambda: ItemSpanLogitsProcessor(spans, 1, 9),
        lambda: spans.read(torch.tensor([[50, 60]])),
    ):
        with pytest.raises(UnsupportedError, match="one position") as error:
            refused()
        assert "generate_with_items" in error.value.hint
    of_one_code = tiny_text_generator(np.array([[0], [1]], dtype=np.int32), one_position=True)[0].vocabulary
    assert ItemSpans(of_one_code, 50).read(torch.tensor([[50, of_one_code.text_size + 1]])).items == ((1,),)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"marker": 10_000}, "marker"),
        ({"marker": -1}, "marker"),
        ({"temperature": -0.1}, "temperature"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"max_new_tokens": 1, "marker": 90}, "may take 2 tokens"),
        ({"max_new_tokens": 1000}, "positions"),
        ({"weights": ItemWeights.from_seen([[], []], 3)}, "one prompt"),
        ({"weights": ItemWeights.from_seen([[]], 4)}, "4 items"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong, message):
    generator, tokenizer = tiny_text_generator(TEXT_ONLY)
    with pytest.raises(ConfigError, match=message):
        generate_with_items(generator, tokenizer, prompt_of(40, 90), **{"marker": 50} | wrong)
