"""Metrics of classifiers: per-class report, calibration, comparison."""

from typing import Any, NamedTuple

import numpy as np

from bench.metrics import checks


class Reliability(NamedTuple):
    """A reliability diagram.

    Attributes
    ----------
    edges : ndarray of float64, shape (bins + 1,)
        Limits of the bins, 0 to 1.
    confidence : ndarray of float64, shape (bins,)
        Mean probability of the predicted class; NaN in an empty bin.
    accuracy : ndarray of float64, shape (bins,)
        Share of right predictions; NaN in an empty bin.
    counts : ndarray of int64, shape (bins,)
        Predictions in each bin.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count each pair of true and predicted class.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        True and predicted classes.
    classes : int
        How many classes there are.

    Returns
    -------
    ndarray of int64, shape (classes, classes)
        Rows are true classes, columns predicted ones.

    Raises
    ------
    ValueError
        If a class is out of range, or the lengths differ.
    """
    labels = checks.classes("labels", labels, classes)
    predicted = checks.classes("predicted", predicted, classes)
    checks.same_length("labels", labels, "predicted", predicted)
    pairs = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def report(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Compute the per-class report of a classifier.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        True classes.
    probabilities : ndarray of float, shape (n, classes)
        Predicted probabilities; the prediction is the largest, the lowest class among equals.

    Returns
    -------
    dict
        `accuracy`, `macro_f1` and `weighted_f1` (floats, 0 to 1), `per_class` (lists
        `precision`, `recall`, `f1` and `support`, one entry a class) and `confusion` (list of
        lists, rows are true classes). Only plain Python numbers: JSON takes it as it is.

    Raises
    ------
    ValueError
        If shapes, classes or probabilities are not as above.

    Notes
    -----
    Precision TP/(TP+FP), recall TP/(TP+FN), F1 = 2TP/(2TP+FP+FN) (van Rijsbergen, Information
    Retrieval, 1979, chapter 7). A ratio 0/0 counts as 0. The macro average gives all
    `classes` the same weight, also those that do not occur; the weighted one goes by support.
    """
    labels, scores = _checked(labels, probabilities)
    confusion = confusion_matrix(labels, scores.argmax(axis=1), scores.shape[1])
    hits = confusion.diagonal().astype(np.float64)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2.0 * hits / np.maximum(support + predicted, 1)
    return {
        "accuracy": float(hits.sum() / len(labels)),
        "macro_f1": float(f1.mean()),
        "weighted_f1": float((f1 * support).sum() / len(labels)),
        "per_class": {
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1": f1.tolist(),
            "support": support.tolist(),
        },
        "confusion": confusion.tolist(),
    }


def reliability_curve(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> Reliability:
    """Compare confidence with accuracy, bin by bin.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        True classes.
    probabilities : ndarray of float, shape (n, classes)
        Predicted probabilities.
    bins : int
        Bins of equal width over [0, 1]; each includes its upper limit.

    Returns
    -------
    Reliability
        A perfectly calibrated classifier has accuracy = confidence in every bin.

    Raises
    ------
    ValueError
        If shapes, classes or probabilities are not as above, or `bins` is below 1.

    Notes
    -----
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017,
    arXiv 1706.04599, section 2: acc(B_m) and conf(B_m).
    """
    labels, scores = _checked(labels, probabilities)
    checks.whole("bins", bins, 1)
    confidence = np.clip(scores.max(axis=1), 0.0, 1.0)
    right = scores.argmax(axis=1) == labels
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence, side="left")
    counts = np.bincount(place, minlength=bins)
    filled = np.where(counts > 0, counts, np.nan)
    return Reliability(
        edges=edges,
        confidence=np.bincount(place, weights=confidence, minlength=bins) / filled,
        accuracy=np.bincount(place, weights=right, minlength=bins) / filled,
        counts=counts,
    )


def expected_calibration_error(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> float:
    """Compute the mean gap between confidence and accuracy, weighted by the bins' counts.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        True classes.
    probabilities : ndarray of float, shape (n, classes)
        Predicted probabilities.
    bins : int
        Bins of equal width over [0, 1].

    Returns
    -------
    float
        From 0 (calibrated) to 1.

    Raises
    ------
    ValueError
        If shapes, classes or probabilities are not as above, or `bins` is below 1.

    Notes
    -----
    ECE = sum over bins of |B_m|/n |acc(B_m) - conf(B_m)|: Guo et al. 2017, arXiv 1706.04599,
    equation 3.
    """
    curve = reliability_curve(labels, probabilities, bins)
    gap = np.nan_to_num(np.abs(curve.accuracy - curve.confidence), nan=0.0)
    return float((gap * curve.counts).sum() / curve.counts.sum())


def right_and_wrong(
    labels: np.ndarray, probabilities: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose examples of right predictions and the most confident errors.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        True classes.
    probabilities : ndarray of float, shape (n, classes)
        Predicted probabilities.
    count : int
        Examples of each kind, at most.
    seed : int
        Chooses the right ones.

    Returns
    -------
    right : ndarray of int64, shape (count,)
        Rows that are predicted rightly, in order of class: drawn at random, with the same
        number from each class as far as there are enough. Shorter if there are fewer.
    wrong : ndarray of int64, shape (count,)
        Rows that are predicted wrongly, the most confident first. Shorter if there are fewer.

    Raises
    ------
    ValueError
        If shapes, classes or probabilities are not as above, or `count` is below 1.
    """
    labels, scores = _checked(labels, probabilities)
    checks.whole("count", count, 1)
    hit = scores.argmax(axis=1) == labels
    right = np.random.default_rng(seed).permutation(np.flatnonzero(hit))
    # The k-th of each class comes before the (k+1)-th of any: as when dealing cards.
    turn = np.zeros(len(right), dtype=np.int64)
    for label in np.unique(labels[right]):
        members = labels[right] == label
        turn[members] = np.arange(members.sum())
    right = right[np.argsort(turn, kind="stable")][:count]
    errors = np.flatnonzero(~hit)
    confident = np.argsort(-scores[errors].max(axis=1), kind="stable")
    return right[np.argsort(labels[right], kind="stable")], errors[confident][:count]


def _checked(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores = checks.probabilities(probabilities)
    labels = checks.classes("labels", labels, scores.shape[1])
    checks.same_length("labels", labels, "probabilities", scores)
    return labels, scores
