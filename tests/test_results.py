"""Types of results: what a variant may hand over, and what the report may ask for."""

import numpy as np
import pandas as pd
import pytest

from bench.declarations import declarations
from bench.report.values.bounds import possible
from bench.results.classification import Trained
from bench.results.embedding import NetworkMap
from bench.results.fields import ROOM, Fields, fields_of, type_of
from bench.results.held import Bounds, Holding, NotNegative, Part, Share
from bench.store import Result
from tests.report_fixture import made_up_cells

DECLARED = [(said.name, system.name) for said in declarations().values() for system in said.systems]


@pytest.fixture(scope="module")
def made_up():
    """What the made-up run holds of each variant, by experiment and name."""
    return {(e, v): make(np.random.default_rng(1)) for e, v, _, make in made_up_cells(2)}


@pytest.mark.parametrize(("experiment", "variant"), DECLARED)
def test_every_variant_declares_what_it_holds(experiment, variant):
    kind = type_of(declarations()[experiment], variant)
    assert kind is not None
    assert issubclass(kind, Holding)
    assert kind.__module__.startswith(ROOM)


def test_the_made_up_run_has_every_variant_and_is_what_the_types_say(made_up):
    own_data = {("fashion_generation", "judge")}  # trained for data of the user's own alone
    assert set(made_up) | own_data == set(DECLARED)
    for (experiment, variant), result in made_up.items():
        held = type_of(declarations()[experiment], variant).of(result)
        again = held.result()
        assert again.metrics == dict(result.metrics)
        assert set(again.tables) == set(result.tables)
        assert set(again.arrays) == set(result.arrays)


@pytest.mark.parametrize("part", ["metrics", "tables", "arrays"])
def test_a_misspelt_field_is_refused(made_up, part):
    result = made_up["fashion_classifier", "fine_tuned"]
    parts = {name: dict(getattr(result, name)) for name in ("metrics", "tables", "arrays")}
    first, *_ = parts[part]
    parts[part][f"{first}_x"] = parts[part].pop(first)
    with pytest.raises(ValueError, match=rf"{part}.{first}: Field required.*Mend the variant"):
        Trained.of(Result(**parts))


def test_a_field_within_a_field_is_looked_at(made_up):
    result = made_up["fashion_classifier", "fine_tuned"]
    per_class = dict(result.metrics["per_class"])
    per_class["f_1"] = per_class.pop("f1")
    wrong = Result({**result.metrics, "per_class": per_class}, result.tables, result.arrays)
    with pytest.raises(ValueError, match=r"metrics\.per_class\.f1: Field required"):
        Trained.of(wrong)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("test_map", np.zeros((3, 2), dtype=np.int64), "2 dimensions of kind f"),
        ("test_labels", np.zeros((3, 1), dtype=np.uint8), "1 dimensions of kind i or u"),
    ],
)
def test_an_array_of_another_kind_or_shape_is_refused(made_up, name, array, message):
    result = made_up["fashion_embedding", "vae"]
    with pytest.raises(ValueError, match=message):
        NetworkMap.of(Result(result.metrics, result.tables, {**result.arrays, name: array}))


@pytest.mark.parametrize("change", [{"losses": 1.0}, {"loss": None}])
def test_a_table_of_other_columns_is_refused(made_up, change):
    result = made_up["fashion_embedding", "vae"]
    table = result.tables["history"]
    table = table.assign(**{k: v for k, v in change.items() if v is not None}).drop(
        columns=[name for name, value in change.items() if value is None]
    )
    with pytest.raises(ValueError, match=r"columns missing: (loss|none); not expected"):
        NetworkMap.of(Result(result.metrics, {"history": table}, result.arrays))


@pytest.mark.parametrize(
    ("experiment", "path", "known"),
    [
        ("fashion_classifier", "per_class.f1.3", True),
        ("fashion_classifier", "per_class.f1.max", True),
        ("fashion_classifier", "per_class.f1.f1", False),
        ("fashion_classifier", "accuracy.low", False),
        ("fashion_classifier", "gaps.64", True),
        ("fashion_classifier", "frechet_distance", False),
        ("fashion_generation", "failures.dead_codes.limit", True),
        ("training_speed", "networks.classifier.flops_per_image", True),
        ("training_speed", "networks.classifier.our_loop.over_plain.low", True),
    ],
)
def test_fields_know_every_depth(experiment, path, known):
    assert fields_of(declarations()[experiment]).metric(path) is known


def test_columns_of_searches_are_known_by_their_beginning():
    fields = fields_of(declarations()["mnist_classifier"])
    assert fields.table("trials", "hp_learning_rate", "score")
    assert not fields.table("trials", "learning_rate")
    assert not fields.table("trial")


def test_a_cell_that_hands_over_another_field_fails(tmp_path, monkeypatch):
    import sys

    from bench.config import load_profile
    from bench.declarations import Declaration, System
    from bench.experiments import EXPERIMENTS
    from bench.experiments.definition import Experiment
    from bench.running import cells, make_plan

    systems = (System(name="stable", label="x", role="study", holds="embedding.Stability"),)
    toy = Experiment(
        Declaration(name="fashion_generation", dataset="mnist", title="toy", systems=systems)
    )

    @toy.variant()
    def stable(cell):
        return Result({"stability": {}, "map": 3}, tables={"x": pd.DataFrame({"a": [1]})})

    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", toy)
    monkeypatch.setattr(cells, "_split", lambda profile, dataset: None)
    monkeypatch.setattr(
        sys.modules["bench.running.plan"], "source_hash", lambda module, names, root: names[0]
    )
    smoke = load_profile("smoke").model_copy(update={"precision": "float32"})
    (planned,) = make_plan(smoke, tmp_path, ["fashion_generation"])
    outcome = cells.run_cell(smoke, planned, lambda done, words: None)
    assert not outcome.done
    assert "metrics.maps: Field required" in outcome.words
    assert planned.stored.status == "failed"


@pytest.mark.parametrize(
    ("path", "limits"),
    [
        ("accuracy", (0.0, 1.0)),
        ("per_class.f1.3", (0.0, 1.0)),
        ("training.seconds", (0.0, None)),
        ("overfitting.validation_accuracy_change", (None, None)),
        ("knn_image_interval.low", (None, None)),
        ("no_such_figure", (None, None)),
    ],
)
def test_bounds_of_a_figure_are_those_of_its_type(path, limits):
    assert possible(path) == limits


def test_figures_of_one_name_have_the_same_bounds():
    class Shares(Part):
        reached: list[Share]
        left: NotNegative | None = None

    class Counts(Part):
        reached: NotNegative

    class First(Holding):
        metrics: Shares

    class Second(Holding):
        metrics: Counts

    assert Fields([First]).bounds() == {"reached": Bounds(0.0, 1.0), "left": Bounds(0.0)}
    with pytest.raises(ValueError, match=r"Second: expected the bounds .* of reached"):
        Fields([First, Second]).bounds()
