"""An exported model is the same language model to plain transformers."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.errors import ConfigError, UnsupportedError
from genrec.model.export import export_merged
from genrec.model.folder import save_model
from genrec.testing import tiny_prompt

IDS = [f"i{index}" for index in range(24)]


@pytest.mark.parametrize(
    ("kind", "items"),
    [("scratch", "atomic"), ("scratch", "semantic"), ("pretrained", "semantic"), ("pretrained", "title")],
)
@torch.no_grad()
def test_logits_of_the_children_of_every_node_on_the_way_are_ours(make_model, tmp_path, kind, items):
    generator, description = make_model(kind, items)
    save_model(tmp_path / "model", generator, description, IDS)
    done = CliRunner().invoke(app, ["export", str(tmp_path / "model"), "--merged", str(tmp_path / "merged")])
    assert done.exit_code == 0, done.output
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    vocabulary, trie = generator.vocabulary, generator.vocabulary.trie
    assert plain.config.vocab_size == vocabulary.text_size + vocabulary.num_new_tokens
    prompt = tiny_prompt(generator, [3, 1, 4, 17])
    tokens, nodes = torch.tensor(prompt.tokens)[None], torch.tensor(prompt.nodes).long()[None]
    logits = plain(tokens).logits[0]
    positions = torch.arange(tokens.shape[1])[None]
    hidden = generator.hidden(generator.embed(tokens, nodes), torch.ones_like(tokens), positions)[0]
    for position, node in enumerate(prompt.nodes.tolist()):
        is_inside = node >= 0 and len(trie.children(node)) > 0
        children = trie.children(node if is_inside else 0)
        over_children = torch.log_softmax(logits[position, vocabulary.code_tokens[trie.code[children]]], dim=0)
        state = hidden[position : position + 1]
        ours = (
            generator.head.child_logprobs(state, torch.tensor([node])).logprob
            if is_inside
            else generator.head.root_logprobs(state)[0]
        )
        torch.testing.assert_close(over_children, ours, rtol=1e-4, atol=1e-4)


def test_items_and_text_tokenizer_are_there(make_model, tmp_path):
    generator, description = make_model("pretrained", "semantic")
    save_model(tmp_path / "model", generator, description, IDS)
    out = export_merged(tmp_path / "model", tmp_path / "merged")
    table = pq.read_table(out / "items.parquet")
    assert table["item_id"].to_pylist() == IDS
    np.testing.assert_array_equal(np.array(table["tokens"].to_pylist()), generator.vocabulary.tokens)
    assert AutoTokenizer.from_pretrained(out)("Red River")["input_ids"]
    with pytest.raises(ConfigError, match="is not empty"):
        export_merged(tmp_path / "model", out)


def test_node_residuals_cannot_be_exported(make_model, tmp_path):
    generator, description = make_model("scratch", "semantic", node_residual=True)
    save_model(tmp_path / "model", generator, description, IDS)
    with pytest.raises(UnsupportedError) as error:
        export_merged(tmp_path / "model", tmp_path / "merged")
    assert "head.node_residual=false" in error.value.hint
