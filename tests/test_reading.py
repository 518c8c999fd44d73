"""Work with results: in a notebook, side by side, as files, and the list of runs."""

import doctest
import io
import shutil
import subprocess
import sys
from unittest import mock

import filelock
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

import bench
from bench.__main__ import main
from bench.config import load_profile
from bench.errors import UserError
from bench.paths import ROOT
from bench.reading import Run, compare, export, overview
from bench.reading.compare import markdown, write
from bench.store import Result, StoredCell, open_run, write_done, write_manifest
from tests.report_fixture import made_up_run

TUNED = "fashion_classifier/fine_tuned"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with `runs/quick`, a made-up run."""
    folder = tmp_path_factory.mktemp("here")
    made_up_run(folder / "runs" / "quick", seeds=2, missing=("fashion_embedding/tsne",))
    return folder


@pytest.fixture
def run(folder):
    return Run.open("quick", folder / "runs")


@pytest.mark.parametrize("where", ["README.md", "bench.open_run"])
def test_the_documented_examples_work(where, folder, tmp_path, monkeypatch):
    (tmp_path / "runs").symlink_to(folder / "runs")
    monkeypatch.chdir(tmp_path)
    if where == "README.md":
        text = (ROOT / where).read_text(encoding="utf-8")
        code = "\n".join(part.split("```")[0] for part in text.split("```python\n")[1:])
        test = doctest.DocTestParser().get_doctest(code, {}, where, where, 0)
    else:
        (test,) = doctest.DocTestFinder(recurse=False).find(bench.open_run, globs={})
    assert len(test.examples) > 3
    found = doctest.DocTestRunner().run(test)
    assert found.failed == 0


def test_figures_are_those_of_the_cells(run):
    table = run.metrics(TUNED)
    cells = run.stored.select(*TUNED.split("/"))
    assert table["accuracy"].tolist() == [cell.metrics["accuracy"] for cell in cells]
    assert table.index.name == "seed"
    assert "image_interval.low" in table.columns
    row = run.summary("accuracy").loc[TUNED]
    assert row["mean"] == pytest.approx(table["accuracy"].mean())
    low, high = stats.t.interval(0.95, 1, table["accuracy"].mean(), stats.sem(table["accuracy"]))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    one = run.summary("per_class.f1.3", [TUNED])
    expected = np.mean([cell.metrics["per_class"]["f1"][3] for cell in cells])
    assert one["mean"].item() == pytest.approx(expected)


def test_tables_arrays_and_cells(run):
    history = run.table(TUNED)
    assert sorted(history["seed"].unique()) == [0, 1]
    arrays = run.arrays(TUNED, seed=1)
    assert np.array_equal(arrays["labels"], run.stored.select(*TUNED.split("/"))[1].array("labels"))
    assert len(run.cells) == len(run.stored.cells)
    assert run.cells["status"].value_counts()["missing"] == 1
    assert str(run.cells["created"].dt.year.max()) == "2026.0"
    assert "cells are done" in repr(run)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda run: run.metrics("fashion_classifier/fine_tund"), "Did you mean fashion_classifie"),
        (lambda run: run.metrics("fine_tuned"), "Did you mean fine_tuned"),
        (lambda run: run.metrics("fashion_embedding/tsne"), "it is missing"),
        (lambda run: run.summary("acuracy"), "which none has"),
        (lambda run: run.table(TUNED, "histry"), "Did you mean history"),
        (lambda run: run.arrays(TUNED, seed=7), "a finished seed among 0, 1, got 7"),
        (lambda run: run.picture("embeding_maps"), "Did you mean embedding_maps"),
        (lambda run: run.network(TUNED), "keeps no network"),
        (lambda run: Run.open("quck", run.stored.folder.parent), "Did you mean quick"),
        (lambda run: Run.open("../etc", run.stored.folder.parent), "No run at"),
        (lambda run: Run.open("a b", run.stored.folder.parent), "expected the name of a run"),
    ],
)
def test_a_mistake_is_told_with_what_may_be_meant(run, ask, said):
    with pytest.raises(UserError, match=said):
        ask(run)


def test_a_trained_network_is_loaded_and_a_standard_one_by_keras_alone(tmp_path):
    keras = pytest.importorskip("keras")
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    cell = StoredCell(tmp_path / "r", "fashion_generation", "vae", 0, "ab" * 32)
    write_done(cell, Result({}, models={"decoder": network, "encoder": network}), {}, {})
    write_manifest(tmp_path / "r", {}, [cell])
    run = Run.open(tmp_path / "r")
    codes = np.ones((3, 4), "float32")
    loaded = run.network("fashion_generation/vae", "decoder")
    assert np.allclose(loaded.predict(codes, verbose=0), network.predict(codes, verbose=0))
    with pytest.raises(UserError, match="name one of decoder, encoder"):
        run.network("fashion_generation/vae")
    with pytest.raises(UserError, match="Did you mean decoder"):
        run.network("fashion_generation/vae", "decodr")
    code = (
        f"import keras; model = keras.saving.load_model({str(cell.model_path('decoder'))!r}); "
        "assert model.output_shape == (None, 2)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600, cwd=tmp_path)


@pytest.mark.parametrize("name", ["embedding_maps", "generation_samples"])
def test_a_picture_is_written_as_svg_and_png(run, tmp_path, name):
    picture = run.picture(name)
    assert picture.save(tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert picture._repr_svg_() == picture.svg
    drawn = Image.open(picture.save(tmp_path / "a.png"))
    assert drawn.width > 1000
    assert len(drawn.convert("L").getcolors(256)) > 10, "something is drawn"
    with pytest.raises(UserError, match=r"ends in \.svg or \.png"):
        picture.save(tmp_path / "a.bmp")


def test_an_export_holds_what_the_run_holds(run, tmp_path):
    files = {path.relative_to(tmp_path).as_posix() for path in export(run, tmp_path)}
    own = pd.read_csv(tmp_path / "tables" / f"{TUNED.replace('/', '.')}.csv")
    assert own["accuracy"].tolist() == pytest.approx(run.metrics(TUNED)["accuracy"].tolist())
    assert f"tables/{TUNED.replace('/', '.')}.history.csv" in files
    table = (tmp_path / "tables" / "fashion_classifier.tex").read_text(encoding="utf-8")
    assert "fashion\\_classifier/fine\\_tuned" in table
    assert "\\toprule" in table
    drawn = {name.removesuffix(".svg") for name in files if name.endswith(".svg")}
    assert len(drawn) > 15
    assert {name.removesuffix(".png") for name in files if name.endswith(".png")} == drawn


def test_only_what_is_asked_for_is_exported(folder, tmp_path, capsys):
    words = ["export", "quick", "--runs", str(folder / "runs"), "--out", str(tmp_path / "out")]
    assert main([*words, "--format", "tex"]) == 0
    assert {path.suffix for path in (tmp_path / "out").rglob("*.*")} == {".tex"}
    assert "wrote" in capsys.readouterr().out


def _tiny(folder, values, seeds, key):
    """A run with one system; `values` are its accuracies."""
    cells = []
    for index, (value, seed) in enumerate(zip(values, seeds, strict=True)):
        cell = StoredCell(folder, "fashion_classifier", "fine_tuned", index, f"{key}{index}" * 32)
        figures = {"seed": seed, "git_commit": key, "versions": {"keras": key}, "hardware": {}}
        samples = np.full((3, 28, 28), index, np.uint8)
        metrics = {"accuracy": value, "macro_f1": value, "name": "x", "flag": True}
        write_done(cell, Result(metrics, arrays={"samples": samples}), {}, figures)
        cells.append(cell)
    profile = load_profile("smoke").model_dump(mode="json") | {"name": key}
    write_manifest(folder, profile, cells)
    return Run.open(folder)


@pytest.fixture
def few(tmp_path):
    with mock.patch("os.fsync"):
        return {
            "a": _tiny(tmp_path / "a", [0.8, 0.82, 0.85], [1, 2, 3], "a"),
            "b": _tiny(tmp_path / "b", [0.9, 0.93, 0.94], [1, 2, 3], "b"),
            "c": _tiny(tmp_path / "c", [0.9, 0.91], [7, 8], "c"),
            "d": _tiny(tmp_path / "d", [0.9], [1], "d"),
        }


def test_shared_seeds_are_paired(few):
    (row,) = compare(few["a"], few["b"]).rows
    first, second = [0.8, 0.82, 0.85], [0.9, 0.93, 0.94]
    expected = stats.ttest_rel(second, first)
    low, high = expected.confidence_interval(0.95)
    assert (row.how, row.figure) == ("paired", "accuracy")
    assert row.p_value == pytest.approx(expected.pvalue)
    assert row.difference == (pytest.approx(0.1), pytest.approx(low), pytest.approx(high), 3)


def test_other_seeds_are_compared_by_welch(few):
    (row,) = compare(few["a"], few["c"]).rows
    expected = stats.ttest_ind([0.9, 0.91], [0.8, 0.82, 0.85], equal_var=False)
    assert row.how == "Welch"
    assert row.p_value == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.95)
    assert row.difference[:3] == (pytest.approx(0.905 - 2.47 / 3), *map(pytest.approx, (low, high)))


def test_one_seed_gives_no_interval_and_equal_cells_no_difference(few):
    (row,) = compare(few["a"], few["d"]).rows
    assert (row.difference.low, row.p_value) == (None, None)
    (row,) = compare(few["a"], few["a"]).rows
    assert (row.how, row.difference.mean, row.p_value) == ("same cells", 0.0, None)


def test_what_was_done_otherwise_is_told(few):
    found = compare(few["a"], few["b"], everything=True)
    assert {row.figure for row in found.rows} == {"accuracy", "macro_f1"}
    assert [(c.name, c.first, c.second) for c in found.settings] == [("name", '"a"', '"b"')]
    names = {change.name for change in found.environment}
    assert names == {"git_commit", "version of keras"}
    (sheet,) = found.sheets
    assert Image.open(io.BytesIO(sheet.first)).size == (300, 30)


def test_a_comparison_is_written_in_each_format(few, tmp_path):
    found = compare(few["a"], few["b"])
    out = tmp_path / "out"
    html, pdf, text = write(found, out, ["html", "pdf", "md"])
    page = html.read_text(encoding="utf-8")
    assert "fashion_classifier/fine_tuned" in page
    assert page.count("data:image/png") == 2
    assert pdf.read_bytes()[:5] == b"%PDF-"
    row = next(line for line in text.read_text("utf-8").splitlines() if "accuracy" in line)
    assert "| accuracy (%) | 82.33 (" in row
    assert "| +10 (+" in row
    assert "<td>accuracy (%)</td><td>82.33 (" in page
    assert len(list(out.glob("*.png"))) == 2
    assert "paired" in markdown(found)


def test_hostile_names_are_escaped(few, tmp_path):
    content = few["a"].stored
    cells = list(content.cells)
    write_manifest(tmp_path / "a", content.profile | {"name": "<script>alert(1)</script>"}, cells)
    found = compare(Run.open(tmp_path / "a"), few["b"])
    (page,) = write(found, tmp_path / "out", ["html"])
    assert "<script>" not in page.read_text(encoding="utf-8")


def test_the_command_compares(few, tmp_path, capsys):
    words = ["--runs", str(tmp_path), "--out", str(tmp_path / "out"), "--format", "md"]
    assert main(["compare", "a", "b", *words]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert (tmp_path / "out" / "compare.md").is_file()
    assert main(["compare", "a", "bb", *words]) == 2
    assert "No run at" in capsys.readouterr().err


def test_runs_are_listed_with_their_state(folder, tmp_path, capsys):
    runs = tmp_path / "runs"
    shutil.copytree(folder / "runs" / "quick", runs / "quick")
    shutil.copytree(folder / "runs" / "quick", runs / "torn")
    (runs / "torn" / "manifest.json").write_text(
        '{"schema": 2, "profile": {}, "cells": [], "sha256": "0"}'
    )
    (runs / "notes").mkdir()
    found = {each.name: each for each in overview(runs)}
    assert set(found) == {"quick", "torn"}
    quick = found["quick"]
    done = len(open_run(runs / "quick").cells) - 1
    assert quick.state == f"{done} of {done + 1} cells, 1 missing"
    assert quick.seconds == 50.0 * done
    assert quick.created == "2026-11-23T12:00"
    best = max(
        row["mean"]
        for system, row in Run(open_run(runs / "quick")).summary("accuracy").iterrows()
        if system.startswith("mnist_classifier/")
        and system.rpartition("/")[2] in ("fine_tuned", "from_scratch", "ensemble", "linear_probe")
    )
    (line,) = [words for words in quick.headline if words.startswith("mnist_classifier")]
    assert f"accuracy {best * 100:.4g}%" in line
    assert found["torn"].state.startswith("cannot be read")
    with filelock.FileLock(runs / "quick" / ".lock"):
        assert overview(runs)[0].state.startswith("running, ")
    assert main(["runs", "--runs", str(runs)]) == 0
    assert "quick: " in capsys.readouterr().out
    assert main(["runs", "--runs", str(tmp_path / "none")]) == 2
    assert "expected runs, found none" in capsys.readouterr().err
