"""KerasTuner's oracles, asked by our own loop."""

import json

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("keras_tuner")

from bench.config import Search
from bench.search import gain, tuner

COMMON = {"factor": 3, "images": 10, "confirmations": 0}
HYPERBAND = Search(algorithm="hyperband", trials=1, max_epochs=9, **COMMON)
RANDOM = Search(algorithm="random", trials=5, max_epochs=2, **COMMON)
BAYESIAN = Search(algorithm="bayesian", trials=5, max_epochs=2, **COMMON)
CONFIRMED = RANDOM.model_copy(update={"confirmations": 3})
DEFAULT = {"x": -3.0, "kind": "a"}  # far from the best, 1


def _space(hyperparameters):
    hyperparameters.Float("x", -4.0, 4.0)
    hyperparameters.Choice("kind", ["a", "b"])


def _run(folder, trial, settings, direction="max", seed=7, default=DEFAULT):
    arms = trial if isinstance(trial, dict) else {"": trial}
    return tuner.run(
        _space,
        arms,
        settings,
        default=default,
        direction=direction,
        folder=folder,
        name="search",
        seed=seed,
        progress=lambda *_: None,
    )


def _parabola(values, epochs, seed):
    return [-((values["x"] - 1.0) ** 2) + 0.001 * epoch for epoch in range(1, epochs + 1)]


def _noisy(values, epochs, seed):
    noise = np.random.default_rng(seed).normal(scale=0.1)
    return [score + noise for score in _parabola(values, epochs, seed)]


@pytest.mark.parametrize("settings", [HYPERBAND, RANDOM, BAYESIAN])
def test_the_winner_is_the_best_completed_trial(tmp_path, settings):
    outcome = _run(tmp_path, _parabola, settings)
    scores = outcome.trials["score"]
    assert outcome.metrics["best_score"] == scores.max()
    assert outcome.best["x"] == outcome.trials.loc[scores.idxmax(), "hp_x"]
    assert set(outcome.best) == {"x", "kind"}
    assert outcome.metrics["failed"] == 0


def test_lower_can_be_better(tmp_path):
    outcome = _run(
        tmp_path, lambda *given: [-score for score in _parabola(*given)], RANDOM, direction="min"
    )
    assert outcome.metrics["best_score"] == outcome.trials["score"].min()


def test_hyperband_runs_every_rung_and_promotes_the_best(tmp_path):
    outcome = _run(tmp_path, _parabola, HYPERBAND)
    assert len(outcome.trials) == 1 + tuner._expected_trials(HYPERBAND)
    assert set(outcome.trials["epochs"]) == {1, 3, 9}


def test_a_short_trial_does_not_win_by_being_short(tmp_path):
    def worse_when_longer(values, epochs, seed):
        return [-float(epochs)]

    outcome = _run(tmp_path, worse_when_longer, HYPERBAND)
    assert outcome.metrics["best_score"] == -9.0


def test_the_defaults_are_trial_0_and_win_if_nothing_beats_them(tmp_path):
    best = {"x": 1.0, "kind": "b"}
    outcome = _run(tmp_path, _parabola, CONFIRMED, default=best)
    first = outcome.trials.iloc[0]
    assert first["default"]
    assert not outcome.trials["default"].iloc[1:].any()
    assert first["trial"] == 0
    assert first["hp_x"] == 1.0
    assert outcome.best == best == outcome.metrics["default"]
    assert outcome.metrics["default_score"] == outcome.metrics["best_score"]
    assert "confirmed" not in outcome.metrics
    assert "gain" not in outcome.metrics


def test_defaults_must_be_those_of_the_space(tmp_path):
    with pytest.raises(ValueError, match="kind"):
        _run(tmp_path, _parabola, RANDOM, default={"x": 1.0})


def test_the_early_score_is_that_after_a_third(tmp_path):
    outcome = _run(tmp_path, _parabola, HYPERBAND)
    first = outcome.trials.iloc[0]  # of 9 epochs
    assert first["early_score"] == pytest.approx(first["score"] - 0.006)
    single = outcome.trials[outcome.trials["epochs"] == 1]
    assert single["early_score"].isna().all()


def test_early_scores_that_rank_alike_correlate(tmp_path):
    outcome = _run(tmp_path, _parabola, RANDOM)
    assert outcome.metrics["rank_correlation"] == pytest.approx(1.0)
    assert outcome.metrics["ranked_trials"] == 6


def test_early_scores_that_rank_the_other_way_correlate_negatively(tmp_path):
    def turned(values, epochs, seed):
        return [-values["x"]] * (epochs - 1) + [values["x"]]

    outcome = _run(tmp_path, turned, RANDOM)
    assert outcome.metrics["rank_correlation"] == pytest.approx(-1.0)


def test_a_single_score_has_no_rank_correlation(tmp_path):
    outcome = _run(tmp_path, lambda values, *_: [values["x"]], RANDOM)
    assert "rank_correlation" not in outcome.metrics


def test_winner_and_defaults_are_confirmed_with_fresh_seeds(tmp_path):
    seeds = []

    def trial(values, epochs, seed):
        seeds.append(seed)
        return _noisy(values, epochs, seed)

    outcome = _run(tmp_path, trial, CONFIRMED)
    assert set(seeds[:6]) == {7}  # the trials
    assert len(set(seeds[6:])) == 6
    assert 7 not in seeds[6:]
    confirmed, told = outcome.metrics["confirmed"], outcome.metrics["gain"]
    assert {name: len(scores) for name, scores in confirmed.items()} == {"default": 3, "winner": 3}
    expected = stats.ttest_ind(confirmed["winner"], confirmed["default"], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert told["p_value"] == pytest.approx(expected.pvalue)
    assert (told["low"], told["high"]) == pytest.approx((interval.low, interval.high))
    assert told["mean"] == pytest.approx(
        np.mean(confirmed["winner"]) - np.mean(confirmed["default"])
    )
    assert told["mean"] > 0
    assert told["n"] == 3


def test_a_gain_is_positive_where_lower_is_better():
    assert gain.gained([1.0, 1.1], [2.0, 2.2], "min")["mean"] == pytest.approx(1.05)


def test_equal_scores_and_single_ones_have_no_interval():
    assert gain.gained([1.0, 1.0], [1.0, 1.0], "max") is None
    assert gain.gained([1.0], [1.0, 2.0], "max") is None


def test_a_failed_confirmation_is_counted(tmp_path):
    ran = []

    def trial(values, epochs, seed):
        ran.append(seed)
        if len(ran) == 8:
            raise FloatingPointError("overflow")
        return _noisy(values, epochs, seed)

    outcome = _run(tmp_path, trial, CONFIRMED)
    assert outcome.metrics["confirmations_failed"] == 1
    assert sum(map(len, outcome.metrics["confirmed"].values())) == 5


def test_each_arm_has_its_own_winner_and_all_of_them_the_mean(tmp_path):
    def left(values, epochs, seed):
        return [-((values["x"] + 2.0) ** 2)]

    arms = {"left": left, "right": _parabola}
    outcome = _run(tmp_path, arms, CONFIRMED, default={"x": 3.5, "kind": "a"})
    trials, by_arm = outcome.trials, outcome.metrics["best_by_arm"]
    for arm in arms:
        assert by_arm[arm]["x"] == trials.loc[trials[f"score_{arm}"].idxmax(), "hp_x"]
    assert outcome.best["x"] == trials.loc[trials["score"].idxmax(), "hp_x"]
    assert by_arm["left"] != by_arm["right"]
    # each is confirmed with its own values
    confirmed = outcome.metrics["confirmed_by_arm"]
    for arm in arms:
        assert confirmed[arm]["winner"] == pytest.approx([trials[f"score_{arm}"].max()] * 3)
    assert outcome.metrics["confirmed"]["winner"][0] >= trials["score"].max()


def test_failed_trials_are_rows_with_their_reason(tmp_path):
    def fragile(values, *_):
        if values["x"] < 0:
            raise FloatingPointError("overflow")
        return [values["x"]]

    outcome = _run(tmp_path, fragile, RANDOM)
    failed = outcome.trials[outcome.trials["status"] == "FAILED"]
    assert len(failed) == outcome.metrics["failed"] > 1
    assert set(failed["message"]) == {"FloatingPointError: overflow"}
    assert outcome.best["x"] >= 0
    assert "default_score" not in outcome.metrics  # the defaults failed as well


def test_a_score_that_is_no_number_is_a_failed_trial(tmp_path):
    outcome = _run(
        tmp_path, lambda values, *_: [values["x"] if values["x"] > 0 else float("nan")], RANDOM
    )
    assert outcome.metrics["failed"] > 0
    assert outcome.best["x"] > 0


def test_no_completed_trial_is_an_error_with_the_reason(tmp_path):
    def broken(*_):
        raise ValueError("no such layer")

    with pytest.raises(tuner.NoTrialCompletedError, match="no such layer"):
        _run(tmp_path, broken, RANDOM)


@pytest.mark.parametrize(
    ("settings", "interrupted_at"),
    [(HYPERBAND, 3), (RANDOM, 0), (RANDOM, 3), (CONFIRMED, 8)],
)
def test_an_interrupted_search_goes_on_and_ends_like_an_uninterrupted_one(
    tmp_path, settings, interrupted_at
):
    asked = []

    def counted(values, epochs, seed):
        asked.append((values["x"], seed))
        return _noisy(values, epochs, seed)

    whole = _run(tmp_path / "whole", counted, settings)
    ran = []

    def interrupted(values, epochs, seed):
        if len(ran) == interrupted_at:
            raise KeyboardInterrupt
        ran.append((values["x"], seed))
        return _noisy(values, epochs, seed)

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", interrupted, settings)
    after = []

    def rest(values, epochs, seed):
        after.append((values["x"], seed))
        return _noisy(values, epochs, seed)

    resumed = _run(tmp_path / "cut", rest, settings)
    assert ran + after == asked
    assert resumed.best == whole.best
    for measured in ("confirmed", "gain", "rank_correlation"):
        assert resumed.metrics.get(measured) == whole.metrics.get(measured)


def test_metrics_are_plain_json(tmp_path):
    metrics = _run(tmp_path, _noisy, CONFIRMED).metrics
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_same_seed_proposes_the_same_trials(tmp_path):
    first = _run(tmp_path / "a", _parabola, RANDOM)
    second = _run(tmp_path / "b", _parabola, RANDOM)
    assert list(first.trials["hp_x"]) == list(second.trials["hp_x"])
