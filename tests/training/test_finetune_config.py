"""Configurations: the shipped ones parse, mistakes are named."""

import pytest
import yaml

from genrec.errors import ConfigError
from genrec.shipped import shipped_files, shipped_root
from genrec.training.config import FinetuneConfig

SHIPPED = [file for file in shipped_files("finetune/configs") if file.suffix == ".yaml"]


@pytest.mark.parametrize("file", SHIPPED, ids=str)
def test_every_shipped_configuration_is_valid(file):
    config = FinetuneConfig.from_yaml(shipped_root() / file)
    assert config.prompt.max_tokens > config.prompt.max_items
    if config.base.kind == "scratch":
        assert not config.tasks.requests_per_user


def test_there_are_the_configurations_a_user_would_look_for():
    names = {file.stem for file in SHIPPED}
    assert names >= {"gpt-atomic", "gpt-semantic", "smollm2-atomic", "smollm2-semantic", "smollm2-title", "qlora-hub"}


def test_overrides_win_and_are_yaml():
    mapping = {"training": {"epochs": 7, "seed": 3}}
    overrides = ["training.epochs=2", "head.node_residual=true", "report_to=[wandb]", "items.kind=atomic"]
    config = FinetuneConfig.from_mapping(mapping, overrides)
    assert (config.training.epochs, config.training.seed) == (2, 3)
    assert (config.head.node_residual, config.report_to, config.items.kind) == (True, ["wandb"], "atomic")


def test_what_is_written_is_read_again(tmp_path):
    config = FinetuneConfig.from_mapping({}, ["base.kind=pretrained", "base.lora.rank=4", "split=none"])
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert FinetuneConfig.from_yaml(path) == config


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        ("training.epoch=3", "--set training.epoch=3: there is no key training.epoch", "did you mean training.epochs?"),
        ("trainig.epochs=3", "--set trainig.epochs=3: there is no key trainig", "did you mean training?"),
        ("items.zzz=3", "there is no key items.zzz", "keys here are kind, levels"),
        ("base.layer=3", "--set base.layer=3: there is no key base.layer", "did you mean base.layers?"),
        (
            "training.epochs=0",
            "--set training.epochs=0: training.epochs: Input should be greater than 0",
            None,
        ),
        ("training.epochs=many", "(found 'many')", None),
        ("items.kind=titles", "items.kind: Input should be 'atomic', 'semantic' or 'title'", None),
        ("base.kind=hub", "--set base.kind=hub: base: ", None),
        ("training.epochs", "--set training.epochs: expected key=value", None),
        ("training.epochs.x=3", "training.epochs", None),
        ("training.epochs=[", "--set training.epochs=[: not YAML", None),
    ],
)
def test_a_mistake_is_named_with_a_hint(override, message, hint):
    with pytest.raises(ConfigError) as error:
        FinetuneConfig.from_mapping({"base": {"kind": "scratch"}, "training": {"epochs": 1}}, [override])
    assert message in error.value.message
    assert hint is None or hint in error.value.hint
    assert error.value.exit_status == 2


@pytest.mark.parametrize(
    ("mapping", "override"),
    [
        ({"training": {"epoch": 3}}, "training.seed=1"),
        ({"base": {"kind": "hub"}}, "base.layers=3"),
        ({"base": {"kind": "scratch", "layer": 3}}, "base.layers=3"),
    ],
)
def test_a_mistake_in_a_file_is_not_blamed_on_the_command_line(mapping, override):
    with pytest.raises(ConfigError, match=r"^my\.yaml: "):
        FinetuneConfig.from_mapping(mapping, [override], source="my.yaml")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read") as error:
        FinetuneConfig.from_yaml(tmp_path / "no.yaml")
    assert "genrec recipes ls" in error.value.hint
    path = tmp_path / "bad.yaml"
    path.write_text("a: [")
    with pytest.raises(ConfigError, match="not YAML"):
        FinetuneConfig.from_yaml(path)
    path.write_text("- a\n- b\n")
    with pytest.raises(ConfigError, match="expected keys and values, not list"):
        FinetuneConfig.from_yaml(path)


def test_overriding_does_not_change_the_mapping_given():
    mapping = {"training": {"epochs": 7}}
    FinetuneConfig.from_mapping(mapping, ["training.epochs=2"])
    assert mapping == {"training": {"epochs": 7}}
