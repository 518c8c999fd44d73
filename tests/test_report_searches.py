"""What the report computes from the trials of a search."""

import numpy as np
import pandas as pd
import pytest

from bench.metrics.importance import permutation_importance
from bench.report.page.context import Context
from bench.report.values import searches
from bench.report.values.collect import Results
from bench.store import Result, StoredCell, write_done
from bench.store.run import write_manifest
from tests.report_fixture import PROVENANCE

RANDOM = np.random.default_rng(20261129)
RUNGS = pd.DataFrame(
    {
        "trial": range(10),
        "score": [0.9, 0.1, 0.2, 0.3, 0.4, np.nan, 0.15, 0.35, 0.30, 0.5],
        "epochs": [9, 1, 1, 1, 1, 1, 3, 3, 3, 9],
        "goes_on_from": [np.nan] * 6 + [1, 3, 4, 7],
        "default": [True] + [False] * 9,
        "hp_rate": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 4.0, 5.0, 4.0],
        "hp_same": ["a"] * 10,
    }
)


@pytest.fixture
def made_up(tmp_path):
    """A search with rungs, as the report sees it."""
    cell = StoredCell(tmp_path / "run", "fashion_generation", "search", 0, "5" * 64)
    metrics = {"confirmed": {"winner": [1.0, 2.0, 6.0], "default": []}}
    write_done(cell, Result(metrics, {"trials": RUNGS}), {}, PROVENANCE)
    return Results(write_manifest(tmp_path / "run", {}, [cell]))


def test_rungs_are_the_lengths_between_which_trials_went_on():
    assert searches.rungs(RUNGS) == [(1, 3), (3, 9)]
    assert searches.rungs(RUNGS.drop(columns="goes_on_from")) == []


def test_promoted_trials_are_paired_with_those_they_went_on_from():
    pairs = searches.between(RUNGS, 1, 3, "score")
    assert pairs["before"].tolist() == [0.1, 0.3, 0.4]
    assert pairs["after"].tolist() == [0.15, 0.35, 0.30]
    assert searches.rank_correlation(pairs) == pytest.approx(0.5)


def test_two_pairs_or_equal_scores_have_no_rank_correlation():
    assert searches.rank_correlation(searches.between(RUNGS, 3, 9, "score")) is None
    same = pd.DataFrame({"before": [1.0, 1.0, 1.0], "after": [1.0, 2.0, 3.0]})
    assert searches.rank_correlation(same) is None


def test_the_report_asks_for_rungs_and_means_by_their_paths(made_up):
    path = "fashion_generation/search"
    assert Context(made_up).rungs(path) == [(1, 3), (3, 9)]
    assert made_up.value(path, "table:trials.rungs(1,3).score").mean == pytest.approx(0.5)
    assert made_up.value(path, "table:trials.pairs(1,3).score").mean == 3
    assert not made_up.value(path, "table:trials.rungs(3,9).score")
    assert made_up.value(path, "confirmed.winner.mean").mean == 3.0
    assert not made_up.value(path, "confirmed.default.mean")


def test_trials_of_the_commonest_length_are_compared():
    assert searches.comparable(RUNGS)["trial"].tolist() == [1, 2, 3, 4]
    assert searches.comparable(RUNGS[RUNGS["score"].isna()]).empty


def test_a_setting_that_does_not_vary_is_left_out():
    assert searches.varied(RUNGS) == ["hp_rate"]


@pytest.mark.parametrize(("trials", "told"), [(11, False), (12, True)])
def test_importance_needs_enough_comparable_trials(made_up, trials, told):
    table = pd.DataFrame(
        {"score": np.arange(trials) / 10, "epochs": 2, "hp_rate": np.arange(float(trials))}
    )
    assert searches.trials_needed(table) == 12
    assert (searches.importance(table) is not None) == told
    assert Context(made_up).too_few_trials("fashion_generation/search") == (4, 12)


def test_equal_scores_tell_of_no_importance():
    table = pd.DataFrame({"score": [0.5] * 12, "epochs": 2, "hp_rate": np.arange(12.0)})
    assert searches.importance(table) is None


def test_the_setting_that_makes_the_score_is_the_important_one():
    rate, kind = RANDOM.uniform(size=24), RANDOM.choice(["a", "b"], 24)
    settings = pd.DataFrame({"rate": rate, "kind": kind})
    found = permutation_importance(settings, 3 * rate)
    assert found.explained > 0.5
    assert found.by_setting["rate"] > 10 * abs(found.by_setting["kind"])
    assert permutation_importance(settings, 3 * rate) == found
    noise = permutation_importance(settings, RANDOM.normal(size=24))
    assert noise.explained < 0.2
