import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.step import TrieStep, keep_best
from genrec.model.ragged import ragged_log_softmax
from genrec.trie import CatalogTrie


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_best_children_are_those_of_a_loop(ids, data):
    trie = CatalogTrie.from_codes(data.draw(ids))
    num_users, num_beams, width = (data.draw(st.integers(1, top)) for top in (3, 4, 6))
    nodes = data.draw(
        st.lists(
            st.lists(st.integers(-1, trie.num_nodes - 1), min_size=num_beams, max_size=num_beams),
            min_size=num_users,
            max_size=num_users,
        )
    )
    first_code = data.draw(st.integers(-1, 0))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    values = rng.choice([-np.inf, -3.0, -2.0, -1.0], (num_users, num_beams, 6)).astype(np.float32)  # many are equal
    scores = rng.choice([-1.0, 0.0], (num_users, num_beams)).astype(np.float32)

    best = TrieStep(trie)(
        torch.tensor(nodes), torch.from_numpy(scores), torch.from_numpy(values), width, first_code=first_code
    )
    for user in range(num_users):
        found = [
            (scores[user, beam] + values[user, beam, trie.code[child] - first_code], beam, child)
            for beam, node in enumerate(nodes[user])
            if node >= 0
            for child in trie.children(node).tolist()
        ]
        order = sorted(range(len(found)), key=lambda place: -found[place][0])[:width]
        expected = [found[place] for place in sorted(order)]
        count = len(expected)
        assert best.score[user, :count].tolist() == [score for score, _, _ in expected]
        assert best.beam[user, :count].tolist() == [beam for _, beam, _ in expected]
        assert best.node[user, :count].tolist() == [child for _, _, child in expected]
        assert (best.node[user, count:] == -1).all()
        assert (best.score[user, count:] == -torch.inf).all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 2.0]), max_size=6), min_size=1, max_size=4),
    st.integers(1, 7),
)
def test_the_first_of_equals_are_kept(rows, width):
    first = np.cumsum([0, *map(len, rows)])
    kept = keep_best(torch.tensor([x for row in rows for x in row]), torch.from_numpy(first[:-1]), width)
    expected = [
        int(start) + place
        for start, row in zip(first, rows, strict=False)
        for place in sorted(sorted(range(len(row)), key=lambda place: -row[place])[:width])
    ]
    assert kept.tolist() == expected


def test_a_huge_node_beside_small_ones_pads_none():
    codes = np.concatenate([[[0, code] for code in range(5000)], [[node, 0] for node in range(1, 50)]])
    step = TrieStep(CatalogTrie.from_codes(codes))
    beams, scores = torch.arange(1, 51)[None], torch.zeros(1, 50)
    logprobs = torch.zeros(1, 50, 5000)
    with torch.profiler.profile(profile_memory=True) as profile:
        step(beams, scores, logprobs, width=50)
    # 5,049 children: a few lists of 40 kB an operation, where one number a beam and code takes a megabyte.
    assert max(abs(event.self_cpu_memory_usage) for event in profile.key_averages()) < 4 * logprobs.numel() / 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_the_softmax_of_rows_is_that_of_torch(rows, seed):
    rows = np.sort(rows)
    logits = torch.from_numpy(np.random.default_rng(seed).normal(0, 100, len(rows)).astype(np.float32))
    found = ragged_log_softmax(logits, torch.from_numpy(rows), 5)
    for row in set(rows.tolist()):
        torch.testing.assert_close(found[rows == row], logits[rows == row].log_softmax(0))
