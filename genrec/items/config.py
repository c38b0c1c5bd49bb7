"""Configuration of an item tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveInt


class ItemsConfig(BaseModel):
    """The item tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["atomic", "semantic", "title"] = "semantic"
    """One token an item, a semantic ID (residual k-means codes), or the title's own text tokens."""
    levels: PositiveInt = 2
    """Semantic: codes an item (L)."""
    codes_per_level: PositiveInt | None = None
    """Semantic: codes a level (K). Default: the smallest power of two with at least twice as many IDs as items."""
    text_weight: NonNegativeFloat = 1.0
    """Semantic: weight of the text vectors (title, categories, text)."""
    cf_weight: NonNegativeFloat = 1.0
    """Semantic: weight of the collaborative vectors of the training interactions."""
    vectors: Path | None = None
    """Semantic: .npy file, float32 (N, D) in catalog order, of vectors of your own (images, audio ...)."""
    vectors_weight: NonNegativeFloat = 1.0
    """Semantic: weight of these."""
    encoder: str = "sentence-transformers/all-MiniLM-L6-v2"
    """Semantic: text encoder, a hub id or a folder."""
