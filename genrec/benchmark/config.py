"""``eval/configs/X.yaml``: which models, how much tuning, how long."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, PositiveInt, ValidationError, field_validator

from genrec.errors import ConfigError
from genrec.evaluation.protocol import refuse_sampling

SplitName = Literal["leave-last-out", "global-temporal", "next-basket", "k-fold", "cold-items"]

Values = Annotated[list[Any], Field(min_length=1)]
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class BenchmarkConfig(BaseModel, extra="forbid"):
    """Settings of a benchmark; the options of the command have the same names and win."""

    models: list[str] = Field(default_factory=list)
    """Named models in the order they shall run; empty for all, the cheap and strong ones first."""

    grids: dict[str, dict[str, Values]] = Field(default_factory=dict)
    """Values to try, by model and parameter, the first of each being the default; replaces a model's own grid."""

    max_users: dict[str, PositiveInt] = Field(default_factory=dict)
    """Validation and test questions that a slow model is asked at most, by its name; replaces a model's own limit."""

    max_seeds: dict[str, PositiveInt] = Field(default_factory=dict)
    """Fits at most of the chosen setting of a model that takes hours, by its name, where ``seeds`` says more."""

    trials: int = Field(default=6, ge=1)
    """Settings that tuning tries of each model at most."""

    seeds: int = Field(default=1, ge=1)
    """Fits of the chosen setting of models with a seed; figures are means over them."""

    budget: str = "30m"
    """Time for all models together, such as ``90s``, ``10m`` or ``2h``; ``none`` for no limit."""

    split: SplitName = "leave-last-out"
    """How to cut the data."""

    folds: int = Field(default=5, ge=3)
    """Of the k-fold split."""

    filter_seen: bool | None = None
    """Keep seen items out of the rankings, or not; null reports both."""

    against: str | None = None
    """Model that all others are compared with. Default: the one without a generator that is best on validation."""

    ks: list[int] = Field(default_factory=lambda: [5, 10, 20])
    """Cut-offs of the metrics; 10 is always among them."""

    @field_validator("budget")
    @classmethod
    def _is_time(cls, value: str) -> str:
        seconds(value)
        return value

    @field_validator("ks")
    @classmethod
    def _with_ten(cls, value: list[int]) -> list[int]:
        if not value or min(value) < 1:
            raise ValueError("cut-offs are 1 or more")
        return sorted({*value, 10})

    @classmethod
    def load(cls, path: Path | None, changes: dict[str, Any]) -> BenchmarkConfig:
        """Read a YAML file and lay options over it.

        Parameters
        ----------
        path
            The file; None for the defaults.
        changes
            Options that were given.

        Raises
        ------
        ConfigError
            No such file, or a key or value that is not valid.
        UnsupportedError
            Sampled negatives were asked for.

        Examples
        --------
        >>> BenchmarkConfig.load(None, {"budget": "10m", "ks": [5]}).ks
        [5, 10]
        """
        source = str(path) if path else "options"
        found: object = {}
        if path:
            try:
                found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            except OSError as error:
                hint = "`genrec recipes ls eval/configs` lists those that ship"
                raise ConfigError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
            except yaml.YAMLError as error:
                raise ConfigError(f"{path} is not YAML: {error}") from error
        if not isinstance(found, dict):
            raise ConfigError(f"{source} must be a mapping of settings", hint=f"keys are {', '.join(cls.model_fields)}")
        if "negatives" in found:
            refuse_sampling(found["negatives"])
        try:
            return cls.model_validate({**found, **changes})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            hint = f"keys are {', '.join(cls.model_fields)}"
            raise ConfigError(f"{source}: {where}: {message}", hint=hint) from error


def seconds(budget: str) -> float | None:
    """Read a length of time.

    Parameters
    ----------
    budget
        ``90s``, ``10m``, ``1.5h``, or ``none``.

    Returns
    -------
    float or None
        Seconds; None for no limit.

    Raises
    ------
    ValueError
        Anything else.

    Examples
    --------
    >>> seconds("10m"), seconds("none")
    (600.0, None)
    """
    if budget == "none":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget)
    if not found or not float(found[1]):
        raise ValueError(f"{budget!r} is no length of time: write 90s, 10m, 2h or none")
    return float(found[1]) * _SECONDS[found[2]]
