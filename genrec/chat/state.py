"""What was said in a conversation, as JSON that whoever holds the conversation keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genrec.errors import ConfigError

MAX_SAID = 200
"""Most statements a conversation holds."""
MAX_SHOWN = 100
"""Most items of an answer that the next turn can speak of."""
MAX_VALUE, MAX_TEXT = 500, 200
"""Most characters of a statement's value and of its words."""

Kind = Literal["liked", "disliked", "passed", "wanted", "unwanted", "limit", "words"]


class Said(BaseModel):
    """One statement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    """``liked``, ``disliked`` or ``passed`` (seen enough of it) for an item; ``wanted`` or ``unwanted`` for an
    attribute value; ``limit`` for years and prices; ``words`` for what only a model that reads text can use, and
    with another one for words of titles."""
    value: str = Field(max_length=MAX_VALUE)
    """Item id, filter expression, or the words."""
    text: str = Field(max_length=MAX_TEXT)
    """How an answer speaks of it."""
    turn: int = Field(ge=0, lt=MAX_SAID)
    """Which of the turns that are remembered said it, from 0."""


class ChatState(BaseModel):
    """All that the next answer depends on, apart from the history that the conversation began with.

    It is bounded: at most 200 statements and 100 items of the last answer, each of bounded length.

    Examples
    --------
    >>> state = ChatState().with_turn([("wanted", "categories='Comedy'", "Comedy")])
    >>> ChatState.read(state.model_dump_json()) == state
    True
    >>> state.without_last() == ChatState()
    True
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    """Layout of the state."""
    said: tuple[Said, ...] = Field(default=(), max_length=MAX_SAID)
    """The statements, oldest first."""
    shown: tuple[Annotated[str, Field(max_length=MAX_VALUE)], ...] = Field(default=(), max_length=MAX_SHOWN)
    """Item ids of the last answer, best first."""

    @classmethod
    def read(cls, state: ChatState | Mapping[str, Any] | str) -> Self:
        """Read a state from JSON text, or from what JSON text was parsed to.

        Raises
        ------
        ConfigError
            If it is not a state.
        """
        try:
            if isinstance(state, str):
                return cls.model_validate_json(state)
            fields = state.model_dump() if isinstance(state, ChatState) else state
            return cls.model_validate_json(json.dumps(fields))
        except (ValidationError, TypeError, ValueError) as error:
            problem = str(error).splitlines()[0]
            if isinstance(error, ValidationError):
                first = error.errors(include_url=False, include_input=False)[0]
                problem = f"{'.'.join(map(str, first['loc'])) or 'state'}: {first['msg']}"
            hint = "send back what the last turn answered, or nothing to begin anew"
            raise ConfigError(f"not the state of a conversation: {problem}", hint=hint) from error

    def with_turn(self, statements: Sequence[tuple[Kind, str, str]]) -> Self:
        """The state after a turn that says (kind, value, text) each; a turn that says nothing is no turn."""
        turn = self.said[-1].turn + 1 if self.said else 0
        new = {(kind, value): text for kind, value, text in statements}
        added = [Said(kind=kind, value=value, text=text, turn=turn) for (kind, value), text in new.items()]
        return self.model_copy(update={"said": (*self.said, *added)})

    def without(self, gone: Callable[[Said], bool]) -> Self:
        """The state as if some statements had never been made."""
        left = [one for one in self.said if not gone(one)]
        turns = {turn: number for number, turn in enumerate(sorted({one.turn for one in left}))}
        said = tuple(one.model_copy(update={"turn": turns[one.turn]}) for one in left)
        return self.model_copy(update={"said": said})

    def without_last(self) -> Self:
        """The state as if the last turn that said something had not been."""
        return self.without(lambda one: one.turn == self.said[-1].turn)
