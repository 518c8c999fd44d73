"""Reports that are rendered at once, killed, or left behind by a killed process."""

import os
import signal
import subprocess
import sys
import time

import filelock
import psutil
import pytest

from bench.__main__ import main
from bench.errors import UserError
from bench.paths import ROOT
from bench.report.order import DRAWINGS
from bench.report.render import alone, render
from bench.store.lock import LOCK

LONG = 60.0  # seconds: far more than a busy machine needs


@pytest.fixture
def held(tmp_path):
    """A folder in which another process renders."""
    (tmp_path / "r" / DRAWINGS).mkdir(parents=True)
    with filelock.FileLock(tmp_path / "r" / DRAWINGS / LOCK):
        yield tmp_path / "r"


def test_a_second_report_waits_for_the_first(held):
    warnings = []

    def let_go(words):
        warnings.append(words)
        raise TimeoutError  # the wait itself would be for another process

    with pytest.raises(TimeoutError), alone(held, let_go):
        pass
    assert "waiting for another process" in warnings[0]
    with pytest.raises(UserError, match="nothing was changed"), alone(held, warnings.append, 0.1):
        pass


def test_a_report_that_is_being_rendered_is_not_deleted(held, capsys):
    (held / "rendered.json").write_text("{}")
    folders = ["--runs", str(held.parent / "runs"), "--reports", str(held.parent)]
    assert main(["clean", "--run", "r", "--yes", *folders]) == 2
    assert "another process renders there" in " ".join(capsys.readouterr().err.split())
    assert (held / "rendered.json").is_file()


def test_what_killed_processes_left_is_swept(tmp_path):
    (tmp_path / ".lab-report.en.abc" / "drawings").mkdir(parents=True)
    (tmp_path / ".full-record.es.abc").mkdir()
    (tmp_path / DRAWINGS).mkdir()
    (tmp_path / DRAWINGS / ".maps.en~1.svg.77.part").touch()
    (tmp_path / "lab-report.en.part").touch()
    (tmp_path / "lab-report.en.html").write_text("a report")
    (tmp_path / "notes.txt").write_text("mine")
    with alone(tmp_path):
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {DRAWINGS, "lab-report.en.html", "notes.txt"}
    assert {path.name for path in (tmp_path / DRAWINGS).iterdir()} <= {LOCK}


def test_a_renderer_that_is_killed_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["bench.report.render"], "_work", _killed)
    with pytest.raises(UserError, match="ended before it had finished"):
        render(None, tmp_path, ("en", "es"), ("html",))


def _killed(job):
    os.kill(os.getpid(), signal.SIGKILL)


PARENT = """
import signal, time
from bench.report.render import _pool
if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` hands down that it is ignored
    with _pool(2) as mapped:
        print(list(mapped(time.sleep, [3600, 3600])))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_no_renderer_outlives_the_command_that_started_it(tmp_path, number):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    until = time.monotonic() + LONG
    parent, family = psutil.Process(process.pid), []
    while len(family) < 3 and time.monotonic() < until:  # two renderers, and what watches them
        family = parent.children(recursive=True)
        time.sleep(0.05)
    assert len(family) >= 2
    process.send_signal(number)
    process.wait(LONG)
    _, alive = psutil.wait_procs(family, LONG)
    assert not alive
