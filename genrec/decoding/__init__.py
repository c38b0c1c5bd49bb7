"""Decoding: constrained beam search, exact scoring, and the item weights that steer both."""

from genrec.decoding.beam import beam_search
from genrec.decoding.decoded import Decoded
from genrec.decoding.exact import rerank, score_candidates, score_items
from genrec.decoding.item_spans import ItemSpans
from genrec.decoding.logits_processor import CatalogLogitsProcessor, ItemSpanLogitsProcessor
from genrec.decoding.spans import TextWithItems, generate_with_items
from genrec.decoding.weights import ItemWeights
from genrec.trie import CatalogTrie

__all__ = [
    "CatalogLogitsProcessor",
    "CatalogTrie",
    "Decoded",
    "ItemSpanLogitsProcessor",
    "ItemSpans",
    "ItemWeights",
    "TextWithItems",
    "beam_search",
    "generate_with_items",
    "rerank",
    "score_candidates",
    "score_items",
]
