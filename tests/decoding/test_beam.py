from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.beam import beam_search
from genrec.decoding.exact import score_items
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.code_head import CodeHead
from genrec.model.generator import Generator
from genrec.testing import tiny_codes, tiny_generator, tiny_prompt
from genrec.trie import CatalogTrie


@pytest.mark.parametrize("backbone", ["gpt2", "llama"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_as_many_beams_as_items_give_the_ranking_of_teacher_forcing(backbone, residual, levels, teacher_forced, ranked):
    generator = tiny_generator(codes=tiny_codes(15, levels=levels), backbone=backbone, node_residual=residual)
    prompts = [tiny_prompt(generator, history) for history in ([], [3], [1, 2, 9, 14])]
    decoded = beam_search(generator, prompts, k=15, beams=15)
    for user, prompt in enumerate(prompts):
        expected = teacher_forced(generator, prompt)
        assert decoded.items[user].tolist() == ranked(expected)
        np.testing.assert_allclose(decoded.logprobs[user], expected[decoded.items[user]], atol=1e-4)
    np.testing.assert_array_equal(decoded.scores, decoded.logprobs)


@st.composite
def requests(draw, ids):
    codes = draw(ids)
    num_items = len(codes)
    excluded = st.sets(st.integers(0, num_items - 1), max_size=num_items)
    return SimpleNamespace(
        codes=codes,
        seen=draw(st.lists(excluded, min_size=3, max_size=3)),
        priors=draw(st.lists(st.floats(-20, 20, width=32), min_size=num_items, max_size=num_items)),
        k=draw(st.integers(1, num_items + 3)),
        beams=draw(st.integers(1, num_items)),
        alpha=draw(st.sampled_from([0.0, 0.5, 1.0])),
        std=draw(st.sampled_from([0.05, 0.5, 100.0])),
        residual=draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_catalog_and_request_gives_the_eligible_items_once(ids, teacher_forced, ranked, data):
    request = data.draw(requests(ids))
    generator = tiny_generator(codes=request.codes, std=request.std, node_residual=request.residual, titles=True)
    num_items = len(request.codes)
    prompts = [tiny_prompt(generator, [0] * length) for length in (0, 2, 1)]
    weights = ItemWeights.from_seen([sorted(seen) for seen in request.seen], num_items)
    weights += ItemWeights.from_priors(np.array(request.priors))

    narrow = beam_search(generator, prompts, request.k, request.beams, weights, request.alpha)
    wide = beam_search(generator, prompts, request.k, num_items, weights, request.alpha)
    for user, prompt in enumerate(prompts):
        logprobs = teacher_forced(generator, prompt)
        prior = np.where(weights.eligible[user], request.alpha * np.array(request.priors), -np.inf)
        eligible = set(np.flatnonzero(weights.eligible[user]).tolist())
        count = min(request.k, len(eligible))
        for decoded in (narrow, wide):
            items = decoded.items[user]
            found = items[items >= 0].tolist()
            assert len(set(found)) == len(found) == count
            assert set(found) <= eligible
            assert (items[count:] == -1).all()
            assert (decoded.scores[user, count:] == -np.inf).all()
            tolerance = {"atol": 1e-4, "rtol": 1e-4}
            np.testing.assert_allclose(decoded.logprobs[user, :count], logprobs[found], **tolerance)
            np.testing.assert_allclose(decoded.scores[user, :count], (logprobs + prior)[found], **tolerance)
            assert (np.diff(decoded.scores[user, :count]) <= 0).all()
        # Best scores, not best items: some are too close for float32 to tell apart.
        best = [(logprobs + prior)[item] for item in ranked(logprobs, prior)[:count]]
        np.testing.assert_allclose(wide.scores[user, :count], best, atol=1e-4, rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_extreme_logits_lose_no_item(ids, data):
    codes = data.draw(ids)
    generator = tiny_generator(codes=codes, node_residual=True, titles=True)  # inputs are not the extreme vectors
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    size = data.draw(st.sampled_from([0.0, 1e4, 1e20, 1e35]))
    for vectors in (generator.head.code_vectors, generator.head.node_vectors):
        vectors.data = torch.from_numpy(size * rng.choice([-1.0, 0.0, 1.0], vectors.shape)).float()
    decoded = beam_search(generator, [tiny_prompt(generator, [])], k=len(codes), beams=1)
    assert sorted(decoded.items[0].tolist()) == list(range(len(codes)))
    assert not np.isnan(decoded.scores).any()


def test_a_user_gets_the_same_alone_and_in_a_batch():
    generator = tiny_generator(codes=tiny_codes(60, levels=3), std=0.5)
    rng = np.random.default_rng(0)
    histories = [rng.integers(0, 60, length).tolist() for length in (0, 1, 5, 20, 3)]
    prompts = [tiny_prompt(generator, history) for history in histories]
    seen = [list(range(59)), histories[1], histories[2], [], list(range(0, 60, 2))]
    together = beam_search(generator, prompts, k=10, beams=12, weights=ItemWeights.from_seen(seen, 60))
    for user, prompt in enumerate(prompts):
        alone = beam_search(generator, [prompt], k=10, beams=12, weights=ItemWeights.from_seen([seen[user]], 60))
        np.testing.assert_array_equal(together.items[user], alone.items[0])
        np.testing.assert_allclose(together.scores[user], alone.scores[0], atol=1e-4)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_one_eligible_item_is_found_wherever_it_is(levels):
    generator = tiny_generator(codes=tiny_codes(30, levels=levels), std=1.0)
    prompts = [tiny_prompt(generator, [user]) for user in range(30)]
    only = ItemWeights.from_candidates([[29 - user] for user in range(30)], num_items=30)
    decoded = beam_search(generator, prompts, k=2, beams=1, weights=only)
    assert decoded.items.tolist() == [[29 - user, -1] for user in range(30)]
    nothing = beam_search(generator, prompts, k=2, weights=ItemWeights.from_mask(np.zeros(30, dtype=bool)))
    assert (nothing.items == -1).all()
    assert (nothing.logprobs == -np.inf).all()


def test_a_catalog_of_one_item():
    for codes in ([[0]], [[0, 1]], [[2, 1, 0]]):
        generator = tiny_generator(codes=np.array(codes))
        decoded = beam_search(generator, [tiny_prompt(generator, [0])], k=3)
        assert decoded.items.tolist() == [[0, -1, -1]]
        assert decoded.scores[0, 0] == pytest.approx(0.0, abs=1e-5)


def test_a_prior_can_turn_the_ranking_around_even_with_one_beam():
    generator = tiny_generator(codes=tiny_codes(30, levels=3))
    prompt = tiny_prompt(generator, [4])
    worst = int(score_items(generator, [prompt])[0].argmin())
    prior = ItemWeights.from_priors(np.where(np.arange(30) == worst, 50.0, 0.0))
    assert beam_search(generator, [prompt], k=1, beams=1, weights=prior).items[0, 0] == worst
    assert beam_search(generator, [prompt], k=1, beams=30, weights=prior, alpha=0.0).items[0, 0] != worst


def test_equal_scores_are_ordered_by_item():
    codes = np.stack([np.arange(24) // 6, 4 + np.arange(24) % 6], axis=1)[np.random.default_rng(0).permutation(24)]
    generator = tiny_generator(codes=codes)
    generator.head.code_vectors.data.zero_()
    decoded = beam_search(generator, [tiny_prompt(generator, [3])], k=24)
    assert decoded.items[0].tolist() == list(range(24))
    np.testing.assert_allclose(decoded.scores, -np.log(24), atol=1e-5)
    some = [beam_search(generator, [tiny_prompt(generator, [3])] * users, k=5, beams=5).items for users in (1, 3)]
    assert (some[1] == some[0]).all()


def test_items_on_one_leaf_share_its_probability():
    codes = np.array([[0, 2], [1, 2], [0, 2], [1, 3], [0, 2]])
    vocabulary = ItemVocabulary(
        SimpleNamespace(codes=codes, num_codes=4, text_tokens=None), CatalogTrie.from_codes(codes), 2
    )
    backbone = tiny_generator(num_items=3).backbone
    generator = Generator(backbone, CodeHead(vocabulary, 32, init_std=0.3), vocabulary).eval()
    prompt = tiny_prompt(generator, [])
    decoded = beam_search(generator, [prompt], k=5, weights=ItemWeights.from_seen([[2]], num_items=5))
    assert set(decoded.items[0].tolist()) == {0, 1, 3, 4, -1}
    logprob = dict(zip(decoded.items[0].tolist(), decoded.logprobs[0].tolist(), strict=True))
    assert logprob[0] == logprob[4]
    assert np.exp([logprob[0], logprob[1], logprob[3]]).sum() == pytest.approx(1.0, abs=1e-5)


def test_more_beams_find_better_items():
    generator = tiny_generator(codes=tiny_codes(200, levels=3), std=0.1)
    prompts = [tiny_prompt(generator, [item]) for item in range(20)]
    exact = -np.sort(-score_items(generator, prompts), axis=1)[:, :5]
    totals = [beam_search(generator, prompts, k=5, beams=beams).scores.sum() for beams in (5, 20, 200)]
    assert totals[0] < totals[1] <= totals[2] + 1e-3
    assert totals[2] == pytest.approx(exact.sum(), abs=1e-2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"k": 0}, "k must"),
        ({"beams": 0}, "beams must"),
        ({"weights": ItemWeights.from_seen([[]], num_items=7)}, "do not fit"),
        ({"weights": ItemWeights.from_seen([[], []], num_items=6)}, "do not fit"),
    ],
)
def test_requests_that_cannot_be_served_are_refused(wrong, message):
    generator = tiny_generator(num_items=6)
    with pytest.raises(ConfigError, match=message):
        beam_search(generator, [tiny_prompt(generator, [])], **wrong)
