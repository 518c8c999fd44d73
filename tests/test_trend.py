"""The trend page: series kept apart by machine, the machine's speed taken out, steps marked."""

import json
import subprocess
import sys

import numpy as np
import pytest

from bench.errors import UserError
from bench.gate.suite import environment
from bench.paths import ROOT
from bench.trend.page import chart, write_page
from bench.trend.steps import find_steps
from bench.trend.stored import read_series

RANDOM = np.random.default_rng(0)


def _store(folder, number, seconds, pace=1.0, cpu="A processor"):
    side = {"matmul": 0.002 * pace, "copy": 0.004 * pace}
    run = {
        "datetime": f"2026-11-{number + 1:02d}T10:00:00+00:00",
        "commit_info": {"id": f"{number:040d}"},
        "machine_info": {
            "hardware": {"cpu": cpu, "cores": 2, "gpu": None},
            "backend": "tensorflow",
        },
        "control_seconds": {"before": side, "after": side},
        "benchmarks": [
            {"fullname": "tests/benchmarks/test_bench_x.py::test_a", "stats": {"median": seconds}}
        ],
    }
    path = folder / "Linux" / f"{number:04d}_<latest>.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(run))


def test_a_step_is_found_where_it_is():
    values = np.concatenate([RANDOM.normal(1, 0.02, 8), RANDOM.normal(1.3, 0.02, 6)])
    (step,) = find_steps(values)
    assert step.position == 8
    assert step.ratio == pytest.approx(1.3, abs=0.05)


def test_two_steps_are_found():
    levels = (1.0, 1.5, 1.0)
    values = np.concatenate([RANDOM.normal(level, 0.02, 7) for level in levels])
    assert [step.position for step in find_steps(values)] == [7, 14]


def test_noise_small_changes_and_short_series_are_no_steps():
    false = sum(bool(find_steps(RANDOM.normal(1, 0.1, 20))) for _ in range(200))
    assert false <= 4
    assert not find_steps(np.concatenate([RANDOM.normal(m, 0.002, 8) for m in (1, 1.05)]))
    assert not find_steps(np.array([1.0, 1.0, 2.0, 2.0]))
    assert not find_steps(np.ones(12))


def test_a_slow_day_of_the_machine_is_taken_out(tmp_path):
    for number in range(8):
        pace = 2.0 if number >= 4 else 1.0
        _store(tmp_path, number, 0.1 * pace * (1 + 0.01 * (number % 3)), pace)
    (series,) = read_series(tmp_path)
    assert np.ptp(np.log(series.normalised)) < 0.05
    assert chart(series).steps == []


def test_machines_are_kept_apart_and_the_page_shows_each(tmp_path):
    for number in range(4):
        _store(tmp_path, number, 0.1, cpu="One & only")
        _store(tmp_path, 10 + number, 0.3, cpu="Another")
    assert len(read_series(tmp_path)) == 2
    page = write_page(tmp_path, tmp_path / "out").read_text()
    assert page.count("<polyline") == 2
    assert "One &amp; only" in page
    assert "4 stored runs" in page


def test_a_step_is_told_with_its_commit(tmp_path):
    for number in range(10):
        _store(tmp_path, number, (0.1 if number < 5 else 0.2) * (1 + 0.01 * (number % 3)))
    page = write_page(tmp_path, tmp_path / "out").read_text()
    assert "<b>x: a</b>" in page
    assert "2.00 times as slow since 2026-11-06" in page


def test_a_single_run_is_shown(tmp_path):
    _store(tmp_path, 0, 0.1)
    assert "1 stored runs" in write_page(tmp_path, tmp_path / "out").read_text()


def test_what_the_suite_stores_is_shown(tmp_path):
    stored = tmp_path / "Linux" / "0001_latest.json"
    stored.parent.mkdir()
    words = ("--benchmark-enable", "--benchmark-only", f"--benchmark-json={stored}")
    subprocess.run(
        [sys.executable, "-m", "pytest", "tests/benchmarks/test_bench_data.py", "-k", "parsing",
         *words, "-p", "no:cacheprovider"],
        cwd=ROOT, env=environment(ROOT), check=True, capture_output=True,
    )  # fmt: skip
    control = json.loads(stored.read_text())["control_seconds"]
    assert set(control) == {"before", "after"}
    assert set(control["before"]) == {"matmul", "copy", "interpreter"}
    assert "data: parsing" in write_page(tmp_path, tmp_path / "out").read_text()


def test_a_stored_run_without_control_kernels_is_told(tmp_path):
    _store(tmp_path, 0, 0.1)
    (path,) = tmp_path.glob("*/*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "control_seconds": {}}))
    with pytest.raises(UserError, match="no control kernels"):
        read_series(tmp_path)


def test_no_stored_run_and_a_foreign_file_are_told(tmp_path):
    with pytest.raises(UserError, match="invoke bench"):
        read_series(tmp_path)
    (tmp_path / "Linux").mkdir()
    (tmp_path / "Linux" / "0001.json").write_text("{}")
    with pytest.raises(UserError, match="no run of this benchmark suite"):
        read_series(tmp_path)
