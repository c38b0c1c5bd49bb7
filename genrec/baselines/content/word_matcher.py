"""A matcher of histories and items that learns which words, and which values, lead to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from scipy import sparse

from genrec.baselines.base import Scorer
from genrec.baselines.matrices import history_matrix
from genrec.columns import CATEGORIES, ITEM_ID, TEXT, TITLE
from genrec.errors import DataError
from genrec.items.encoder import DEFAULT_ENCODER
from genrec.items.vectors import text_vectors, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog
    from genrec.data.dataset import Dataset

PAIRS, VALUES, COMPONENTS = 0.6, 0.4, 0.7
"""Length of the rows of pairs of words, of values, and of components, beside 1 for words and for meaning."""
MIN_ITEMS = 2
"""Items that must share a word for it to match anything."""


class WordMatcher(Scorer):
    """Scores items by likeness to the history, weighed by what people took after what they had met.

    An item is described by TF-IDF rows of its words, of the pairs and triples of words in its title, and of the values
    of its other columns, each with a weight to be learned; and by the vector of its text from a sentence encoder [1]_
    and components of its words, each with a weight, too, and with a map of low rank from what the history means to what
    the item means. The history is the mean of its items, the latest counting most. All is learned by one softmax over
    the items with interactions at every position. There, each item has a bias besides, so that how often it is taken is
    not put down to its words; a new item has none, and so it is left out of the scores.

    Parameters
    ----------
    recency
        An item with ``p`` others after it weighs ``(1 + p) ** -recency`` in the mean. Default 1.
    rank
        Of the map. Default 32.
    components
        Of words and values, by singular value decomposition. Default 128.
    epochs
        Passes over the positions. Default 1.
    batch_size, learning_rate
        Positions a step, and the rate of Adam. Default 256, .02.
    dropout
        Share of the words that a step does not see. Default .1.
    seed
        Default 0.
    encoder
        Folder or hub name of a sentence-transformers model. Default ``all-MiniLM-L6-v2``.

    References
    ----------
    .. [1] Reimers and Gurevych, "Sentence-BERT: sentence embeddings using siamese BERT-networks", EMNLP 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = WordMatcher().fit(toy_dataset(items=8, length=4))
    >>> scorer.score([np.array([3], dtype=np.int32)]).shape
    (1, 8)
    """

    name = "word-matcher"
    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = True

    def __init__(
        self,
        *,
        recency: float = 1.0,
        rank: int = 32,
        components: int = 128,
        epochs: int = 1,
        batch_size: int = 256,
        learning_rate: float = 0.02,
        dropout: float = 0.1,
        seed: int = 0,
        encoder: str = DEFAULT_ENCODER,
    ) -> None:
        self.recency, self.rank, self.components = recency, rank, components
        self.epochs, self.batch_size, self.learning_rate, self.dropout = epochs, batch_size, learning_rate, dropout
        self.seed, self.encoder = seed, encoder
        self._words = sparse.csr_matrix((0, 0), dtype=np.float32)
        self._meaning = self._word_weights = self._meaning_weights = torch.empty(0)
        self._from_history = self._to_item = torch.empty(0, 0)

    def fit(self, dataset: Dataset) -> Self:
        """Learn what leads to what on the positions of all histories.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.

        Raises
        ------
        DataError
            No history has two items.
        """
        histories = [dataset.histories[user] for user in range(dataset.num_users)]
        histories = [items for items in histories if len(items) > 1]
        if not histories:
            raise DataError("no history has two items, so nothing leads to anything", hint="use tfidf-knn")
        self._describe(dataset.catalog)
        generator = torch.Generator().manual_seed(self.seed)
        width = self._meaning.shape[1]
        self._word_weights = torch.full((self._words.shape[1],), 2.5, requires_grad=True)  # logarithms, as the next
        self._meaning_weights = torch.full((width,), 1.5, requires_grad=True)
        self._from_history = (torch.randn(width, self.rank, generator=generator) * 0.08).requires_grad_()
        self._to_item = torch.zeros(width, self.rank, requires_grad=True)
        known = np.flatnonzero(np.bincount(dataset.item_indices, minlength=dataset.num_items))
        bias = torch.zeros(len(known), requires_grad=True)
        weights: dict[str, Any] = {"params": [self._word_weights, self._meaning_weights, bias]}
        maps: dict[str, Any] = {"params": [self._from_history, self._to_item], "lr": self.learning_rate / 4}
        optimizer = torch.optim.Adam([weights, maps], lr=self.learning_rate)
        before = [items[:end] for items in histories for end in range(1, len(items))]
        right = torch.from_numpy(np.searchsorted(known, np.concatenate([items[1:] for items in histories])))
        words_of_known = self._words[known]
        shuffle = np.random.default_rng(self.seed)
        for _ in range(self.epochs):
            order = shuffle.permutation(len(before))
            for first in range(0, len(order), self.batch_size):
                rows = order[first : first + self.batch_size]
                seen = torch.rand(self._words.shape[1], generator=generator) >= self.dropout
                logits = self._match([before[row] for row in rows], known, words_of_known, seen) + bias
                loss = torch.nn.functional.cross_entropy(logits, right[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Match each history with all items.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N): logits of what is taken next, were every item taken as often as any other.
        """
        with torch.no_grad():
            everything = np.arange(self._words.shape[0])
            matched = self._match(histories, everything, self._words, torch.ones(self._words.shape[1]))
        return np.asarray(matched.numpy(), dtype=np.float32)

    def _describe(self, catalog: Catalog) -> None:
        """Sparse rows of words and values, and dense rows of meaning."""
        texts = catalog.text_of()
        words = _tfidf(texts)
        values = [_tfidf(column, analyzer=_as_it_is) * VALUES for column in _columns(catalog)]
        self._words = sparse.hstack([words, _tfidf(catalog.titles, ngram_range=(2, 3)) * PAIRS, *values]).tocsr()
        meaning = text_vectors(texts, self.encoder)
        parts = [unit_rows(meaning - meaning.mean(axis=0))]
        described = sparse.hstack([words, *values]).tocsr()
        number = min(self.components, min(described.shape) - 1)
        if number > 0:
            from sklearn.decomposition import TruncatedSVD  # a second, which only this scorer needs

            found = TruncatedSVD(number, random_state=self.seed).fit_transform(described)
            parts.append(unit_rows(found) * np.float32(COMPONENTS))
        self._meaning = torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32))

    def _match(
        self,
        histories: Sequence[NDArray[np.int32]],
        items: NDArray[np.int64],
        words_of_items: sparse.csr_matrix,
        seen: torch.Tensor,
    ) -> torch.Tensor:
        """Logits float32 (B, items)."""
        rows = history_matrix(histories, self._words.shape[0], self.recency)
        rows = sparse.diags(1 / np.maximum(np.asarray(rows.sum(axis=1)).ravel(), 1e-9)) @ rows
        words = torch.from_numpy((rows @ self._words).toarray().astype(np.float32))
        meaning = torch.from_numpy(np.asarray(rows @ self._meaning.numpy(), dtype=np.float32))
        of_items = self._meaning[torch.from_numpy(items)]
        weighed = words * seen * torch.exp(self._word_weights)
        by_words = _SparseProduct.apply(weighed, words_of_items)  # type: ignore[no-untyped-call]
        by_meaning = (meaning * torch.exp(self._meaning_weights)) @ of_items.T
        by_map = (meaning @ self._from_history) @ (of_items @ self._to_item).T
        matched: torch.Tensor = by_words + by_meaning + by_map
        return matched


class _SparseProduct(torch.autograd.Function):
    """Rows (B, W) times the transpose of sparse rows (N, W) of scipy."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, items: sparse.csr_matrix) -> torch.Tensor:  # noqa: ANN401
        ctx.items = items
        return torch.from_numpy(np.ascontiguousarray((items @ rows.detach().numpy().T).T))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ANN401
        return torch.from_numpy(np.ascontiguousarray((ctx.items.T @ gradient.numpy().T).T)), None


def _columns(catalog: Catalog) -> list[list[str]]:
    """Values of each column that is no text, one string an item; all its categories are one."""
    columns = [["/".join(values) for values in catalog.categories]]
    for name in catalog.table.column_names:
        if name not in (ITEM_ID, TITLE, TEXT, CATEGORIES):
            columns.append(["" if value is None else str(value) for value in catalog.table[name].to_pylist()])
    return columns


def _as_it_is(value: str) -> list[str]:
    return [value] if value else []


def _tfidf(texts: Sequence[str], **kind: Any) -> sparse.csr_matrix:  # noqa: ANN401
    """Rows of length 1, float32 (N, words that items share); zeros where an item shares none."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second, which only this scorer needs

    kind = {"token_pattern": r"\w+", **kind} if "analyzer" not in kind else kind
    vectorizer = TfidfVectorizer(min_df=MIN_ITEMS, sublinear_tf=True, dtype=np.float32, **kind)
    try:
        return vectorizer.fit_transform(texts).tocsr()
    except ValueError:  # no two items share one
        return sparse.csr_matrix((len(texts), 0), dtype=np.float32)
