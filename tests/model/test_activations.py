import torch
from torch import nn
from transformers.activations import NewGELUActivation

from genrec.model.config import ScratchConfig
from genrec.model.inference import fuse_activations
from genrec.testing import toy_dataset
from genrec.testing.untrained import untrained_model


def test_a_fused_activation_is_the_same_function():
    model = untrained_model(toy_dataset(items=24), ScratchConfig(layers=2, width=32, heads=2))
    tokens = torch.tensor([[0, 1, 0, 1]])

    def hidden():
        generator = model.generator
        vectors = generator.embed(tokens, torch.full_like(tokens, -1))
        return generator.hidden(vectors, torch.ones_like(tokens), torch.arange(4)[None])

    with torch.inference_mode():
        before = hidden()
        assert any(isinstance(module, NewGELUActivation) for module in model.generator.modules())
        assert fuse_activations(model) is model
        assert not any(isinstance(module, NewGELUActivation) for module in model.generator.modules())
        assert sum(isinstance(module, nn.GELU) for module in model.generator.modules()) == 2
        torch.testing.assert_close(hidden(), before, atol=1e-5, rtol=1e-5)
