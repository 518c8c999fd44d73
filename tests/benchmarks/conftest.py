"""What a saved file of figures holds beside the figures: hardware, control kernels, throughput."""

import os
import time
from pathlib import Path

import pytest

import bench
from bench.store.provenance import hardware
from tests.benchmarks.control import control_kernels

CONTROL = pytest.StashKey[dict]()


LEAST_SECONDS, MOST_ROUNDS = 0.6, 400


@pytest.fixture
def timed(benchmark):
    """Time a function over enough rounds, after one that warms up; gives what it returns."""

    def run(function, *arguments, items=1, unit="calls", least_rounds=5):
        benchmark.extra_info.update(items=items, unit=unit)
        if not benchmark.enabled:
            return benchmark.pedantic(function, args=arguments)
        function(*arguments)
        began = time.perf_counter()
        function(*arguments)
        # a machine's speed changes within seconds: what is over in a blink sees only one of them
        enough = int(LEAST_SECONDS / (time.perf_counter() - began))
        rounds = min(MOST_ROUNDS, max(least_rounds, enough))
        return benchmark.pedantic(function, args=arguments, rounds=rounds)

    return run


def pytest_sessionstart(session):
    if _enabled(session.config):
        session.config.stash[CONTROL] = {"before": control_kernels()}


def pytest_benchmark_update_machine_info(machine_info):
    machine_info["hardware"] = hardware()
    machine_info["backend"] = os.environ.get("KERAS_BACKEND", "tensorflow")


def pytest_benchmark_update_json(config, benchmarks, output_json):
    _finish(config)
    output_json["control_seconds"] = config.stash.get(CONTROL, {})
    output_json["package"] = str(Path(bench.__file__).parent.parent)
    for benchmark in output_json["benchmarks"]:
        extra = benchmark["extra_info"]
        extra["items_per_second"] = extra.get("items", 1) / benchmark["stats"]["median"]


def pytest_terminal_summary(terminalreporter, config):
    if not _enabled(config):
        return
    session = config._benchmarksession
    rows = [
        f"{b.name:<48} {b.extra_info['items'] / b['median']:>12,.1f} {b.extra_info['unit']}/s"
        for b in session.benchmarks
        if b and b.extra_info.get("unit", "calls") != "calls"
    ]
    if rows:
        terminalreporter.section("throughput (of the median)")
        terminalreporter.write_line("\n".join(rows))
    for words in _growth(session.benchmarks):
        terminalreporter.write_line(words)
    _finish(config)
    control = config.stash[CONTROL]
    terminalreporter.section("control kernels: before and after, ms")
    for name, before in control["before"].items():
        after = control["after"][name]
        terminalreporter.write_line(f"{name:<12} {1000 * before:8.2f} {1000 * after:8.2f}")


def _growth(benchmarks):
    """Exponent of the time of each benchmark that was run at three sizes or more."""
    from bench.timing.growth import fit_power_law

    sizes = {}
    for benchmark in benchmarks:
        if benchmark and "size" in benchmark.extra_info:
            name = benchmark.name.partition("[")[0]
            sizes.setdefault(name, []).append((benchmark.extra_info["size"], benchmark["median"]))
    for name, measured in sizes.items():
        if len(measured) >= 3:
            found = fit_power_law(*zip(*measured, strict=True))
            yield f"{name}: time grows as size to the power of {found.exponent:.2f}"


def _finish(config):
    control = config.stash.get(CONTROL, None)
    if control is not None and "after" not in control:
        control["after"] = control_kernels()


def _enabled(config):
    # the plugin's own decision, which several options and other plugins have a say in
    session = getattr(config, "_benchmarksession", None)
    return session is not None and not session.disabled
