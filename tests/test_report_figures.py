"""What figures and rows compute from cells before anything is drawn."""

import re

import numpy as np
import pytest

from bench.declarations import declarations
from bench.paths import TEMPLATES
from bench.report.figures import Gallery, style
from bench.report.figures.calibration import is_shown, pooled_bins
from bench.report.figures.drawings import Drawings
from bench.report.figures.neighbourhoods import curves
from bench.report.page.context import Context
from bench.report.page.page import verdict_on
from bench.report.values.collect import Results
from bench.report.values.constants import Constants
from bench.report.values.quantities import difference
from bench.report.words.i18n import Language
from bench.store import Result, write_done
from bench.store.run import write_manifest
from tests.report_fixture import PROVENANCE, made_up_run

TUNED = "fashion_classifier/fine_tuned"
PROVOKED = "fashion_classifier/overfitting"
DRAWN = [(figure.name, said.name) for said in declarations().values() for figure in said.figures]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return Results(made_up_run(tmp_path_factory.mktemp("runs") / "made-up", seeds=3))


@pytest.fixture(scope="module")
def gallery(results, tmp_path_factory):
    english = Language("en")
    kept = Drawings(tmp_path_factory.mktemp("drawings"), english, TEMPLATES)
    return Gallery(results, english, Constants(), kept)


def _with_metrics(results, path, folder, metrics):
    """The same variant with other metrics in its cells."""
    variant = results.variant(path)
    cells = [type(cell)(folder, cell.experiment, cell.variant, cell.seed_index, cell.key)
             for cell in variant.cells]  # fmt: skip
    for cell, own in zip(cells, metrics, strict=True):
        write_done(cell, Result(own), {}, PROVENANCE)
    return Results(write_manifest(folder, {}, cells)).variant(path)


def _curve(confidence, accuracy, counts):
    return {"reliability": {"confidence": confidence, "accuracy": accuracy, "counts": counts}}


@pytest.mark.parametrize(("name", "experiment"), DRAWN)
def test_every_figure_is_drawn_from_a_whole_run(gallery, name, experiment):
    drawn = gallery.get(name, experiment)
    assert drawn is not None, "nothing in the run's cells has the name that the figure reads"
    assert drawn.cells
    assert re.search(r"<(?:path|image)\b", drawn.svg)
    assert "not in this run's plan" not in drawn.svg
    assert ">missing<" not in drawn.svg


def test_every_figure_stands_in_a_template():
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.j2"))
    placed = set(re.findall(r"figure\('(\w+)'", text))
    assert placed == {name for name, _ in DRAWN}


def test_a_figure_without_its_array_is_not_drawn(results, tmp_path):
    variant = results.variant(TUNED)
    cells = [type(cell)(tmp_path / "run", cell.experiment, cell.variant, cell.seed_index, cell.key)
             for cell in variant.cells]  # fmt: skip
    for cell in cells:
        write_done(cell, Result({"accuracy": 0.9}), {}, PROVENANCE)
    bare = Results(write_manifest(tmp_path / "run", {}, cells))
    english = Language("en")
    gallery = Gallery(bare, english, Constants(), Drawings(tmp_path, english, TEMPLATES))
    assert gallery.get("examples", "fashion_classifier") is None


def test_overfitting_has_a_panel_for_each_arm(gallery):
    svg = gallery.get("overfitting").svg
    for title in ("Baseline network", "The same, rate falls to zero", "Network of exercise 5"):
        assert title in svg


def test_bins_of_several_seeds_are_pooled_by_their_images(results, tmp_path):
    cells = [
        _curve([0.5, 0.95], [0.4, 1.0], [10, 90]),
        _curve([0.48, 0.96], [0.8, 0.9], [30, 70]),
        _curve([0.15], [0.2], [5]),
    ]
    variant = _with_metrics(results, TUNED, tmp_path / "run", cells)
    confidence, accuracy, counts = pooled_bins(variant)
    assert counts.tolist() == [5, 40, 160]
    assert accuracy[1] == pytest.approx((10 * 0.4 + 30 * 0.8) / 40)
    assert confidence[2] == pytest.approx((90 * 0.95 + 70 * 0.96) / 160)


def test_a_bin_includes_its_upper_limit(results, tmp_path):
    cells = [_curve([1 / 15], [0.5], [4]), _curve([0.07], [0.5], [6]), _curve([1.0], [1.0], [2])]
    variant = _with_metrics(results, TUNED, tmp_path / "run", cells)
    assert pooled_bins(variant)[2].tolist() == [4, 6, 2]


@pytest.mark.parametrize(("members", "shown"), [(1, False), (2, True)])
def test_an_ensemble_of_one_is_not_shown(results, tmp_path, members, shown):
    path = "fashion_classifier/ensemble"
    variant = _with_metrics(results, path, tmp_path / "run", [{"members": members}])
    assert is_shown(variant) is shown


def test_curves_of_other_sizes_are_not_mixed(results, tmp_path):
    cells = [
        {"neighbourhood_curve": {"k": [1, 9], "kept": [0.2, 0.1]}},
        {"neighbourhood_curve": {"k": [1, 5], "kept": [0.3, 0.1]}},
        {"neighbourhood_curve": {"k": [1, 9], "kept": [0.4, 0.3]}},
    ]
    sizes, kept = curves(_with_metrics(results, "fashion_embedding/vae", tmp_path / "run", cells))
    assert sizes.tolist() == [1, 9]
    np.testing.assert_allclose(kept, [[0.2, 0.1], [0.4, 0.3]])


def test_classes_that_keep_their_f1_are_counted(results, tmp_path):
    cells = [{"per_class": {"f1": [0.904, 0.5, 0.7]}}] * 3
    variant = _with_metrics(results, TUNED, tmp_path / "run", cells)
    context = Context(Results(write_manifest(tmp_path / "run", {}, variant.cells)))
    assert context.classes_kept(TUNED, [0.90, 0.55, 0.69]) == (2, 1)
    assert context.classes_kept(TUNED, [0.91, 0.55, 0.71]) == (0, 1)
    assert context.classes_kept("mnist_classifier/fine_tuned", [0.9]) is None


def test_two_figures_of_the_same_cells_are_compared_seed_by_seed(results):
    old, new = (results.value(PROVOKED, f"{arm}.accuracy_gap") for arm in ("handed_in", "cured"))
    gap = difference(old, new)
    assert (gap.path, gap.minus_path) == ("handed_in.accuracy_gap", "cured.accuracy_gap")
    assert list(gap.values) == pytest.approx(np.subtract(old.values, new.values))
    assert verdict_on(gap, "greater") == "supported"
    assert verdict_on(gap, "greater", reference=0.5) == "not supported"


def test_each_line_has_a_marker_even_where_there_are_more_lines_than_markers():
    lines = range(len(style.MARKERS) + 2)
    marked = list(style.with_markers(lines))
    assert [line for line, _ in marked] == list(lines)
    assert [marker for _, marker in marked[-2:]] == list(style.MARKERS[:2])
