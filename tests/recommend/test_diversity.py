from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.beam import beam_search
from genrec.decoding.exact import score_items
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError, FilterError
from genrec.recommend.diversity import CategoryCap, boost_weights
from genrec.recommend.filters import filter_mask
from genrec.testing import tiny_codes, tiny_generator, tiny_prompt, toy_dataset


def greedy(ranking, categories, at_most, k):
    """The definition: an item is out if some category of it has enough items chosen so far."""
    chosen = []
    for item in ranking:
        full = any(sum(c in categories[other] for other in chosen) >= at_most for c in categories[item])
        if not full and len(chosen) < k:
            chosen.append(item)
    return chosen


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_capped_beams_as_wide_as_the_catalog_are_the_greedy_choice_of_the_whole_ranking(data):
    n, at_most, k = 24, data.draw(st.integers(1, 4)), data.draw(st.integers(1, 12))
    names = st.lists(st.sampled_from("abcd"), max_size=3)
    categories = data.draw(st.lists(names, min_size=n, max_size=n))
    generator = tiny_generator(codes=tiny_codes(n, levels=3))
    prompts = [tiny_prompt(generator, [item]) for item in (1, 2)]
    seen = data.draw(st.lists(st.sets(st.integers(0, n - 1)), min_size=2, max_size=2))
    weights = ItemWeights.from_seen([sorted(row) for row in seen], n)

    cap = CategoryCap(categories, at_most)
    first = data.draw(st.integers(1, n))

    def decode(count, users):
        rows = ItemWeights(weights.dense[users])
        return beam_search(generator, [prompts[user] for user in users], count, n, rows)

    capped = cap.search(decode, k, num_users=2, num_items=n, first=first)
    scores = score_items(generator, prompts)
    for user in range(2):
        ranking = [item for item in np.argsort(-scores[user], kind="stable") if item not in seen[user]]
        expected = greedy(ranking, categories, at_most, k)
        assert capped.items[user].tolist() == expected + [-1] * (k - len(expected))
        np.testing.assert_allclose(capped.logprobs[user, : len(expected)], scores[user, expected], atol=1e-4)
        counts = Counter(c for item in expected for c in set(categories[item]))
        assert max(counts.values(), default=0) <= at_most


def test_a_cap_below_one_is_refused():
    with pytest.raises(ConfigError, match="cap"):
        CategoryCap([], at_most=0)


def test_boosts_add_up_and_change_the_ranking_by_their_log_weight():
    catalog = toy_dataset().catalog
    years = filter_mask(catalog, ["year>=1990"])
    assert 0 < years.sum() < len(catalog)
    boosts = boost_weights(catalog, {"year>=1990": 0.5, "not year>=1990": -1.0, "year>=1980 or year<1980": 0.25})
    np.testing.assert_allclose(boosts.dense[0], np.where(years, 0.75, -0.75))
    assert boost_weights(catalog, {}).base.size == 1
    generator = tiny_generator(codes=tiny_codes(len(catalog)))
    prompt = tiny_prompt(generator, [0])
    decoded = beam_search(generator, [prompt], len(catalog), len(catalog), boosts)
    np.testing.assert_allclose(decoded.scores - decoded.logprobs, boosts.dense[0, decoded.items[0]][None], atol=1e-5)


def test_boosts_that_mean_nothing_are_refused():
    catalog = toy_dataset().catalog
    with pytest.raises(ConfigError, match="finite"):
        boost_weights(catalog, {"year>=1990": float("-inf")})
    with pytest.raises(FilterError):
        boost_weights(catalog, {"year>>1990": 1.0})
