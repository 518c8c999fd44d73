"""Checks of a finished report against the store, or against the results that it carries."""
