"""Column names of a data set's tables, in one place."""

from __future__ import annotations

USER_ID = "user_id"
ITEM_ID = "item_id"
TIMESTAMP = "timestamp"
RATING = "rating"
EVENT = "event"
TITLE = "title"
TEXT = "text"
CATEGORIES = "categories"
