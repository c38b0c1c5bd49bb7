"""The report of a benchmark: its schema, and what is written from it."""
