import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.metrics.statistics import (
    bootstrap_interval,
    Interval,
    holm,
    mcnemar,
    mean_interval,
    paired_difference,
    proportion_interval,
    verdict,
)

few = settings(max_examples=40, deadline=None)
figures = st.floats(-100, 100).map(lambda x: round(x, 4))


@few
@given(st.lists(figures, min_size=2, max_size=12), st.sampled_from([0.8, 0.95, 0.99]))
def test_mean_interval_agrees_with_scipy(values, confidence):
    ours = mean_interval(values, confidence)
    assert ours.mean == pytest.approx(np.mean(values), abs=1e-12)
    assert ours.n == len(values)
    if len(set(values)) == 1:
        assert ours.low is ours.high is None
        return
    theirs = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.low < ours.mean < ours.high


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    generator = np.random.default_rng(0)
    intervals = [mean_interval(generator.normal(3, 2, size=4), 0.9) for _ in range(2000)]
    share = np.mean([i.low <= 3 <= i.high for i in intervals])
    assert share == pytest.approx(0.9, abs=0.02)


def test_one_run_and_equal_runs_have_no_interval_rather_than_a_narrow_one():
    assert mean_interval([0.93]) == Interval(0.93, None, None, 1)
    assert mean_interval([0.1 + 0.2, 0.3, 0.3]) == Interval(pytest.approx(0.3), None, None, 3)
    assert paired_difference([1.0], [0.5]) == (Interval(0.5, None, None, 1), None)
    # .3 - .2 differs from .4 - .3 by rounding only: no evidence of spread.
    rounded = paired_difference([0.3, 0.4], [0.2, 0.3])
    assert 0.3 - 0.2 != 0.4 - 0.3
    assert rounded == (Interval(pytest.approx(0.1), None, None, 2), None)


@few
@given(st.lists(st.tuples(figures, figures), min_size=2, max_size=12))
def test_paired_difference_agrees_with_scipy_and_turns_with_its_arguments(pairs):
    first, second = np.array(pairs).T
    ours, other = paired_difference(first, second), paired_difference(second, first)
    assert ours.interval.mean == pytest.approx(-other.interval.mean)
    if len(set(np.round(first - second, 4))) == 1:
        assert ours.p_value is None
        return
    theirs = stats.ttest_rel(first, second)
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=1e-12)
    assert other.p_value == pytest.approx(theirs.pvalue, abs=1e-12)
    limits = theirs.confidence_interval(0.95)
    assert (ours.interval.low, ours.interval.high) == pytest.approx(tuple(limits), abs=1e-9)


@few
@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_proportion_interval_agrees_with_scipy(n, share, confidence):
    successes = round(share * n)
    ours = proportion_interval(successes, n, confidence)
    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0.0 <= ours.low <= ours.mean <= ours.high <= 1.0
    assert ours.low < ours.high
    assert (ours.mean, ours.n) == (successes / n, n)


@few
@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_mcnemar_agrees_with_the_binomial_test(seed, count):
    generator = np.random.default_rng(seed)
    labels, first, second = generator.integers(3, size=(3, count))
    result = mcnemar(labels, first, second)
    only_first = sum((first == labels) & (second != labels))
    only_second = sum((first != labels) & (second == labels))
    assert result[:2] == (only_first, only_second)
    if only_first + only_second:
        expected = stats.binomtest(only_first, only_first + only_second).pvalue
        assert result.p_value == pytest.approx(expected)
    else:
        assert result.p_value == 1.0
    assert mcnemar(labels, second, first) == (only_second, only_first, result.p_value)


@pytest.mark.parametrize(
    ("interval", "greater", "less"),
    [
        (Interval(2.0, 1.0, 3.0, 5), "supported", "not supported"),
        (Interval(-2.0, -3.0, -1.0, 5), "not supported", "supported"),
        (Interval(0.5, -1.0, 2.0, 5), "not distinguishable", "not distinguishable"),
        (Interval(0.5, 0.0, 1.0, 5), "not distinguishable", "not distinguishable"),
        (Interval(0.5, None, None, 1), "one run, no verdict", "one run, no verdict"),
        (Interval(0.5, None, None, 3), "not distinguishable", "not distinguishable"),
    ],
)
def test_verdict(interval, greater, less):
    assert verdict(interval, "greater") == greater
    assert verdict(interval, "less") == less
    if interval.low is not None:
        moved = interval._replace(low=interval.low + 7, high=interval.high + 7)
        assert verdict(moved, "greater", reference=7.0) == greater


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_its_definition_and_never_helps(p_values):
    adjusted = holm(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, (len(p_values) - place) * p_values[index])
        assert adjusted[index] == pytest.approx(min(1.0, largest))
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert holm(p_values[::-1]) == pytest.approx(adjusted[::-1])


def test_holm_on_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_bad_input_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="failed"):
        mean_interval([])
    with pytest.raises(ValueError, match="finite"):
        mean_interval([1.0, np.nan])
    with pytest.raises(ValueError, match="percentage"):
        mean_interval([1.0, 2.0], 95)
    with pytest.raises(ValueError, match="same items"):
        paired_difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="successes"):
        proportion_interval(11, 10)
    with pytest.raises(ValueError, match="n: expected 1"):
        proportion_interval(0, 0)
    with pytest.raises(ValueError, match="same items"):
        mcnemar(np.array([1, 2]), np.array([1]), np.array([1, 2]))
    with pytest.raises(ValueError, match="direction"):
        verdict(Interval(1.0, 0.5, 1.5, 3), "up")
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, 1.2])


def test_bootstrap_interval_agrees_with_the_binomial_standard_error():
    right = np.random.default_rng(1).random(10_000) < 0.9
    interval = bootstrap_interval(right, seed=3)
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / len(right))
    assert interval.mean == right.mean()
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.1)
    assert interval == bootstrap_interval(right, seed=3)
