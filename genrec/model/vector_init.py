"""Code vectors and residuals that start from the vectors of items: similar items look and score alike at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.items.vocabulary import ItemVocabulary
    from genrec.model.code_head import CodeHead

SCALE = 0.1
"""Root mean square of the items' vectors: those of a trained head are about as long."""


@torch.no_grad()
def start_from_vectors(head: CodeHead, vocabulary: ItemVocabulary, vectors: NDArray[np.float32]) -> None:
    """Set a code head so that the vectors on the way to an item add up to the item's own.

    A code gets the mean of what the codes before it leave of its items; residuals, where the head has them, get
    what all codes leave. The first principal components of the items' vectors count.

    Parameters
    ----------
    head
        Changed in place.
    vocabulary
        Its item tokens and trie.
    vectors
        float32 (N, any width).

    Examples
    --------
    >>> from genrec.testing import tiny_generator
    >>> generator = tiny_generator(num_items=6, node_residual=True)
    >>> vectors = np.eye(6, dtype=np.float32)
    >>> start_from_vectors(generator.head, generator.vocabulary, vectors)
    >>> leaf = torch.from_numpy(generator.vocabulary.trie.leaf_of).long()
    >>> summed = generator.head.path_vectors(leaf) + generator.head.node_vectors[leaf]
    >>> bool(torch.allclose(summed, principal(vectors, generator.head.width), atol=1e-6))
    True
    """
    whole = principal(vectors, head.width)  # (N, D)
    left = whole.clone()
    last = torch.zeros_like(whole)
    codes = torch.from_numpy(vocabulary.tokenizer.codes.astype(np.int64))
    for level in range(codes.shape[1]):
        has = codes[:, level] >= 0
        code = codes[has, level]
        count = torch.bincount(code, minlength=len(head.code_vectors)).unsqueeze(1)
        mean = torch.zeros_like(head.code_vectors).index_add_(0, code, left[has]) / count.clamp(min=1)
        used = count.squeeze(1) > 0
        head.code_vectors[used] = mean[used]
        left[has] -= mean[code]
        last[has] = mean[code]
    if head.node_vectors is not None and head.item_vectors is not None:
        head.node_vectors[torch.from_numpy(vocabulary.trie.leaf_of.astype(np.int64))] = left
        # Where each code has a position, the last one carries the whole item.
        head.item_vectors.copy_(left if vocabulary.one_position else whole - last)


def principal(vectors: NDArray[np.float32], width: int) -> Tensor:
    """The first ``width`` principal components (N, width), scaled; zeros beyond the vectors' own width."""
    centred = torch.from_numpy(vectors - vectors.mean(axis=0))
    _, directions = torch.linalg.eigh(centred.T.double() @ centred.double())
    found = centred @ directions.flip(1)[:, :width].float()
    padded = torch.zeros(len(vectors), width)
    padded[:, : found.shape[1]] = found
    return padded * (SCALE / padded.square().mean().sqrt().clamp(min=1e-9))
