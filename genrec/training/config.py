"""Configuration of a fine-tuning run: the YAML files under ``finetune/configs``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from genrec.baselines.position_targets import TargetKind
from genrec.errors import ConfigError
from genrec.items.config import ItemsConfig
from genrec.model.config import BaseModelConfig, CodeHeadConfig, PretrainedConfig, ScratchConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

Fraction = Annotated[float, Field(ge=0, le=1)]
_KINDS = {"scratch": ScratchConfig, "pretrained": PretrainedConfig}


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PromptConfig(_Config):
    """How a history becomes a prompt."""

    max_items: PositiveInt = 50
    """Longest history, in items; older ones are not read."""
    max_tokens: PositiveInt = 512
    """Longest prompt, in tokens; the oldest items go first."""
    templates: Path | None = None
    """Folder of Jinja templates. Default: the shipped ones (genrec recipes cp prompts .)."""


class TasksConfig(_Config):
    """What is trained on, beside the histories."""

    requests_per_user: NonNegativeFloat = 0.0
    """Requests in plain words with their answers, made from histories and item attributes, an epoch."""


class ExamplesConfig(_Config):
    """How histories are sampled, weighed and changed. By default each is trained on once an epoch, as it is."""

    targets: TargetKind = "auto"
    """What a position is trained to predict: the next item, or, drawn anew each epoch, any item of the next basket, all
    that a user meets at one moment (head.one_position). auto: what the split asks for, where the head allows it."""
    half_life: PositiveFloat | None = None
    """Age at which an interaction is a target half as often, as a share of the time that the data span. Default: 0.1
    where the split asks for what comes after all that is trained on (global-temporal, next-basket), else age does not
    matter."""
    history_exponent: NonNegativeFloat = 0.0
    """Popularity-aware sampling: histories are drawn in proportion to the mean of count ** -exponent of their items."""
    target_threshold: PositiveFloat | None = None
    """Items with a larger share of the interactions are targets only with a chance of sqrt(threshold / share)."""
    tail_copies: NonNegativeInt = 0
    """Oversampling: further times an epoch that windows with tail items come, with these alone as targets."""
    tail_share: Fraction = 0.2
    """The tail: the least popular items that hold this share of the interactions."""
    propensity_exponent: NonNegativeFloat = 0.0
    """Inverse propensity: targets weigh count ** -exponent in the loss, with mean 1."""
    propensity_clip: PositiveFloat = 10.0
    """Largest such weight, in multiples of the smallest."""
    augment: list[Literal["crop", "mask", "reorder"]] = []
    """Ways in which histories are changed at random."""
    augment_chance: Fraction = 0.5
    """Chance of a history to be changed, by one of them."""
    crop: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Share of a history that a crop keeps."""
    mask: Fraction = 0.3
    """Share of a history's items that a mask leaves out."""
    reorder: Fraction = 0.2
    """Share of a history that is shuffled."""


ScorerName = Literal[
    "popularity-recent",
    "markov-skip",
    "sasrec",
    "sasrec-text",
    "ease",
    "ease-recent",
    "item-knn",
    "item-knn-recent",
    "tfidf-knn",
    "bert-knn",
]


class TeacherConfig(_Config):
    """Scorers whose expectations are soft targets beside the true ones (distillation)."""

    scorers: list[ScorerName] = ["sasrec"]
    """Fitted on the training part; pooled with weights that make the validation targets likeliest. One that these data
    do not allow is left out, and the log says so."""
    weight: Fraction = 0.7
    """Share of the loss that is against the teacher, where the teacher expects anything below the node."""
    final_weight: Fraction | None = None
    """The share at the end of the run, reached along a line. Default: the same."""
    top: PositiveInt = 64
    """Items kept a position."""
    met: Literal["auto", "leave-out", "keep"] = "auto"
    """Items that the user met before: leave them out of the targets, as far as validation says that nobody comes back,
    or keep the probability that sasrec's network gives them. To leave out can be learned where the model reads what
    was met, and costs where it does not (eval/results/experiments.md): auto keeps them where most interactions are of
    users with more than prompt.max_items, and leaves them out elsewhere."""
    baskets: bool = False
    """Teach next baskets, too. A generator that learns them from the data alone adds more to what guides it than one
    that learns to say what its guides say (eval/results/experiments.md); alone, the one that is taught is better."""
    sampled: bool = False
    """Below the root, learn on the way to an item drawn from the teacher, not to the true one (head.one_position)."""
    targets: Path | None = None
    """Folder of targets made before (genrec.training.teacher), instead of scorers."""


class EvidenceConfig(_Config):
    """Scorers that guide the search of the finished model; validation users choose what they weigh."""

    scorers: list[ScorerName]
    """Fitted on the training part here. sasrec and sasrec-text stay as they are, in the model folder, and are not
    trained again where a teacher has trained them; the others are fitted on the whole data set whenever the model is
    loaded, EASE on 2,000 items and more once: its weights stay in the cache. One that these data do not allow is left
    out, and the log says so."""
    validation_users: PositiveInt = 1000
    """Validation users who choose what the scorers weigh beside the generator, at most."""


class TrainingConfig(_Config):
    """The training loop."""

    epochs: PositiveInt = 20
    """Passes over the training histories."""
    tokens_per_batch: PositiveInt = 4096
    """Size of a batch in tokens, padding included."""
    accumulate: PositiveInt = 1
    """Batches an optimizer step."""
    learning_rate: PositiveFloat = 1e-3
    """Peak rate of the backbone or its adapter (AdamW)."""
    code_learning_rate: PositiveFloat | None = None
    """Peak rate of the code head; default: the same."""
    weight_decay: NonNegativeFloat = 0.01
    """AdamW's decay of matrices of the backbone; never of the code head."""
    warmup: Fraction = 0.05
    """Share of the run over which the rate rises from 0; it then falls along a cosine."""
    final_rate: Fraction = 0.1
    """Rate at the end, as a share of the peak."""
    max_grad_norm: PositiveFloat = 1.0
    """Gradients are scaled down to this norm."""
    label_smoothing: Fraction = 0.0
    """Share of each target spread over the other children of its node."""
    teacher: TeacherConfig | None = None
    """Soft targets of other scorers. Default: none."""
    seed: NonNegativeInt = 0
    """Of everything random."""
    validation_users: NonNegativeInt = 500
    """Users ranked after an epoch; the weights with the best NDCG@10 are kept. 0: the last are."""
    validate_every: PositiveInt = 1
    """Epochs between two validations."""
    validation_beams: PositiveInt = 20
    """Beam width in validation."""
    patience: PositiveInt | None = None
    """Stop after so many validations without a better one."""
    checkpoint_minutes: NonNegativeFloat = 5.0
    """Minutes between two checkpoints for --resume. 0: one after every step and every validation."""
    stream: bool = False
    """Read histories from disk through Hugging Face datasets instead of holding them in memory."""
    save_dtype: Literal["float32", "float16"] = "float32"
    """Number type of the weights in the model folder."""


class FinetuneConfig(_Config):
    """All of a fine-tuning run.

    Examples
    --------
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}}, overrides=["training.epochs=3"])
    >>> config.training.epochs
    3
    """

    base: BaseModelConfig = ScratchConfig()
    """The base model."""
    items: ItemsConfig = ItemsConfig()
    """The item tokenizer."""
    head: CodeHeadConfig = CodeHeadConfig()
    """The code head."""
    prompt: PromptConfig = PromptConfig()
    """How a history becomes a prompt."""
    tasks: TasksConfig = TasksConfig()
    """What is trained on, beside the histories."""
    examples: ExamplesConfig = ExamplesConfig()
    """How histories are sampled, weighed and changed."""
    training: TrainingConfig = TrainingConfig()
    """The training loop."""
    evidence: EvidenceConfig | None = None
    """What guides the finished model's search. Default: nothing."""
    split: Literal["leave-last-out", "global-temporal", "next-basket", "none"] = "leave-last-out"
    """What is held out of training. none: everything is trained on, and nothing can be measured."""
    report_to: list[Literal["tensorboard", "wandb", "mlflow"]] = []
    """Trackers that get the metrics beside metrics.jsonl."""

    @classmethod
    def from_yaml(cls, path: Path | str, overrides: Sequence[str] = ()) -> FinetuneConfig:
        """Read a YAML file.

        Parameters
        ----------
        path
            The file.
        overrides
            ``section.key=value`` strings that win over the file; values are YAML.

        Raises
        ------
        ConfigError
            If the file is missing or not YAML, or a key or value is not valid.
        """
        try:
            mapping = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except OSError as error:
            hint = "genrec recipes ls shows the shipped ones, genrec recipes cp copies one"
            raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint=hint) from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: not YAML: {error}") from error
        return cls.from_mapping(mapping, overrides, source=str(path))

    @classmethod
    def from_mapping(
        cls, mapping: dict[str, Any], overrides: Sequence[str] = (), *, source: str = "configuration"
    ) -> FinetuneConfig:
        """Validate a mapping, with ``section.key=value`` overrides."""
        if not isinstance(mapping, dict):
            raise ConfigError(f"{source}: expected keys and values, not {type(mapping).__name__}")
        for override in overrides:
            key, separator, value = override.partition("=")
            if not separator:
                raise ConfigError(f"--set {override}: expected key=value")
            try:
                mapping = _with(mapping, key.strip().split("."), yaml.safe_load(value))
            except yaml.YAMLError as error:
                raise ConfigError(f"--set {override}: not YAML: {error}") from error
        try:
            return cls.model_validate(mapping)
        except ValidationError as error:
            raise _readable(error, overrides, source) from error


def _with(mapping: dict[str, Any], path: list[str], value: object) -> dict[str, Any]:
    """A copy of a mapping in which the key at ``path`` has a value."""
    if len(path) == 1:
        return {**mapping, path[0]: value}
    inner = mapping.get(path[0])
    return {**mapping, path[0]: _with(inner if isinstance(inner, dict) else {}, path[1:], value)}


def _readable(error: ValidationError, overrides: Sequence[str], source: str) -> ConfigError:
    """The first thing that is wrong, where it was said, and the key that was probably meant."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    # Pydantic names the kind of base model inside the path, where no key of that name is written.
    path = [part for place, part in enumerate(where) if place != 1 or where[0] != "base" or part not in _KINDS]
    chosen = [*path, "kind"] if first["type"].startswith("union_tag") else path
    source = next((f"--set {one}" for one in reversed(overrides) if _speaks_of(one, chosen)), source)
    if first["type"] == "extra_forbidden":
        keys = _keys_at(where[:-1])
        near = difflib.get_close_matches(where[-1], keys, n=1)
        hint = f"did you mean {'.'.join([*path[:-1], near[0]])}?" if near else f"keys here are {', '.join(keys)}"
        return ConfigError(f"{source}: there is no key {'.'.join(path)}", hint=hint)
    return ConfigError(f"{source}: {'.'.join(path)}: {first['msg']} (found {first['input']!r})")


def _speaks_of(override: str, path: Sequence[str]) -> bool:
    """Whether an override sets the key at a place, one above it, or one below it."""
    key = override.partition("=")[0].strip().split(".")
    shared = min(len(key), len(path))
    return key[:shared] == list(path[:shared])


def _keys_at(path: list[str]) -> list[str]:
    """Keys of the section that a place in a configuration, as pydantic names it, lies in."""
    section: type[BaseModel] = FinetuneConfig
    for part in path:
        # Of the two kinds of base model, the place names the one that was chosen.
        fields = {name: field.annotation for name, field in section.model_fields.items()}
        found: object = _KINDS.get(part, fields.get(part))
        if isinstance(found, type) and issubclass(found, BaseModel):
            section = found
    return list(section.model_fields)
