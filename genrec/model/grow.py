"""A generator that knows further items, and shares everything else with the one it was made from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from genrec.model.base import output_rows
from genrec.model.code_head import CodeHead
from genrec.model.generator import Generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.items.base import ItemTokenizer
    from genrec.trie import CatalogTrie
    from genrec.trie.update import TrieUpdate


@torch.no_grad()
def grown(
    generator: Generator, tokenizer: ItemTokenizer, alike: Sequence[NDArray[np.int32]] | None = None
) -> Generator:
    """Add the items that an extended item tokenizer has and a generator has not.

    What is new starts as the mean of what it competes with: a trie node as its siblings; an item, and a code of its
    own, as those items beside it that are most like it. So a new item is neither preferred nor buried before anything
    was learnt of it.

    Parameters
    ----------
    generator
        Is left as it is. Its backbone is shared, and its code vectors, if no code is new.
    tokenizer
        Of N + M items, the first N as in the generator.
    alike
        Known items that are most like each of the M new ones; may be empty. Default: not known.

    Returns
    -------
    Generator
        In evaluation mode, its trie nodes numbered anew.

    Examples
    --------
    >>> from genrec.testing import FixedTokenizer, tiny_generator
    >>> two = tiny_generator(codes=np.array([[0, 2], [1, 2]]))
    >>> three = grown(two, FixedTokenizer(np.array([[0, 2], [1, 2], [0, 1]], dtype=np.int32)))
    >>> three.vocabulary.num_items, three.backbone is two.backbone
    (3, True)
    """
    old, known = generator.head, generator.vocabulary.num_items
    new = np.arange(known, tokenizer.num_items, dtype=np.int32)
    update = generator.vocabulary.trie.add(tokenizer.codes[known:], new)
    trie = update.trie
    is_title = tokenizer.text_tokens is not None
    head = CodeHead(
        replace(generator.vocabulary, tokenizer=tokenizer, trie=trie),
        old.width,
        node_residual=old.node_vectors is not None,
        text_rows=output_rows(generator.lm) if is_title else None,
    ).to(generator.device)
    if old.depth_reader is not None:  # else IDs had one code, and if they have more now, its own is as good
        head.depth_reader = old.depth_reader
    kin = [_kin(trie, known, int(item), None if alike is None else alike[at]) for at, item in enumerate(new)]
    if not is_title:
        head.code_vectors = _codes(old.code_vectors, tokenizer, known, kin)
    if old.node_vectors is not None and old.item_vectors is not None:
        head.node_vectors = nn.Parameter(_nodes(old.node_vectors, update, new, kin))
        start = [_mean(old.item_vectors, items) for items in kin]
        head.item_vectors = nn.Parameter(torch.cat([old.item_vectors, torch.stack(start)]))
    vocabulary = replace(generator.vocabulary, tokenizer=tokenizer, trie=trie)
    return Generator(generator.backbone, head, vocabulary).eval()


def _kin(trie: CatalogTrie, known: int, item: int, near: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """Known items that part from a new one at its last code only: those it is most like, or else all."""
    parent = trie.parent[trie.leaf_of[item]]
    first, end = trie.leaf_indptr[trie.indptr[parent] + 1], trie.leaf_indptr[trie.indptr[parent + 1] + 1]
    beside = trie.leaf_items[first:end]
    beside = beside[beside < known]
    nearest = beside if near is None else np.intersect1d(beside, near)
    return nearest if len(nearest) else beside


def _codes(vectors: Tensor, tokenizer: ItemTokenizer, known: int, kin: Sequence[NDArray[np.int32]]) -> Tensor:
    """Code vectors, with those of new codes: as an item's kin if it ends with a new code, else as all codes."""
    if tokenizer.num_codes == len(vectors):
        return vectors
    last = (tokenizer.codes >= 0).sum(axis=1) - 1
    code = tokenizer.codes[np.arange(len(last)), last]
    added = vectors.mean(0).repeat(tokenizer.num_codes - len(vectors), 1)
    for item, items in enumerate(kin, start=known):
        if code[item] >= len(vectors) and len(items):
            added[code[item] - len(vectors)] = _mean(vectors, code[items])
    return nn.Parameter(torch.cat([vectors, added]))


def _nodes(vectors: Tensor, update: TrieUpdate, new: NDArray[np.int32], kin: Sequence[NDArray[np.int32]]) -> Tensor:
    """Node vectors in the new numbering."""
    trie = update.trie
    grown = vectors.new_zeros(trie.num_nodes, vectors.shape[1])
    grown[torch.from_numpy(update.moved).long()] = vectors
    is_old = np.zeros(trie.num_nodes, dtype=bool)
    is_old[update.moved] = True
    for node in np.flatnonzero(~is_old):
        siblings = trie.children(trie.parent[node])
        grown[node] = _mean(grown, siblings[is_old[siblings]])
    for item, items in zip(new, kin, strict=True):
        grown[trie.leaf_of[item]] = _mean(grown, trie.leaf_of[items])
    return grown


def _mean(vectors: Tensor, rows: NDArray[np.integer]) -> Tensor:
    """Mean of some rows, zero of none, (D,)."""
    if not len(rows):
        return vectors.new_zeros(vectors.shape[1])
    return vectors[torch.from_numpy(rows.astype(np.int64)).to(vectors.device)].mean(0)
