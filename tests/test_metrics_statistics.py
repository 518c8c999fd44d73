import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.metrics import power
from bench.metrics.intervals import (
    Interval,
    bootstrap_interval,
    correlation_interval,
    mean_interval,
    proportion_interval,
    spread_ratio,
)
from bench.metrics.significance import (
    correlation_test,
    holm,
    mcnemar,
    mean_test,
    proportion_test,
    spread_test,
    welch_difference,
)
from bench.metrics.verdicts import verdict

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
    assert mean_test([0.93], 0.5) is None
    assert mean_test([0.1 + 0.2, 0.3, 0.3], 0.5) is None
    assert welch_difference([1.0], [0.5, 0.6]) == (Interval(pytest.approx(0.45), None, None, 1),
                                                   None, None, None)  # fmt: skip
    assert welch_difference([1.0, 1.0], [0.5, 0.5]).p_value is None
    assert spread_test([1.0, 2.0], [0.5, 0.5]) is None


@few
@given(st.lists(figures, min_size=2, max_size=12), st.floats(-50, 50))
def test_the_test_of_a_mean_agrees_with_scipy_and_with_its_interval(values, reference):
    ours = mean_test(values, reference)
    if len(set(values)) == 1:
        assert ours is None
        return
    assert ours == pytest.approx(stats.ttest_1samp(values, reference).pvalue, abs=1e-12)
    interval = mean_interval(values, 0.95)
    if abs(ours - 0.05) > 1e-9:
        assert (ours < 0.05) == (not interval.low <= reference <= interval.high)


@pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")  # one constant group
@few
@given(
    st.lists(figures, min_size=2, max_size=9),
    st.lists(figures, min_size=2, max_size=9),
    st.sampled_from([0.8, 0.95]),
)
def test_welch_agrees_with_scipy_and_turns_with_its_arguments(first, second, confidence):
    ours = welch_difference(first, second, confidence=confidence)
    other = welch_difference(second, first, confidence=confidence)
    assert ours.interval.mean == pytest.approx(-other.interval.mean)
    assert ours.interval.n == min(len(first), len(second))
    if len(set(first)) == len(set(second)) == 1:
        assert ours.p_value is None
        return
    theirs = stats.ttest_ind(first, second, equal_var=False)
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=1e-12)
    assert ours.freedom == pytest.approx(theirs.df)
    limits = theirs.confidence_interval(confidence)
    assert (ours.interval.low, ours.interval.high) == pytest.approx(tuple(limits), abs=1e-9)
    shifted = welch_difference(np.add(first, 3.0), second, reference=3.0)
    assert shifted.p_value == pytest.approx(theirs.pvalue, abs=1e-9)


@few
@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_proportion_interval_agrees_with_scipy(n, share, confidence):
    successes = round(share * n)
    ours = proportion_interval(successes, n, confidence)
    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0.0 <= ours.low <= ours.mean <= ours.high <= 1.0
    assert ours.low < ours.high
    assert (ours.mean, ours.n) == (successes / n, n)


@few
@given(st.integers(1, 400), st.floats(0, 1), st.floats(0.05, 0.95))
def test_the_test_of_a_share_is_exact_and_agrees_with_its_interval(n, share, p):
    successes = round(share * n)
    ours = proportion_test(successes, n, p)
    tails = (stats.binom.cdf(successes, n, p), stats.binom.sf(successes - 1, n, p))
    assert ours == pytest.approx(min(1.0, 2 * min(tails)), abs=1e-9)
    interval = proportion_interval(successes, n)
    if abs(ours - 0.05) > 1e-9:
        assert (ours < 0.05) == (not interval.low <= p <= interval.high)


@few
@given(st.floats(-0.99, 0.99), st.integers(5, 500), st.floats(-0.9, 0.9))
def test_the_test_of_a_correlation_agrees_with_its_interval(r, n, reference):
    ours = correlation_test(r, n, reference)
    z = (np.arctanh(r) - np.arctanh(reference)) / (1 / np.sqrt(n - 3))
    assert ours == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-12)
    interval = correlation_interval(r, n)
    if abs(ours - 0.05) > 1e-9:
        assert (ours < 0.05) == (not interval.low <= reference <= interval.high)


@few
@given(
    st.lists(figures, min_size=3, max_size=9, unique=True),
    st.lists(figures, min_size=3, max_size=9, unique=True),
    st.floats(0.5, 4),
)
def test_the_test_of_a_ratio_of_spreads_agrees_with_its_interval(first, second, reference):
    ours = spread_test(first, second, reference)
    f = np.var(first, ddof=1) / np.var(second, ddof=1) / reference**2
    law = stats.f(len(first) - 1, len(second) - 1)
    assert ours == pytest.approx(2 * min(law.cdf(f), law.sf(f)), abs=1e-9)
    interval = spread_ratio(first, second)
    if abs(ours - 0.05) > 1e-6:
        assert (ours < 0.05) == (not interval.low <= reference <= interval.high)


@pytest.mark.parametrize("direction", ["greater", "less"])
def test_what_a_test_could_have_seen_is_found_in_four_of_five_simulated_runs(direction):
    random, runs = np.random.default_rng(5), 3000

    def share_found(draw, test, estimate, reference):
        found = 0
        for _ in range(runs):
            drawn = draw()
            above = estimate(drawn) > reference
            found += test(drawn) < 0.05 and above == (direction == "greater")
        return found / runs

    level = np.array([-1.0, 0.0, 1.0, 0.5, -0.5])
    level *= 2.0 / level.std(ddof=1)  # five runs whose spread is 2 exactly
    near = {"abs": 0.025}
    true = power.visible_mean(level, direction, 3.0)
    found = share_found(
        lambda: random.normal(true, 2.0, 5), lambda x: mean_test(x, 3.0), np.mean, 3.0
    )
    assert found == pytest.approx(0.8, **near)
    true = power.visible_difference(level, level, direction)
    found = share_found(
        lambda: (random.normal(true, 2.0, 5), random.normal(0.0, 2.0, 5)),
        lambda pair: welch_difference(*pair).p_value,
        lambda pair: np.mean(pair[0]) - np.mean(pair[1]),
        0.0,
    )
    assert found == pytest.approx(0.8, abs=0.04)  # its degrees of freedom are estimated
    true = power.visible_share(12, direction, 0.5)
    found = share_found(
        lambda: random.binomial(12, true),
        lambda k: proportion_test(k, 12, 0.5),
        lambda k: k / 12,
        0.5,
    )
    assert found == pytest.approx(0.8, **near)
    true = power.visible_correlation(60, direction, 0.4)
    found = share_found(
        lambda: np.corrcoef(
            random.multivariate_normal([0, 0], [[1, true], [true, 1]], 60), rowvar=False
        )[0, 1],
        lambda r: correlation_test(r, 60, 0.4),
        float,
        0.4,
    )
    assert found == pytest.approx(0.8, **near)
    true = power.visible_spread(5, 7, direction, 1.5)
    found = share_found(
        lambda: (random.normal(0, true, 5), random.normal(0, 1, 7)),
        lambda pair: spread_test(*pair, 1.5),
        lambda pair: np.std(pair[0], ddof=1) / np.std(pair[1], ddof=1),
        1.5,
    )
    assert found == pytest.approx(0.8, **near)


def test_where_nothing_could_have_been_seen_it_is_said():
    assert power.visible_mean([1.0], "greater") is None
    assert power.visible_difference([1.0, 1.0], [2.0, 2.0], "less") is None
    assert power.visible_share(2, "greater", 0.5) is None
    assert power.visible_share(2, "less", 0.5) is None
    assert power.visible_spread(1, 5, "greater") is None


def test_three_and_three_runs_see_a_ratio_of_spreads_only_from_twelve_on():
    # The interval of the ratio holds 1 up to sqrt(F(2, 2)) = 6.2; four of five true ratios of
    # 12.5 exceed it.
    assert power.visible_spread(3, 3, "greater") == pytest.approx(np.sqrt(39.0 * 4.0), rel=1e-3)


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
        (Interval(0.5, None, None, 1), "too few seeds", "too few seeds"),
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
    with pytest.raises(ValueError, match="finite"):
        welch_difference([1.0, 2.0], [np.inf, 1.0])
    with pytest.raises(ValueError, match="reference"):
        proportion_test(1, 2, 1.0)
    with pytest.raises(ValueError, match="reference"):
        spread_test([1.0, 2.0], [1.0, 3.0], 0.0)
    with pytest.raises(ValueError, match="reference"):
        correlation_test(0.5, 10, 1.5)
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


def test_bootstrap_of_figures_that_differ_agrees_with_resampling_by_hand():
    values = np.random.default_rng(2).exponential(size=400)
    random = np.random.default_rng(4)
    means = [values[random.integers(400, size=400)].mean() for _ in range(4000)]
    ours = bootstrap_interval(values, seed=0, resamples=4000)
    assert (ours.low, ours.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=0.02)
    assert ours.n == 400
