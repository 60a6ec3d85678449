"""Doubt: which labels a model does not believe, and what is best labeled next."""
