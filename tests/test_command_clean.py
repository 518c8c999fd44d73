"""`clean` deletes a run and its report, and can delete nothing else."""

import io
import json
import shutil

import pytest

from bench.__main__ import main
from bench.store import lock_run, write_manifest

WRONG_NAMES = [
    *("", ".", "..", "../outside", "a/b", "/", "runs/..", ".hidden", "x" * 300, "x" * 101),
    *("nul\0", "[/bold]", "a b", "a\n", "*", "~", "müller", "\udcff"),
]


@pytest.fixture
def place(tmp_path):
    """A folder like a checkout: runs, reports, and something that must survive."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("work of a year")
    for name in ("one", "two"):
        write_manifest(tmp_path / "runs" / name, {"name": name}, [])
        (tmp_path / "reports" / name).mkdir(parents=True)
        (tmp_path / "reports" / name / "rendered.json").write_text("{}")
    return tmp_path


def _clean(place, *words):
    folders = ["--runs", str(place / "runs"), "--reports", str(place / "reports")]
    return main(["clean", *words, *folders])


def _everything(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def _refused(place, capsys, *words):
    """Call `clean` and show that it is told off and that nothing has changed."""
    before = _everything(place)
    assert _clean(place, *words) == 2
    assert _everything(place) == before
    output = capsys.readouterr().err
    assert "Traceback" not in output
    return " ".join(output.split())


def test_it_deletes_the_named_run_and_its_report(place):
    assert _clean(place, "--run", "one", "--yes") == 0
    assert not (place / "runs" / "one").exists()
    assert not (place / "reports" / "one").exists()
    assert (place / "runs" / "two" / "manifest.json").is_file()
    assert (place / "reports" / "two" / "rendered.json").is_file()
    assert (place / "outside" / "precious").is_file()


@pytest.mark.parametrize("name", WRONG_NAMES, ids=ascii)
def test_what_is_no_name_is_refused(place, capsys, name):
    write_manifest(place, {}, [])  # even where the folder looks like a run
    assert "expected the name of a run" in _refused(place, capsys, "--run", name, "--yes")


def test_an_absolute_path_is_refused(place, capsys):
    _refused(place, capsys, "--run", str(place / "runs" / "one"), "--yes")


@pytest.mark.parametrize("name", ["", "../outside", ".."])
def test_a_profile_cannot_name_another_folder(place, capsys, name):
    (place / "mine.toml").write_text(f'name = "{name}"\n')
    output = _refused(place, capsys, "--profile", str(place / "mine.toml"), "--yes")
    assert "mine.toml, name: expected the name of a run" in output


@pytest.mark.parametrize("command", ["run-all", "speed", "status", "report", "config"])
def test_no_command_takes_another_folder(place, capsys, command):
    before = _everything(place)
    words = ["--profile", "smoke", "--run", "../outside/evil", "--runs", str(place / "runs")]
    assert main([command, *words]) == 2
    assert "expected the name of a run" in capsys.readouterr().err
    assert _everything(place) == before


@pytest.mark.parametrize("manifest", [None, "", "[]", '{"name": "npm"}', "[" * 100_000])
def test_a_folder_without_a_run_s_manifest_is_kept(place, capsys, manifest):
    folder = place / "runs" / "notes"
    folder.mkdir()
    (folder / "thesis.txt").write_text("...")
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    assert "Nothing was deleted" in _refused(place, capsys, "--run", "notes", "--yes")


def test_a_manifest_of_another_format_can_be_cleaned(place):
    manifest = {"schema": 1, "profile": {}, "cells": []}
    (place / "runs" / "one" / "manifest.json").write_text(json.dumps(manifest))
    assert _clean(place, "--run", "one", "--yes") == 0
    assert not (place / "runs" / "one").exists()


def test_a_folder_of_reports_that_is_no_report_is_kept(place):
    (place / "reports" / "one" / "rendered.json").unlink()
    (place / "reports" / "one" / "mine.html").write_text("my page")
    assert _clean(place, "--run", "one", "--yes") == 0
    assert not (place / "runs" / "one").exists()
    assert (place / "reports" / "one" / "mine.html").is_file()


def test_a_report_without_its_run_can_be_cleaned(place):
    shutil.rmtree(place / "runs" / "one")
    assert _clean(place, "--run", "one", "--yes") == 0
    assert not (place / "reports" / "one").exists()


def test_links_are_not_followed(place, capsys):
    (place / "runs" / "link").symlink_to(place / "runs" / "two")
    (place / "reports" / "link").symlink_to(place / "reports" / "two")
    _refused(place, capsys, "--run", "link", "--yes")
    (place / "runs" / "one" / "inside").symlink_to(place / "outside")
    assert _clean(place, "--run", "one", "--yes") == 0
    assert (place / "outside" / "precious").is_file()


def test_a_run_at_work_is_kept(place, capsys):
    with lock_run(place / "runs" / "one"):
        assert "Another process is writing" in _refused(place, capsys, "--run", "one", "--yes")


def test_the_question_shows_its_answers(place, capsys, monkeypatch):
    for answer in ("n\n", "", "yes\n"):  # the second: an input that is closed
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert _clean(place, "--run", "one") == 0
        output = capsys.readouterr().out
        assert "[y/N]" in output
        assert "Nothing was deleted" in output
    assert (place / "runs" / "one").exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert _clean(place, "--run", "one") == 0
    assert not (place / "runs" / "one").exists()


def test_a_folder_whose_path_looks_like_markup_is_told_as_it_is(tmp_path, capsys):
    place = tmp_path / "[" / "bold]"
    write_manifest(place / "runs" / "one", {}, [])
    assert _clean(place, "--run", "one", "--yes") == 0
    assert "[/bold]" in capsys.readouterr().out


def test_what_a_killed_clean_left_is_swept_by_the_next(place):
    for name in (".one.123.deleted", ".one.5.99.deleted", "one.7.deleted"):
        (place / "runs" / name).mkdir()
    shutil.rmtree(place / "runs" / "one")
    assert _clean(place, "--run", "one", "--yes") == 0
    left = sorted(path.name for path in (place / "runs").iterdir())
    assert left == [".one.5.99.deleted", "one.7.deleted", "two"]
