"""Hypothesis tests on repeated runs, and the correction for multiple tests."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from bench.metrics import checks
from bench.metrics.intervals import Interval, artanh, standard_error


class Difference(NamedTuple):
    """A comparison of two groups of runs.

    Attributes
    ----------
    interval : Interval
        Of the difference of their means, first minus second; its `n` is the smaller group's.
    p_value : float or None
        Two-sided; None where the interval has no limits.
    error : float or None
        Standard error of the difference.
    freedom : float or None
        Degrees of freedom of its t distribution.
    """

    interval: Interval
    p_value: float | None
    error: float | None
    freedom: float | None


class McNemar(NamedTuple):
    """A comparison of two classifiers on the same images.

    Attributes
    ----------
    only_first, only_second : int
        Images that only the first, or only the second, gets right.
    p_value : float
        Two-sided, exact.
    """

    only_first: int
    only_second: int
    p_value: float


def mean_test(values: Sequence[float] | np.ndarray, reference: float = 0.0) -> float | None:
    """Test whether the mean of independent runs differs from a given number.

    Parameters
    ----------
    values : sequence of float, length n
        One figure for each run, or one difference for each pair of runs.
    reference : float
        The number.

    Returns
    -------
    float or None
        The two-sided p-value of Student's t-test; None where `intervals.mean_interval` has no
        limits.

    Raises
    ------
    ValueError
        If there is no value, or one is no finite number.
    """
    numbers = checks.vector("values", values)
    error = standard_error(numbers)
    if error is None:
        return None
    t = abs(float(numbers.mean()) - reference) / error
    return 2.0 * float(special.stdtr(len(numbers) - 1, -t))


def welch_difference(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    reference: float = 0.0,
    confidence: float = 0.95,
) -> Difference:
    """Compare two groups of independent runs with possibly different variances (Welch).

    Parameters
    ----------
    first, second : sequence of float
        Figures of both.
    reference : float
        The difference of means that is tested.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Difference
        Without limits and p-value if a group has fewer than 2 runs, or neither shows any spread.

    Raises
    ------
    ValueError
        If there is no value, one is no finite number, or `confidence` is out of range.

    Notes
    -----
    Welch, "The generalization of 'Student's' problem when several different population variances
    are involved", Biometrika 34, 1947.
    """
    groups = (checks.vector("first", first), checks.vector("second", second))
    checks.confidence(confidence)
    counts = [len(group) for group in groups]
    mean = float(groups[0].mean() - groups[1].mean())
    errors = [standard_error(group) or 0.0 for group in groups]
    if min(counts) < 2 or not any(errors):
        return Difference(Interval(mean, None, None, min(counts)), None, None, None)
    error = float(np.hypot(errors[0], errors[1]))
    shares = [(own / error) ** 4 / (n - 1) for own, n in zip(errors, counts, strict=True)]
    freedom = 1.0 / sum(shares)
    half = float(-special.stdtrit(freedom, (1.0 - confidence) / 2.0)) * error
    p_value = 2.0 * float(special.stdtr(freedom, -abs(mean - reference) / error))
    return Difference(
        Interval(mean, mean - half, mean + half, min(counts)), p_value, error, freedom
    )


def proportion_test(successes: int, n: int, reference: float) -> float:
    """Test whether a share differs from a given one.

    Parameters
    ----------
    successes : int
        From 0 to `n`.
    n : int
        1 or more.
    reference : float
        The share, between 0 and 1.

    Returns
    -------
    float
        The two-sided p-value of the exact binomial test, twice the smaller tail: below 5 % just
        where the 95 % interval of `intervals.proportion_interval` does not hold the reference.

    Raises
    ------
    ValueError
        If a count or `reference` is out of range.
    """
    checks.whole("n", n, 1)
    checks.whole("successes", successes, 0, n)
    if not 0.0 < reference < 1.0:
        raise ValueError(
            f"reference: expected a share between 0 and 1, got {reference}; nothing was tested."
        )
    fewer = special.bdtr(successes, n, reference)
    more = special.bdtrc(successes - 1, n, reference) if successes else 1.0
    return min(1.0, 2.0 * float(min(fewer, more)))


def correlation_test(r: float, n: int, reference: float) -> float:
    """Test whether a correlation differs from a given one.

    Parameters
    ----------
    r : float
        Pearson's correlation, -1 to 1.
    n : int
        Pairs, 4 or more.
    reference : float
        The correlation, between -1 and 1.

    Returns
    -------
    float
        The two-sided p-value, by Fisher's transformation as in `intervals.correlation_interval`.

    Raises
    ------
    ValueError
        If `r`, `n` or `reference` is out of range.
    """
    checks.whole("n", n, 4)
    checks.correlation("r", r)
    checks.correlation("reference", reference)
    z = (artanh(r) - artanh(reference)) * np.sqrt(n - 3)
    return 2.0 * float(special.ndtr(-abs(z)))


def spread_test(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    reference: float = 1.0,
) -> float | None:
    """Test whether the ratio of two standard deviations differs from a given one.

    Parameters
    ----------
    first, second : sequence of float
        As in `intervals.spread_ratio`.
    reference : float
        The ratio, first over second; above 0.

    Returns
    -------
    float or None
        The two-sided p-value of Fisher's F; None where `intervals.spread_ratio` has no limits.

    Raises
    ------
    ValueError
        If there is no value, one is no finite number, or `reference` is not above 0.
    """
    if reference <= 0.0:
        raise ValueError(
            f"reference: expected a ratio above 0, got {reference}; nothing was tested."
        )
    a, b = checks.vector("first", first), checks.vector("second", second)
    if standard_error(a) is None or standard_error(b) is None:
        return None
    ratio = float(np.var(a, ddof=1) / np.var(b, ddof=1)) / reference**2
    freedom = (len(a) - 1, len(b) - 1)
    return 2.0 * float(min(special.fdtr(*freedom, ratio), special.fdtrc(*freedom, ratio)))


def mcnemar(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> McNemar:
    """Test whether two classifiers differ on the same test images.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        True classes.
    first, second : ndarray of int, shape (n,)
        Predicted classes of both.

    Returns
    -------
    McNemar
        Counts of the images on which one alone is right, and the p-value; 1 if there are none.

    Raises
    ------
    ValueError
        If lengths differ, or the classes are no integers from 0.

    Notes
    -----
    McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12, 1947; exact: of b + c discordant images, b follow a binomial
    with probability 1/2.
    """
    truth = checks.classes("labels", labels)
    right = []
    for name, predicted in (("first", first), ("second", second)):
        vector = checks.classes(name, predicted)
        checks.same_length("labels", truth, name, vector)
        right.append(vector == truth)
    only_first = int((right[0] & ~right[1]).sum())
    only_second = int((~right[0] & right[1]).sum())
    tail = special.bdtr(min(only_first, only_second), only_first + only_second, 0.5)
    return McNemar(only_first, only_second, min(1.0, 2.0 * float(tail)))


def holm(p_values: Sequence[float] | np.ndarray) -> list[float]:
    """Adjust p-values for multiple tests (Holm).

    Parameters
    ----------
    p_values : sequence of float, length m
        One for each test, 0 to 1.

    Returns
    -------
    list of float
        Adjusted p-values in the same order: below a level together, they keep the chance of
        any false alarm at that level.

    Raises
    ------
    ValueError
        If there is none, or one is not from 0 to 1.

    Notes
    -----
    Step-down: the i-th smallest is multiplied by m - i + 1, and none falls below the one before.
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979.
    """
    numbers = checks.vector("p_values", p_values)
    if numbers.min() < 0.0 or numbers.max() > 1.0:
        raise ValueError(
            f"p_values: expected probabilities from 0 to 1, got {numbers.min()} to "
            f"{numbers.max()}; nothing was adjusted. Pass p-values, not statistics."
        )
    order = np.argsort(numbers, kind="stable")
    factors = np.arange(len(numbers), 0, -1)
    adjusted = np.empty_like(numbers)
    adjusted[order] = np.minimum(np.maximum.accumulate(numbers[order] * factors), 1.0)
    return adjusted.tolist()
