"""A report is rendered again when, and only when, something it is made from has changed."""

import json

import pytest

from bench.report.publishing import freshness
from bench.store import Result, StoredCell, write_done, write_manifest


@pytest.fixture
def rendered(tmp_path, monkeypatch):
    """A run of one cell, and a report of it."""
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "page.html").write_text("page")
    monkeypatch.setattr(freshness, "TEMPLATES", templates)
    cell = StoredCell(tmp_path / "run", "a", "b", 0, "k" * 64)
    run = write_manifest(tmp_path / "run", {"name": "x"}, [cell])
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("report")
    freshness.remember(run, out, [out / "report.html"])
    return run, cell, out, templates


def test_an_unchanged_report_is_fresh(rendered):
    run, _, out, _ = rendered
    assert freshness.is_fresh(run, out)


def test_a_finished_cell_makes_it_stale(rendered):
    run, cell, out, _ = rendered
    write_done(cell, Result({}), {}, {})
    assert not freshness.is_fresh(run, out)


def test_a_changed_template_makes_it_stale(rendered):
    run, _, out, templates = rendered
    (templates / "page.html").write_text("another page")
    assert not freshness.is_fresh(run, out)


@pytest.mark.parametrize("change", ["touch", "delete", "no record", "bad record"])
def test_a_damaged_report_is_not_fresh(rendered, change):
    run, _, out, _ = rendered
    if change == "touch":
        (out / "report.html").write_text("edited by hand")
    elif change == "delete":
        (out / "report.html").unlink()
    elif change == "no record":
        (out / freshness.RECORD).unlink()
    else:
        (out / freshness.RECORD).write_text(json.dumps([1]))
    assert not freshness.is_fresh(run, out)
