"""Histories and requests to the token ids of a prompt, within a budget."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError
from genrec.items.plain_text import PlainText
from genrec.prompt.sequence import TokenSequence

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from genrec.items.vocabulary import ItemVocabulary
    from genrec.prompt.templates import Templates

logger = logging.getLogger(__name__)

BOS = 0
"""First token of every sequence of a from-scratch model."""

# An item of the history is one private-use character while the template is rendered: it says where the
# item's tokens go, and cannot be typed by a user because clean() removes such characters from requests.
_FIRST_MARK, _LAST_MARK = 0xF0000, 0xFFFFD
_MARKS = re.compile(f"([{chr(_FIRST_MARK)}-{chr(_LAST_MARK)}]+)")
_MAX_MARKS = _LAST_MARK - _FIRST_MARK + 1
_CACHED_CHARS = 200


def clean(text: str) -> str:
    r"""Text of a request as it enters a prompt: one line, valid Unicode, no private item marks.

    Examples
    --------
    >>> clean(" a\n b ")
    'a b'
    """
    return " ".join(_MARKS.sub("", text).encode("utf-8", "replace").decode("utf-8").split())


class PromptBuilder:
    """Writes prompts: the templates' text, with the item tokens of the history set into it.

    Every prompt has at most ``max_tokens`` tokens. What does not fit goes in this order: the oldest items of
    the history, whole; then the end of the request. Text of titles and requests stays text, so
    neither a special token nor an item's token can be written by it.

    Parameters
    ----------
    templates
        The prompt templates. Unused without a text tokenizer.
    vocabulary
        Token ids and nodes of the catalog's items.
    text_tokenizer
        The base model's tokenizer, or None for a from-scratch model, whose prompt is the token 0 and the
        history's item tokens, and which ignores requests.
    max_tokens
        Most tokens a prompt may have (T).

    Raises
    ------
    ConfigError
        When the templates' own text does not fit ``max_tokens``.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from genrec.prompt.templates import Templates
    >>> vocabulary = SimpleNamespace(
    ...     tokens=np.array([[5, 8], [6, 9]]), nodes=np.array([[1, 3], [2, 4]]), lengths=np.array([2, 2])
    ... )
    >>> builder = PromptBuilder(Templates.load(), vocabulary, None, max_tokens=5)
    >>> builder.build(np.array([0, 1, 1], dtype=np.int32)).tokens
    array([0, 6, 9, 6, 9])
    """

    def __init__(
        self,
        templates: Templates,
        vocabulary: ItemVocabulary,
        text_tokenizer: PreTrainedTokenizerBase | None,
        max_tokens: int,
    ) -> None:
        self.templates = templates
        self.vocabulary = vocabulary
        self.max_tokens = max_tokens
        self._text = None if text_tokenizer is None else PlainText(text_tokenizer)
        self._cached_text_tokens = lru_cache(maxsize=4096)(self._text_tokens)
        self.build(np.empty(0, np.int32))

    def build(self, history: NDArray[np.int32], request: str | None = None) -> TokenSequence:
        """Tokens of a prompt, after which the model writes items.

        Parameters
        ----------
        history
            Item indices, oldest first, int32 (T,).
        request
            What the user asks for in plain words; None or blank for a history alone.
        """
        return self._fit(history, clean(request or ""), self.max_tokens)

    def build_training(
        self, history: NDArray[np.int32], targets: NDArray[np.int32], request: str | None = None
    ) -> tuple[TokenSequence, NDArray[np.bool_]]:
        """Tokens of a prompt followed by the items it should be answered with.

        Parameters
        ----------
        history
            Item indices, oldest first, int32 (T,).
        targets
            Item indices of the answer in order, int32 (>=1,). Those beyond half of ``max_tokens`` are left out,
            except for the first.
        request
            As in :meth:`build`.

        Returns
        -------
        sequence, supervised
            At most ``max_tokens`` tokens, and bool (T,): True at the tokens of the targets.
        """
        length = np.cumsum(self.vocabulary.lengths[targets])
        answer = self._items(targets[: max(int(np.searchsorted(length, self.max_tokens // 2, side="right")), 1)])
        prompt = self._fit(history, clean(request or ""), self.max_tokens - len(answer))
        return _joined(prompt, answer), np.arange(len(prompt) + len(answer)) >= len(prompt)

    def build_history(self, items: NDArray[np.int32]) -> tuple[TokenSequence, NDArray[np.bool_]]:
        """Tokens of a history in which every item is a target, given the ones before it.

        The last item stands where the model would write it after :meth:`build` of the others.

        Parameters
        ----------
        items
            Item indices, oldest first, int32 (>=1,).

        Returns
        -------
        sequence, supervised
            At most ``max_tokens`` tokens, and bool (T,): True at the tokens of items.
        """
        sequence, _ = self.build_training(items[:-1], items[-1:])
        return sequence, sequence.nodes >= 0

    def _fit(self, history: NDArray[np.int32], request: str, budget: int) -> TokenSequence:
        """Drop the oldest items, then the end of the request, until the prompt fits the budget."""
        items = history[-min(max(budget, 1), _MAX_MARKS) :]
        while True:
            sequence = self._assemble(self._render(len(items), request), items)
            excess = len(sequence) - budget
            if excess <= 0:
                return sequence
            if len(items):
                # Items from the oldest on until their tokens make up for the excess; separators that go
                # with them can only help, so a drop is never too large by more than those.
                freed = np.cumsum(self.vocabulary.lengths[items])
                items = items[int(np.searchsorted(freed, excess)) + 1 :]
            elif request and self._text is not None:
                shorter = self._text.cut(request, excess)
                logger.info("request cut from %d to %d characters to fit %d tokens", len(request), len(shorter), budget)
                request = shorter
            else:
                msg = f"a prompt without items takes {len(sequence)} tokens, more than the {budget} there are"
                raise ConfigError(msg, hint="raise max_tokens, or shorten the prompt templates")

    def _render(self, num_items: int, request: str) -> str:
        marks = "".join(map(chr, range(_FIRST_MARK, _FIRST_MARK + num_items)))
        if self._text is None:
            return marks
        return self.templates.render_request(marks, request) if request else self.templates.render_history(marks)

    def _assemble(self, rendered: str, items: NDArray[np.int32]) -> TokenSequence:
        """Tokens of a rendered template, its marks replaced by item tokens."""
        start = [BOS] if self._text is None else self._text.start
        sequence = TokenSequence(np.array(start, dtype=np.int64), np.full(len(start), -1, dtype=np.int32))
        parts = [sequence]
        for number, piece in enumerate(_MARKS.split(rendered)):
            if number % 2:
                positions = np.frombuffer(piece.encode("utf-32-le"), dtype="<u4").astype(np.int64) - _FIRST_MARK
                parts.append(self._items(items[positions]))
            elif piece:
                tokens = (self._cached_text_tokens if len(piece) <= _CACHED_CHARS else self._text_tokens)(piece)
                parts.append(TokenSequence(tokens, np.full(len(tokens), -1, dtype=np.int32)))
        return _joined(*parts)

    def _text_tokens(self, text: str) -> NDArray[np.int64]:
        assert self._text is not None  # only templates yield text, and they are rendered for a tokenizer
        return self._text.tokens(text)

    def _items(self, items: NDArray[np.int32]) -> TokenSequence:
        tokens = self.vocabulary.tokens[items]  # (n, L), -1 padded
        real = tokens >= 0
        return TokenSequence(tokens[real], self.vocabulary.nodes[items][real])


def _joined(*parts: TokenSequence) -> TokenSequence:
    return TokenSequence(np.concatenate([p.tokens for p in parts]), np.concatenate([p.nodes for p in parts]))
