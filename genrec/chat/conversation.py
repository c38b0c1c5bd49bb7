"""Several turns with a recommender."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from genrec.chat import wording
from genrec.chat.hearing import Change, hear
from genrec.chat.standing import Standing
from genrec.chat.state import MAX_SHOWN, ChatState, Said
from genrec.errors import ConfigError
from genrec.explain import explain
from genrec.prompt.builder import clean
from genrec.recommend.filters import filter_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genrec.recommend.recommender import Recommendation, Recommender
    from genrec.recommend.request import Request

MAX_CHARS = 2_000
"""Most characters of a turn that are read."""


@dataclass(frozen=True)
class Turn:
    """An answer to one turn.

    Parameters
    ----------
    text
        The answer in words.
    items
        What is recommended now, best first; none if the turn asked for no other items, or was not understood.
    understood
        What the turn changed.
    state
        The state after it.
    """

    text: str
    items: tuple[Recommendation, ...]
    understood: Change
    state: ChatState

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, strings and numbers, ready for JSON."""
        return {
            "text": self.text,
            "items": [asdict(item) for item in self.items],
            "understood": self.understood.to_dict(),
            "state": self.state.model_dump(mode="json"),
        }


class Conversation:
    """A conversation about what to recommend, in English.

    Titles that are liked or disliked, values that are wanted or not, years and prices add up over the turns, and can
    be taken back: ``forget the year``, ``undo``, ``start over``. Items of the last answer can be pointed at: ``more
    like the second``, ``not that one``, ``cheaper``, ``others``, ``why the first?``. Whatever is said, an item of an
    answer is an item of the catalog that passes all that stands.

    Parameters
    ----------
    recommender
        The model. One that reads text gets the words too, others what was understood of them, and prefer items with
        further words of them in their titles.
    history
        Item ids that were met before the conversation, oldest first. Default none.
    user
        A user of the data set, whose history is read before `history`. Default none.
    exclude
        Item ids that are never recommended, such as what the user hid. Default none.
    k
        Items in an answer, at most 100. Default 5.
    state
        Where to go on from. Default: the beginning.

    Raises
    ------
    ConfigError
        If k is not between 1 and 100.

    Examples
    --------
    >>> import tempfile
    >>> from genrec import Recommender
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> from genrec.training.finetune import finetune
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = finetune(config, toy_dataset(), folder)
    ...     recommender = Recommender.from_pretrained(folder, data=toy_dataset())
    >>> conversation = Conversation(recommender, k=2)
    >>> print(conversation.say("a comedy like Red River").text)
    Noted: Comedy; you like Red River.
    Looking for: like Red River; Comedy.
    2 items of 9 that pass:
    1. ...
    2. ...
    >>> conversation.say("forget the comedy").understood.taken_back[0].text
    'Comedy'
    """

    def __init__(
        self,
        recommender: Recommender,
        *,
        history: Sequence[str] = (),
        user: str | None = None,
        exclude: Sequence[str] = (),
        k: int = 5,
        state: ChatState | None = None,
    ) -> None:
        if not 1 <= k <= MAX_SHOWN:
            raise ConfigError(f"k={k} is not between 1 and {MAX_SHOWN}")
        self.recommender = recommender
        self.history = tuple(history)
        self.user = user
        self.exclude = tuple(exclude)
        self.k = k
        self.state = ChatState() if state is None else state

    @classmethod
    def from_state(
        cls,
        recommender: Recommender,
        state: ChatState | Mapping[str, Any] | str,
        *,
        history: Sequence[str] = (),
        user: str | None = None,
        exclude: Sequence[str] = (),
        k: int = 5,
    ) -> Self:
        """Go on from a state that an earlier turn answered.

        Parameters
        ----------
        recommender, history, user, exclude, k
            As for the class.
        state
            The state, as an object or as JSON. What it says of items that the catalog does not have is left out.

        Raises
        ------
        ConfigError
            If it is not a state, or one of its filters does not fit the catalog.
        """
        read = ChatState.read(state)
        known = recommender.catalog.ids
        read = read.without(lambda one: one.kind in ("liked", "disliked", "passed") and one.value not in known)
        read = read.model_copy(update={"shown": tuple(item for item in read.shown if item in known)})
        filters = Standing.of(read, recommender.catalog).filters
        filter_mask(recommender.catalog, filters)  # what does not fit the catalog shows here
        return cls(recommender, history=history, user=user, exclude=exclude, k=k, state=read)

    def request(self) -> Request:
        """What the state asks the recommender for."""
        return self._request(Standing.of(self.state, self.recommender.catalog))

    def _request(self, standing: Standing) -> Request:
        request = standing.request(self.recommender, self.history, self.user, self.k)
        return replace(request, exclude=[*request.exclude, *self.exclude])

    def say(self, text: str) -> Turn:
        """Answer one turn.

        Parameters
        ----------
        text
            What the person says; at most 2,000 characters are read.

        Raises
        ------
        UnknownIdError
            If the data set does not know the user or an item of the history.
        """
        change = hear(clean(text[:MAX_CHARS]), self.state, self.recommender)
        explained = self._why(change.why) if change.why else ""
        if not change.is_any:
            return Turn(explained or self._not_understood(change), (), change, self.state)
        standing = Standing.of(change.state, self.recommender.catalog)
        answer = self.recommender.recommend_batch([self._request(standing)])[0]
        self.state = change.state.model_copy(update={"shown": tuple(item.item_id for item in answer.items)})
        titles = self._titles(change)
        said = [
            explained,
            "We start over." if change.started_over else wording.taken_back(change.taken_back, titles),
            wording.added(change.added, titles),
            *change.problems,
            wording.unclear(change.unclear),
        ]
        words = wording.answer([part for part in said if part], standing, titles, answer.items, answer.eligible)
        return Turn(words, answer.items, change, self.state)

    def _why(self, places: Sequence[int]) -> str:
        """Explanations of items of the last answer."""
        shown = self.state.shown
        if not shown:
            return "Nothing was shown yet, so there is nothing to explain."
        meant = [shown[place] for place in places if 0 <= place < len(shown)]
        request = self.request()
        answer = self.recommender.recommend_batch([request])[0]
        explanations = explain(self.recommender, request, answer, items=len(shown)) if meant else []
        sentences = {one.item_id: one.sentence for one in explanations}
        there = [sentences[item] for item in meant if item in sentences]
        return "\n".join(there) or f"I can explain the {len(shown)} items that were shown."

    def _not_understood(self, change: Change) -> str:
        columns = [
            name for name in self.recommender.catalog.table.column_names if name not in ("item_id", "title", "text")
        ]
        return " ".join(change.problems) or wording.nothing(columns, change.unclear)

    def _titles(self, change: Change) -> dict[str, str]:
        """Titles of all items that were spoken of."""
        ids, titles = self.recommender.catalog.ids, self.recommender.catalog.titles
        said: list[Said] = [*self.state.said, *change.taken_back]
        items = list(dict.fromkeys(one.value for one in said if one.kind in ("liked", "disliked", "passed")))
        return {item: titles[int(row)] for item, row in zip(items, ids.indices(items), strict=True)}
