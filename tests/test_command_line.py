"""The command line and the Invoke tasks, as a user meets them."""

import subprocess
import sys
import time

import pytest

import tasks
from bench.__main__ import main
from bench.paths import ROOT
from bench.store import open_run


def _call(*words, **settings):
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
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
        (("run", "mnist_classifier", "--profile", "fast"), "smoke, quick, full, auto"),
        (("report", "--profile", "smoke", "--run", "nowhere"), "invoke run-all"),
        (("clean", "--profile", "smoke", "--run", "nowhere"), "Nothing was deleted"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(tmp_path, capsys, words, said):
    assert main([*words, "--runs", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert said in " ".join(told.err.split())
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    "command",
    [
        *("run-all", "run", "speed", "list", "status", "report", "data", "config", "clean"),
        *("bench-check", "trend"),
    ],
)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: python -m bench" in capsys.readouterr().out


def test_list_names_every_experiment(capsys):
    assert main(["list"]) == 0
    told = capsys.readouterr().out
    for name in (
        "mnist_classifier",
        "fashion_embedding",
        "fashion_generation",
        "fashion_classifier",
    ):
        assert name in told


@pytest.mark.parametrize("words", [("--gates", "speed"), ("--pairs", "1")])
def test_a_mistake_about_the_gates_is_told(capsys, words):
    assert main(["bench-check", "--base", "HEAD", *words]) == 2
    assert "Nothing was measured" in capsys.readouterr().err


def test_a_missing_base_is_told_and_not_red(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bench.commands.REPORTS", tmp_path)
    summary = tmp_path / "summary.md"
    assert main(["bench-check", "--base", "no-such-commit", "--markdown", str(summary)]) == 0
    assert "no baseline" in capsys.readouterr().out
    assert "| **no baseline** |" in summary.read_text()


def test_status_tells_missing_cells(tmp_path, capsys):
    from bench.store import StoredCell, write_manifest

    write_manifest(tmp_path / "r", {}, [StoredCell(tmp_path / "r", "a", "b", 0, "k" * 64)])
    assert main(["status", "--run", "r", "--runs", str(tmp_path)]) == 0
    assert "missing" in capsys.readouterr().out
    assert main(["status", "--run", "r", "--runs", str(tmp_path), "--markdown"]) == 0
    assert "| a/b-s0-kkkkkkkkkkkk | missing |" in capsys.readouterr().out


def test_every_task_has_help_and_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, task in tasks.namespace.tasks.items():
        assert task.__doc__, name
        assert f"invoke {name}" in readme, f"README.md does not mention `invoke {name}`"


def test_the_list_of_tasks_loads_nothing_heavy():
    code = (
        "import sys, tasks; heavy = {'numpy', 'pandas', 'keras', 'bench', 'pydantic'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    answer = _call("-c", code)
    assert answer.returncode == 0, answer.stderr


def test_a_task_passes_the_exit_code_on():
    answer = _call("-m", "invoke", "report", "--profile", "smoke", "--run", "nowhere")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_a_killed_run_goes_on_from_its_finished_cells(tmp_path):
    words = [sys.executable, "-m", "bench", "run", "fashion_embedding"]
    words += ["--profile", "smoke", "--variant", "tsne", "--runs", str(tmp_path)]
    first = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = tmp_path / "smoke" / "fashion_embedding"
    deadline = time.monotonic() + 120
    while not list(folder.glob(".tsne*.scratch")) and time.monotonic() < deadline:
        time.sleep(0.02)
    first.kill()
    first.wait()
    assert not list(folder.glob("tsne*/done.json"))
    second = _call(*words[1:])
    assert second.returncode == 0, second.stderr
    assert list(folder.glob("tsne*/done.json"))
    assert len(open_run(tmp_path / "smoke").cells) > 20, "the manifest lists the whole plan"
    third = _call(*words[1:])
    assert "1 cells were done, 0 ran now" in third.stdout
