"""Item tokenizers: every item a sequence of codes, no two items the same."""

from __future__ import annotations

from genrec.items.atomic import AtomicTokenizer
from genrec.items.base import ItemTokenizer
from genrec.items.loading import load_item_tokenizer
from genrec.items.report import TokenizerReport
from genrec.items.semantic import SemanticTokenizer
from genrec.items.title import TitleTokenizer
from genrec.items.vectors import cf_vectors, combine_vectors, text_vectors

__all__ = [
    "AtomicTokenizer",
    "ItemTokenizer",
    "SemanticTokenizer",
    "TitleTokenizer",
    "TokenizerReport",
    "cf_vectors",
    "combine_vectors",
    "load_item_tokenizer",
    "text_vectors",
]
