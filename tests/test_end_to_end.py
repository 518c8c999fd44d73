"""The main job on real images, in the smoke profile, on both backends."""

import os
import subprocess
import sys

import pytest

from bench.paths import ROOT
from bench.store import open_run

pytestmark = pytest.mark.slow
LONG = 3600.0  # seconds: many times what a quiet machine takes


def _run_all(folder, backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    folders = ["--runs", str(folder / "runs"), "--reports", str(folder / "reports")]
    return subprocess.run(
        [sys.executable, "-m", "bench", "run-all", "--profile", "smoke", *folders],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.nightly)])
def test_run_all_ends_in_a_report_and_a_second_call_trains_nothing(tmp_path, backend):
    answer = _run_all(tmp_path, backend)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    run = open_run(tmp_path / "runs" / "smoke")
    assert {cell.status for cell in run.cells} == {"done"}
    assert {cell.provenance["backend"] for cell in run.cells} == {backend}
    written = {path.name for path in (tmp_path / "reports" / "smoke").iterdir()}
    for language in ("en", "es"):
        assert {f"lab-report.{language}.pdf", f"lab-report.{language}.html"} <= written
    again = _run_all(tmp_path, backend)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"{len(run.cells)} cells were done, 0 ran now, 0 failed" in again.stdout


def test_speed_is_timed_into_a_run_and_shown_in_its_report(tmp_path):
    folders = ["--runs", str(tmp_path / "runs")]
    words = [sys.executable, "-m", "bench"]
    speed = subprocess.run(
        [*words, "speed", "--profile", "smoke", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert speed.returncode == 0, speed.stdout + speed.stderr
    run = open_run(tmp_path / "runs" / "smoke")
    timed = [cell for cell in run.cells if cell.experiment.endswith(("speedrun", "_speed"))]
    assert {cell.status for cell in timed} == {"done"}
    (cell,) = run.select("training_speed", "throughput")
    classifier = cell.metrics["networks"]["classifier"]
    assert {"our_loop", "keras_fit", "convolution", "copy"} <= set(classifier)
    assert classifier["our_loop"]["of_ceiling"] > 0
    report = subprocess.run(
        [
            *words,
            "report",
            "--profile",
            "smoke",
            "--edition",
            "full",
            *folders,
            "--reports",
            str(tmp_path / "reports"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert report.returncode == 0, report.stdout + report.stderr
    page = (tmp_path / "reports" / "smoke" / "full-record.en.html").read_text(encoding="utf-8")
    for anchor in ("tab-throughput", "tab-speedruns", "tab-growth", "fig-growth"):
        assert f'id="{anchor}"' in page
