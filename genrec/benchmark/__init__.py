"""The benchmark: every model that has a name, tuned and run on one split, and the report of it."""
