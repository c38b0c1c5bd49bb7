"""Semantic IDs: residual k-means, collisions, new items."""

import itertools
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genrec.errors import ConfigError, DataError
from genrec.items import SemanticTokenizer
from genrec.items.collisions import FreeIds
from genrec.items.quantizer import ResidualQuantizer


def normal(items, width=4, seed=0):
    return np.random.default_rng(seed).normal(size=(items, width)).astype(np.float32)


def unique_rows(codes):
    return len(np.unique(codes, axis=0)) == len(codes)


def test_two_levels_split_first_by_group_and_then_within_it():
    vectors = np.array([[0, 0], [0, 1], [9, 0], [9, 1]], dtype=np.float32)
    codes = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=2).codes
    assert codes[0, 0] == codes[1, 0] != codes[2, 0] == codes[3, 0]
    assert codes[0, 1] == codes[2, 1] != codes[1, 1] == codes[3, 1]


def test_levels_have_disjoint_codes():
    codes = SemanticTokenizer.fit(normal(50), levels=3, codes_per_level=8).codes
    assert [(int(level.min()) // 8, int(level.max()) // 8) for level in codes.T] == [(0, 0), (1, 1), (2, 2)]


def test_each_level_quantizes_what_the_levels_before_left_over():
    vectors = normal(60)
    quantizer = ResidualQuantizer.fit(vectors, levels=3, codes_per_level=5)
    residual = vectors.copy()
    for level, codes in enumerate(quantizer.assign(vectors).T):
        distances = ((residual[:, None] - quantizer.codebooks[level]) ** 2).sum(axis=2)
        np.testing.assert_array_equal(codes, distances.argmin(axis=1))
        residual -= quantizer.codebooks[level, codes]
    np.testing.assert_allclose(vectors - residual, quantizer.decode(quantizer.assign(vectors)), atol=1e-5)


def test_more_levels_approximate_better():
    vectors = normal(200, width=8)
    quantizer = ResidualQuantizer.fit(vectors, levels=4, codes_per_level=8)
    codes = quantizer.assign(vectors)
    errors = [
        ((vectors - ResidualQuantizer(quantizer.codebooks[:n]).decode(codes[:, :n])) ** 2).mean() for n in range(1, 5)
    ]
    assert errors == sorted(errors, reverse=True)


def test_same_seed_same_codes_and_other_seed_other_codes():
    vectors = normal(80)
    first, again, other = (SemanticTokenizer.fit(vectors, 2, 10, seed=seed).codes for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@settings(max_examples=25, deadline=None)
@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 27), st.integers(1, 3)), elements=st.sampled_from([0.0, 1.0, -2.0, 1e4])
    )
)
def test_always_a_bijection_even_when_the_tree_is_full(vectors):
    tokenizer = SemanticTokenizer.fit(vectors, levels=3, codes_per_level=3)
    assert unique_rows(tokenizer.codes)
    assert tokenizer.report().collisions >= len(vectors) - len(np.unique(vectors, axis=0))


def test_identical_vectors_share_all_codes_but_those_they_cannot(caplog):
    vectors = np.repeat(normal(2), [9, 3], axis=0)
    with caplog.at_level(logging.INFO, logger="genrec"):
        tokenizer = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=9)
    assert unique_rows(tokenizer.codes)
    assert len(set(tokenizer.codes[:9, 0])) == len(set(tokenizer.codes[9:, 0])) == 1
    assert tokenizer.report().collisions == 8 + 2
    assert "10 of 12 items shared an ID" in caplog.text


def test_a_full_prefix_sends_the_surplus_to_the_nearest_prefix_with_room():
    # On a line: codes of level 0 at 0, 10 and 12; ten items at 11.5 are two too many for the four IDs below 12 and
    # the four below 10, so two go to 0.
    codebooks = np.array([[[0.0], [10.0], [12.0], [99.0]], [[0.0], [1.0], [-1.0], [2.0]]], dtype=np.float32)
    quantizer = ResidualQuantizer(codebooks)
    free = FreeIds(quantizer, np.empty((0, 2), dtype=np.int32))
    taken = [free.take_nearest(np.array([11.5], dtype=np.float32)) for _ in range(10)]
    assert [codes[0] for codes in taken] == [2] * 4 + [1] * 4 + [0] * 2
    assert [codes[1] for codes in taken[:4]] == [0, 2, 1, 3]  # residual -.5: 0, -1, 1, 2


@pytest.mark.parametrize("seed", range(5))
def test_the_last_level_moves_to_the_nearest_free_code(seed):
    """Against a search through all IDs of the prefix."""
    vectors = np.repeat(normal(12, seed=seed), 2, axis=0)
    tokenizer = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=8, seed=seed)
    wanted = tokenizer.quantizer.assign(vectors)
    local = tokenizer.codes - np.array([0, 8])
    residual = vectors - tokenizer.quantizer.codebooks[0, local[:, 0]]
    distances = ((residual[:, None] - tokenizer.quantizer.codebooks[1]) ** 2).sum(axis=2)
    stayed_in_prefix = np.flatnonzero((local[:, 0] == wanted[:, 0]) & (local[:, 1] != wanted[:, 1]))
    for item in stayed_in_prefix:
        used = set(local[local[:, 0] == local[item, 0], 1].tolist())
        nearer = set(np.flatnonzero(distances[item] < distances[item, local[item, 1]]).tolist())
        assert nearer <= used


def test_an_item_alone_on_its_id_keeps_it():
    vectors = normal(60)
    tokenizer = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=8)
    wanted = tokenizer.quantizer.assign(vectors)
    _, inverse, counts = np.unique(wanted, axis=0, return_inverse=True, return_counts=True)
    alone = counts[inverse] == 1
    assert alone.any()
    np.testing.assert_array_equal((tokenizer.codes - np.array([0, 8]))[alone], wanted[alone])
    assert tokenizer.report().collisions == len(vectors) - len(counts)


def test_every_id_can_be_used():
    tokenizer = SemanticTokenizer.fit(normal(27), levels=3, codes_per_level=3)
    every = np.array(list(itertools.product(range(3), range(3, 6), range(6, 9))))
    np.testing.assert_array_equal(np.unique(tokenizer.codes, axis=0), every)
    assert tokenizer.report().utilisation == (1.0, 1.0, 1.0)


def test_too_few_ids_are_refused_with_the_way_out():
    with pytest.raises(ConfigError, match="9 IDs, too few for 10 items\n  hint: raise codes_per_level to 4"):
        SemanticTokenizer.fit(normal(10), levels=2, codes_per_level=3)
    SemanticTokenizer.fit(normal(10), levels=2, codes_per_level=4)


def test_new_items_never_get_a_code_that_is_taken():
    tokenizer = SemanticTokenizer.fit(normal(40), levels=2, codes_per_level=8)
    new = np.concatenate([normal(40)[:10], normal(10, seed=3)])  # ten of them look just like fitted items
    codes = tokenizer.encode_new(new)
    assert codes.dtype == np.int32
    assert unique_rows(np.concatenate([tokenizer.codes, codes]))


def test_a_new_item_gets_the_code_of_its_vector_where_it_is_free():
    vectors = normal(20)
    tokenizer = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=16)
    new = normal(30, seed=1)
    wanted = tokenizer.quantizer.assign(new) + np.array([0, 16])
    for vector, code in zip(new, wanted, strict=True):
        if not (tokenizer.codes == code).all(axis=1).any():
            np.testing.assert_array_equal(tokenizer.encode_new(vector[None])[0], code)


def test_extending_keeps_the_codes_of_fitted_items():
    tokenizer = SemanticTokenizer.fit(normal(20), levels=2, codes_per_level=8)
    extended = tokenizer.extend(normal(5, seed=1)).extend(normal(5, seed=2))
    np.testing.assert_array_equal(extended.codes[:20], tokenizer.codes)
    assert extended.num_items == 30
    assert extended.num_codes == tokenizer.num_codes


def test_no_room_for_new_items_is_refused():
    tokenizer = SemanticTokenizer.fit(normal(9), levels=2, codes_per_level=3)
    assert tokenizer.encode_new(np.empty((0, 4), dtype=np.float32)).shape == (0, 2)
    with pytest.raises(ConfigError, match="too few for 10 items"):
        tokenizer.encode_new(normal(1))


def test_vectors_that_cannot_be_used_are_refused():
    broken = normal(5)
    broken[3, 1] = np.nan
    with pytest.raises(DataError, match="1 items hold NaN or infinity, first item 3"):
        SemanticTokenizer.fit(broken)
    with pytest.raises(DataError, match="width 3, the codebooks were fitted on width 4"):
        SemanticTokenizer.fit(normal(5)).encode_new(normal(2, width=3))
