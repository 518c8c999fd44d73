"""The finished part of a run as a page, while the run goes on."""

from unittest import mock

import filelock
import pytest

from bench.__main__ import main
from bench.report import live
from bench.report.live import as_seen, follow, render_live
from bench.store import Result, is_held, open_run, write_done
from tests.report_fixture import made_up_run

MISSING = ("fashion_generation/gan", "fashion_embedding/umap", "mnist_classifier/ensemble")


@pytest.fixture
def run(tmp_path):
    return made_up_run(tmp_path / "runs" / "made-up", seeds=1, missing=MISSING)


def _finish(run, path):
    cell = run.select(*path.split("/"))[0]
    with mock.patch("os.fsync"):
        write_done(cell, Result({"trained": 1.0}), {}, {})


def test_a_cell_that_ends_meanwhile_stays_missing(run):
    seen = as_seen(run)
    assert [cell.label for cell in seen.cells] == [cell.label for cell in run.cells]
    _finish(run, MISSING[0])
    (before,), (now,) = (each.select(*MISSING[0].split("/")) for each in (seen, run))
    assert (before.status, before.seal) == ("missing", None)
    assert now.status == "done"
    done = sum(cell.status == "done" for cell in seen.cells)
    assert done == len(seen.cells) - len(MISSING)


def test_the_page_marks_what_is_missing_and_loads_itself_again(run, tmp_path):
    out = tmp_path / "reports"
    (path,) = render_live(run, out, ("en",))
    page = path.read_text(encoding="utf-8")
    assert path.parent == out / "live"
    assert [each.name for each in out.iterdir()] == ["live"], "a finished report is not touched"
    assert page.count('http-equiv="refresh"') == 1
    assert "This run goes on." in page
    assert "missing" in page.split("This run goes on.")[1]


@pytest.fixture
def rendered(monkeypatch, tmp_path):
    """How many cells were done at each rendering."""
    found = []

    def note(run, out_dir, languages, order=None):
        found.append(sum(cell.status == "done" for cell in run.cells))
        return [tmp_path / "page.html"]

    monkeypatch.setattr(live, "render_live", note)
    return found


def test_a_run_is_followed_until_nobody_writes_to_it(run, tmp_path, monkeypatch, rendered):
    lock = filelock.FileLock(run.folder / ".lock")
    lock.acquire()
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            _finish(run, MISSING[0])
        elif len(waits) == 3:
            lock.release()

    monkeypatch.setattr(live.time, "sleep", wait)
    assert is_held(run.folder)
    messages = []
    pages = list(follow(run.folder, tmp_path / "reports", ("en",), on_progress=messages.append))
    before = len(run.cells) - len(MISSING)
    assert rendered == [before, before + 1], "not again while nothing has ended"
    assert len(pages) == 2
    assert messages[-1] == f"{before + 1} of {len(run.cells)} cells are done"
    assert not is_held(run.folder)


def test_the_command_renders_and_opens(run, tmp_path, monkeypatch, capsys, rendered):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    words = ["--runs", str(run.folder.parent), "--reports", str(tmp_path / "reports")]
    assert main(["report", "--run", run.name, "--live", "--open", *words]) == 0
    assert opened == [(tmp_path / "page.html").resolve().as_uri()]
    assert "cells are done" in capsys.readouterr().out
    assert main(["report", "--run", "made-upp", "--live", *words]) == 2
    assert "Did you mean made-up?" in capsys.readouterr().err
    assert len(open_run(run.folder).cells) == len(run.cells)
