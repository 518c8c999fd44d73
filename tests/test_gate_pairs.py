"""The statistics of the time gate, on times that were made with a known slowdown and noise."""

import numpy as np
import pytest

from bench.gate.outcomes import Finding, Outcome, exit_code
from bench.gate.pairs import compare, order

PAIRS, ROUNDS, TRIALS = 4, 8, 200


def _times(random, slowdown, noise, drift=0.0):
    """Rounds of base's and head's processes in ABBA order, on a machine that drifts."""
    trees = {"base": [], "head": []}
    for position, tree in enumerate(order(PAIRS)):
        pace = np.exp(drift * position / (2 * PAIRS - 1) + random.normal(0, noise))
        factor = slowdown if tree == "head" else 1.0
        trees[tree].append(list(factor * pace * np.exp(random.normal(0, noise, ROUNDS))))
    return trees["base"], trees["head"]


def _outcomes(slowdown, noise, drift=0.0):
    random = np.random.default_rng(1)
    return [compare(*_times(random, slowdown, noise, drift)).outcome for _ in range(TRIALS)]


def test_processes_run_in_abba_order():
    assert order(4) == ["base", "head", "head", "base"] * 2


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.10])
def test_where_nothing_changed_hardly_anything_is_red(noise):
    red = _outcomes(1.0, noise).count(Outcome.REGRESSED)
    assert red <= 0.03 * TRIALS  # before the second look, which must agree


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_a_slowdown_by_three_tenths_is_found(noise):
    assert _outcomes(1.3, noise).count(Outcome.REGRESSED) >= 0.9 * TRIALS


def test_a_slowdown_below_a_tenth_is_never_red():
    assert Outcome.REGRESSED not in _outcomes(1.05, 0.005)


def test_a_machine_that_becomes_twice_as_slow_is_not_taken_for_a_slower_tree():
    assert _outcomes(1.0, 0.02, drift=np.log(2)).count(Outcome.REGRESSED) <= 0.03 * TRIALS


def test_what_noise_drowns_is_called_too_noisy():
    assert _outcomes(1.0, 0.5).count(Outcome.TOO_NOISY) >= 0.8 * TRIALS


def test_a_known_ratio_is_measured_and_covered():
    random = np.random.default_rng(2)
    found = [compare(*_times(random, 1.2, 0.03)) for _ in range(50)]
    assert np.mean([c.ratio for c in found]) == pytest.approx(1.2, abs=0.02)
    assert sum(c.low <= 1.2 <= c.high for c in found) >= 40


def test_one_process_of_either_tree_is_not_enough():
    with pytest.raises(ValueError, match="at least two processes"):
        compare([[1.0, 1.1]], [[1.0, 1.2]])


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.OK, Outcome.NO_BASELINE, Outcome.TOO_NOISY, Outcome.ACCEPTED], 0),
        ([Outcome.OK, Outcome.REGRESSED], 5),
        ([Outcome.OK, Outcome.TOO_GOOD], 5),
        ([Outcome.REGRESSED, Outcome.HARNESS_ERROR], 6),
        ([], 6),
    ],
)
def test_only_what_regressed_and_a_broken_harness_are_red(outcomes, expected):
    assert exit_code([Finding("time", "a", outcome, "") for outcome in outcomes]) == expected


@pytest.mark.parametrize(
    ("gates", "expected", "allowed"),
    [
        ({"time": [Outcome.NO_BASELINE]}, 7, 0),
        ({"time": [Outcome.TOO_NOISY, Outcome.TOO_NOISY]}, 7, 7),
        ({"time": [Outcome.TOO_NOISY, Outcome.NO_BASELINE]}, 7, 7),
        ({"time": [Outcome.TOO_NOISY, Outcome.OK]}, 0, 0),
        ({"time": [Outcome.NO_BASELINE], "exact": [Outcome.OK]}, 7, 0),
        ({"time": [Outcome.TOO_NOISY], "exact": [Outcome.NO_BASELINE]}, 7, 7),
        ({"time": [Outcome.NO_BASELINE], "exact": [Outcome.ACCEPTED]}, 7, 0),
        ({"time": [Outcome.NO_BASELINE], "exact": [Outcome.REGRESSED]}, 5, 5),
        ({"time": [Outcome.NO_BASELINE], "exact": [Outcome.HARNESS_ERROR]}, 6, 6),
    ],
)
def test_a_gate_that_compared_nothing_is_not_green(gates, expected, allowed):
    findings = [Finding(gate, "a", o, "") for gate, outcomes in gates.items() for o in outcomes]
    assert exit_code(findings) == expected
    assert exit_code(findings, allow_no_baseline=True) == allowed
