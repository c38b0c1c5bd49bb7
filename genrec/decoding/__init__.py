"""Decoding: constrained beam search, exact scoring, and the item weights that steer both."""

from genrec.decoding.beam import beam_search
from genrec.decoding.decoded import Decoded
from genrec.decoding.exact import rerank, score_candidates, score_items
from genrec.decoding.logits_processor import CatalogLogitsProcessor
from genrec.decoding.weights import ItemWeights
from genrec.trie import CatalogTrie

__all__ = [
    "CatalogLogitsProcessor",
    "CatalogTrie",
    "Decoded",
    "ItemWeights",
    "beam_search",
    "rerank",
    "score_candidates",
    "score_items",
]
