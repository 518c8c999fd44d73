"""Several cells at once: processes of their own, and what becomes of one that dies."""

import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from rich.console import Console

from bench.config import load_profile
from bench.experiments import EXPERIMENTS
from bench.paths import ROOT
from bench.running import execute, make_plan, plan, workers
from bench.running.workers import Local
from bench.store.provenance import usable_cores
from tests.toy_experiment import deaths, experiment

SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})
LONG = 60.0  # seconds: far more than a busy machine needs, far fewer than `asleep` sleeps


def _repeated(count):
    section = SMOKE.fashion_generation.model_copy(update={"handed_in_seeds": count})
    return SMOKE.model_copy(update={"fashion_generation": section})


TWO, THREE = _repeated(2), _repeated(3)


@pytest.fixture(autouse=True)
def quick_start(monkeypatch):
    """No framework: these cells need none, and a worker without it must start all the same."""
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])


@pytest.fixture
def planned(monkeypatch, tmp_path):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", experiment)
    return make_plan(THREE, tmp_path, ["fashion_generation"])


@pytest.fixture
def dying(monkeypatch, tmp_path):
    """Plan one variant of the experiment whose processes end, with what it builds on."""
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", deaths)
    return lambda variant: make_plan(TWO, tmp_path, ["fashion_generation"], variant)


@pytest.fixture
def started(monkeypatch):
    """Every worker that is started."""
    everyone = []
    start = workers._start_worker

    def noted(*arguments):
        everyone.append(start(*arguments))
        return everyone[-1]

    monkeypatch.setattr(workers, "_start_worker", noted)
    return everyone


def test_a_process_that_dies_takes_only_its_cell_with_it(planned):
    summary = execute(THREE, planned, Console(quiet=True), Local(2))
    assert (summary.found, summary.ran, summary.failed) == (0, 4, 2)
    cells = {cell.stored.label.split("/")[1].rpartition("-")[0]: cell.stored for cell in planned}
    assert "with code 9" in cells["deadly-s0"].failure["message"]
    assert "Needs" in cells["on_top-s0"].failure["message"]
    processes = cells["together-s0"].metrics["members"]
    assert len(processes) == 3
    assert os.getpid() not in processes
    # a worker sees one core, but the machine has as many as before
    machines = {cells[f"solid-s{seed}"].provenance["hardware"]["cores"] for seed in range(3)}
    assert machines == {len(usable_cores())}
    again = execute(THREE, planned, Console(quiet=True), Local(2))
    assert (again.found, again.failed) == (4, 2)


def test_an_interrupt_ends_the_processes(planned, started):
    def show(event):
        if event.outcome is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Local(2).run(THREE, planned, show)
    assert len(started) >= 2
    assert not any(worker.process.is_alive() for worker in started)


def test_one_worker_is_a_process_of_its_own_as_well(dying):
    (cell,) = [c for c in dying("first") if c.stored.seed_index == 0]
    assert execute(TWO, [cell], Console(quiet=True), Local(1)).failed == 0
    assert cell.stored.metrics["process"] != os.getpid()


def test_a_worker_that_is_killed_idle_costs_nothing(dying, started):
    cells, killed = dying("second"), []

    def show(event):
        idle = [w for w in started if w.idle and w.process.is_alive()]
        if event.outcome is not None and not killed and idle:
            killed.append(idle[0].process.pid)
            idle[0].process.kill()
            idle[0].process.join()

    Local(2).run(TWO, cells, show)
    assert [cell.stored.status for cell in cells] == ["done"] * 4
    assert killed
    assert len(started) == 3  # two, and one in place of the killed one
    later = [c.stored.metrics["process"] for c in cells if c.variant.name == "second"]
    assert killed[0] not in later


def test_a_worker_that_is_killed_while_it_starts_costs_nothing(dying, started, monkeypatch):
    start = workers._start_worker

    def killed(*arguments):
        worker = start(*arguments)
        if len(started) == 1:
            worker.process.kill()
        return worker

    monkeypatch.setattr(workers, "_start_worker", killed)
    cells, events = dying("first"), []
    Local(1).run(TWO, cells, events.append)
    assert [cell.stored.status for cell in cells] == ["done", "done"]
    assert [each.again for each in events].count(True) == 1
    assert len(started) == 2


def test_a_cell_whose_process_is_killed_once_is_run_again(dying):
    (cell,) = dying("killed_once")
    events = []
    Local(2).run(TWO, [cell], events.append)
    assert cell.stored.status == "done"
    (again,) = [each.words for each in events if each.again]
    assert "SIGKILL" in again


def test_a_cell_whose_process_is_killed_twice_is_failed_with_the_signal(dying):
    (cell,) = dying("killed_always")
    summary = execute(TWO, [cell], Console(quiet=True), Local(1))
    assert (summary.ran, summary.failed) == (0, 1)
    assert cell.stored.failure["error"] == "WorkerDiedError"
    assert "2 times in a row" in cell.stored.failure["message"]
    assert "SIGKILL" in cell.stored.failure["message"]


def test_processes_that_cannot_start_fail_their_cells_and_the_run_ends(dying, monkeypatch):
    monkeypatch.setattr(multiprocessing.spawn, "_python_exe", b"/bin/false")
    cells = dying("second")
    summary = execute(TWO, cells, Console(quiet=True), Local(2))
    assert summary.failed == 4
    for cell in cells:
        assert cell.stored.failure["error"] == "WorkerDiedError"


def test_a_finished_cell_stays_done_though_its_process_ended_before_it_said_so(dying, monkeypatch):
    (cell,) = [c for c in dying("first") if c.stored.seed_index == 0]
    receive = workers._receive

    def deaf(worker):
        message = receive(worker)
        return None if message is not None and message[0] == "outcome" else message

    monkeypatch.setattr(workers, "_receive", deaf)
    events = []
    Local(1).run(TWO, [cell], events.append)
    assert cell.stored.status == "done"
    assert events[-1].outcome.done


@pytest.mark.parametrize(
    ("code", "before", "now", "words"),
    [
        (3, 0, 0, "with code 3"),
        (-signal.SIGSEGV, 0, 0, "SIGSEGV"),
        (-signal.SIGKILL, 4, 5, "ran out of memory"),
        (-signal.SIGKILL, 4, 4, "did not run out of memory"),
        (-signal.SIGKILL, None, None, "happens where memory runs out"),
        (-41, 0, 0, "signal 41"),
    ],
)
def test_an_end_is_told_as_the_system_tells_it(code, before, now, words):
    assert words in workers._ending(code, before, now)


PARENT = """
import signal
import sys
from pathlib import Path

from bench.experiments import EXPERIMENTS
from bench.running import make_plan, plan
from bench.running.workers import Local
from tests.test_running_workers import TWO
from tests.toy_experiment import deaths

if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` hands down that it is ignored
    EXPERIMENTS["fashion_generation"] = deaths
    plan.source_hash = lambda module, functions, root: functions[0]
    cells = make_plan(TWO, Path(sys.argv[1]), ["fashion_generation"], "asleep")
    Local(1).run(TWO, cells, lambda event: print(event.words, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_worker_ends_soon_after_its_parent_though_its_cell_sleeps(tmp_path, number):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        worker = psutil.Process(int(next(line for line in process.stdout if line.strip())))
        family = [worker, *psutil.Process(process.pid).children(recursive=True)]
        assert worker.is_running()
        process.send_signal(number)
        process.wait(LONG)
        until = time.monotonic() + LONG
        while any(_is_at_work(each) for each in family) and time.monotonic() < until:
            time.sleep(0.05)
    assert not any(_is_at_work(each) for each in family)


def _is_at_work(process):
    """Whether a process lives; one that has ended may wait for the system to take note of it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
