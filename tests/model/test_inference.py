"""Models made cheaper to ask compute the same."""

import numpy as np
import pytest
from transformers import PreTrainedModel

from genrec.decoding.exact import score_items
from genrec.errors import ConfigError, UnsupportedError
from genrec.model.folder import load_model, save_model
from genrec.model.inference import load_for_inference, merge_adapter, quantize_dynamically
from genrec.testing import tiny_prompt

IDS = [f"i{index}" for index in range(24)]


@pytest.fixture(params=["title", "atomic", "semantic"])
def folder(request, make_model, tmp_path):
    """A model with an adapter that changes what the base says."""
    generator, description = make_model("pretrained", request.param)
    for name, weights in generator.named_parameters():
        if "lora_B" in name:
            weights.data.normal_(std=0.2)
    save_model(tmp_path, generator, description, IDS)
    return tmp_path


def test_a_merged_adapter_scores_as_one_beside_the_weights(folder):
    loaded = load_model(folder)
    prompt = tiny_prompt(loaded.generator, [3, 1, 4])
    expected = score_items(loaded.generator, [prompt])
    with loaded.generator.backbone.disable_adapter():
        assert not np.allclose(score_items(loaded.generator, [prompt]), expected, atol=1e-3)
    merged = merge_adapter(loaded)
    assert isinstance(merged.generator.backbone, PreTrainedModel)
    assert not [name for name, _ in merged.generator.named_parameters() if "lora" in name]
    np.testing.assert_allclose(score_items(merged.generator, [prompt]), expected, atol=1e-4)


def test_int8_matrices_score_nearly_the_same(folder):
    loaded = load_model(folder)
    prompt = tiny_prompt(loaded.generator, [3, 1, 4])
    expected = score_items(loaded.generator, [prompt])
    quantized = quantize_dynamically(load_model(folder)).generator
    scores = score_items(quantized, [prompt])
    assert "Linear" in {type(module).__name__ for module in quantized.lm.modules() if "quantized" in str(type(module))}
    assert not np.array_equal(scores, expected)
    assert np.corrcoef(scores[0], expected[0])[0, 1] > 0.99


@pytest.mark.parametrize("quantization", ["int8", "nf4"])
def test_an_adapter_on_quantized_weights_stays_beside_them(make_model, tmp_path, quantization):
    generator, description = make_model("pretrained", "semantic", quantization=quantization)
    save_model(tmp_path, generator, description, IDS)
    loaded = load_model(tmp_path)
    assert merge_adapter(loaded) is loaded
    with pytest.raises(UnsupportedError, match="quantized weights"):
        quantize_dynamically(loaded)


def test_a_model_without_an_adapter_is_itself(make_model, tmp_path):
    generator, description = make_model("scratch", "semantic")
    save_model(tmp_path, generator, description, IDS)
    loaded = load_model(tmp_path)
    assert merge_adapter(loaded) is loaded


@pytest.mark.parametrize("load", [load_model, load_for_inference])
def test_a_quantization_that_there_is_not_is_named(make_model, tmp_path, load):
    generator, description = make_model("pretrained", "atomic")
    save_model(tmp_path, generator, description, IDS)
    with pytest.raises(ConfigError, match=r"no quantization 'int3'\n  hint: choose none, int8 or nf4"):
        load(tmp_path, quantization="int3")


def test_what_answers_is_merged_and_quantized_on_request(folder):
    merged = load_for_inference(folder).generator
    assert isinstance(merged.backbone, PreTrainedModel)
    quantized = load_for_inference(folder, "dynamic-int8").generator
    prompt = tiny_prompt(merged, [3, 1, 4])
    assert not np.array_equal(score_items(quantized, [prompt]), score_items(merged, [prompt]))
