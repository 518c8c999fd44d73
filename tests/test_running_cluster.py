"""Cells and trials on a Ray cluster of two nodes on this machine: two raylets, each with a core."""

import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed: `bash .ci/setup cluster` brings it")
pytest.importorskip("keras_tuner")

import ray
from ray.cluster_utils import Cluster as Nodes

from bench.config import load_profile
from bench.errors import UserError
from bench.experiments import EXPERIMENTS
from bench.paths import ROOT
from bench.running import cluster, make_plan, plan
from bench.running.cluster import Cluster
from bench.running.executors import WholeMachine
from bench.store import open_run
from tests import toy_search
from tests.toy_experiment import deaths
from tests.toy_experiment import experiment as toys

# Ray starts processes, threads and sockets of its own, and warns of them
pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]
SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})
LONG = 3600.0  # seconds: many times what a quiet machine takes


def _profile(seeds=1, **changes):
    section = SMOKE.fashion_generation
    search = section.search.model_copy(update=changes)
    changed = section.model_copy(update={"search": search, "handed_in_seeds": seeds})
    return SMOKE.model_copy(update={"fashion_generation": changed})


RANDOM = _profile(algorithm="random", trials=5, confirmations=1)
HYPERBAND = _profile(algorithm="hyperband", max_epochs=4, factor=2, confirmations=1)
ALONE = _profile(algorithm="random", trials=5, confirmations=0)
LONGER = _profile(algorithm="random", trials=8, confirmations=0)
MANY = _profile(seeds=6)


@pytest.fixture(scope="module")
def nodes():
    """Two nodes with a core each; the second may be killed."""
    started = Nodes(initialize_head=True, head_node_args={"num_cpus": 1})
    started.add_node(num_cpus=1)
    yield started
    ray.shutdown()
    started.shutdown()


@pytest.fixture
def second(nodes):
    """The node beside the head, started anew where it was killed."""
    if len(nodes.worker_nodes) == 0:
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    (node,) = nodes.worker_nodes
    return node


@pytest.fixture(autouse=True)
def searches(monkeypatch, tmp_path):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", toy_search.experiment)
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setattr(cluster, "PASSED_ON", (*cluster.PASSED_ON, toy_search.NOTES))
    monkeypatch.setenv(toy_search.NOTES, str(notes))
    return notes


def _run(profile, folder, executor, variant, events=None):
    cells = make_plan(profile, folder, ["fashion_generation"], variant)
    executor.run(profile, cells, (lambda event: None) if events is None else events.append)
    return [cell.stored for cell in cells]


def _trials(cell):
    return cell.table("trials").drop(columns=["seconds", "message"])


@pytest.mark.parametrize("profile", [RANDOM, HYPERBAND], ids=["random", "hyperband"])
def test_a_search_on_two_nodes_has_the_same_trials(nodes, second, tmp_path, profile):
    alone, on_top = _run(profile, tmp_path / "alone", WholeMachine(), "on_top")
    apart, also_on_top = _run(profile, tmp_path / "apart", Cluster(nodes.address, None), "on_top")
    assert apart.status == "done", apart.failure
    pd.testing.assert_frame_equal(_trials(alone), _trials(apart))
    assert alone.metrics | {"seconds": 0} == apart.metrics | {"seconds": 0}
    assert on_top.metrics == also_on_top.metrics


def test_nothing_need_be_shared_with_the_nodes(nodes, second, tmp_path, monkeypatch):
    """As on machines that do not see the run's folder: needed cells travel."""
    monkeypatch.setattr(cluster, "TOKEN", ".another")  # the nodes look for `.shared`
    search, on_top = _run(RANDOM, tmp_path / "run", Cluster(nodes.address, None), "on_top")
    assert (search.status, on_top.status) == ("done", "done")
    assert on_top.metrics["best"] == search.metrics["best_score"]
    names = {path.name for path in (tmp_path / "run" / "fashion_generation").iterdir()}
    assert names == {search.name, on_top.name}


def test_a_cell_that_kills_its_process_is_failed_and_what_needs_it_too(
    nodes, second, tmp_path, monkeypatch
):
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", toys)
    monkeypatch.setattr(cluster, "RETRIES", 1)
    cells = {
        cell.variant: cell for cell in _run(MANY, tmp_path, Cluster(nodes.address, None), None)
    }
    assert cells["deadly"].failure["error"] == "LostError"
    assert cells["on_top"].status == "failed"
    assert cells["together"].status == "done"
    assert len(cells["together"].metrics["members"]) == 6


def _doom(node):
    """Kill a node as `kill -9` does it, raylet and workers, as soon as a task is stuck there."""
    toy_search.doom(node.node_id)

    def wait():
        until = time.monotonic() + toy_search.FOREVER
        while not (toy_search.noted("stuck") and toy_search.noted("ended")):
            if time.monotonic() > until:
                return
            time.sleep(0.05)
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            process.send_signal(signal.SIGKILL)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def _check_one_was_cut_off():
    """One task was stuck, began again elsewhere and ended; each other began and ended once."""
    began, ended = (sorted(toy_search.noted(word)) for word in ("began", "ended"))
    assert began == sorted([*ended, *toy_search.noted("stuck")])
    assert len({tuple(name) for name in ended}) == len(ended)
    assert len(toy_search.noted("stuck")) == 1


@pytest.mark.parametrize(
    ("profile", "variant"), [(ALONE, "held"), (MANY, "held_cell")], ids=["trial", "cell"]
)
def test_a_node_that_is_killed_in_the_middle_loses_nothing(
    nodes, second, tmp_path, searches, profile, variant
):
    whole = _run(profile, tmp_path / "whole", WholeMachine(), variant)
    for mark in searches.iterdir():
        mark.unlink()
    killer = _doom(second)
    cut = _run(profile, tmp_path / "cut", Cluster(nodes.address, None), variant)
    killer.join()
    nodes.remove_node(second, allow_graceful=False)
    assert [cell.status for cell in cut] == ["done"] * len(whole), [cell.failure for cell in cut]
    for one, other in zip(whole, cut, strict=True):
        assert one.metrics | {"seconds": 0} == other.metrics | {"seconds": 0}
        if variant == "held":
            pd.testing.assert_frame_equal(_trials(one), _trials(other))
    _check_one_was_cut_off()


@pytest.mark.parametrize("variant", ["asleep", "deaf"])
def test_a_cell_over_its_limit_has_failed_with_its_reason(
    nodes, second, tmp_path, monkeypatch, variant
):
    """Also one that cannot be left: its process ends, and Ray does not try it for as long again."""
    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", deaths)
    monkeypatch.setattr(cluster, "RETRIES", 1)
    short = SMOKE.model_copy(update={"cell_seconds": 0.5})
    (cell,) = _run(short, tmp_path, Cluster(nodes.address, None), variant)
    assert cell.failure["error"] == "CellLimitError"
    assert "more than 0.5 s" in cell.failure["message"]


def test_a_search_over_its_limit_has_failed_and_leaves_no_trial_behind(nodes, second, tmp_path):
    short = RANDOM.model_copy(update={"cell_seconds": 20.0})
    (cell,) = _run(short, tmp_path, Cluster(nodes.address, None), "endless")
    assert cell.failure["error"] == "CellLimitError"
    began = {int(process) for (process,) in toy_search.noted("began")}
    processes = [each for each in psutil.process_iter() if each.pid in began]
    assert psutil.wait_procs(processes, timeout=LONG)[1] == []


DRIVER = """
import sys
from pathlib import Path
from bench.experiments import EXPERIMENTS
from bench.running import cluster, plan
from tests import test_running_cluster as here, toy_search

EXPERIMENTS["fashion_generation"] = toy_search.experiment
plan.source_hash = lambda module, functions, root: functions[0]
cluster.PASSED_ON = (*cluster.PASSED_ON, toy_search.NOTES)
here._run(here.LONGER, Path(sys.argv[1]), cluster.Cluster(sys.argv[2], None), "gated")
"""


def test_a_driver_that_is_killed_in_a_search_loses_no_trial_that_ended(nodes, second, tmp_path):
    (whole,) = _run(LONGER, tmp_path / "whole", Cluster(nodes.address, None), "search")
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path / "cut"), nodes.address], cwd=ROOT
    )
    until = time.monotonic() + LONG
    while len(list((tmp_path / "cut").rglob("[!.]*.json"))) < toy_search.GATE:
        assert driver.poll() is None, "it ended by itself"
        assert time.monotonic() < until, "no trial was kept"
        time.sleep(0.1)
    driver.kill()
    driver.wait()
    toy_search.note("go")
    (cut,) = _run(LONGER, tmp_path / "cut", Cluster(nodes.address, None), "gated")
    pd.testing.assert_frame_equal(_trials(whole), _trials(cut))
    ended = toy_search.noted("ended")
    every = {tuple(name) for name in ended}
    assert len(every) == len(_trials(whole))
    # again ran at most the two at work when it was killed, and one that passed the gate with them
    assert len(ended) < len(every) + toy_search.GATE


def test_an_address_where_nobody_answers_is_told_at_once():
    began = time.monotonic()
    with pytest.raises(UserError, match="nobody answers"):
        Cluster("127.0.0.1:1", None)
    for address in ("ftp://somewhere:1", "somewhere", "somewhere:many", "[::1:6379", ""):
        with pytest.raises(UserError, match="expected auto, HOST:PORT"):
            Cluster(address, None)
    assert time.monotonic() - began < 30


def test_nodes_with_other_versions_are_refused(nodes, second, monkeypatch):
    monkeypatch.setattr(cluster, "package_versions", lambda: {"keras": "2.0"})
    with pytest.raises(UserError, match=r"other versions: .*keras .* \(here 2.0\)"):
        Cluster(nodes.address, None)
    assert not ray.is_initialized()


def test_a_cluster_of_another_ray_is_refused(nodes, monkeypatch):
    monkeypatch.setattr(ray, "__version__", "1.0")
    with pytest.raises(UserError, match="Version mismatch"):
        Cluster(nodes.address, None)


def test_a_cluster_without_cores_is_refused(monkeypatch):
    monkeypatch.setattr(cluster, "_check_reachable", lambda address: None)
    bare = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        with pytest.raises(UserError, match="has 0 CPU, and a cell needs 1"):
            Cluster(bare.address, None)
    finally:
        bare.shutdown()


def test_a_gpu_share_without_a_gpu_is_refused():
    with pytest.raises(UserError, match="it sees none"):
        Cluster(None, 0.25)


def test_run_all_on_the_cluster_gives_the_figures_of_local(nodes, second, tmp_path):
    for name, words in (("local", []), ("ray", ["--executor", "ray", "--address", nodes.address])):
        folders = ["--runs", str(tmp_path / name), "--reports", str(tmp_path / "reports" / name)]
        answer = subprocess.run(
            [sys.executable, "-m", "bench", "run-all", "--profile", "smoke", *folders, *words],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONG,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout + answer.stderr
    one, other = (open_run(tmp_path / name / "smoke").cells for name in ("local", "ray"))
    for mine, theirs in zip(one, other, strict=True):
        assert mine.label == theirs.label
        assert _timeless(mine.metrics) == _timeless(theirs.metrics)


def _timeless(value):
    """Figures without times, rates and memory."""
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if not _is_of_time(k)}
    return value


def _is_of_time(name):
    return any(word in name for word in ("seconds", "per_second", "per_step", "memory"))
