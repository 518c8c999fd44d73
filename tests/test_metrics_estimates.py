"""Estimates: each kind's interval, test and visible effect belong together."""

import numpy as np
import pytest

from bench.metrics import intervals, power, significance
from bench.metrics.estimates import KINDS, Correlation, MeanDifference, SpreadRatio

FIRST, SECOND = (1.0, 2.0, 4.0, 3.5), (2.5, 1.5, 2.0)
HITS = (1.0, 0.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("kind", "values", "others", "interval", "reference", "p_value"),
    [
        ("mean", FIRST, (), intervals.mean_interval(FIRST), 1.0, significance.mean_test(FIRST, 1)),
        (
            "share", HITS, (), intervals.proportion_interval(4, 5), 0.3,
            significance.proportion_test(4, 5, 0.3),
        ),
        ("sum", FIRST, (), intervals.Interval(10.5, None, None, 4), 1.0, None),
        (
            "correlation", (0.8,), (50.0,), intervals.correlation_interval(0.8, 50), 0.7,
            significance.correlation_test(0.8, 50, 0.7),
        ),
        (
            "spread", FIRST, SECOND, intervals.spread_ratio(np.log(FIRST), np.log(SECOND)), 1.0,
            significance.spread_test(np.log(FIRST), np.log(SECOND), 1.0),
        ),
        (
            "welch", FIRST, SECOND, significance.welch_difference(FIRST, SECOND).interval, 0.5,
            significance.welch_difference(FIRST, SECOND, 0.5).p_value,
        ),
    ],
)  # fmt: skip
def test_interval_and_test_are_those_of_the_kind(
    kind, values, others, interval, reference, p_value
):
    found = KINDS[kind].of(values, others)
    assert found.kind == kind
    assert found.interval == interval
    assert found.p_value(reference) == p_value
    if found.interval.low is not None and p_value is not None:
        outside = not found.interval.low <= reference <= found.interval.high
        assert outside == (p_value < 0.05), "the test belongs to the interval"


@pytest.mark.parametrize("kind", ["mean", "welch"])
def test_what_is_symmetric_is_so(kind):
    found = KINDS[kind].of(FIRST, SECOND)
    assert found.symmetric
    low, high = found.interval.low, found.interval.high
    assert (low + high) / 2 == pytest.approx(found.interval.mean)
    assert not any(KINDS[name].symmetric for name in set(KINDS) - {"mean", "welch"})


def test_the_visible_effect_is_that_of_the_kind():
    asked = ("greater", 0.5, 0.05, 0.8)
    assert MeanDifference(FIRST, SECOND).visible(*asked) == power.visible_difference(
        FIRST, SECOND, *asked
    )
    assert SpreadRatio(FIRST, SECOND).visible(*asked) == power.visible_spread(4, 3, *asked)
    assert Correlation(0.8, 50).visible(*asked) == power.visible_correlation(50, *asked)
    assert KINDS["mean"].of(FIRST, ()).visible(*asked) == power.visible_mean(FIRST, *asked)
    assert KINDS["share"].of(HITS, ()).visible(*asked) == power.visible_share(5, *asked)
    assert KINDS["sum"].of(HITS, ()).visible(*asked) is None
