"""KerasTuner's oracles, asked by our own loop."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from scipy import stats

pytest.importorskip("keras_tuner")

from bench.config import Search
from bench.paths import ROOT
from bench.search import gain, tuner
from bench.search.oracles import Oracle
from bench.search.trials import Inline

COMMON = {"factor": 3, "images": 10, "confirmations": 0}
HYPERBAND = Search(algorithm="hyperband", trials=1, max_epochs=9, **COMMON)
RANDOM = Search(algorithm="random", trials=5, max_epochs=2, **COMMON)
BAYESIAN = Search(algorithm="bayesian", trials=5, max_epochs=2, **COMMON)
CONFIRMED = RANDOM.model_copy(update={"confirmations": 3})
DEFAULT = {"x": -3.0, "kind": "a"}  # far from the best, 1


def _space(hyperparameters):
    hyperparameters.Float("x", -4.0, 4.0)
    hyperparameters.Choice("kind", ["a", "b"])


def _run(folder, trial, settings, direction="max", seed=7, default=DEFAULT, executor=None):
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
        executor=executor,
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
    assert len(outcome.trials) == 1 + Oracle(_space, HYPERBAND, "max", 7).expected
    assert set(outcome.trials["epochs"]) == {1, 3, 9}


def test_a_short_trial_does_not_win_by_being_short(tmp_path):
    def worse_when_longer(values, epochs, seed):
        return [-float(epochs)]

    outcome = _run(tmp_path, worse_when_longer, HYPERBAND)
    trials = outcome.trials
    assert outcome.metrics["best_score"] == trials.loc[trials["epochs"] == 9, "score"].max()
    assert outcome.metrics["best_score"] < trials["score"].max()


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
    confirmed, figures = outcome.metrics["confirmed"], outcome.metrics["gain"]
    assert {name: len(scores) for name, scores in confirmed.items()} == {"default": 3, "winner": 3}
    expected = stats.ttest_ind(confirmed["winner"], confirmed["default"], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert figures["p_value"] == pytest.approx(expected.pvalue)
    assert (figures["low"], figures["high"]) == pytest.approx((interval.low, interval.high))
    assert figures["mean"] == pytest.approx(
        np.mean(confirmed["winner"]) - np.mean(confirmed["default"])
    )
    assert figures["mean"] > 0
    assert figures["n"] == 3


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


class _Backwards:
    """An executor that ends the trials of a wave in the opposite order."""

    def __init__(self, trial):
        self.inline, self.waves = Inline({"": trial}), []

    def run(self, requests, tell):
        self.waves.append(len(requests))
        self.inline.run(list(reversed(requests)), tell)


@pytest.mark.parametrize("settings", [HYPERBAND, RANDOM, BAYESIAN.model_copy(update={"trials": 8})])
def test_the_order_in_which_trials_end_changes_nothing(tmp_path, settings):
    settings = settings.model_copy(update={"confirmations": 2})
    one_by_one = _run(tmp_path / "a", _noisy, settings)
    backwards = _Backwards(_noisy)
    other = _run(tmp_path / "b", _noisy, settings, executor=backwards)
    assert max(backwards.waves) > 1
    pd.testing.assert_frame_equal(
        one_by_one.trials.drop(columns="seconds"), other.trials.drop(columns="seconds")
    )
    times = {"seconds": 0.0}
    assert one_by_one.metrics | times == other.metrics | times


def test_a_promotion_waits_for_its_rung_and_goes_on_with_the_trial_below(tmp_path):
    asked = []

    def trial(values, epochs, seed):
        asked.append(epochs)
        return _parabola(values, epochs, seed)

    trials = _run(tmp_path, trial, HYPERBAND).trials
    promoted = trials.dropna(subset="goes_on_from")
    assert len(promoted) == 6  # 3, then 1 of them in the first bracket, 2 in the second
    for _, row in promoted.iterrows():
        below = trials.iloc[int(row["goes_on_from"])]
        assert (row["hp_x"], row["epochs"]) == (below["hp_x"], 3 * below["epochs"])
    # each trains the epochs that it lacks
    assert sum(asked) == trials["epochs"].sum() - sum(
        trials.iloc[int(number)]["epochs"] for number in promoted["goes_on_from"]
    )
    first_rung = trials[trials["epochs"] == 1]
    chosen = set(trials[(trials["epochs"] == 3) & trials["goes_on_from"].notna()]["hp_x"])
    assert chosen == set(first_rung.nlargest(len(chosen), "score")["hp_x"])


def test_failed_trials_do_not_end_a_bracket_early(tmp_path):
    def fragile(values, epochs, seed):
        if values["kind"] == "a":
            raise FloatingPointError("overflow")
        return _parabola(values, epochs, seed)

    trials = _run(tmp_path, fragile, HYPERBAND, default={"x": 0.0, "kind": "b"}).trials
    assert (trials["status"] == "FAILED").sum() > 1
    whole = trials[(trials["epochs"] == 9) & trials["goes_on_from"].notna()]
    assert len(whole) >= 2


def test_a_space_of_few_points_is_searched_to_the_end(tmp_path):
    outcome = tuner.run(
        lambda hyperparameters: hyperparameters.Choice("x", [1.0, 2.0, 3.0]),
        {"": lambda values, epochs, seed: [values["x"]] * epochs},
        HYPERBAND,
        default={"x": 1.0},
        direction="max",
        folder=tmp_path,
        name="search",
        seed=7,
        progress=lambda *_: None,
    )
    assert outcome.best == {"x": 3.0}
    assert set(outcome.trials["epochs"]) == {1, 3, 9}


def test_a_misspelt_hyperparameter_is_told_with_what_was_meant(tmp_path):
    with pytest.raises(ValueError, match="Did you mean kind"):
        _run(tmp_path, _parabola, RANDOM, default={"x": 1.0, "kindd": "a"})


def test_a_space_without_a_point_is_refused(tmp_path):
    nothing = {"": _parabola}
    metrics = {"folder": tmp_path, "name": "s", "seed": 7, "progress": print, "direction": "max"}
    with pytest.raises(ValueError, match="no hyperparameter"):
        tuner.run(lambda space: None, nothing, RANDOM, default={}, **metrics)
    with pytest.raises(ValueError, match="has no point"):
        tuner.run(lambda space: space.Choice("x", []), nothing, RANDOM, default={"x": 1}, **metrics)


def test_a_trial_that_takes_too_long_is_ended_with_the_reason(tmp_path):
    def slow(values, epochs, seed):
        if values["x"] < 0:
            while True:
                time.sleep(0.01)
        return [values["x"]]

    settings = RANDOM.model_copy(update={"trial_seconds": 0.3})
    trials = _run(tmp_path, slow, settings, default={"x": 1.0, "kind": "a"}).trials
    ended = trials[trials["status"] == "FAILED"]
    assert list(ended["hp_x"] < 0) == [True] * len(ended)
    assert set(ended["message"]) == {
        "TrialLimitError: It took more than 0.3 s, the limit of a trial."
    }


def test_a_trial_that_takes_too_much_memory_is_ended_with_the_reason(tmp_path):
    has = psutil.Process().memory_info().rss / 2**30

    def greedy(values, epochs, seed):
        block = np.ones(2**26)  # half a GiB
        while values["x"] < 0:
            time.sleep(0.01)
        return [float(block[0])]

    settings = RANDOM.model_copy(update={"trial_gibibytes": has + 0.25, "trials": 2})
    with pytest.raises(tuner.NoTrialCompletedError, match="the limit of a trial"):
        _run(tmp_path, lambda *given: greedy({"x": -1.0}, *given[1:]), settings)


def test_a_torn_or_foreign_record_costs_its_trial_alone(tmp_path):
    whole = _run(tmp_path, _noisy, RANDOM)
    first, second, *_ = sorted((tmp_path / "search").glob("*.json"))
    first.write_text(first.read_text()[:20])
    second.write_text("{}")
    again = []

    def counted(*given):
        again.append(given)
        return _noisy(*given)

    resumed = _run(tmp_path, counted, RANDOM)
    assert len(again) == 2
    assert list(resumed.trials["score"]) == list(whole.trials["score"])


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.test_search import HYPERBAND, RANDOM, _noisy, _run

folder, settings, most = Path(sys.argv[1]), eval(sys.argv[2]), int(sys.argv[3])
ran = 0

def trial(*given):
    global ran
    if ran == most:
        os.kill(os.getpid(), signal.SIGKILL)
    ran += 1
    return _noisy(*given)

outcome = _run(folder, trial, settings.model_copy(update={"confirmations": 2}))
print(ran)
"""


@pytest.mark.parametrize("settings", ["RANDOM", pytest.param("HYPERBAND", marks=pytest.mark.slow)])
def test_a_search_that_is_killed_again_and_again_loses_no_trial(tmp_path, settings):
    """Killed in the first trial, then after every ninth, until it ends by itself."""
    chosen = {"RANDOM": RANDOM, "HYPERBAND": HYPERBAND}[settings]
    whole = _run(tmp_path / "whole", _noisy, chosen.model_copy(update={"confirmations": 2}))
    ran, most = 0, 0
    while True:
        answer = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path / "cut"), settings, str(most)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if answer.returncode == 0:
            ran += int(answer.stdout)
            break
        assert answer.returncode == -signal.SIGKILL, answer.stderr
        ran, most = ran + most, 9
    outcome = _run(tmp_path / "cut", pytest.fail, chosen.model_copy(update={"confirmations": 2}))
    assert ran == len(whole.trials) + 4  # each once
    pd.testing.assert_frame_equal(
        whole.trials.drop(columns="seconds"), outcome.trials.drop(columns="seconds")
    )
    assert outcome.metrics["confirmed"] == whole.metrics["confirmed"]
