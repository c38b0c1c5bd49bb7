"""QLoRA, which bitsandbytes also computes on a CPU."""

import numpy as np
import pytest
import torch

from genrec.decoding.beam import beam_search
from genrec.decoding.exact import score_items
from genrec.model.folder import load_model, save_model
from genrec.testing import tiny_prompt
from genrec.training.batches import collate
from genrec.training.examples import TrainingExample
from genrec.training.loss import CodeLoss

IDS = [f"i{index}" for index in range(24)]


@pytest.mark.parametrize("quantization", ["int8", "nf4"])
def test_a_quantized_base_loads_trains_and_decodes(make_model, tmp_path, quantization):
    generator, description = make_model("pretrained", "semantic", quantization=quantization)
    linear = {type(module).__name__ for module in generator.modules()}
    assert {"int8": "Linear8bitLt", "nf4": "Linear4bit"}[quantization] in linear
    prompt = tiny_prompt(generator, [3, 1, 4, 1, 5])
    loss = CodeLoss(generator.train())
    batch = collate([TrainingExample(prompt.tokens, prompt.nodes, prompt.nodes >= 0)])
    optimizer = torch.optim.AdamW(generator.trainable().values(), lr=1e-2)
    losses = []
    for _ in range(4):
        value = loss(batch)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(value.item())
    assert losses[-1] < losses[0]
    assert all("lora_" in name or name.startswith("head.") for name in generator.trainable())
    decoded = beam_search(generator.eval(), [prompt], k=5, beams=24)
    assert len(set(decoded.items[0].tolist())) == 5
    save_model(tmp_path, generator, description, IDS)
    loaded = load_model(tmp_path).generator
    np.testing.assert_allclose(score_items(loaded, [prompt]), score_items(generator, [prompt]), atol=1e-4)


def test_quantizing_at_load_keeps_the_scores_near(make_model, tmp_path):
    generator, description = make_model("pretrained", "atomic")
    save_model(tmp_path, generator, description, IDS)
    prompt = tiny_prompt(generator, [3, 1, 4])
    quantized = load_model(tmp_path, quantization="int8").generator
    np.testing.assert_allclose(score_items(quantized, [prompt]), score_items(generator, [prompt]), atol=0.1)
