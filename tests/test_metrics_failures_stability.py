import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.metrics import failures
from bench.metrics.embedding import rank
from bench.metrics.intervals import correlation_interval, spread_ratio
from bench.metrics.neighbours import nearest_other
from bench.metrics.stability import stability

RANDOM = np.random.default_rng(3)
MAP = RANDOM.normal(size=(300, 2))


def test_a_turned_scaled_and_moved_map_is_the_same_map():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    found = stability([MAP, 7 * MAP @ turn + 5])
    assert found.procrustes == pytest.approx(1.0)
    assert found.neighbour_overlap == pytest.approx(1.0)


def test_unrelated_maps_have_little_in_common():
    found = stability([MAP, RANDOM.normal(size=MAP.shape), RANDOM.normal(size=MAP.shape)])
    assert found.procrustes < 0.1
    assert found.neighbour_overlap < 0.1


def test_a_map_of_one_point_has_nothing_in_common_with_any():
    assert stability([MAP, np.zeros_like(MAP)]).procrustes == 0.0


def test_one_map_cannot_be_compared():
    with pytest.raises(ValueError, match="maps"):
        stability([MAP])


@pytest.mark.parametrize(
    ("positions", "expected"),
    [(np.zeros((5, 2)), 0), (np.outer(np.arange(5.0), [1, 2]) + 3, 1), (MAP, 2)],
)
def test_rank_counts_directions(positions, expected):
    assert rank(positions) == expected


def test_nearest_other_is_not_oneself():
    points = np.array([[0.0, 0], [3, 4], [3, 5]])
    np.testing.assert_allclose(nearest_other(points), [5, 1, 1])


@pytest.mark.parametrize(
    ("found", "detected"),
    [
        (failures.posterior_collapse(3, 16), True),
        (failures.posterior_collapse(8, 16), False),
        (failures.discriminator_saturation(0.99), True),
        (failures.discriminator_saturation(0.6), False),
        (failures.mode_collapse(np.array([0.995, 0.005])), True),
        (failures.mode_collapse(np.array([0.5, 0.5])), False),
        (failures.dead_codes(np.array([[0.0, 1], [0, 2]])), True),
        (failures.dead_codes(np.array([[0.0, 1], [1, 2]])), False),
        (failures.memorisation(0.1), True),
        (failures.memorisation(1.0), False),
    ],
)
def test_failures_are_found_past_their_limit_and_not_before(found, detected):
    assert found.detected is detected


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 60), st.floats(-0.95, 0.95))
def test_correlation_interval_is_fishers(n, r):
    ours = correlation_interval(r, n)
    x = np.linspace(-1, 1, n)
    rest = np.where(np.arange(n) % 2, 1.0, -1.0)
    rest -= np.polyval(np.polyfit(x, rest, 1), x)
    y = r * (x - x.mean()) / x.std() + np.sqrt(1 - r * r) * rest / rest.std()
    theirs = stats.pearsonr(x, y).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_the_spread_ratio_holds_the_true_one_as_often_as_it_says():
    draws = [spread_ratio(RANDOM.normal(0, 2, 5), RANDOM.normal(0, 1, 5), 0.9) for _ in range(1500)]
    assert np.mean([d.low <= 2 <= d.high for d in draws]) == pytest.approx(0.9, abs=0.025)


def test_runs_without_spread_say_nothing_on_spread():
    assert spread_ratio([1.0], [1.0, 2.0]).low is None
    assert spread_ratio([1.0, 1.0], [1.0, 2.0]).low is None
