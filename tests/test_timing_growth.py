"""Exponents of growth, against costs that were made with a known one."""

import numpy as np
import pytest

from bench.timing.growth import fit_power_law

SIZES = [125.0, 250.0, 500.0, 1000.0, 2000.0]


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_an_exact_power_law_is_found_exactly(exponent):
    fitted = fit_power_law(SIZES, [3.0 * size**exponent for size in SIZES])
    assert fitted.exponent == pytest.approx(exponent, abs=1e-9)
    assert fitted.low == pytest.approx(exponent, abs=1e-6)
    assert fitted.high == pytest.approx(exponent, abs=1e-6)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty():
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        costs = np.power(SIZES, 1.3) * np.exp(random.normal(0.0, 0.1, len(SIZES)))
        fitted = fit_power_law(SIZES, list(costs))
        covered += fitted.low <= 1.3 <= fitted.high
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize(
    ("sizes", "costs"),
    [([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0, 0.0], [1.0, 2.0, 3.0]), (SIZES, [1.0, 2.0, 3.0])],
)
def test_what_cannot_be_fitted_is_refused(sizes, costs):
    with pytest.raises(ValueError, match="Expected at least three different positive sizes"):
        fit_power_law(sizes, costs)
