"""What a server serves."""

from __future__ import annotations

from typing import Any, Literal

from genrec.serve.schemas.base import Outgoing


class Column(Outgoing):
    """A column of the catalog, which filters can use."""

    name: str
    type: str
    """Type of its values, or of those in its lists."""
    kind: Literal["number", "boolean", "date", "text"] | None
    """How it can be compared; null for what filters cannot use."""
    lowest: float | int | str | None = None
    """Least number or date."""
    highest: float | int | str | None = None
    values: list[str] | None = None
    """Every text it holds, the most frequent first, where they are few enough to choose from."""


class ModelOut(Outgoing):
    """The model that answers now."""

    version: str
    genrec_version: str
    base: dict[str, Any]
    """The base model's configuration."""
    items: int
    """Items that can be recommended (N)."""
    item_tokenizer: str
    """atomic, semantic or title."""
    levels: int
    """Codes of the longest item ID (L)."""
    max_items: int
    """Items of a history that the model reads."""
    reads_text: bool
    """Whether it reads prompts as text; if not, only what is understood of them counts."""
    dataset: str
    columns: list[Column]
    metrics: dict[str, float]
    """What was measured when it was made."""
    report: bool
    """Whether there is a benchmark report."""
    limits: dict[str, float]
    """Largest values that requests may ask for."""


class TreeChild(Outgoing):
    """A node one level down."""

    node: int
    code: int
    items: int
    """Items below it."""
    leaf: bool
    """Whether an item's ID ends here."""
    samples: list[dict[str, str]]
    """Some of its items: `item_id` and `title`."""


class TreeNode(Outgoing):
    """A node of the tree of item IDs, and its children."""

    node: int
    path: list[int]
    """Codes on the way from the root."""
    parent: int | None
    items: int
    """Items below it."""
    children: list[TreeChild]
    total: int
    """Number of children, on all pages."""


class Reloaded(Outgoing):
    """The model that answers from now on."""

    model_version: str
    previous: str


class Health(Outgoing):
    """How the server is."""

    status: str
    model_version: str | None = None
