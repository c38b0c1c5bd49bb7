import numpy as np
import pytest
import torch

from genrec.decoding.beam import beam_search
from genrec.decoding.tree_attention import TreeReader
from genrec.errors import ConfigError, ModelError
from genrec.prompt.sequence import TokenSequence
from genrec.testing import tiny_generator, tiny_prompt


@torch.inference_mode()
def plain_hidden(generator, prompt, path):
    """State after a path of nodes, from one forward without a cache."""
    vocabulary = generator.vocabulary
    tokens = np.concatenate([prompt.tokens, vocabulary.code_tokens[vocabulary.trie.code[path]]])
    tokens, nodes = torch.tensor(tokens)[None], torch.tensor(np.concatenate([prompt.nodes, path])).long()[None]
    embeddings = generator.embed(tokens, nodes)
    return generator.hidden(embeddings, torch.ones_like(tokens), torch.arange(tokens.shape[1])[None])[0, -1]


@pytest.mark.parametrize("backbone", ["gpt2", "llama"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("node_residual", [False, True])
@torch.inference_mode()
def test_nodes_read_as_a_tree_equal_paths_read_alone(backbone, attention, node_residual):
    codes = np.array([[0, 2, 4], [0, 3, 4], [1, 2, 4], [1, 3, 5]])
    generator = tiny_generator(codes=codes, backbone=backbone, node_residual=node_residual)
    generator.backbone.set_attn_implementation(attention)
    prompts = [tiny_prompt(generator, history) for history in ([], [1, 2], [3])]
    reader = TreeReader(generator, prompts)
    root = [plain_hidden(generator, prompt, np.zeros(0, dtype=np.int64)) for prompt in prompts]
    torch.testing.assert_close(reader.prompt_hidden, torch.stack(root), atol=1e-4, rtol=1e-4)

    # First level: two beams, the second prompt has one only and the third none.
    first = torch.tensor([[1, 2], [2, -1], [-1, -1]])
    hidden = reader.read(first, torch.tensor(1), torch.eye(2, dtype=torch.bool).expand(3, 2, 2))
    assert hidden.isfinite().all()
    # Second level: three children, whose parents stand in slots 0 or 1; now the third prompt has a beam.
    second = torch.tensor([[5, 3, 4], [5, 6, -1], [-1, -1, -1]])
    parents = torch.tensor([[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    visible = torch.zeros(3, 3, 5, dtype=torch.bool)
    visible.scatter_(2, parents[..., None], True)
    visible[:, range(3), range(2, 5)] = True
    deeper = reader.read(second, torch.tensor(2), visible)
    assert deeper.isfinite().all()

    paths = {(0, 0): [1], (0, 1): [2], (1, 0): [2]}
    for (user, slot), path in paths.items():
        expected = plain_hidden(generator, prompts[user], np.array(path))
        torch.testing.assert_close(hidden[user, slot], expected, atol=1e-4, rtol=1e-4)
    paths = {(0, 0): [2, 5], (0, 1): [1, 3], (0, 2): [1, 4], (1, 0): [2, 5], (1, 1): [2, 6]}
    for (user, slot), path in paths.items():
        expected = plain_hidden(generator, prompts[user], np.array(path))
        torch.testing.assert_close(deeper[user, slot], expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_forgetting_keeps_the_prompts():
    generator = tiny_generator(num_items=6)
    reader = TreeReader(generator, [tiny_prompt(generator, [0]), tiny_prompt(generator, [1, 2, 3])])
    nodes, itself = torch.tensor([[1, 2], [1, 2]]), torch.eye(2, dtype=torch.bool).expand(2, 2, 2)
    reader.forget()
    before = reader.read(nodes, torch.tensor(1), itself)
    reader.forget()
    assert reader.cache.get_seq_length() == 7
    torch.testing.assert_close(reader.read(nodes, torch.tensor(1), itself), before)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_the_cache_holds_each_prompt_once_and_each_beam_once_a_level(levels, monkeypatch):
    every = np.indices((3,) * levels).reshape(levels, -1).T + 3 * np.arange(levels)
    generator = tiny_generator(codes=every)
    prompts = [tiny_prompt(generator, history) for history in ([0, 1, 2], [2])]
    passes, readers = [], []
    hidden, start = type(generator).hidden, TreeReader.__init__
    monkeypatch.setattr(
        type(generator),
        "hidden",
        lambda self, embeddings, *rest: passes.append(tuple(embeddings.shape[:2])) or hidden(self, embeddings, *rest),
    )
    monkeypatch.setattr(TreeReader, "__init__", lambda self, *given: readers.append(self) or start(self, *given))
    beam_search(generator, prompts, k=3, beams=3)
    cache = readers[0].cache
    # At every level each user has 3 beams: 3 queries in the user's one row, never a row a beam.
    longest = 1 + 3 * levels
    assert passes == [(2, longest)] + [(2, 3)] * (levels - 1)
    assert cache.get_seq_length() == longest + 3 * (levels - 1)
    assert cache.layers[0].keys.shape[0] == 2


def test_prompts_that_cannot_be_read_are_refused():
    generator = tiny_generator(num_items=6)
    empty = TokenSequence(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32))
    for prompts in ([], [tiny_prompt(generator, [1]), empty]):
        with pytest.raises(ConfigError):
            beam_search(generator, prompts)
    # 128 positions: a begin token, 63 items of 2 codes, and one more code of the next item.
    assert (beam_search(generator, [tiny_prompt(generator, [0] * 63)], k=6).items >= 0).all()
    with pytest.raises(ConfigError, match="130 positions"):
        beam_search(generator, [tiny_prompt(generator, [0] * 64)])
    with pytest.raises(ConfigError, match="eval"):
        beam_search(generator.train(), [tiny_prompt(generator, [0])])


def test_a_model_that_computes_nan_is_refused():
    generator = tiny_generator(num_items=6)
    generator.head.code_vectors.data[0] = float("nan")  # an input row: only prompts or beams with code 0 break
    item = int(np.flatnonzero(generator.vocabulary.tokenizer.codes[:, 0] == 0)[0])
    with pytest.raises(ModelError, match="NaN"):
        beam_search(generator, [tiny_prompt(generator, [item])])
