"""The time gate on small repositories: what it finds, and what it must not overlook.

Processes and benchmarks are real; the times are made up, each package's own, so that no verdict
depends on what else the machine does.
"""

import subprocess

import pytest

from bench.gate import suite, time_gate
from bench.gate.outcomes import Outcome
from bench.gate.trees import checked_out

CONFTEST = """
from pathlib import Path

import bench


def pytest_benchmark_update_machine_info(machine_info):
    machine_info.update(hardware={"cpu": "one"}, backend="none")


def pytest_benchmark_update_json(output_json):
    output_json["package"] = str(Path(bench.__file__).parent.parent)
    for benchmark in output_json["benchmarks"]:
        seconds = bench.SECONDS[benchmark["params"]["name"]]
        benchmark["stats"]["data"] = [seconds * (1 + 0.01 * k) for k in range(5)]
"""
MEASURED = CONFTEST.partition("    for benchmark in")[0]
PACKAGE = """
SECONDS = {{"steady": 0.004, "changed": {seconds}}}


def steady():
    pass


def changed():
    pass
"""
BENCHMARK = """
import pytest

import bench


@pytest.mark.parametrize("name", {names})
def test_it(benchmark, name):
    benchmark.pedantic(getattr(bench, name), rounds=5)
"""


def _commit(folder, package, benchmark, conftest=CONFTEST):
    (folder / "bench").mkdir(exist_ok=True)
    (folder / "tests" / "benchmarks").mkdir(parents=True, exist_ok=True)
    (folder / "bench" / "__init__.py").write_text(package)
    (folder / "tests" / "benchmarks" / "conftest.py").write_text(conftest)
    (folder / "tests" / "benchmarks" / "test_bench.py").write_text(benchmark)
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    for words in (("add", "."), ("commit", "-q", "--allow-empty", "-m", "a commit")):
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)


def _examined(folder, base, head):
    """Outcomes by benchmark, of a repository with these two commits."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    _commit(folder, *base)
    _commit(folder, *head)
    with checked_out("HEAD~1", "HEAD", folder) as trees:
        findings = time_gate.examine(trees, 2, "", lambda *_: None)
    return {f.name.rpartition("::")[2]: f.outcome for f in findings}


def _package(seconds=0.004):
    return PACKAGE.format(seconds=seconds)


def _benchmarks(*names):
    return BENCHMARK.format(names=list(names))


def test_a_sitting_gives_the_seconds_of_each_round(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    slow = _package().replace("    pass", "    __import__('time').sleep(0.004)")
    _commit(tmp_path, slow, _benchmarks("steady"), MEASURED)
    name = "tests/benchmarks/test_bench.py::test_it[steady]"
    rounds = suite.measure(tmp_path, [name]).rounds[name]
    assert len(rounds) == 5
    assert min(rounds) >= 0.004  # however busy the machine is


def test_what_became_slower_is_red_and_the_rest_is_not(tmp_path):
    benchmarks = _benchmarks("steady", "changed")
    found = _examined(tmp_path, (_package(), benchmarks), (_package(0.012), benchmarks))
    assert found == {"test_it[steady]": Outcome.OK, "test_it[changed]": Outcome.REGRESSED}


def test_what_became_faster_is_not_red(tmp_path):
    benchmarks = _benchmarks("changed")
    found = _examined(tmp_path, (_package(0.012), benchmarks), (_package(), benchmarks))
    assert found == {"test_it[changed]": Outcome.OK}


def test_a_benchmark_that_vanished_is_a_harness_error(tmp_path):
    base, head = _benchmarks("steady", "changed"), _benchmarks("steady")
    found = _examined(tmp_path, (_package(), base), (_package(), head))
    assert found == {"test_it[steady]": Outcome.OK, "test_it[changed]": Outcome.HARNESS_ERROR}


def test_no_benchmark_at_all_is_a_harness_error(tmp_path):
    empty = "import bench\n"
    found = _examined(tmp_path, (_package(), empty), (_package(), empty))
    assert found == {"benchmarks of head": Outcome.HARNESS_ERROR}


def test_a_benchmark_that_fails_on_head_is_a_harness_error(tmp_path):
    benchmarks = _benchmarks("steady", "changed")
    broken = _package().replace("def changed():", "def changed():\n    raise ValueError")
    found = _examined(tmp_path, (_package(), benchmarks), (broken, benchmarks))
    assert found == {"test_it[steady]": Outcome.OK, "test_it[changed]": Outcome.HARNESS_ERROR}


def test_a_benchmark_that_base_cannot_run_has_no_baseline(tmp_path):
    old = _package().replace("changed", "former")
    found = _examined(
        tmp_path, (old, _benchmarks("steady")), (_package(), _benchmarks("steady", "changed"))
    )
    assert found == {"test_it[steady]": Outcome.OK, "test_it[changed]": Outcome.NO_BASELINE}


def test_a_benchmark_that_another_process_slowed_is_too_noisy(tmp_path, monkeypatch):
    measure, paces = time_gate.suite.measure, iter([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0])

    def disturbed(tree, *words):
        measured, pace = measure(tree, *words), next(paces)
        for name, rounds in measured.rounds.items():
            measured.rounds[name] = [pace * seconds for seconds in rounds]
        return measured

    monkeypatch.setattr(time_gate.suite, "measure", disturbed)
    benchmarks = _benchmarks("steady")
    found = _examined(tmp_path, (_package(), benchmarks), (_package(), benchmarks))
    assert found == {"test_it[steady]": Outcome.TOO_NOISY}


@pytest.mark.parametrize("where", ["base", "head"])
def test_other_hardware_is_told_and_nothing_is_compared(tmp_path, monkeypatch, where):
    measure = time_gate.suite.measure

    def elsewhere(tree, *words):
        measured = measure(tree, *words)
        if tree.name == where:
            measured.machine["hardware"] = {"cpu": "another"}
        return measured

    monkeypatch.setattr(time_gate.suite, "measure", elsewhere)
    benchmarks = _benchmarks("steady")
    found = _examined(tmp_path, (_package(), benchmarks), (_package(), benchmarks))
    assert found == {"hardware": Outcome.NO_BASELINE}
