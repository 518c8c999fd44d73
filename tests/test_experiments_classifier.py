"""The classifiers' experiments: what is compared differs in what is said to differ alone."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")

import keras

from bench import training
from bench.config import load_profile
from bench.data import Split
from bench.experiments import evaluation, stacked_classifier
from bench.experiments.definition import Cell, chosen
from bench.training.loop import Record
from bench.training.views import Views

# the package has the experiment of this name
fashion_classifier = import_module("bench.experiments.fashion_classifier")
SMOKE = load_profile("smoke").fashion_classifier
BEST = {"learning_rate": 2e-2, "pooling": "average", "label_smoothing": 0.1}
OTHER = {"learning_rate": 1e-2, "pooling": "max", "label_smoothing": 0.0}


def _split(train=400, held_out=60):
    """Images of ten classes, each with two bright rows of its own."""
    random = np.random.default_rng(0)
    parts = []
    for count in (train, held_out, held_out):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = random.integers(0, 100, size=(count, 28, 28), dtype=np.uint8)
        bright = np.arange(28)[None, :, None] // 2 == labels[:, None, None]
        parts += [np.where(bright, 200, images).astype(np.uint8), labels]
    index = [np.arange(len(labels)) for labels in parts[1::2]]
    return Split("fashion_mnist", tuple("0123456789"), *parts, *index)


@pytest.fixture
def cell(tmp_path):
    """A cell of a variant that declares these settings; its search has ended."""

    def make(*settings, section=SMOKE, **needs):
        found = {"best": BEST, "best_by_arm": {"fine_tuned": BEST, "from_scratch": OTHER}}
        return Cell(
            settings=chosen(section, settings),
            seed=11,
            seed_index=0,
            precision="float32",
            split=_split(),
            needs={"search": SimpleNamespace(metrics=found), **needs},
            gathered={},
            scratch=tmp_path,
            progress=lambda *_: None,
        )

    return make


@pytest.fixture
def pretrained(tmp_path):
    """A finished cell with the encoders of three small stages."""
    training.backend.prepare("float32", 3)
    stack = stacked_classifier.models.stacked.build(SMOKE.widths)
    for number, encoder in enumerate(stack.encoders, start=1):
        encoder.save(tmp_path / f"encoder_{number}.keras")
    return SimpleNamespace(folder=tmp_path)


@pytest.fixture
def trainings(monkeypatch):
    """Every training of a classifier is written down and not run."""
    done = []
    curve = {
        "epoch": [1, 2, 3, 4],
        "loss": [1.0, 0.6, 0.4, 0.1],
        "validation_loss": [1.0, 0.5, 0.6, 0.9],
        "validation_accuracy": [0.3, 0.6, 0.7, 0.68],
    }

    def fit(cell, network, fit, augment, **named):
        done.append(
            SimpleNamespace(
                cell=cell,
                fit=fit,
                augment=augment,
                weights=network.get_weights(),
                optimizer=named.pop("optimizer")(fit.learning_rate, 10, 0.0),
                **named,
            )
        )
        return Record(pd.DataFrame(curve), {"seconds": 1.0})

    monkeypatch.setattr(stacked_classifier, "fit_classifier", fit)
    monkeypatch.setattr(fashion_classifier, "fit_classifier", fit)
    return done


class _Says:
    """A network that is told its logits, view after view."""

    layers = ()

    def __init__(self, *logits):
        self.logits = list(logits)

    def predict(self, inputs, batch_size, verbose):
        return self.logits.pop(0)


def _logits(labels, right):
    """Logits with which so many of the first images are classified correctly."""
    named = np.where(np.arange(len(labels)) < right, labels, (labels + 1) % 10)
    return 5.0 * np.eye(10, dtype=np.float32)[named]


RECORD = Record(pd.DataFrame({"epoch": [1]}), {"seconds": 1.0})


def test_accuracy_is_that_of_all_views_beside_that_of_the_image_alone(cell):
    cell = cell()
    labels = cell.split.test_labels
    network = _Says(_logits(labels, 30), 3.0 * _logits(labels, 45))
    result = evaluation.evaluated(cell, network, RECORD, Views(mirrored=True))
    figures = result.metrics
    assert (figures["accuracy"], figures["accuracy_single_view"]) == (0.75, 0.5)
    assert figures["views"] == 2
    assert figures["image_interval"]["low"] < 0.75 < figures["image_interval"]["high"]
    found = result.arrays["probabilities"].argmax(axis=1) == labels
    assert found.mean() == 0.75
    assert "accuracy_averaged" not in figures


def test_figures_of_the_image_alone_with_the_views_told_apart(cell):
    cell = cell()
    labels = cell.split.test_labels
    network = _Says(_logits(labels, 30), 3.0 * _logits(labels, 45))
    result = evaluation.evaluated(cell, network, RECORD, Views(mirrored=True), averaged_apart=True)
    figures = result.metrics
    assert (figures["accuracy"], figures["accuracy_averaged"]) == (0.5, 0.75)
    assert (figures["views"], figures["views_averaged"]) == (1, 2)
    assert np.trace(figures["confusion"]) == 30
    assert (result.arrays["probabilities"].argmax(axis=1) == labels).mean() == 0.5


@pytest.mark.parametrize(("right", "trained"), [(0.3, 0.0), (0.5, 0.0), (0.6, 1.0)])
def test_a_network_is_trained_if_it_beats_the_most_frequent_class(right, trained):
    labels, tests = np.array([2, 2, 1]), np.array([2, 1, 2, 0])
    found = evaluation.against_most_frequent(labels, tests, 0.9, right)
    assert found == {"trivial_accuracy": 0.5, "trained": trained}


def test_the_ensemble_averages_its_members_with_views_and_without(cell):
    cell = cell()
    labels = cell.split.test_labels
    members = []
    for single, averaged in ((20, 40), (30, 50)):
        arrays = {
            "probabilities": evaluation.softmax(_logits(labels, averaged)),
            "single_view_probabilities": evaluation.softmax(2 * _logits(labels, single)),
        }
        members.append(SimpleNamespace(metrics={"views": 10}, array=arrays.__getitem__))
    cell.gathered["fine_tuned"] = members
    figures = stacked_classifier.ensemble(cell).metrics
    assert figures["members"] == 2
    assert figures["views"] == 10
    assert 40 / 60 <= figures["accuracy"] <= 50 / 60
    assert 20 / 60 <= figures["accuracy_single_view"] <= 30 / 60


def test_the_second_half_of_a_training():
    history = pd.DataFrame(
        {
            "loss": [4.0, 3.0, 2.0, 1.0],
            "validation_loss": [4.0, 2.0, 3.0, 5.0],
            "validation_accuracy": [0.1, 0.5, 0.6, 0.6],
        }
    )
    assert fashion_classifier.second_half(history) == pytest.approx(
        {
            "training_loss_change": -2.0,
            "validation_loss_change": 3.0,
            "validation_accuracy_change": 0.1,
        }
    )


def test_the_control_of_overfitting_differs_in_its_rate_alone(cell, trainings):
    result = fashion_classifier.overfitting(
        cell("overfitting", "widths", *stacked_classifier.RECIPE)
    )
    handed_in, decayed, cured = trainings
    assert isinstance(handed_in.optimizer, keras.optimizers.Adam)
    assert handed_in.optimizer.get_config()["learning_rate"] == pytest.approx(1e-3)
    assert float(decayed.optimizer.learning_rate) < 1e-3  # at its first step
    for one, other in zip(handed_in.weights, decayed.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert handed_in.fit == decayed.fit
    assert cured.fit.learning_rate == OTHER["learning_rate"]
    for training_ in trainings:
        np.testing.assert_array_equal(training_.rows, handed_in.rows)
        assert training_.held_out == fashion_classifier.HELD_OUT
    assert list(result.tables["history"]["arm"].unique()) == ["handed_in", "decayed", "cured"]
    for arm in ("handed_in", "decayed", "cured"):
        assert result.metrics[arm]["validation_loss_change"] == pytest.approx(0.4)
        assert result.metrics[arm]["validation_accuracy_change"] == pytest.approx(0.08)


def test_calibration_differs_in_label_smoothing_alone(cell, trainings):
    found = stacked_classifier.calibration(
        cell("calibration", "widths", *stacked_classifier.RECIPE)
    ).metrics
    plain, smoothed = trainings
    assert (plain.label_smoothing, smoothed.label_smoothing) == (0.0, 0.1)
    assert plain.fit == smoothed.fit
    assert plain.augment == smoothed.augment
    np.testing.assert_array_equal(plain.rows, smoothed.rows)
    for one, other in zip(plain.weights, smoothed.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    error = "expected_calibration_error"
    assert found["change"] == found["smoothed"][error] - found["unsmoothed"][error]


def test_few_labels_are_the_same_for_pretrained_and_random_weights(cell, trainings):
    small = SMOKE.model_copy(
        update={
            "few_labels": SMOKE.few_labels.model_copy(
                update={"widths": (4, 4, 4), "unlabelled": 100, "images": 100}
            )
        }
    )
    found = stacked_classifier.few_labels(
        cell("few_labels", "corruption", *stacked_classifier.RECIPE, section=small)
    ).metrics
    assert found["per_class"] == [4, 16]
    assert set(found["accuracies"]) == {"pretrained", "from_scratch"}
    first, second, third, fourth = trainings
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(third.rows, fourth.rows)
    for one, again in ((first, third), (second, fourth)):
        assert all(map(np.array_equal, one.weights, again.weights))
    differing = [
        not np.array_equal(a, b) for a, b in zip(first.weights, second.weights, strict=True)
    ]
    assert any(differing[:-2])
    assert not any(differing[-2:])  # the head is not pretrained
    assert found["gaps"]["4"] == pytest.approx(
        found["accuracies"]["pretrained"]["4"] - found["accuracies"]["from_scratch"]["4"]
    )


def test_labelled_images_are_as_many_of_each_class():
    labels = np.repeat(np.arange(10), 30)
    few = stacked_classifier._labelled(labels, 4, 100, seed=1)
    more = stacked_classifier._labelled(labels, 16, 320, seed=1)
    assert len(few) == 100
    assert set(np.bincount(labels[np.unique(few)])) == {4}
    assert set(few) <= set(more)
    assert set(few) != set(stacked_classifier._labelled(labels, 4, 100, seed=2))


def test_a_search_trains_both_arms_with_each_trial_s_values(cell, trainings, pretrained):
    result = stacked_classifier.search_recipe(
        cell("search", "widths", *stacked_classifier.RECIPE, pretrained=pretrained)
    )
    figures = result.metrics
    assert figures["default"] == {**stacked_classifier.DEFAULT, "learning_rate": 1e-2}
    assert set(figures["best_by_arm"]) == {"fine_tuned", "from_scratch"}
    trials = len(result.tables["trials"])
    assert trials == 1 + SMOKE.search.trials
    for number in range(trials):
        tuned, control = trainings[2 * number : 2 * number + 2]
        assert tuned.fit == control.fit
        assert tuned.label_smoothing == control.label_smoothing
        assert not np.array_equal(tuned.weights[0], control.weights[0])
        assert tuned.cell.seed == control.cell.seed == 11
    # the fine-tuned arm starts from the same stages in all trials
    np.testing.assert_array_equal(trainings[0].weights[0], trainings[2].weights[0])


def test_the_linear_probe_has_pixels_and_a_random_encoder_as_controls(
    cell, pretrained, monkeypatch
):
    fit = stacked_classifier.PROBE.model_copy(update={"batch_size": 50})
    monkeypatch.setattr(stacked_classifier, "PROBE", fit)
    result = stacked_classifier.linear_probe(cell("widths", pretrained=pretrained))
    figures = result.metrics
    assert figures["probe_images"] == 400
    assert figures["code_size"] == 3 * 3 * SMOKE.widths[-1]
    for figure in ("accuracy", "pixels_accuracy", "random_encoder_accuracy"):
        assert 0.0 <= figures[figure] <= 1.0
    assert figures["pixels_accuracy"] > 0.8  # a bright row tells the class
    assert figures["views"] == 1
    assert result.arrays["probabilities"].shape == (60, 10)
