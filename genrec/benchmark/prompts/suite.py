"""Makes the prompts of a suite from users and what they went on to take."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from genrec.benchmark.prompts.constraint import Constraint
from genrec.benchmark.prompts.phrasings import KINDS, slots
from genrec.benchmark.prompts.source import Source
from genrec.benchmark.prompts.statement import CannotStateError, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.benchmark.prompts.phrasings import Phrasings
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet

PER_KIND = 120
LIKED_RATING = 4.0
TYPOS = 0.5
"""Share of mixed prompts with one or two typos."""
NAMES_TITLES = ("liked", "mixed")
"""Kinds in which the titles in the text are all that a model learns of the user."""
LACKS = {
    "liked": "no user has a title to name",
    "genre": "items share no category or other value",
    "year": "items have no column of years, or too few lie in any span",
    "negation": "items have nothing that others lack",
    "mood": "no category is one that a mood stands for, and items have no text",
    "mixed": "items have neither categories nor years",
}


@dataclass(frozen=True, eq=False)
class Prompt:
    """One request of the suite.

    Parameters
    ----------
    kind, text
        One of ``KINDS``; what is asked.
    user
        User index of whoever asks.
    history
        Items that a model is given beside the text, int32 (T,), oldest first; empty in kinds that name titles.
    seen
        Items that the user met, none of which may come back, int32.
    targets
        Items that the user went on to take and that are as demanded, int32 (1..,).
    constraints
        What the text demands of an item, as it was meant; empty where it demands nothing.
    named
        Items whose titles the text says.
    sentence, typos
        What the text was worded with; slips that were made on purpose.
    """

    kind: str
    text: str
    user: int
    history: NDArray[np.int32]
    seen: NDArray[np.int32]
    targets: NDArray[np.int32]
    constraints: tuple[Constraint, ...] = ()
    named: tuple[int, ...] = ()
    sentence: str = ""
    typos: int = 0


@dataclass(frozen=True, eq=False)
class Suite:
    """Prompts by kind, and the kinds that the data set cannot have.

    Parameters
    ----------
    source
        Of what they were made.
    prompts
        All prompts, kind after kind.
    left_out
        Why a kind has none.
    """

    source: Source
    prompts: tuple[Prompt, ...]
    left_out: dict[str, str]

    def digest(self) -> str:
        """Say by a SHA-256 which prompts these are."""
        parts = (f"{p.kind}\t{p.text}\t{p.user}\t{p.targets.tolist()}\t{p.constraints}" for p in self.prompts)
        return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def make_suite(
    dataset: Dataset, questions: EvalSet, phrasings: Phrasings, *, per_kind: int = PER_KIND, k: int = 10, seed: int = 0
) -> Suite:
    """Write prompts: each for another user, as long as there are enough.

    Titles are of what the user liked lately; values and years are those of an item that the user went on to take, so
    that it satisfies what is demanded, and so do at least k items that the user has not met. Unwanted values
    are of items the user met lately.

    Parameters
    ----------
    dataset
        Users, items and ratings; all interactions.
    questions
        Histories, and what came after.
    phrasings
        Words to say it with.
    per_kind
        Prompts of each kind at most, one a user. Default 120.
    k
        Length of the lists that will be asked for. Default 10.
    seed
        Default 0.

    Returns
    -------
    Suite
        The same for the same arguments.

    Examples
    --------
    >>> from genrec.benchmark.prompts.development import DEVELOPMENT
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> data = toy_dataset(items=72)
    >>> suite = make_suite(data, leave_last_out(data).validation, DEVELOPMENT, per_kind=1, k=3)
    >>> prompt = suite.prompts[1]
    >>> prompt.kind, prompt.text, [one.said(suite.source.attributes) for one in prompt.constraints]
    ('genre', 'must be Sci-Fi', ['Sci-Fi'])
    """
    source = Source(dataset, phrasings.themes)
    rng = np.random.default_rng(seed)
    asked: set[int] = set()
    prompts: list[Prompt] = []
    left_out: dict[str, str] = {}
    for kind in KINDS:
        made: list[Prompt] = []
        writer = _Writer(kind, source, questions, phrasings.sentences.get(kind, ()), k, rng)
        rows = rng.permutation(len(questions))
        fresh = [row for row in rows if row not in asked]
        for row in chain(fresh, (row for row in rows if row in asked)):
            if len(made) == per_kind:
                break
            prompt = writer.write(int(row))
            if prompt is not None:
                made.append(prompt)
                asked.add(int(row))
        prompts += made
        if not made:
            left_out[kind] = LACKS[kind]
    return Suite(source, tuple(prompts), left_out)


class _Writer:
    """Writes the prompts of one kind."""

    def __init__(
        self, kind: str, source: Source, questions: EvalSet, sentences: Sequence[str], k: int, rng: np.random.Generator
    ) -> None:
        self.kind = kind
        self.source = source
        self.questions = questions
        self.k = k
        self.rng = rng
        # None stands for a theme, which is a sentence of its own.
        themed = kind == "mood" and source.themes
        self.sentences: list[str | None] = [*sentences, *([None] * max(len(sentences), 1) if themed else [])]

    def write(self, row: int) -> Prompt | None:
        """The prompt of a question, or None if no sentence fits."""
        past = self.questions.histories[row]
        later = self.questions.targets[row]
        later = later[~np.isin(later, past)]
        if not len(later):
            return None
        target = int(later[self.rng.integers(len(later))])
        for at in self.rng.permutation(len(self.sentences)):
            typos = int(self.rng.integers(1, 3)) if self.kind == "mixed" and self.rng.random() < TYPOS else 0
            statement = Statement(self.source, past, self._liked(row), target, self.rng, typos)
            sentence = self.sentences[at]
            try:
                text = statement.theme() if sentence is None else statement.fill(sentence, slots(sentence))
            except CannotStateError:
                continue
            if statement.possible(self.k):
                return self._prompt(row, text, sentence or text, statement, later)
        return None

    def _prompt(self, row: int, text: str, sentence: str, statement: Statement, later: NDArray[np.int32]) -> Prompt:
        past = self.questions.histories[row]
        return Prompt(
            kind=self.kind,
            text=text,
            user=int(self.questions.users[row]),
            history=past[:0] if self.kind in NAMES_TITLES else past,
            seen=np.unique(past),
            targets=later[statement.mask()[later]],
            constraints=tuple(statement.constraints),
            named=tuple(statement.named),
            sentence=sentence,
            typos=statement.slips,
        )

    def _liked(self, row: int) -> NDArray[np.int32]:
        past, histories = self.questions.histories[row], self.source.dataset.histories
        if histories.ratings is None:
            return past
        start = histories.indptr[self.questions.users[row]]
        return past[histories.ratings[start : start + len(past)] >= LIKED_RATING]
