"""A fifth experiment, added by its own files (`tests/fifth`) and one variable, is everywhere."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bench import declarations, experiment_files
from bench.config import describe, load_profile
from bench.errors import UserError
from bench.paths import ROOT
from bench.report.render import render
from bench.store import open_run

PACKAGE = "tests.fifth"
RUN = "fifth"


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setenv(experiment_files.VARIABLE, PACKAGE)


def _call(*words, package=PACKAGE):
    return subprocess.run(
        (sys.executable, "-m", *words),
        env={**os.environ, experiment_files.VARIABLE: package, "COLUMNS": "200"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of the fifth experiment, on made-up images of three classes."""
    folder = tmp_path_factory.mktemp("fifth")
    random = np.random.default_rng(1)
    labels = {name: np.arange(size) % 3 for name, size in (("train", 120), ("test", 60))}
    images = {
        name: random.integers(0, 200, (len(own), 28, 28)) + 25 * own[:, None, None]
        for name, own in labels.items()
    }
    arrays = {f"{name}_images": made.astype(np.uint8) for name, made in images.items()}
    arrays |= {f"{name}_labels": own.astype(np.uint8) for name, own in labels.items()}
    np.savez(folder / "images.npz", **arrays)
    (folder / "tiny.toml").write_text(
        'name = "fifth"\n'
        "[data]\n"
        'folder = "."\n'
        'classes = ["low", "middle", "high"]\n'
        "validation = 20\n"
        "[prototypes]\n"
        "seeds = 3\n"
    )
    profile = ("--profile", str(folder / "tiny.toml"), "--runs", str(folder / "runs"))
    done = _call("bench", "run", "prototypes", *profile)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 ran now, 0 failed" in done.stdout
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return open_run(folder / "runs" / RUN)


def test_it_runs(run):
    cells = run.select("prototypes", "mean")
    assert [cell.status for cell in cells] == ["done"] * 3
    assert all(cell.metrics["accuracy"] > 0.9 for cell in cells), "the classes are far apart"
    (gain,) = run.select("prototypes", "gain")
    assert len(gain.metrics["gains"]) == 3


def test_the_manifest_says_what_it_declares(run):
    said = next(each for each in run.experiments if each.name == "prototypes")
    assert said.package == PACKAGE
    assert [system.name for system in said.systems] == ["mean", "median", "gain"]
    stored = json.loads((run.folder / "manifest.json").read_text())
    assert {row["name"] for row in stored["experiments"]} == {
        *experiment_files.EXPERIMENTS,
        "prototypes",
    }


def test_status_shows_it(folder):
    process = _call("bench", "status", "--run", RUN, "--runs", str(folder / "runs"))
    assert process.returncode == 0
    assert "prototypes/mean-s0" in process.stdout


def test_help_names_it():
    process = _call("bench", "run", "--help")
    assert "prototypes (Classification by the nearest prototype of a class)" in " ".join(
        process.stdout.split()
    )
    assert "prototypes" not in _call("bench", "run", "--help", package="").stdout


def test_it_is_a_task():
    process = _call("invoke", "--list")
    assert "Classification by the nearest prototype of a class" in process.stdout


def test_its_settings_are_keys_of_the_profile(registered):
    keys = dict(describe())
    assert keys["prototypes.images"] == "Training images."
    profile = load_profile("smoke")
    assert profile.prototypes.images == 100, "as its file gives it"
    assert profile.mnist_classifier.seeds


def test_a_wrong_setting_is_told(registered, tmp_path):
    (tmp_path / "wrong.toml").write_text('name = "x"\n[prototypes]\nimage = 3\n')
    with pytest.raises(UserError, match=r"prototypes\.image: .*prototypes\.images"):
        load_profile(tmp_path / "wrong.toml")


@pytest.mark.parametrize("code", ["en", "es"])
def test_it_is_in_both_reports(registered, run, tmp_path, code):
    messages = []
    (page,) = render(run, tmp_path, (code,), ("html",), on_warning=messages.append)
    text = page.read_text(encoding="utf-8")
    heading = {"en": "Nearest prototype", "es": "Prototipo más cercano"}[code]
    assert f'<h2 id="prototypes">{heading}</h2>' in text
    assert 'id="fig-prototypes"' in text
    assert 'id="drawing-prototypes"' in text
    assert 'id="tab-prototypes"' in text
    assert text.count('data-cell="prototypes/mean-s0') >= 1
    if code == "en":
        assert messages == []
    else:  # its catalogue lacks one word
        assert "Imagen media" in text
        assert "Median image" in text
        assert "'Median image'" in messages[0]


@pytest.mark.slow
@pytest.mark.parametrize("code", ["en", "es"])
def test_it_is_in_both_printed_reports(registered, run, tmp_path, code):
    (document,) = render(run, tmp_path, (code,), ("pdf",), on_warning=lambda words: None)
    assert document.stat().st_size > 10_000


def test_without_its_package_the_report_shows_its_headline_figures(run, tmp_path):
    (page,) = render(run, tmp_path, ("en",), ("html",))
    text = page.read_text(encoding="utf-8")
    assert '<h2 id="prototypes">Nearest prototype</h2>' in text
    assert 'id="tab-prototypes-headline"' in text
    assert "Mean image" in text


@pytest.mark.parametrize("package", ["no.such.package", "tests/fifth", "os"])
def test_a_package_that_is_not_there_is_a_mistake_of_the_user(package):
    process = _call("bench", "list", package=package)
    assert process.returncode == 2
    assert process.stderr.startswith("error:")
    assert repr(package) in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("label = 3\n", "label"),
        ('colour = "red"\n', "colour"),
        ("[systems.x]\n", "systems.0.label: Field required"),
        ('section = "../secret.html.j2"\n', "section"),
        ("not TOML", "Expected"),
    ],
)
def test_a_file_that_does_not_fit_is_told(tmp_path, change, message):
    path = tmp_path / "wrong.toml"
    path.write_text(f'title = "x"\ndataset = "mnist"\n{change}')
    with pytest.raises(UserError, match=rf"wrong\.toml declares no experiment: .*{message}"):
        declarations.read(path)
