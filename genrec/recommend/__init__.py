"""Recommendations: the recommender, its filters, and the generator as a scorer."""
