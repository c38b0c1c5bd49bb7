"""Backbones computed by plain calls give the states that transformers gives."""

import pytest
import torch
from transformers import DynamicCache, GPT2Config, GPT2Model, LlamaConfig, LlamaModel

from genrec.decoding import beam_search
from genrec.model.folder import load_model, save_model
from genrec.model.inference import lean, load_for_inference
from genrec.model.lean_gpt2 import LeanGPT2
from genrec.model.lean_llama import LeanLlama
from genrec.testing import tiny_prompt

WIDTH = 24


def gpt2(**settings):
    return GPT2Model(GPT2Config(vocab_size=8, n_layer=3, n_embd=WIDTH, n_head=4, n_positions=32, **settings))


def llama(pairs=2, **settings):
    shape = {"hidden_size": WIDTH, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4}
    return LlamaModel(LlamaConfig(vocab_size=8, num_key_value_heads=pairs, **shape, **settings))


@pytest.fixture(params=["gpt2", "llama", "llama without shared keys"])
def both(request):
    """A model with random weights everywhere, and its lean counterpart."""
    torch.manual_seed(0)
    model, kind = {
        "gpt2": (gpt2(), LeanGPT2),
        "llama": (llama(), LeanLlama),
        "llama without shared keys": (llama(pairs=4), LeanLlama),
    }[request.param]
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    model.eval()
    assert kind.can_stand_for(model)
    twin = type(model)(model.config).eval()
    twin.load_state_dict(model.state_dict())
    return twin, kind(model)


def states(model, cache, vectors, mask, positions, **more):
    with torch.inference_mode():
        return model(
            inputs_embeds=vectors,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
            **more,
        ).last_hidden_state


def close(found, expected):
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_prompts_and_then_a_tree_of_nodes(both):
    # Three prompts of 5, 3 and 1 tokens, then four nodes that see their prompt, themselves and some of the others.
    lengths, vectors = torch.tensor([5, 3, 1]), torch.randn(3, 5, WIDTH)
    real = torch.arange(5) < lengths[:, None]
    caches = [DynamicCache(), DynamicCache()]
    first = [
        states(model, cache, vectors, real.long(), torch.arange(5)[None].expand(3, -1))
        for model, cache in zip(both, caches, strict=True)
    ]
    close(first[1][real], first[0][real])
    nodes, visible = torch.randn(3, 4, WIDTH), torch.eye(4, dtype=torch.bool) | (torch.rand(4, 4) < 0.5)
    seen = torch.cat([real[:, None].expand(-1, 4, -1), visible.expand(3, -1, -1)], dim=2)
    mask = torch.zeros(1).where(seen, torch.finfo(torch.float32).min)[:, None]
    after = [
        states(model, cache, nodes, mask, lengths[:, None].expand(-1, 4))
        for model, cache in zip(both, caches, strict=True)
    ]
    close(after[1], after[0])
    assert [cache.get_seq_length() for cache in caches] == [9, 9]


def test_the_states_of_one_position_each(both):
    model, lean_model = both
    vectors, only, positions = torch.randn(3, 5, WIDTH), torch.tensor([4, 2, 0]), torch.arange(5)[None].expand(3, -1)
    real = (torch.arange(5) <= only[:, None]).long()
    cache, whole = DynamicCache(), DynamicCache()
    expected = states(model, whole, vectors, real, positions)[torch.arange(3), only][:, None]
    close(states(lean_model, cache, vectors, real, positions, only=only), expected)
    # Keys and values are there for all positions, and what follows sees them.
    more, both_seen = torch.randn(3, 2, WIDTH), torch.ones(3, 2, 7, dtype=torch.bool).tril(5)
    both_seen[:, :, :5] = real[:, None].bool()
    mask = torch.zeros(1).where(both_seen, torch.finfo(torch.float32).min)[:, None]
    at = only[:, None] + torch.tensor([1, 2])
    expected = states(model, whole, more, mask, at)[torch.arange(3), [1, 0, 1]][:, None]
    close(states(lean_model, cache, more, mask, at, only=torch.tensor([1, 0, 1])), expected)


def test_a_text_goes_on(both):
    caches, vectors = (DynamicCache(), DynamicCache()), torch.randn(1, 6, WIDTH)
    for first, end in ((0, 3), (3, 4), (4, 6)):
        mask, positions = torch.ones(1, end, dtype=torch.int64), torch.arange(first, end)[None]
        expected, found = (
            states(model, cache, vectors[:, first:end], mask, positions)
            for model, cache in zip(both, caches, strict=True)
        )
        close(found, expected)


def test_padding_before_tokens_is_refused(both):
    with pytest.raises(AssertionError, match="padding has to stand behind"):
        states(both[1], None, torch.randn(1, 2, WIDTH), torch.tensor([[0, 1]]), torch.tensor([[0, 0]]))


def test_what_computes_something_else_is_left_alone():
    others = [
        gpt2(activation_function="relu"),
        gpt2(scale_attn_by_inverse_layer_idx=True),
        gpt2(add_cross_attention=True),
        llama(attention_bias=True),
        llama(hidden_act="gelu"),
        llama().to(torch.bfloat16),
        torch.nn.Linear(2, 2),
    ]
    assert not any(kind.can_stand_for(model) for model in others for kind in (LeanGPT2, LeanLlama))


@pytest.mark.parametrize(("kind", "lean_kind"), [("scratch", LeanGPT2), ("pretrained", LeanLlama)])
def test_a_loaded_model_finds_the_same_items(make_model, tmp_path, kind, lean_kind):
    generator, description = make_model(kind, "semantic", node_residual=kind == "scratch")
    save_model(tmp_path, generator, description, [f"i{index}" for index in range(24)])
    plain, fast = load_model(tmp_path).generator, load_for_inference(tmp_path).generator
    assert type(fast.lm.base_model) is lean_kind
    assert sum(p.numel() for p in fast.lm.base_model.parameters()) > 0
    prompts = [tiny_prompt(plain, items) for items in ([3, 1, 4], [7])]
    expected, found = (beam_search(one, prompts, k=6, beams=12) for one in (plain, fast))
    assert found.items.tolist() == expected.items.tolist()
    torch.testing.assert_close(torch.tensor(found.scores), torch.tensor(expected.scores), atol=1e-4, rtol=1e-4)


def test_a_quantized_model_stays_as_it_is(make_model, tmp_path):
    generator, description = make_model("pretrained", "semantic", quantization="nf4")
    save_model(tmp_path, generator, description, [f"i{index}" for index in range(24)])
    loaded = load_model(tmp_path)
    base = loaded.generator.lm.base_model
    assert lean(loaded).generator.lm.base_model is base
