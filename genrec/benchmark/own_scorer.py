"""A user's own scorer, from a Python file."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genrec.baselines.base import Scorer
from genrec.errors import ConfigError, ModelError
from genrec.evaluation.answers import HINT, check_answers

if TYPE_CHECKING:
    from types import ModuleType

    from genrec.data.split import Split


def load_scorer_class(spec: str) -> type[Scorer]:
    """Import a scorer class from a file. The file is run: name only what you trust.

    Parameters
    ----------
    spec
        ``path.py:Name``.

    Raises
    ------
    ConfigError
        Not of that form, no such file or class, the file fails, or the class is no complete scorer.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.py"
    ...     _ = file.write_text('''
    ... from genrec.baselines import Popularity
    ... class Mine(Popularity):
    ...     name = "mine"
    ... ''')
    ...     load_scorer_class(f"{file}:Mine").name
    'mine'
    """
    file, colon, name = spec.rpartition(":")
    if not colon or not name.isidentifier():
        raise ConfigError(f"{spec!r} names no scorer", hint="write path.py:ClassName")
    module = _import(Path(file))
    if not isinstance(found := vars(module).get(name), type):
        classes = [key for key, value in vars(module).items() if _is_scorer(value) and value is not Scorer]
        hint = f"its scorers are {', '.join(classes)}" if classes else "it defines no scorer"
        raise ConfigError(f"{file} has no class {name!r}", hint=hint)
    if not issubclass(found, Scorer):
        hint = f"class {name}(Scorer), with `from genrec.baselines import Scorer`"
        raise ConfigError(f"{name} of {file} is not a genrec Scorer", hint=hint)
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    missing += [
        attribute for attribute in ("name", "serves_cold_users", "serves_cold_items") if not _has(found, attribute)
    ]
    if missing:
        hint = "`genrec recipes show docs/benchmark.md` has one in ten lines"
        raise ConfigError(f"{found.__name__} of {file} lacks {', '.join(missing)}", hint=hint)
    return found


def _import(file: Path) -> ModuleType:
    if not file.is_file():
        raise ConfigError(f"no file {file}", hint="write path.py:ClassName, the path relative to where you are")
    # One name for one file, in this process and in the one that fits the model.
    name = f"genrec_own_{file.resolve().stem}"
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise ConfigError(f"{file} is not a Python file", hint="its name must end in .py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        line = getattr(error, "lineno", None) or (inspect.trace()[-1].lineno if inspect.trace() else "?")
        raise ConfigError(f"{file}, line {line}: {type(error).__name__}: {error}") from error
    return module


def _is_scorer(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Scorer)


def _has(scorer: type[Scorer], attribute: str) -> bool:
    return any(attribute in vars(base) for base in scorer.__mro__)


def check_fitted(scorer: Scorer, fitted: object, split: Split) -> None:
    """Ask a fitted scorer two questions and check the shape of what comes back.

    The first thing that breaks is named, where a run would end in an error of numpy.
    :class:`genrec.testing.ScorerContract` tests much more.

    Parameters
    ----------
    scorer
        On which ``fit`` was called.
    fitted
        What it returned.
    split
        Whose validation histories are asked.

    Raises
    ------
    ModelError
        What is wrong.
    """
    if fitted is not scorer:
        raise ModelError(f"fit of {scorer.name} must return self, not {type(fitted).__name__}", hint=HINT)
    histories = split.validation.histories[:2]
    shape = (len(histories), split.train.num_items)
    if type(scorer).recommend is Scorer.recommend:
        scores = scorer.score(histories)
        if not isinstance(scores, np.ndarray) or scores.shape != shape or scores.dtype != np.float32:
            got = f"{scores.dtype} {scores.shape}" if isinstance(scores, np.ndarray) else type(scores).__name__
            raise ModelError(f"score of {scorer.name} must be a float32 array {shape}, not {got}", hint=HINT)
        if np.isnan(scores).any():
            raise ModelError(f"score of {scorer.name} has NaN", hint="give -inf to what cannot be recommended")
    items = scorer.recommend(histories, 3, exclude=histories).items
    check_answers(scorer.name, items, (len(histories), 3), num_items=split.train.num_items, exclude=histories)
