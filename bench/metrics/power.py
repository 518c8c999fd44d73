"""Power of tests: the smallest true effect that a test detects with a given power."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import special

from bench.metrics import checks
from bench.metrics.intervals import standard_error
from bench.metrics.significance import proportion_test, welch_difference

Direction = Literal["greater", "less"]


def visible_mean(
    values: Sequence[float] | np.ndarray,
    direction: Direction,
    reference: float = 0.0,
    level: float = 0.05,
    power: float = 0.8,
) -> float | None:
    """Find the smallest deviation of a mean that `significance.mean_test` would detect.

    Parameters
    ----------
    values : sequence of float
        Figures of independent runs: their number and their spread are used.
    direction : {"greater", "less"}
        On which side of `reference` it is looked for.
    reference : float
        The number.
    level : float
        At which the test is significant, two-sided.
    power : float
        With which a mean as far away is found, on this side.

    Returns
    -------
    float or None
        The mean next to `reference` of which that is true; None without spread.

    Notes
    -----
    The test's statistic follows the noncentral t distribution, as if the true spread were that of
    the runs.
    """
    error = standard_error(values)
    if error is None:
        return None
    return reference + _away(direction, error, len(values) - 1, level, power)


def visible_difference(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    direction: Direction,
    reference: float = 0.0,
    level: float = 0.05,
    power: float = 0.8,
) -> float | None:
    """Find the smallest difference that `significance.welch_difference` would detect.

    Parameters
    ----------
    first, second : sequence of float
        Figures of independent runs of both: their number and their spread are used.
    direction, reference, level, power
        See `visible_mean`.

    Returns
    -------
    float or None
        The difference of means; None where there is no test.
    """
    found = welch_difference(first, second)
    if found.error is None or found.freedom is None:
        return None
    return reference + _away(direction, found.error, found.freedom, level, power)


def visible_share(
    n: int, direction: Direction, reference: float, level: float = 0.05, power: float = 0.8
) -> float | None:
    """Find the share nearest to a reference that `significance.proportion_test` would detect.

    Parameters
    ----------
    n : int
        How many successes and failures there are, 1 or more.
    direction, reference, level, power
        See `visible_mean`; `reference` is a share.

    Returns
    -------
    float or None
        The share, by the binomial distribution; None if no result of so few would be significant.
    """
    checks.whole("n", n, 1)
    counts = range(n + 1)
    significant = [k for k in counts if proportion_test(k, n, reference) < level]
    if direction == "greater":
        above = [k for k in significant if k > reference * n]
        return float(special.betaincinv(above[0], n - above[0] + 1, power)) if above else None
    below = [k for k in significant if k < reference * n]
    return float(special.bdtri(below[-1], n, power)) if below else None


def visible_correlation(
    n: int, direction: Direction, reference: float, level: float = 0.05, power: float = 0.8
) -> float:
    """Find the correlation that `significance.correlation_test` would detect.

    Parameters
    ----------
    n : int
        Pairs, 4 or more.
    direction, reference, level, power
        See `visible_mean`; `reference` is a correlation.

    Returns
    -------
    float
        The correlation.
    """
    checks.whole("n", n, 4)
    away = (special.ndtri(1.0 - level / 2.0) + special.ndtri(power)) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(reference) + _sign(direction) * away))


def visible_spread(
    first: int,
    second: int,
    direction: Direction,
    reference: float = 1.0,
    level: float = 0.05,
    power: float = 0.8,
) -> float | None:
    """Find the ratio of spreads that `significance.spread_test` would detect.

    Parameters
    ----------
    first, second : int
        Runs of both groups.
    direction, reference, level, power
        See `visible_mean`; `reference` is a ratio of standard deviations.

    Returns
    -------
    float or None
        The ratio, by the F distribution; None if a group has fewer than two runs.
    """
    if min(first, second) < 2:
        return None
    freedom = (first - 1, second - 1)
    critical, likely = (1.0 - level / 2.0, 1.0 - power)
    if direction == "less":
        critical, likely = (level / 2.0, power)
    ratio = special.fdtri(*freedom, critical) / special.fdtri(*freedom, likely)
    return reference * float(np.sqrt(ratio))


def _away(direction: Direction, error: float, freedom: float, level: float, power: float) -> float:
    critical = -special.stdtrit(freedom, level / 2.0)
    return _sign(direction) * error * float(special.nctdtrinc(freedom, 1.0 - power, critical))


def _sign(direction: Direction) -> float:
    return 1.0 if direction == "greater" else -1.0
