"""Bounds of measured figures, which limit printed and drawn intervals."""

from collections.abc import Mapping
from functools import cache

from bench.declarations import declarations
from bench.experiment_files import own_packages
from bench.results.fields import fields_of
from bench.results.held import Bounds

Limits = tuple[float | None, float | None]
IN_PER_CENT = ("accuracy_change", "accuracy_gap", "sharpness")  # though beyond 0 and 1


def possible(path: str) -> Limits:
    """Return the least and the greatest value that a figure can have.

    Parameters
    ----------
    path : str
        Where the cells hold it; see `bench.report.values.collect.lookup`. The last step whose
        field has bounds in the types of results decides: ``per_class.f1.3`` is a share, as
        ``f1`` is.

    Returns
    -------
    tuple of (float or None)
        None where there is no such limit. Differences have other limits: they are not asked here.
    """
    named = _named(own_packages())
    for step in reversed(path.replace(":", ".").split(".")):
        if bounds := named.get(step):
            return bounds.least, bounds.greatest
    return None, None


def in_per_cent(path: str) -> bool:
    """Return whether a figure is a share, which is printed in per cent; see `possible`."""
    return possible(path) == (0.0, 1.0) or path.endswith(IN_PER_CENT)


def within(low: float, high: float, limits: Limits) -> tuple[float, float]:
    """Cut an interval off where no value can lie.

    Parameters
    ----------
    low : float
        Lower end.
    high : float
        Upper end.
    limits : Limits
        Least and greatest possible value.

    Returns
    -------
    tuple of float
        Both ends.
    """
    least, greatest = limits
    return (
        low if least is None else max(low, least),
        high if greatest is None else min(high, greatest),
    )


@cache
def _named(packages: tuple[str, ...]) -> Mapping[str, Bounds]:
    """Bounds by the name of the field, of all experiments: those of `packages` among them."""
    return fields_of(*declarations().values()).bounds()
