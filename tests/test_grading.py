"""Grading: what agrees, what differs, what cannot be compared, and what is never executed."""

import pickle
import shutil
import zipfile

import numpy as np
import pytest

pytest.importorskip("keras")

from sklearn.metrics import accuracy_score, recall_score

from bench.__main__ import main
from bench.grading import grade
from bench.grading.findings import ROUNDING, CellGrade
from bench.grading.show import exit_code
from bench.judge.loading import FILE
from bench.store import open_run
from bench.store.seal import list_files, write_sealed
from bench.training import predict
from tests import handed_in_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return handed_in_run.made(tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def run(whole, tmp_path):
    """A copy of the run that a test may spoil."""
    return shutil.copytree(whole, tmp_path / "run")


def _cell(folder, path):
    return open_run(folder).select(*path.split("/"))[0]


def _spoil(folder, path, change):
    handed_in_run.rewrite(_cell(folder, path), change)


def test_an_honest_run_agrees(whole, monkeypatch):
    load, loaded = predict.load, []
    monkeypatch.setattr(predict, "load", lambda path: loaded.append(path) or load(path))
    found = grade(whole)
    assert (found.differences, found.gaps) == ([], [])
    assert len(found.cells) == len(handed_in_run.MAKERS)
    assert found.compared > 400
    assert exit_code(found) == 0
    assert "fit_seconds" in found.not_recomputed
    assert loaded == [FILE], "no network but the judge is loaded"


def test_what_is_recomputed_is_what_others_compute(whole):
    cell = _cell(whole, "fashion_classifier/fine_tuned")
    labels, guessed = cell.array("labels"), cell.array("probabilities").argmax(axis=1)
    assert cell.metrics["accuracy"] == pytest.approx(accuracy_score(labels, guessed))
    recalls = recall_score(labels, guessed, average=None)
    assert cell.metrics["per_class"]["recall"] == pytest.approx(list(recalls))


@pytest.mark.parametrize(
    ("path", "figure", "step"),
    [
        ("fashion_classifier/fine_tuned", "accuracy", 0.01),
        ("fashion_classifier/fine_tuned", "accuracy_single_view", 0.01),
        ("fashion_classifier/fine_tuned", "per_class.recall.3", 0.001),
        ("fashion_classifier/fine_tuned", "confusion.0.1", 1),
        ("fashion_classifier/fine_tuned", "image_interval.low", 0.001),
        ("fashion_classifier/fine_tuned", "expected_calibration_error", 1e-4),
        ("fashion_classifier/ensemble", "members", 1),
        ("fashion_classifier/handed_in", "accuracy_averaged", 0.01),
        ("fashion_classifier/handed_in", "overfitting.validation_loss_change", -0.1),
        ("fashion_classifier/linear_probe", "pixels_accuracy", 0.01),
        ("fashion_classifier/overfitting", "cured.accuracy_gap", -0.1),
        ("fashion_classifier/few_labels", "gaps.4", 0.01),
        ("fashion_embedding/search", "best_score", 0.1),
        ("fashion_embedding/pca", "knn_accuracy", 0.01),
        ("fashion_embedding/pca", "trustworthiness", 1e-4),
        ("fashion_embedding/pca", "neighbourhood_curve.kept.4", 1e-3),
        ("fashion_embedding/pca", "group_purity.shoes", 1e-3),
        ("fashion_generation/gan", "frechet_distance", -0.1),
        ("fashion_generation/gan", "precision", 0.01),
        ("fashion_generation/gan", "class_histogram.2", 0.01),
        ("fashion_generation/gan", "discriminator_wins", -0.1),
        ("fashion_generation/gan", "failures.mode_collapse.measure", 1.0),
    ],
)
def test_one_changed_figure_is_named(run, path, figure, step):
    *steps, last = figure.split(".")

    def change(result):
        tree = result.metrics
        for each in steps:
            tree = tree[int(each) if isinstance(tree, list) else each]
        tree[int(last) if isinstance(tree, list) else last] += step

    before = _value(_cell(run, path).metrics, figure)
    _spoil(run, path, change)
    found = grade(run)
    named = {each.figure: each for each in found.differences}
    assert figure in named
    assert path in named[figure].cell
    assert float(named[figure].expected) == pytest.approx(before, abs=2e-3)
    assert float(named[figure].got) == pytest.approx(before + step)
    assert exit_code(found) == 8


def _value(tree, path):
    for step in path.split("."):
        tree = tree[int(step) if isinstance(tree, list) else step]
    return tree


def test_predictions_that_were_mended_do_not_fit_the_figures(run):
    def change(result):
        labels = result.arrays["labels"]
        result.arrays["probabilities"] = np.eye(10, dtype="float32")[labels]

    _spoil(run, "fashion_classifier/fine_tuned", change)
    figures = {each.figure for each in grade(run).differences}
    assert {"accuracy", "confusion.0.0", "probabilities"} <= figures, "and the ensemble's mean"


def test_other_labels_are_found(run):
    def change(result):
        result.arrays["labels"] = result.arrays["probabilities"].argmax(axis=1).astype(np.uint8)
        result.metrics["accuracy"] = 1.0

    _spoil(run, "fashion_classifier/handed_in", change)
    figures = {each.figure for each in grade(run).differences}
    assert {"labels", "accuracy"} <= figures


def test_another_seed_or_data_set_is_found(run):
    def change(result):
        result.config |= {"seed": 1, "data": {**result.config["data"], "test_limit": 10}}

    _spoil(run, "fashion_classifier/few_labels", change)
    figures = {each.figure for each in grade(run).differences}
    assert figures == {"config:seed", "config:data.test_limit", "config"}


def test_samples_that_are_not_kept_are_not_compared(run):
    def change(result):
        result.arrays["samples"] = result.arrays["samples"][:40]
        result.metrics["frechet_distance"] = 0.0

    _spoil(run, "fashion_generation/gan", change)
    found = grade(run)
    (gap,) = found.gaps
    assert gap.reason == "not kept: 40 of 300 samples"
    assert found.differences == []
    assert exit_code(found) == 9


def test_a_map_without_its_training_places_is_not_compared(run):
    _spoil(run, "fashion_embedding/pca", lambda result: result.arrays.pop("train_map"))
    found = grade(run)
    assert [gap.what for gap in found.gaps] == ["the scores of the map"]
    assert exit_code(found) == 9


@pytest.mark.parametrize(
    "array", [np.zeros((3, 4), "float32"), np.full((300, 10), np.nan, "float32")]
)
def test_arrays_of_a_wrong_shape_or_content_are_told(run, array):
    _spoil(
        run,
        "fashion_classifier/handed_in",
        lambda result: result.arrays.update(probabilities=array),
    )
    found = grade(run)
    assert exit_code(found) == 9
    assert "handed_in" in found.gaps[0].cell


class _Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def _put_archive(cell, members):
    with zipfile.ZipFile(cell.folder / "arrays.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (cell.folder / "done.json").unlink()
    write_sealed(cell.folder / "done.json", {"key": cell.key, "files": list_files(cell.folder)})


def test_a_pickle_is_never_opened(run, tmp_path):
    mark = tmp_path / "executed"
    cell = _cell(run, "fashion_embedding/pca")
    header = np.lib.format.magic(1, 0)
    spelt = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    payload = header + len(spelt).to_bytes(2, "little") + spelt + pickle.dumps(_Bomb(mark))
    _put_archive(cell, {"test_map.npy": payload})
    found = grade(run)
    assert not mark.exists()
    assert [each.figure for each in found.differences] == ["files"]
    assert "arrays.npz" in found.differences[0].got


def test_an_archive_that_would_fill_the_memory_is_refused(run, monkeypatch):
    monkeypatch.setattr("bench.store.arrays.LARGEST", 1000)
    found = grade(run)
    assert all("would take" in each.got for each in found.differences)
    assert len(found.differences) == 6, "the cells that have arrays"


def test_a_damaged_cell_is_told(run):
    cell = _cell(run, "fashion_embedding/pca")
    (cell.folder / "metrics.json").write_text("{}")
    (found,) = grade(run).differences
    assert (found.cell, found.figure) == (cell.label, "files")


def test_the_command_lists_and_exits(run, capsys):
    assert main(["grade", str(run)]) == 0
    assert "0 differ, 0 could not be compared" in capsys.readouterr().out
    _spoil(run, "fashion_embedding/pca", lambda result: result.metrics.update(knn_accuracy="much"))
    assert main(["grade", run.name, "--runs", str(run.parent)]) == 8
    output = capsys.readouterr().out
    assert "knn_accuracy: expected 0." in output
    assert "got 'much'" in output


def test_a_run_of_other_settings_is_a_mistake(run, capsys):
    content = open_run(run)
    (run / "manifest.json").unlink()
    rows = [
        {"experiment": c.experiment, "variant": c.variant, "seed": c.seed_index, "key": c.key}
        for c in content.cells
    ]
    profile = {**content.profile, "kiln": 1}
    write_sealed(run / "manifest.json", {"profile": profile, "cells": rows, "experiments": []})
    assert main(["grade", str(run)]) == 2
    assert "got others (kiln)" in capsys.readouterr().err


def test_numbers_that_are_none_do_not_agree():
    found = CellGrade("a/b")
    stated = {"a": float("nan"), "b": True, "c": "1", "d": 1.0}
    found.compare(stated, {"a": 0.5, "b": 1.0, "c": 1, "d": 1, "e": 2.0}, ROUNDING)
    assert [each.figure for each in found.differences] == ["a", "b", "c", "e"]
