"""Neither the number of workers nor that of the machine's cores changes a figure."""

import os

import pytest
from rich.console import Console

from bench.config import load_profile
from bench.experiments import EXPERIMENTS
from bench.running import execute, make_plan, plan
from bench.running.workers import Local
from bench.store.provenance import usable_cores
from tests.tiny_training import counting, experiment

SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})
TWO = SMOKE.model_copy(
    update={
        "fashion_generation": SMOKE.fashion_generation.model_copy(update={"handed_in_seeds": 2})
    }
)
TIMES = {"seconds"}  # of the tiny experiment; every other figure must be the same


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", experiment)
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])


@pytest.fixture
def one_core():
    """Let this process, and what it starts, have one core only."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot keep a process on some of its cores")
    before = usable_cores()

    def restrict():
        os.sched_setaffinity(0, before[:1])

    yield restrict
    os.sched_setaffinity(0, before)


def _figures(folder, workers):
    """Metrics by cell, without times."""
    cells = make_plan(TWO, folder, ["fashion_generation"])
    summary = execute(TWO, cells, Console(quiet=True), Local(workers))
    assert (summary.ran, summary.failed) == (3, 0)
    return {
        cell.stored.name: {k: v for k, v in cell.stored.metrics.items() if k not in TIMES}
        for cell in cells
    }


def test_each_library_in_a_worker_would_start_one_thread(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", counting)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # what this process has is no matter
    (cell,) = make_plan(TWO, tmp_path, ["fashion_generation"])
    assert execute(TWO, [cell], Console(quiet=True), Local(1)).failed == 0
    found = cell.stored.metrics
    assert {"blas", "openmp"} <= {name.partition(" ")[0] for name in found}
    assert set(found.values()) == {1}
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.slow
def test_workers_and_cores_change_no_figure(tiny, tmp_path, one_core):
    alone = _figures(tmp_path / "alone", workers=1)
    assert len({str(figures["weights"]) for figures in alone.values() if "weights" in figures}) == 2
    one_core()
    assert _figures(tmp_path / "together", workers=2) == alone
