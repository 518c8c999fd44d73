"""Evaluation of trained classifiers on the test images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import metrics, training
from bench.experiments.definition import Cell
from bench.interfaces import Figures
from bench.store import Result

if TYPE_CHECKING:
    import keras

    from bench.training.loop import Record
    from bench.training.views import Views

EXAMPLES = 20


def evaluated(
    cell: Cell, network: keras.Model, record: Record, views: Views, *, averaged_apart: bool = False
) -> Result:
    """Evaluate a trained classifier on the test images and collect what the report shows.

    Parameters
    ----------
    cell : Cell
        Its test images and seed are used.
    network : keras.Model
        From images to logits.
    record : Record
        Of its training.
    views : Views
        Views of each image, by the mean of whose predictions it is classified.
    averaged_apart : bool
        Whether the figures are those of the image alone, and the accuracy with all views is told
        apart, as `accuracy_averaged`.

    Returns
    -------
    Result
        Metrics, history, predictions, examples and the network.
    """
    images, labels = cell.split.test_images, cell.split.test_labels
    by_view = probabilities_by_view(network, images, views)
    apart: Figures = {}
    kept: dict[str, np.ndarray] = {}
    if averaged_apart:
        kept = {"averaged_probabilities": by_view.mean(axis=0)}
        apart = {
            "views_averaged": len(by_view),
            **scored_averaged(labels, kept["averaged_probabilities"], cell.seed),
        }
        by_view = by_view[:1]
    scores, arrays = scored(cell, by_view.mean(axis=0), by_view[0], len(by_view))
    return Result(
        metrics={
            **scores,
            **apart,
            "training": record.cost,
            "architecture": training.predict.architecture({"classifier": network}),
        },
        tables={"history": record.history},
        arrays={**arrays, **kept, **_examples(cell, arrays["probabilities"])},
        models={"classifier": network},
    )


def scored(
    cell: Cell, probabilities: np.ndarray, single_view: np.ndarray, views: int
) -> tuple[Figures, dict[str, np.ndarray]]:
    """Score predictions for the test images.

    Parameters
    ----------
    cell : Cell
        Its labels and seed are used.
    probabilities : ndarray of float, shape (n, 10)
        What is scored.
    single_view : ndarray of float, shape (n, 10)
        Predictions from the image alone.
    views : int
        Of how many views `probabilities` is the mean.

    Returns
    -------
    metrics : dict
        Per-class report and calibration of the predictions; `accuracy`, with the interval that
        other test images would give these weights (`image_interval`); `accuracy_single_view`;
        `views`; `trivial_accuracy` and `trained`.
    arrays : dict
        `probabilities`, `labels` and, if there are several views, `single_view_probabilities`.
    """
    labels = cell.split.test_labels
    curve = metrics.classification.reliability_curve(labels, probabilities)
    filled = curve.counts > 0
    report = metrics.classification.report(labels, probabilities)
    scores = {
        **report,
        **against_most_frequent(cell.split.train_labels, labels, report["accuracy"]),
        "accuracy_single_view": accuracy(labels, single_view),
        "views": views,
        "test_images": len(labels),
        "image_interval": _image_interval(labels, probabilities, cell.seed),
        "expected_calibration_error": metrics.classification.expected_calibration_error(
            labels, probabilities
        ),
        "reliability": {
            "confidence": curve.confidence[filled].tolist(),
            "accuracy": curve.accuracy[filled].tolist(),
            "counts": curve.counts[filled].tolist(),
        },
    }
    arrays = {"probabilities": probabilities, "labels": labels}
    if views > 1:
        arrays["single_view_probabilities"] = single_view
    return scores, arrays


def scored_averaged(labels: np.ndarray, probabilities: np.ndarray, seed: int) -> Figures:
    """Score predictions (n, 10) that stand beside those of the image alone.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        The true classes.
    probabilities : ndarray of float, shape (n, classes)
        Means over views.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        `accuracy_averaged` and `image_interval_averaged`.
    """
    return {
        "accuracy_averaged": accuracy(labels, probabilities),
        "image_interval_averaged": _image_interval(labels, probabilities, seed),
    }


def against_most_frequent(
    train_labels: np.ndarray, labels: np.ndarray, *accuracies: float
) -> dict[str, float]:
    """Compare accuracies with that of always predicting the most frequent class.

    Parameters
    ----------
    train_labels : ndarray of int, shape (m,)
        Labels that were trained on: they tell the most frequent class.
    labels : ndarray of int, shape (n,)
        Labels that the accuracies were measured with.
    *accuracies : float
        Of trained networks.

    Returns
    -------
    dict
        `trivial_accuracy`, the share of that class among `labels`; and `trained`, 1.0 if all
        `accuracies` are above it, else 0.0.
    """
    trivial = float(np.mean(labels == np.bincount(train_labels).argmax()))
    return {"trivial_accuracy": trivial, "trained": float(min(accuracies) > trivial)}


def probabilities_by_view(network: keras.Model, images: np.ndarray, views: Views) -> np.ndarray:
    """Class probabilities (views, n, 10) of images, the image itself first.

    Parameters
    ----------
    network : keras.Model
        From images to logits.
    images : ndarray of uint8, shape (n, size, size)
        Images.
    views : Views
        Which views of each.

    Returns
    -------
    ndarray of float, shape (views, n, classes)
        Class probabilities, those of the image itself first.
    """
    each = [softmax(training.predict.images_to(network, view)) for view in views.of(images)]
    return np.stack(each)


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of images whose most probable class is the true one.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        The true classes.
    probabilities : ndarray of float, shape (n, classes)
        Predictions.

    Returns
    -------
    float
        From 0 to 1.
    """
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) from logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype="float32")


def _image_interval(labels: np.ndarray, probabilities: np.ndarray, seed: int) -> Figures:
    right = probabilities.argmax(axis=1) == labels
    interval = metrics.intervals.bootstrap_interval(right, seed=seed)
    return {"low": interval.low, "high": interval.high}


def _examples(cell: Cell, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    images, labels = cell.split.test_images, cell.split.test_labels
    right, wrong = metrics.classification.right_and_wrong(
        labels, probabilities, EXAMPLES, cell.seed
    )
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    examples: dict[str, np.ndarray] = {}
    for name, rows in (("right", right), ("wrong", wrong)):
        examples |= {
            f"{name}_images": images[rows],
            f"{name}_true": labels[rows],
            f"{name}_predicted": predicted[rows].astype(np.uint8),
            f"{name}_confidence": confidence[rows],
        }
    return examples
