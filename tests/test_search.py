"""KerasTuner's oracles, asked by our own loop."""

import pytest

pytest.importorskip("keras_tuner")

from bench.config import Search
from bench.search import tuner

HYPERBAND = Search(algorithm="hyperband", trials=1, max_epochs=9, factor=3, images=10)
RANDOM = Search(algorithm="random", trials=5, max_epochs=2, factor=3, images=10)
BAYESIAN = Search(algorithm="bayesian", trials=5, max_epochs=2, factor=3, images=10)


def _space(hyperparameters):
    hyperparameters.Float("x", -4.0, 4.0)
    hyperparameters.Choice("kind", ["a", "b"])


def _run(folder, trial, settings, direction="max", seed=7):
    return tuner.run(
        _space,
        trial,
        settings,
        direction=direction,
        folder=folder,
        name="search",
        seed=seed,
        progress=lambda *_: None,
    )


def _parabola(values, epochs):
    return -((values["x"] - 1.0) ** 2) + 0.001 * epochs


@pytest.mark.parametrize("settings", [HYPERBAND, RANDOM, BAYESIAN])
def test_the_winner_is_the_best_completed_trial(tmp_path, settings):
    outcome = _run(tmp_path, _parabola, settings)
    scores = outcome.trials["score"]
    assert outcome.metrics["best_score"] == scores.max()
    assert outcome.best["x"] == outcome.trials.loc[scores.idxmax(), "hp_x"]
    assert set(outcome.best) == {"x", "kind"}
    assert outcome.metrics["failed"] == 0


def test_lower_can_be_better(tmp_path):
    outcome = _run(tmp_path, lambda values, _: -_parabola(values, 0), RANDOM, direction="min")
    assert outcome.metrics["best_score"] == outcome.trials["score"].min()


def test_hyperband_runs_every_rung_and_promotes_the_best(tmp_path):
    outcome = _run(tmp_path, _parabola, HYPERBAND)
    assert len(outcome.trials) == tuner._expected_trials(HYPERBAND)
    assert set(outcome.trials["epochs"]) == {1, 3, 9}


def test_failed_trials_are_rows_with_their_reason(tmp_path):
    def fragile(values, _):
        if values["x"] < 0:
            raise FloatingPointError("overflow")
        return values["x"]

    outcome = _run(tmp_path, fragile, RANDOM)
    failed = outcome.trials[outcome.trials["status"] == "FAILED"]
    assert len(failed) == outcome.metrics["failed"] > 0
    assert set(failed["message"]) == {"FloatingPointError: overflow"}
    assert outcome.best["x"] >= 0


def test_a_score_that_is_no_number_is_a_failed_trial(tmp_path):
    outcome = _run(
        tmp_path, lambda values, _: values["x"] if values["x"] > 0 else float("nan"), RANDOM
    )
    assert outcome.metrics["failed"] > 0
    assert outcome.best["x"] > 0


def test_no_completed_trial_is_an_error_with_the_reason(tmp_path):
    def broken(*_):
        raise ValueError("no such layer")

    with pytest.raises(tuner.NoTrialCompletedError, match="no such layer"):
        _run(tmp_path, broken, RANDOM)


@pytest.mark.parametrize("settings", [HYPERBAND, RANDOM])
def test_an_interrupted_search_goes_on_and_ends_like_an_uninterrupted_one(tmp_path, settings):
    whole = _run(tmp_path / "whole", _parabola, settings)
    ran = []

    def interrupted(values, epochs):
        if len(ran) == 3:
            raise KeyboardInterrupt
        ran.append(values["x"])
        return _parabola(values, epochs)

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", interrupted, settings)
    after = []

    def rest(values, epochs):
        after.append(values["x"])
        return _parabola(values, epochs)

    resumed = _run(tmp_path / "cut", rest, settings)
    assert len(ran) + len(after) == len(whole.trials)
    assert resumed.best == whole.best


def test_the_same_seed_proposes_the_same_trials(tmp_path):
    first = _run(tmp_path / "a", _parabola, RANDOM)
    second = _run(tmp_path / "b", _parabola, RANDOM)
    assert list(first.trials["hp_x"]) == list(second.trials["hp_x"])
