"""Several cells at once: processes of their own, and what becomes of one that dies."""

import os

import pytest
from rich.console import Console

from bench.config import load_profile
from bench.experiments import EXPERIMENTS
from bench.running import execute, make_plan, plan, workers
from bench.store.provenance import usable_cores
from tests.toy_experiment import experiment

SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})
THREE = SMOKE.model_copy(
    update={"fashion_generation": SMOKE.fashion_generation.model_copy(update={"handed_in_seeds": 3})}
)


@pytest.fixture
def planned(monkeypatch, tmp_path):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", experiment)
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])
    monkeypatch.setattr(workers, "_load_framework", lambda: None)
    return make_plan(THREE, tmp_path, ["fashion_generation"])


def test_a_process_that_dies_takes_only_its_cell_with_it(planned):
    summary = execute(THREE, planned, Console(quiet=True), workers=2)
    assert (summary.found, summary.ran, summary.failed) == (0, 4, 2)
    cells = {cell.stored.label.split("/")[1].rpartition("-")[0]: cell.stored for cell in planned}
    assert "ended with code 9" in cells["deadly-s0"].failure["message"]
    assert "Needs" in cells["on_top-s0"].failure["message"]
    processes = cells["together-s0"].metrics["members"]
    assert len(processes) == 3
    assert os.getpid() not in processes
    # a worker sees one core, but the machine has as many as before
    machines = {cells[f"solid-s{seed}"].provenance["hardware"]["cores"] for seed in range(3)}
    assert machines == {len(usable_cores())}
    again = execute(THREE, planned, Console(quiet=True), workers=2)
    assert (again.found, again.failed) == (4, 2)


def test_an_interrupt_ends_the_processes(planned, monkeypatch):
    hired = []
    hire = workers._hire
    monkeypatch.setattr(
        workers, "_hire", lambda *arguments: hired.append(hire(*arguments)) or hired[-1]
    )

    def show(told):
        if told.outcome is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers.run_at_once(THREE, planned, 2, show)
    assert len(hired) >= 2
    assert not any(worker.process.is_alive() for worker in hired)
