"""From the store to quantities that remember their cells."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bench.report.errors import ReportError
from bench.report.page.context import Context
from bench.report.values.collect import (
    Results,
    Tables,
    image_limits,
    lookup,
    same_images,
)
from bench.report.values.quantities import Quantity, apart, difference
from bench.store import Result, StoredCell, write_done
from tests.report_fixture import made_up_run

TUNED, SCRATCH = "fashion_classifier/fine_tuned", "fashion_classifier/from_scratch"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "made-up"
    return Results(
        made_up_run(
            folder,
            seeds=3,
            failed=("fashion_generation/gan",),
            missing=("fashion_embedding/tsne",),
        )
    )


def test_a_value_is_the_mean_over_the_seeds_with_its_interval(results):
    quantity = results.value(TUNED, "accuracy")
    expected = [cell.metrics["accuracy"] for cell in results.run.select(*TUNED.split("/"))]
    assert list(quantity.values) == expected
    assert quantity.mean == pytest.approx(np.mean(expected))
    assert quantity.half_width == pytest.approx(4.3027 * np.std(expected, ddof=1) / 3**0.5, 1e-3)


def test_one_seed_has_no_interval(results):
    assert results.value("fashion_embedding/pca", "knn_accuracy").half_width is None


@pytest.mark.parametrize(
    ("variant", "path", "absence"),
    [
        ("fashion_generation/gan", "recall", "failed"),
        ("fashion_embedding/tsne", "knn_accuracy", "missing"),
        ("mnist_classifier/never_planned", "accuracy", "absent"),
        (TUNED, "accuracy_averaged", "absent"),
    ],
)
def test_what_is_not_there_says_why(results, variant, path, absence):
    quantity = results.value(variant, path)
    assert not quantity
    assert quantity.absence == absence


@pytest.mark.parametrize(
    ("ask", "meant"),
    [
        (lambda variant: variant.value("per_clas.f1.3"), "per_class"),
        (lambda variant: variant.value("per_class.f2.3"), "per_class"),
        (lambda variant: variant.get("table:historie.last.loss"), "history"),
        (lambda variant: variant.get("table:history.last.losses"), "history"),
        (lambda variant: variant.tables("histories"), "history"),
        (lambda variant: variant.array("rightimages"), "right_images"),
    ],
)
def test_a_misspelt_field_is_refused(results, ask, meant):
    with pytest.raises(
        ReportError, match=rf"expected a field that results can have.*Did you mean '{meant}'"
    ):
        ask(results.variant(TUNED))


def test_lookup_reads_every_part_of_a_cell(results):
    cell, tables = results.variant(TUNED).first, Tables()
    history = cell.table("history")
    assert lookup(cell, "per_class.f1.3", tables) == cell.metrics["per_class"]["f1"][3]
    assert lookup(cell, "per_class.f1.max", tables) == max(cell.metrics["per_class"]["f1"])
    assert lookup(cell, "provenance:hardware.cores", tables) == 2
    assert lookup(cell, "config:variant", tables) == "fine_tuned"
    assert lookup(cell, "table:history.1.loss", tables) == history["loss"][1]
    assert lookup(cell, "table:history.last.loss", tables) == history["loss"].iloc[-1]
    assert lookup(cell, "table:history.min.loss", tables) == history["loss"].min()
    assert lookup(cell, "table:history.at_min(loss).epoch", tables) == 3
    assert lookup(cell, "per_class.f1.99", tables) is None
    assert lookup(cell, "table:history.last.no_such_column", tables) is None


def test_a_difference_is_taken_seed_by_seed(results):
    tuned, scratch = results.value(TUNED, "accuracy"), results.value(SCRATCH, "accuracy")
    gap = difference(tuned, scratch)
    expected = [a - b for a, b in zip(tuned.values, scratch.values, strict=True)]
    assert list(gap.values) == pytest.approx(expected)
    assert (
        [cell.seed_index for cell in gap.cells]
        == [cell.seed_index for cell in gap.minus]
        == [0, 1, 2]
    )


def test_a_difference_of_means_is_welchs(results):
    tuned, scratch = results.value(TUNED, "accuracy"), results.value(SCRATCH, "accuracy")
    gap, theirs = apart(tuned, scratch), stats.ttest_ind(
        tuned.values, scratch.values, equal_var=False
    )  # fmt: skip
    assert gap.mean == pytest.approx(np.mean(tuned.values) - np.mean(scratch.values))
    low, high = theirs.confidence_interval(0.95)
    assert (gap.interval.low, gap.interval.high) == pytest.approx((low, high))
    assert gap.p_value(0.0) == pytest.approx(theirs.pvalue)
    assert gap.minus == scratch.cells


def test_the_interval_over_images_is_that_of_the_first_network(results):
    quantity = results.value(TUNED, "accuracy")
    low, high = image_limits(quantity)
    first = quantity.cells[0].metrics["image_interval"]
    assert (low.values, high.values) == ((first["low"],), (first["high"],))
    assert low.cells == high.cells == quantity.cells[:1]
    bare = replace(quantity, cells=(results.variant("fashion_classifier/search").first,))
    assert image_limits(bare) is None
    on_map = image_limits(results.value("fashion_embedding/pca", "knn_accuracy"))
    assert on_map[0].path == "knn_image_interval.low"


def test_two_classifiers_are_compared_image_by_image(results):
    compared = same_images(results.variant(TUNED), results.variant(SCRATCH))
    pair = [results.variant(path).first for path in (TUNED, SCRATCH)]
    first, second = (c.array("probabilities").argmax(1) == c.array("labels") for c in pair)
    assert compared.cells == tuple(pair)
    assert compared.found.only_first == (first & ~second).sum()
    assert compared.found.only_second == (second & ~first).sum()
    assert same_images(results.variant(TUNED), results.variant("mnist_classifier/no")) is None


def test_classifiers_of_other_images_are_not_compared(results, tmp_path):
    cell = results.variant(TUNED).first
    other = StoredCell(tmp_path, cell.experiment, "other", 0, cell.key)
    arrays = {"probabilities": cell.array("probabilities"), "labels": cell.array("labels")[::-1]}
    write_done(other, Result({}, {}, arrays), {}, {})
    variant = type(results.variant(TUNED))("fashion_classifier", "other", (other,))
    with pytest.raises(ReportError, match="same test images"):
        same_images(results.variant(TUNED), variant)


@pytest.mark.parametrize(
    ("path", "marked"), [("accuracy", True), ("training.seconds", False), ("config:x", False)]
)
def test_a_result_of_an_untrained_network_is_known_but_its_cost_is_its_cost(tmp_path, path, marked):
    cell = StoredCell(tmp_path, "fashion_classifier", "handed_in", 0, "ab" * 32)
    write_done(cell, Result({"trained": 0.0}), {}, {})
    assert bool(Quantity(path, (cell,), (0.1,)).untrained) is marked


def test_a_difference_with_nothing_is_absent(results):
    gan = results.value("fashion_generation/gan", "recall")
    assert difference(gan, results.value("fashion_generation/vae", "recall")).absence == "failed"


def test_trials_are_ranked_and_failed_ones_left_out(results):
    search = Context(results).search("fashion_classifier")
    assert [trial.row for trial in search.trials] == [1, 0]
    assert search.hyperparameters == ["learning_rate", "pooling", "label_smoothing"]


def test_confusions_are_the_largest_errors(results):
    counts = sum(np.array(c.metrics["confusion"]) for c in results.variant(TUNED).done)
    np.fill_diagonal(counts, 0)
    pairs = Context(results).confusions(TUNED)
    assert counts[pairs[0]] == counts.max()
    assert all(actual != predicted for actual, predicted in pairs)
