"""What repeated runs allow to be said: intervals, tests and verdicts."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from bench.metrics import checks

Verdict = Literal["supported", "not supported", "not distinguishable", "too few seeds"]


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
    numbers = _vector("values", values)
    return _interval(numbers, standard_error(numbers), confidence)


def mean_test(values: Sequence[float] | np.ndarray, reference: float = 0.0) -> float | None:
    """Test whether a mean of independent runs is a given number.

    Parameters
    ----------
    values : sequence of float, length n
        One figure for each run, or one difference for each pair of runs.
    reference : float
        The number.

    Returns
    -------
    float or None
        The two-sided p-value of Student's t-test; None where `mean_interval` has no limits.

    Raises
    ------
    ValueError
        If there is no value, or one is no finite number.
    """
    numbers = _vector("values", values)
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
    """Compare two groups of independent runs, which need not differ from run to run as much.

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
    groups = (_vector("first", first), _vector("second", second))
    _check_confidence(confidence)
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
    _check_confidence(confidence)
    tail, failures = (1.0 - confidence) / 2.0, n - successes
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1.0 - tail)) if failures else 1.0
    share = successes / n
    return Interval(share, low, high, n)


def proportion_test(successes: int, n: int, reference: float) -> float:
    """Test whether a share is a given one.

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
        where the 95 % interval of `proportion_interval` does not hold the reference.

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
    numbers = _vector("values", np.asarray(values, dtype=np.float64))
    checks.whole("resamples", resamples, 1)
    _check_confidence(confidence)
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
    _check_confidence(confidence)
    _check_correlation("r", r)
    half = float(-special.ndtri((1.0 - confidence) / 2.0)) / np.sqrt(n - 3)
    middle = _artanh(r)
    return Interval(float(r), float(np.tanh(middle - half)), float(np.tanh(middle + half)), n)


def correlation_test(r: float, n: int, reference: float) -> float:
    """Test whether a correlation is a given one.

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
        The two-sided p-value, by Fisher's transformation as in `correlation_interval`.

    Raises
    ------
    ValueError
        If `r`, `n` or `reference` is out of range.
    """
    checks.whole("n", n, 4)
    _check_correlation("r", r)
    _check_correlation("reference", reference)
    z = (_artanh(r) - _artanh(reference)) * np.sqrt(n - 3)
    return 2.0 * float(special.ndtr(-abs(z)))


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
    a, b = _vector("first", first), _vector("second", second)
    _check_confidence(confidence)
    n = min(len(a), len(b))
    if standard_error(a) is None or standard_error(b) is None:
        return Interval(1.0, None, None, n)
    ratio = float(np.var(a, ddof=1) / np.var(b, ddof=1))
    tail = (1.0 - confidence) / 2.0
    low = ratio / special.fdtri(len(a) - 1, len(b) - 1, 1.0 - tail)
    high = ratio / special.fdtri(len(a) - 1, len(b) - 1, tail)
    return Interval(float(np.sqrt(ratio)), float(np.sqrt(low)), float(np.sqrt(high)), n)


def spread_test(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    reference: float = 1.0,
) -> float | None:
    """Test whether the ratio of two standard deviations is a given one.

    Parameters
    ----------
    first, second : sequence of float
        As in `spread_ratio`.
    reference : float
        The ratio, first over second; above 0.

    Returns
    -------
    float or None
        The two-sided p-value of Fisher's F; None where `spread_ratio` has no limits.

    Raises
    ------
    ValueError
        If there is no value, one is no finite number, or `reference` is not above 0.
    """
    if reference <= 0.0:
        raise ValueError(
            f"reference: expected a ratio above 0, got {reference}; nothing was tested."
        )
    a, b = _vector("first", first), _vector("second", second)
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


def verdict(
    interval: Interval, direction: Literal["greater", "less"], reference: float = 0.0
) -> Verdict:
    """Say whether an interval supports a claim.

    Parameters
    ----------
    interval : Interval
        Of a mean or of a difference.
    direction : {"greater", "less"}
        The claim: the true value is greater, or less, than `reference`.
    reference : float
        0 for differences.

    Returns
    -------
    str
        "supported" if the whole interval is on the claimed side, "not supported" if it is all
        on the other, "not distinguishable" if it holds the reference or has no limits,
        "too few seeds" if it rests on one value.

    Raises
    ------
    ValueError
        If `direction` is another word.
    """
    if direction not in ("greater", "less"):
        raise ValueError(
            f"direction: expected 'greater' or 'less', got {direction!r}; no verdict was given. "
            "Say which way the claim goes."
        )
    if interval.n < 2:
        return "too few seeds"
    if interval.low is None or interval.high is None:
        return "not distinguishable"
    above, below = interval.low > reference, interval.high < reference
    if not (above or below):
        return "not distinguishable"
    return "supported" if above == (direction == "greater") else "not supported"


def holm(p_values: Sequence[float] | np.ndarray) -> list[float]:
    """Correct several p-values for being several.

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
    numbers = _vector("p_values", p_values)
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
    numbers = _vector("values", values)
    if np.ptp(numbers) <= 16 * np.finfo(np.float64).eps * np.abs(numbers).max():
        return None
    return float(numbers.std(ddof=1) / np.sqrt(len(numbers)))


def _vector(name: str, values: Sequence[float] | np.ndarray) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name}: expected one or more numbers in a row, got shape {array.shape}; nothing "
            "was computed. Have all runs of the variant failed?"
        )
    return checks.matrix(name, array[:, None])[:, 0].astype(np.float64, copy=False)


def _interval(numbers: np.ndarray, error: float | None, confidence: float) -> Interval:
    _check_confidence(confidence)
    mean = float(numbers.mean())
    if error is None:
        return Interval(mean, None, None, len(numbers))
    half = float(-special.stdtrit(len(numbers) - 1, (1.0 - confidence) / 2.0)) * error
    return Interval(mean, mean - half, mean + half, len(numbers))


def _artanh(r: float) -> float:
    return float(np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15)))


def _check_correlation(name: str, r: float) -> None:
    if not -1.0 <= r <= 1.0:
        raise ValueError(
            f"{name}: expected a correlation from -1 to 1, got {r}; nothing was computed."
        )


def _check_confidence(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise ValueError(
            f"confidence: expected a number between 0 and 1, got {confidence}; nothing was "
            "computed. Give a share, not a percentage."
        )
