"""A cell that takes longer than it may is stopped and has failed, wherever it runs."""

import contextlib
import subprocess
import sys

import pytest
from rich.console import Console

from bench.config import load_profile
from bench.experiments import EXPERIMENTS
from bench.paths import ROOT
from bench.running import execute, make_plan, plan
from bench.running.executors import WholeMachine
from bench.running.limits import OverLimit, limited
from bench.running.workers import Local
from tests.toy_experiment import deaths

SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})
SHORT = SMOKE.model_copy(update={"cell_seconds": 0.5})


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")  # these cells need no framework
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", deaths)
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])


@pytest.mark.parametrize("executor", [Local(1), WholeMachine()], ids=["local", "inline"])
def test_a_silent_cell_over_its_limit_has_failed_and_is_not_tried_twice(tmp_path, executor):
    (cell,) = make_plan(SHORT, tmp_path, ["fashion_generation"], "asleep")
    summary = execute(SHORT, [cell], Console(quiet=True), executor)
    assert (summary.ran, summary.failed) == (0, 1)
    assert cell.stored.failure["error"] == "CellLimitError"
    assert "more than 0.5 s" in cell.stored.failure["message"]
    assert "cell_seconds" in cell.stored.failure["message"]


def test_a_cell_that_tells_of_itself_all_the_time_is_stopped_as_well(tmp_path):
    (cell,) = make_plan(SHORT, tmp_path, ["fashion_generation"], "chatty")
    assert execute(SHORT, [cell], Console(quiet=True), Local(1)).failed == 1
    assert cell.stored.failure["error"] == "CellLimitError"


def test_the_limit_is_part_of_no_key(tmp_path):
    keys = [
        [cell.stored.key for cell in make_plan(profile, tmp_path, ["fashion_generation"])]
        for profile in (SMOKE, SHORT)
    ]
    assert keys[0] == keys[1]


def _catches_errors():
    while True:
        with contextlib.suppress(Exception):
            sum(range(1000))


def test_code_that_catches_errors_is_left():
    with pytest.raises(OverLimit), limited(0.1, lambda: None):
        _catches_errors()


def test_what_ends_in_time_is_left_alone():
    for _ in range(3):
        with limited(1e9, lambda: None):
            pass


DEAF = """
import signal, time
from bench.running import limits
signal.pthread_sigmask(signal.SIG_BLOCK, {limits.SIGNAL})  # as code that never returns to Python
limits.GRACE = 0.1
with limits.limited(0.1, lambda: print("written down", flush=True)):
    time.sleep(3600)
"""


def test_a_process_that_cannot_be_left_ends_with_its_cell_written_down():
    answer = subprocess.run(
        [sys.executable, "-c", DEAF], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 3
    assert answer.stdout == "written down\n"
    assert "cannot be left" in answer.stderr
