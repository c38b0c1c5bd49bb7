"""What is saved is what is loaded; what is not whole is refused."""

import json
import logging

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from genrec.decoding.exact import score_items
from genrec.errors import ModelError
from genrec.model.depth import DepthReader
from genrec.model.folder import load_model, save_model
from genrec.testing import tiny_prompt

IDS = [f"i{index}" for index in range(24)]
KINDS = {
    "scratch, atomic": ("scratch", "atomic", False),
    "scratch, semantic, residuals": ("scratch", "semantic", True),
    "LoRA, atomic": ("pretrained", "atomic", False),
    "LoRA, semantic, residuals": ("pretrained", "semantic", True),
    "LoRA, title": ("pretrained", "title", False),
    "LoRA, title, residuals": ("pretrained", "title", True),
}


def scores(generator):
    return score_items(generator, [tiny_prompt(generator, history) for history in ([3, 1, 4], [], [7, 7])])


@pytest.fixture
def folder(make_model, tmp_path):
    """A saved LoRA model on semantic IDs."""
    save_model(tmp_path / "model", *make_model("pretrained", "semantic"), IDS)
    return tmp_path / "model"


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_the_same_after_saving_and_loading(make_model, tmp_path, kind):
    generator, description = make_model(*KINDS[kind])
    save_model(tmp_path, generator, description, IDS)
    loaded = load_model(tmp_path)
    np.testing.assert_allclose(scores(loaded.generator), scores(generator), rtol=0, atol=1e-6)
    assert loaded.item_ids == IDS
    assert (loaded.text_tokenizer is None) == (KINDS[kind][0] == "scratch")
    assert loaded.description.model_dump(exclude={"files"}) == description.model_dump(exclude={"files"})
    assert not loaded.generator.training


def test_older_folders_have_a_reader_that_ids_of_one_code_never_used(make_model, tmp_path):
    generator, description = make_model("scratch", "atomic", one_position=True)
    expected = scores(generator)
    generator.head.depth_reader = DepthReader(generator.head.width)
    save_model(tmp_path, generator, description, IDS)
    with safe_open(tmp_path / "code_head.safetensors", "pt") as file:
        assert "depth_reader.out.weight" in file.keys()  # noqa: SIM118
    loaded = load_model(tmp_path).generator
    assert loaded.head.depth_reader is None
    np.testing.assert_allclose(scores(loaded), expected, rtol=0, atol=1e-6)


def test_float16_halves_the_tensors_and_hardly_moves_the_scores(make_model, tmp_path):
    generator, description = make_model("pretrained", "atomic")
    save_model(tmp_path / "half", generator, description, IDS, torch.float16)
    for name in ("adapter_model.safetensors", "code_head.safetensors"):
        with safe_open(tmp_path / "half" / name, "pt") as file:
            assert {file.get_tensor(key).dtype for key in file.keys()} == {torch.float16}  # noqa: SIM118
    loaded = load_model(tmp_path / "half").generator
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    np.testing.assert_allclose(scores(loaded), scores(generator), atol=0.02)


@pytest.mark.parametrize(
    ("kind", "part"),
    [("pretrained", "head.code_vectors"), ("pretrained", "lora_B.default.weight"), ("scratch", "mlp.c_fc.weight")],
)
def test_weights_that_would_be_written_as_infinite_are_refused_before_anything_is(make_model, tmp_path, kind, part):
    generator, description = make_model(kind)
    weights = next(p for name, p in generator.named_parameters() if name.endswith(part))
    weights.data.view(-1)[1] = 7e4
    with pytest.raises(ModelError, match=r"weights up to 7e\+04, infinite in float16") as error:
        save_model(tmp_path / "model", generator, description, IDS, torch.float16)
    assert "save_dtype=float32" in error.value.hint
    assert not (tmp_path / "model").exists()
    save_model(tmp_path / "model", generator, description, IDS)
    weights.data.view(-1)[1] = torch.nan
    with pytest.raises(ModelError, match="NaN or infinite"):
        save_model(tmp_path / "other", generator, description, IDS)


def test_a_from_scratch_model_loads_in_plain_transformers(make_model, tmp_path):
    generator, description = make_model("scratch", "atomic")
    save_model(tmp_path, generator, description, IDS)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    vectors = torch.randn(1, 5, 32)
    ours = generator.hidden(vectors, torch.ones(1, 5), torch.arange(5)[None])
    torch.testing.assert_close(plain.base_model(inputs_embeds=vectors).last_hidden_state, ours)


def test_the_adapter_loads_in_plain_peft(make_model, base_folder, tmp_path):
    generator, description = make_model("pretrained", "semantic")
    save_model(tmp_path, generator, description, IDS)
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_folder), tmp_path).eval()
    tokens = torch.arange(12)[None]
    torch.testing.assert_close(plain(tokens).logits, generator.backbone(tokens).logits)


def test_the_adapter_names_its_base_model_as_the_configuration_does(folder, base_folder):
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(base_folder)


@pytest.mark.parametrize(
    "name",
    ["adapter_model.safetensors", "code_head.safetensors", "items.parquet", "item_tokenizer/item_tokenizer.json"],
)
def test_a_changed_or_missing_file_is_refused(folder, name):
    names = json.loads((folder / "genrec.json").read_text())["files"]
    assert name in names, sorted(names)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} has changed"):
        load_model(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        load_model(folder)


def test_every_file_that_loading_reads_has_its_hash(folder):
    hashed = set(json.loads((folder / "genrec.json").read_text())["files"])
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - hashed == {"genrec.json"}


def test_the_log_the_card_and_trackers_may_change(folder):
    for name in ("README.md", "metrics.jsonl", "events.out.tfevents"):
        (folder / name).write_text("later")
    load_model(folder)


def describe(folder, **changes):
    path = folder / "genrec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_newer_format_is_refused(folder):
    describe(folder, format_version=99)
    with pytest.raises(ModelError, match="format 99") as error:
        load_model(folder)
    assert error.value.hint == "upgrade genrec"


def test_unknown_keys_are_ignored_and_logged(folder, caplog):
    describe(folder, fusion={"cf": 0.3})
    with caplog.at_level(logging.INFO, "genrec"):
        load_model(folder)
    assert "keys of a newer version ignored: fusion" in caplog.text


def test_a_folder_that_is_no_model_says_what_one_is(tmp_path):
    with pytest.raises(ModelError, match="is not a model folder") as error:
        load_model(tmp_path)
    assert "genrec finetune" in error.value.hint
    (tmp_path / "genrec.json").write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        load_model(tmp_path)
    (tmp_path / "genrec.json").write_text("{}")
    with pytest.raises(ModelError, match="genrec_version"):
        load_model(tmp_path)


def test_a_base_model_that_is_not_there(folder):
    base = json.loads((folder / "genrec.json").read_text())["base"] | {"name": "/no/such/folder"}
    describe(folder, base=base)
    with pytest.raises(ModelError, match="base model '/no/such/folder' does not load") as error:
        load_model(folder)
    assert "hub id" in error.value.hint
