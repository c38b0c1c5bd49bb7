"""Decoding: catalog trie, constrained beam search, exact scoring."""
