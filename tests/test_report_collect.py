"""From the store to quantities that remember their cells."""

import numpy as np
import pytest

from bench.report.collect import Results, Tables, difference, lookup
from bench.report.context import Context
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
        (TUNED, "no_such_metric", "absent"),
    ],
)
def test_what_is_not_there_says_why(results, variant, path, absence):
    quantity = results.value(variant, path)
    assert not quantity
    assert quantity.absence == absence


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


def test_neighbours_on_a_map_are_counted_by_class(results):
    cell = results.variant("fashion_embedding/pca").first
    labels, points = cell.array("test_labels"), cell.array("test_map").astype(float)
    shares = []
    for row in np.flatnonzero(labels == 1):
        order = np.argsort(((points - points[row]) ** 2).sum(1))
        shares.append(np.mean(labels[order[1:11]] == 1))
    assert lookup(cell, "map:1.1", Tables()) == pytest.approx(np.mean(shares))
    assert lookup(cell, "map:1.0+1+2+3+4+5+6+7+8+9", Tables()) == 1.0


def test_a_difference_is_taken_seed_by_seed(results):
    tuned, scratch = results.value(TUNED, "accuracy"), results.value(SCRATCH, "accuracy")
    gap = difference(tuned, scratch)
    expected = [a - b for a, b in zip(tuned.values, scratch.values, strict=True)]
    assert list(gap.values) == pytest.approx(expected)
    assert [cell.seed for cell in gap.cells] == [cell.seed for cell in gap.minus] == [0, 1, 2]


def test_a_difference_with_nothing_is_absent(results):
    gan = results.value("fashion_generation/gan", "recall")
    assert difference(gan, results.value("fashion_generation/vae", "recall")).absence == "failed"


def test_trials_are_ranked_and_failed_ones_left_out(results):
    search = Context(results).search("fashion_classifier")
    assert [trial.row for trial in search.trials] == [0]
    assert search.hyperparameters == ["learning_rate", "width"]


def test_confusions_are_the_largest_errors(results):
    counts = sum(np.array(c.metrics["confusion"]) for c in results.variant(TUNED).done)
    np.fill_diagonal(counts, 0)
    pairs = Context(results).confusions(TUNED)
    assert counts[pairs[0]] == counts.max()
    assert all(actual != predicted for actual, predicted in pairs)
