"""The command line and the Invoke tasks, as a user meets them."""

import errno
import os
import shutil
import subprocess
import sys
import time

import pytest

import tasks
from bench.__main__ import main
from bench.paths import ROOT
from bench.store import (
    Result,
    StoredCell,
    open_run,
    write_done,
    write_failed,
    write_manifest,
)


def _call(*words, **settings):
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
        **settings,
    )


def test_planning_and_reporting_load_no_framework():
    code = (
        "import sys; from bench.__main__ import _parser; _parser(); import bench.report.render; "
        "loaded = {'keras', 'tensorflow', 'jax', 'keras_tuner'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    answer = _call("-c", code)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "pottery", "--profile", "smoke"), "Expected one of mnist_classifier"),
        (("run", "mnist_classifier", "--profile", "fast"), "smoke, quick, long, full, auto"),
        (("report", "--profile", "smoke", "--run", "nowhere"), "invoke run-all"),
        (("clean", "--profile", "smoke", "--run", "nowhere"), "Nothing was deleted"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(tmp_path, capsys, words, said):
    assert main([*words, "--runs", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert said in " ".join(output.err.split())
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    "command",
    [
        *("run-all", "run", "speed", "list", "status", "fsck", "report", "data", "config", "clean"),
        *("bench-check", "trend", "grade", "verify-report", "runs", "plan", "compare", "export"),
    ],
)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: python -m bench" in capsys.readouterr().out


def test_list_names_every_experiment(capsys):
    assert main(["list"]) == 0
    output = capsys.readouterr().out
    for name in (
        "mnist_classifier",
        "fashion_embedding",
        "fashion_generation",
        "fashion_classifier",
    ):
        assert name in output


@pytest.mark.parametrize("words", [("--gates", "speed"), ("--pairs", "1")])
def test_a_mistake_about_the_gates_is_told(capsys, words):
    assert main(["bench-check", "--base", "HEAD", *words]) == 2
    assert "Nothing was measured" in capsys.readouterr().err


def test_a_missing_base_is_a_mistake_and_no_good_news(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bench.commands.REPORTS", tmp_path)
    assert main(["bench-check", "--base", "no-such-commit"]) == 2
    output = capsys.readouterr()
    assert "Nothing was compared" in output.err
    assert "Nothing got worse" not in output.out
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def runs(tmp_path):
    """A folder with one run, `r`, that has a cell of each status."""
    cells = [StoredCell(tmp_path / "r", "a", "b", n, f"{n}" * 64) for n in range(4)]
    write_done(cells[0], Result({"accuracy": 0.5}), {}, {})
    write_failed(cells[1], RuntimeError("the kiln [/bold] | broke\nin two"), {}, {})
    write_done(cells[2], Result({"accuracy": 0.5}), {}, {})
    (cells[2].folder / "metrics.json").write_text("{}")
    write_manifest(tmp_path / "r", {}, cells)
    return tmp_path


def test_status_tells_each_cell_and_the_totals(runs, capsys):
    assert main(["status", "--run", "r", "--runs", str(runs)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a/b-s0-000000000000  done",
        "a/b-s1-111111111111  failed   the kiln [/bold] | broke",
        "a/b-s2-222222222222  damaged  metrics.json has 2 bytes where 21 were written",
        "a/b-s3-333333333333  missing",
        "4 cells: 1 done, 1 failed, 1 missing, 1 damaged",
    ]
    assert main(["status", "--run", "r", "--runs", str(runs), "--markdown"]) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[3] == "| a/b-s1-111111111111 | failed | the kiln [/bold] &#124; broke |"
    assert output[-1] == "1 done, 1 failed, 1 missing, 1 damaged"


def test_a_failure_without_words_is_told(tmp_path, capsys):
    cell = StoredCell(tmp_path / "r", "a", "b", 0, "0" * 64)
    write_failed(cell, RuntimeError(), {}, {})
    write_manifest(tmp_path / "r", {}, [cell])
    assert main(["status", "--run", "r", "--runs", str(tmp_path), "--markdown"]) == 0
    assert "| a/b-s0-000000000000 | failed |  |" in capsys.readouterr().out


def test_fsck_names_what_is_damaged(runs, capsys):
    assert main(["fsck", "r", "--runs", str(runs)]) == 3
    output = capsys.readouterr().out
    assert "damaged  a/b-s2-222222222222: metrics.json has 2 bytes where 21 were written" in output
    assert "1 done, 1 failed, 1 missing, 1 damaged" in output
    shutil.rmtree(open_run(runs / "r").cells[2].folder)
    assert main(["fsck", "r", "--runs", str(runs)]) == 0
    assert "Every file is as it was written" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["status", "--run"], ["fsck"], ["report", "--run"]])
def test_a_run_of_another_format_is_refused(runs, capsys, command):
    (runs / "r" / "manifest.json").write_text('{"schema": 1, "profile": {}, "cells": []}')
    assert main([*command, "r", "--runs", str(runs)]) == 2
    output = capsys.readouterr().err
    assert "has format 1, not 2" in output
    assert "Traceback" not in output


def test_a_run_of_a_similar_name_is_proposed(runs, capsys):
    shutil.move(runs / "r", runs / "quick")
    assert main(["status", "--run", "qiuck", "--runs", str(runs)]) == 2
    assert "Did you mean quick?" in capsys.readouterr().err


def test_a_report_of_a_run_without_languages_is_refused(runs, capsys):
    words = ["--runs", str(runs), "--reports", str(runs / "reports")]
    assert main(["report", "--run", "r", *words]) == 2
    assert "names no languages of a report" in capsys.readouterr().err
    assert not (runs / "reports").exists()


def test_less_than_one_worker_is_a_mistake(tmp_path, capsys):
    words = ["--profile", "smoke", "--runs", str(tmp_path), "--workers", "-1"]
    assert main(["run", "mnist_classifier", *words]) == 2
    assert "1 or more, got -1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path, capsys):
    (tmp_path / "runs").write_text("a file")
    words = ["--profile", "smoke", "--runs", str(tmp_path / "runs")]
    assert main(["run", "mnist_classifier", *words]) == 2
    output = " ".join(capsys.readouterr().err.split())
    assert f"{tmp_path / 'runs'}" in output
    assert "name another folder" in output


@pytest.mark.parametrize(
    ("number", "remedy"),
    [("ENOSPC", "Make room"), ("EROFS", "Mend the rights"), ("EACCES", "Mend the rights")],
)
def test_what_the_system_refuses_is_told(tmp_path, capsys, monkeypatch, number, remedy):
    def refuse(path):
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)), str(path))

    monkeypatch.setattr("bench.store.seal.sync", refuse)
    words = ["--profile", "smoke", "--runs", str(tmp_path), "--workers", "1"]
    assert main(["run", "mnist_classifier", *words]) == 2
    output = capsys.readouterr().err
    assert remedy in output
    assert str(tmp_path) in output


def test_an_error_that_no_user_can_mend_is_not_hidden(runs, monkeypatch):
    def fail(folder):
        raise FileNotFoundError(errno.ENOENT, "a fault of ours")

    monkeypatch.setattr("bench.commands.open_run", fail)
    with pytest.raises(FileNotFoundError, match="a fault of ours"):
        main(["status", "--run", "r", "--runs", str(runs)])


def test_a_disk_without_room_ends_a_run_with_a_message(tmp_path):
    code = (
        "import resource, sys; from bench.__main__ import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)); sys.exit(main(sys.argv[1:]))"
    )
    words = ("run", "fashion_embedding", "--profile", "smoke", "--variant", "pca")
    answer = _call("-c", code, *words, "--workers", "1", "--runs", str(tmp_path))
    assert answer.returncode == 2, answer.stderr
    assert "Make room on the disk" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_every_task_has_help_and_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, task in tasks.namespace.tasks.items():
        assert task.__doc__, name
        assert f"invoke {name}" in readme, f"README.md does not mention `invoke {name}`"


def test_the_list_of_tasks_loads_nothing_heavy():
    code = (
        "import sys, tasks; heavy = {'numpy', 'pandas', 'keras', 'matplotlib'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    answer = _call("-c", code)
    assert answer.returncode == 0, answer.stderr


def test_a_task_passes_the_exit_code_on():
    answer = _call("-m", "invoke", "report", "--profile", "smoke", "--run", "nowhere")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_a_killed_run_goes_on_from_its_finished_cells(tmp_path):
    for attempt in range(5):  # a busy machine may let the cell end before it lets the test look
        runs = tmp_path / str(attempt)
        words = [sys.executable, "-m", "bench", "run", "fashion_embedding"]
        words += ["--profile", "smoke", "--variant", "tsne", "--runs", str(runs)]
        folder = runs / "smoke" / "fashion_embedding"
        nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        first = subprocess.Popen(words, cwd=ROOT, **nowhere)
        while not list(folder.glob(".tsne*.scratch")) and first.poll() is None:
            time.sleep(0.02)
        first.kill()
        first.wait()
        if not list(folder.glob("tsne*/done.json")):
            break
    assert not list(folder.glob("tsne*/done.json"))
    second = _call(*words[1:])
    assert second.returncode == 0, second.stderr
    assert list(folder.glob("tsne*/done.json"))
    assert len(open_run(runs / "smoke").cells) > 20, "the manifest lists the whole plan"
    third = _call(*words[1:])
    assert "1 cells were done, 0 ran now" in third.stdout
