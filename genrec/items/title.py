"""Titles as IDs: the tokens a language model already knows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from genrec.errors import ConfigError, DataError
from genrec.items.base import ItemTokenizer
from genrec.items.plain_text import PlainText
from genrec.items.report import TokenizerReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

END_CODE = 0


class TitleTokenizer(ItemTokenizer):
    """An item's ID is its title's tokens and an end code, so lengths differ.

    Codes are numbered over the tokens that titles use: code 0 is the end code (the base model's end-of-text token),
    the others follow in order of token id. ``text_tokens`` gives the base model's token id of each.

    Parameters
    ----------
    codes
        int32 (N, L), -1 after the end code.
    text_tokens
        int64 (C,), the token id of each code.
    collisions
        Titles that got a suffix because an item before them has the same tokens.
    max_tokens
        Longest title in tokens, before suffix and end code.
    learned
        Codes have vectors of their own, as those of semantic IDs do, for a model that knows no text: ``text_tokens`` is
        then None. Default False.

    Examples
    --------
    >>> from genrec.testing.text import word_tokenizer
    >>> tokenizer = TitleTokenizer.fit(["Heat", "Heat", "Toy Story"], word_tokenizer(["Heat", "Toy", "Story", "(2)"]))
    >>> (tokenizer.codes >= 0).sum(axis=1).tolist()
    [2, 3, 3]
    """

    kind: ClassVar[str] = "title"

    def __init__(
        self,
        codes: NDArray[np.int32],
        text_tokens: NDArray[np.int64],
        collisions: int = 0,
        max_tokens: int = 32,
        learned: bool = False,
    ) -> None:
        super().__init__(codes, num_codes=len(text_tokens), text_tokens=None if learned else text_tokens)
        self._token_ids = text_tokens
        self.learned = learned
        self.collisions = collisions
        self.max_tokens = max_tokens

    @classmethod
    def fit(
        cls,
        titles: Sequence[str],
        text_tokenizer: PreTrainedTokenizerBase,
        max_tokens: int = 32,
        learned: bool = False,
    ) -> TitleTokenizer:
        """Tokenize the titles and number the tokens they use.

        Parameters
        ----------
        titles
            Title of each item (N); special tokens written in one stay plain text.
        text_tokenizer
            The base model's tokenizer, a fast one.
        max_tokens
            Longer titles are cut after this many tokens, default 32.
        learned
            For a model that knows no text; see the class. Default False.

        Returns
        -------
        TitleTokenizer
            A bijection: of items with the same tokens the second gets the suffix " (2)", and so on.

        Raises
        ------
        DataError
            There is no title.
        ConfigError
            The tokenizer has no end-of-text token, or ``max_tokens`` is below 1.
        """
        if not titles:
            msg = "an item tokenizer needs at least one item"
            raise DataError(msg, hint="import a catalog with items, or interactions to make one from")
        if max_tokens < 1:
            msg = f"max_tokens must be at least 1, not {max_tokens}"
            raise ConfigError(msg)
        end = _end_token(text_tokenizer)
        tokens, renamed = _distinct_tokens(titles, text_tokenizer, max_tokens, taken=set())
        if renamed:
            logger.info("%d of %d titles got a suffix: an item before has the same tokens", renamed, len(titles))
        used = sorted({token for title in tokens for token in title} - {end})
        text_tokens = np.array([end, *used], dtype=np.int64)
        return cls(_to_codes(tokens, text_tokens), text_tokens, renamed, max_tokens, learned)

    def encode_new(self, titles: Sequence[str], text_tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int32]:
        """Give IDs to new items.

        Parameters
        ----------
        titles
            Titles of the new items (M).
        text_tokenizer
            The tokenizer that the fitted titles were tokenized with.

        Returns
        -------
        NDArray
            int32 (M, L'), -1 after the end code. A token that no fitted title uses gets the next free code, from
            ``num_codes`` on; :meth:`extend` gives a tokenizer that knows these.
        """
        return self._encode(titles, text_tokenizer)[0]

    def extend(self, titles: Sequence[str], text_tokenizer: PreTrainedTokenizerBase) -> TitleTokenizer:
        """Add new items at the end of the catalog.

        Parameters
        ----------
        titles
            Titles of the new items (M).
        text_tokenizer
            The tokenizer that the fitted titles were tokenized with.

        Returns
        -------
        TitleTokenizer
            Of N + M items; the first N keep their codes, and tokens new to the catalog follow as new codes.
        """
        new, text_tokens, renamed = self._encode(titles, text_tokenizer)
        levels = max(self.levels, new.shape[1])
        codes = np.concatenate([_widened(self.codes, levels), _widened(new, levels)])
        return TitleTokenizer(codes, text_tokens, self.collisions + renamed, self.max_tokens, self.learned)

    def report(self) -> TokenizerReport:
        """Measure utilisation per token position, relative to all codes that titles use.

        Returns
        -------
        TokenizerReport
            ``collisions`` counts the titles that got a suffix.
        """
        return TokenizerReport.of_codes(
            self.kind,
            self.codes,
            self.num_codes,
            [self.num_codes] * self.levels,
            collisions=self.collisions,
            num_bytes=self.codes.nbytes + self._token_ids.nbytes,
        )

    def _encode(
        self, titles: Sequence[str], text_tokenizer: PreTrainedTokenizerBase
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
        known = self._token_ids
        taken = {tuple(known[row[row > END_CODE]].tolist()) for row in self.codes}
        tokens, renamed = _distinct_tokens(titles, text_tokenizer, self.max_tokens, taken)
        new = sorted({token for title in tokens for token in title} - set(known.tolist()))
        text_tokens = np.concatenate([known, np.array(new, dtype=np.int64)])
        return _to_codes(tokens, text_tokens), text_tokens, renamed

    def _settings(self) -> dict[str, object]:
        return {"collisions": self.collisions, "max_tokens": self.max_tokens, "learned": self.learned}

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"text_tokens": self._token_ids}


def _end_token(text_tokenizer: PreTrainedTokenizerBase) -> int:
    for token in (text_tokenizer.eos_token_id, text_tokenizer.sep_token_id):
        if token is not None:
            return int(token)
    msg = "the text tokenizer has no end-of-text token, which must end a title's ID"
    raise ConfigError(msg, hint="set text_tokenizer.eos_token, or use semantic or atomic IDs")


def _distinct_tokens(
    titles: Sequence[str], text_tokenizer: PreTrainedTokenizerBase, max_tokens: int, taken: set[tuple[int, ...]]
) -> tuple[list[tuple[int, ...]], int]:
    """Tokens of each title, made distinct from ``taken`` and from each other; and how many got a suffix."""
    plain = PlainText(text_tokenizer)
    tokens = [tuple(plain.tokens(title)[:max_tokens].tolist()) for title in titles]
    repeats = []
    for item, title in enumerate(tokens):
        if title in taken:
            repeats.append(item)
        taken.add(title)
    next_number: dict[tuple[int, ...], int] = {}
    for item in repeats:
        title, number = tokens[item], next_number.get(tokens[item], 2)
        while (candidate := title + tuple(plain.tokens(f" ({number})").tolist())) in taken:
            number += 1
        next_number[title] = number + 1
        taken.add(candidate)
        tokens[item] = candidate
    return tokens, len(repeats)


def _to_codes(tokens: Sequence[tuple[int, ...]], text_tokens: NDArray[np.int64]) -> NDArray[np.int32]:
    code_of = {token: code for code, token in enumerate(text_tokens.tolist())}
    codes = np.full((len(tokens), max(map(len, tokens), default=0) + 1), -1, dtype=np.int32)
    for row, title in zip(codes, tokens, strict=True):
        row[: len(title)] = [code_of[token] for token in title]
        row[len(title)] = END_CODE
    return codes


def _widened(codes: NDArray[np.int32], levels: int) -> NDArray[np.int32]:
    return np.pad(codes, ((0, 0), (0, levels - codes.shape[1])), constant_values=-1)
