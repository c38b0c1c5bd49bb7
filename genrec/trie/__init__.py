"""The catalog as a tree of codes: built, saved, changed."""

from genrec.trie.catalog_trie import CatalogTrie

__all__ = ["CatalogTrie"]
