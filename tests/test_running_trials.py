"""Trials of a search in processes of their own: the same scores as one by one, whatever dies."""

import pandas as pd
import pytest

pytest.importorskip("keras_tuner")

from bench.config import load_profile
from bench.experiments import EXPERIMENTS
from bench.running import make_plan, plan, workers
from bench.running.executors import WholeMachine
from bench.running.workers import Local
from tests import toy_search

# with this root seed the best trial is not the default, and is none of the deadly ones
SMOKE = load_profile("smoke").model_copy(update={"precision": "float32", "root_seed": 20261126})


def _profile(**changes):
    search = SMOKE.fashion_generation.search.model_copy(update=changes)
    section = SMOKE.fashion_generation.model_copy(update={"search": search})
    return SMOKE.model_copy(update={"fashion_generation": section})


RANDOM = _profile(algorithm="random", trials=7, confirmations=2)
HYPERBAND = _profile(algorithm="hyperband", max_epochs=4, factor=2, confirmations=1)


@pytest.fixture(autouse=True)
def searches(monkeypatch, tmp_path):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", toy_search.experiment)
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv(toy_search.NOTES, str(notes))
    return notes


def _run(profile, folder, executor, variant, show=lambda event: None):
    cells = make_plan(profile, folder, ["fashion_generation"], variant)
    executor.run(profile, cells, show)
    return [cell.stored for cell in cells]


def _trials(cell):
    return cell.table("trials").drop(columns=["seconds", "message"])


@pytest.mark.parametrize("profile", [RANDOM, HYPERBAND], ids=["random", "hyperband"])
def test_trials_in_two_processes_score_as_in_one(tmp_path, profile):
    alone, on_top = _run(profile, tmp_path / "alone", WholeMachine(), "on_top")
    apart, also_on_top = _run(profile, tmp_path / "apart", Local(2), "on_top")
    pd.testing.assert_frame_equal(_trials(alone), _trials(apart))
    assert alone.metrics | {"seconds": 0} == apart.metrics | {"seconds": 0}
    assert on_top.metrics == also_on_top.metrics


def test_whatever_is_killed_each_trial_that_ended_is_kept_and_the_table_is_the_same(
    tmp_path, searches, monkeypatch
):
    """Trials are killed, and once the search itself in between."""
    (whole,) = _run(RANDOM, tmp_path / "whole", WholeMachine(), "search")
    for mark in searches.iterdir():
        mark.unlink()
    started, events, kills = [], [], []
    start = workers._start_worker

    def noted(*given):
        started.append(start(*given))
        return started[-1]

    monkeypatch.setattr(workers, "_start_worker", noted)

    def show(news):
        events.append(news)
        searching = [worker for worker in started if worker.planned is not None]
        if news.words.startswith("3 of") and not kills:
            kills.append(searching[0])
            kills[0].process.kill()

    (cut,) = _run(RANDOM, tmp_path / "cut", Local(2), "killed", show)
    assert cut.status == "done", cut.failure
    expected, found = _trials(whole), _trials(cut)
    deadly = expected["hp_x"] < toy_search.DEADLY
    assert deadly.any()
    pd.testing.assert_frame_equal(expected[~deadly], found[~deadly], check_dtype=False)
    failed = cut.table("trials")[deadly]
    assert failed["score"].isna().all()
    assert failed["message"].str.contains("2 times in a row before the trial").all()
    assert failed["message"].str.contains("SIGKILL").all()
    assert cut.metrics["confirmed"] == whole.metrics["confirmed"]
    again = [each.words for each in events if each.again]
    assert any("process of a trial" in words for words in again)
    assert any("before the cell" in words for words in again)
    # what had ended was not run again, though its search was killed: at most what two workers had
    runs = [path.name.split(" ")[:3] for path in searches.iterdir()]
    calm = {tuple(run) for run in runs if toy_search.DEADLY <= float(run[1]) <= 0}
    assert calm
    assert sum(runs.count(list(trial)) for trial in calm) <= len(calm) + 2
