"""Confidence intervals of means, shares, correlations and ratios of spreads."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from bench.metrics import checks


class Interval(NamedTuple):
    """A mean and its confidence interval.

    Attributes
    ----------
    mean : float
        The mean, or the share.
    low, high : float or None
        Limits of the interval; None if the values show no spread to estimate it from.
    n : int
        How many values it rests on.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def mean_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95) -> Interval:
    """Estimate a mean from independent runs.

    Parameters
    ----------
    values : sequence of float, length n
        One figure for each run.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Limits are None for a single run, and for equal values: no spread was seen, which
        does not mean that there is none.

    Raises
    ------
    ValueError
        If there is no value, one is no finite number, or `confidence` is out of range.

    Notes
    -----
    mean +- t(n - 1) s / sqrt(n): "Student", "The probable error of a mean", Biometrika 6, 1908.
    """
    numbers = checks.vector("values", values)
    return _interval(numbers, standard_error(numbers), confidence)


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Estimate a share, such as an accuracy, from independent images.

    Parameters
    ----------
    successes : int
        Images classified rightly, from 0 to `n`.
    n : int
        Images, 1 or more.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Limits from 0 to 1. It tells what other test images would change, not what another
        training would.

    Raises
    ------
    ValueError
        If a count or `confidence` is out of range.

    Notes
    -----
    Exact interval: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in
    the case of the binomial", Biometrika 26, 1934.
    """
    checks.whole("n", n, 1)
    checks.whole("successes", successes, 0, n)
    checks.confidence(confidence)
    tail, failures = (1.0 - confidence) / 2.0, n - successes
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1.0 - tail)) if failures else 1.0
    share = successes / n
    return Interval(share, low, high, n)


def bootstrap_interval(
    values: np.ndarray, *, seed: int, resamples: int = 1000, confidence: float = 0.95
) -> Interval:
    """Estimate a mean over test images for networks that stay as they are.

    Parameters
    ----------
    values : ndarray of float or bool, shape (n,)
        One figure an image, such as whether it is classified correctly.
    seed : int
        Draws the resamples.
    resamples : int
        How many.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        It tells what other test images would change, not what another training would.

    Raises
    ------
    ValueError
        If there is no value, one is no finite number, or `confidence` is out of range.

    Notes
    -----
    Percentiles of the means of samples drawn with replacement: Efron, "Bootstrap methods: another
    look at the jackknife", Annals of Statistics 7, 1979. How often each different value is drawn
    follows a multinomial distribution, so whole resamples are drawn at once.
    """
    numbers = checks.vector("values", np.asarray(values, dtype=np.float64))
    checks.whole("resamples", resamples, 1)
    checks.confidence(confidence)
    different, counts = np.unique(numbers, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(numbers), counts / len(numbers), size=resamples
    )
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn @ different / len(numbers), [tail, 1.0 - tail])
    return Interval(float(numbers.mean()), float(low), float(high), len(numbers))


def correlation_interval(r: float, n: int, confidence: float = 0.95) -> Interval:
    """Estimate a correlation from independent pairs.

    Parameters
    ----------
    r : float
        Pearson's correlation, -1 to 1.
    n : int
        Pairs, 4 or more.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        It tells what other images would change, not what another training would.

    Raises
    ------
    ValueError
        If `r`, `n` or `confidence` is out of range.

    Notes
    -----
    tanh(artanh r +- z / sqrt(n - 3)): Fisher, "On the probable error of a coefficient of
    correlation deduced from a small sample", Metron 1, 1921.
    """
    checks.whole("n", n, 4)
    checks.confidence(confidence)
    checks.correlation("r", r)
    half = float(-special.ndtri((1.0 - confidence) / 2.0)) / np.sqrt(n - 3)
    middle = artanh(r)
    return Interval(float(r), float(np.tanh(middle - half)), float(np.tanh(middle + half)), n)


def spread_ratio(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    confidence: float = 0.95,
) -> Interval:
    """Compare how much two variants differ from run to run.

    Parameters
    ----------
    first, second : sequence of float
        Figures of independent runs of each; pass logarithms to compare relative spreads.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Of the ratio of standard deviations, first over second. Without limits if one has fewer
        than 2 runs or shows no spread; its mean is then 1 and says nothing.

    Raises
    ------
    ValueError
        If there is no value, one is no finite number, or `confidence` is out of range.

    Notes
    -----
    The ratio of variances, over that of the true ones, follows Fisher's F distribution (Snedecor,
    Calculation and interpretation of analysis of variance and covariance, 1934). It assumes
    normal figures; with three runs each the interval is very wide.
    """
    a, b = checks.vector("first", first), checks.vector("second", second)
    checks.confidence(confidence)
    n = min(len(a), len(b))
    if standard_error(a) is None or standard_error(b) is None:
        return Interval(1.0, None, None, n)
    ratio = float(np.var(a, ddof=1) / np.var(b, ddof=1))
    tail = (1.0 - confidence) / 2.0
    low = ratio / special.fdtri(len(a) - 1, len(b) - 1, 1.0 - tail)
    high = ratio / special.fdtri(len(a) - 1, len(b) - 1, tail)
    return Interval(float(np.sqrt(ratio)), float(np.sqrt(low)), float(np.sqrt(high)), n)


def standard_error(values: Sequence[float] | np.ndarray) -> float | None:
    """Estimate the standard error of a mean.

    Parameters
    ----------
    values : sequence of float
        Figures of independent runs.

    Returns
    -------
    float or None
        None for a single run, and if the figures differ by no more than rounding.

    Raises
    ------
    ValueError
        If there is no value, or one is no finite number.
    """
    numbers = checks.vector("values", values)
    if np.ptp(numbers) <= 16 * np.finfo(np.float64).eps * np.abs(numbers).max():
        return None
    return float(numbers.std(ddof=1) / np.sqrt(len(numbers)))


def artanh(r: float) -> float:
    """Fisher's transformation of a correlation; finite for -1 and 1."""
    return float(np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15)))


def _interval(numbers: np.ndarray, error: float | None, confidence: float) -> Interval:
    checks.confidence(confidence)
    mean = float(numbers.mean())
    if error is None:
        return Interval(mean, None, None, len(numbers))
    half = float(-special.stdtrit(len(numbers) - 1, (1.0 - confidence) / 2.0)) * error
    return Interval(mean, mean - half, mean + half, len(numbers))
