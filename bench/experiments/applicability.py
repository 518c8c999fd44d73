"""Conditions on the data set under which a variant exists."""

from bench.data import DatasetInfo

HANDED_IN_SIZE = 28  # pixels a side that the handed-in decoder leads to
JUDGED = "fashion_mnist"  # what the shipped judge was trained on


def any_data(info: DatasetInfo) -> bool:
    """Apply to every data set."""
    del info
    return True


def fits_handed_in(info: DatasetInfo) -> bool:
    """Apply where the handed-in networks can be trained: they have layers for one size alone."""
    return info.size == HANDED_IN_SIZE


def has_no_shipped_judge(info: DatasetInfo) -> bool:
    """Apply where the shipped judge was not trained on such images."""
    return info.name != JUDGED
