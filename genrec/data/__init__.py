"""Data sets: interactions, catalog, histories, readers, splits, and where named sets come from."""
