import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report
from sklearn.metrics import confusion_matrix as sklearn_confusion

from bench.metrics.classification import (
    confusion_matrix,
    expected_calibration_error,
    reliability_curve,
    report,
    right_and_wrong,
)

CLASSES = 10


def predictions(seed, count=300, classes=CLASSES):
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count).astype(np.uint8)
    scores = generator.dirichlet(np.full(classes, 0.3), size=count)
    scores[np.arange(count), labels] += generator.random(count)
    return labels, (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 200))
def test_report_agrees_with_scikit_learn(seed, count):
    labels, scores = predictions(seed, count)
    ours = report(labels, scores)
    theirs = classification_report(
        labels,
        scores.argmax(axis=1),
        labels=range(CLASSES),
        output_dict=True,
        zero_division=0,
    )
    for label in range(CLASSES):
        for ours_key, key in (("precision",) * 2, ("recall",) * 2, ("f1", "f1-score")):
            assert ours["per_class"][ours_key][label] == pytest.approx(theirs[str(label)][key])
        assert ours["per_class"]["support"][label] == theirs[str(label)]["support"]
    assert ours["macro_f1"] == pytest.approx(theirs["macro avg"]["f1-score"])
    assert ours["weighted_f1"] == pytest.approx(theirs["weighted avg"]["f1-score"])
    assert ours["accuracy"] == pytest.approx((labels == scores.argmax(axis=1)).mean())
    matrix = sklearn_confusion(labels, scores.argmax(axis=1), labels=range(CLASSES))
    assert ours["confusion"] == matrix.tolist()


def test_report_survives_json():
    ours = report(*predictions(0))
    assert json.loads(json.dumps(ours)) == ours


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_order_of_images_does_not_matter(seed):
    labels, scores = predictions(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    shuffled = (labels[order], scores[order])
    assert report(*shuffled) == report(labels, scores)
    assert expected_calibration_error(*shuffled) == pytest.approx(
        expected_calibration_error(labels, scores)
    )


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 30))
def test_calibration_error_agrees_with_the_direct_formula(seed, bins):
    labels, scores = predictions(seed)
    confidence, right = scores.max(axis=1).astype(float), scores.argmax(axis=1) == labels
    direct = 0.0
    for index in range(bins):
        low, high = index / bins, (index + 1) / bins
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            direct += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(labels, scores, bins) == pytest.approx(direct, abs=1e-9)


def test_confident_and_right_is_calibrated_confident_and_wrong_is_not():
    labels = np.arange(CLASSES)
    assert expected_calibration_error(labels, np.eye(CLASSES)) == 0.0
    assert expected_calibration_error(labels, np.roll(np.eye(CLASSES), 1, axis=0)) == 1.0


def test_reliability_curve_counts_every_prediction_and_leaves_empty_bins_undefined():
    labels, scores = np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.5, 0.5], [1.0, 0.0]])
    curve = reliability_curve(labels, scores, bins=10)
    assert curve.counts.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 1, 1]
    assert curve.accuracy[[4, 8, 9]].tolist() == [0.0, 1.0, 1.0]
    assert curve.confidence[[4, 8, 9]] == pytest.approx([0.5, 0.9, 1.0])
    assert np.isnan(curve.accuracy[0])
    assert len(curve.edges) == 11


def test_examples_are_spread_over_the_classes_and_errors_sorted_by_confidence():
    labels, scores = predictions(1, count=2000)
    right, wrong = right_and_wrong(labels, scores, 20, seed=3)
    predicted, confidence = scores.argmax(axis=1), scores.max(axis=1)
    assert (predicted[right] == labels[right]).all()
    assert np.bincount(labels[right]).tolist() == [2] * CLASSES
    assert (np.diff(labels[right].astype(int)) >= 0).all()
    assert (predicted[wrong] != labels[wrong]).all()
    assert (np.diff(confidence[wrong]) <= 0).all()
    rest = np.setdiff1d(np.flatnonzero(predicted != labels), wrong)
    assert confidence[rest].max() <= confidence[wrong].min()


def test_examples_depend_on_the_seed_only():
    labels, scores = predictions(1, count=2000)
    first, again, other = (right_and_wrong(labels, scores, 20, seed)[0] for seed in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 60), st.integers(1, 40))
def test_examples_never_repeat_and_use_what_there_is(seed, images, count):
    labels, scores = predictions(seed, images)
    right, wrong = right_and_wrong(labels, scores, count, seed)
    hits = int((scores.argmax(axis=1) == labels).sum())
    assert len(right) == len(set(right.tolist())) == min(count, hits)
    assert len(wrong) == len(set(wrong.tolist())) == min(count, images - hits)
    # As even as the supply allows: a class with fewer examples than another has no more to give.
    taken = np.bincount(labels[right], minlength=CLASSES)
    supply = np.bincount(labels[scores.argmax(axis=1) == labels], minlength=CLASSES)
    assert all(n >= taken.max() - 1 or n == s for n, s in zip(taken, supply, strict=True))


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], np.full((2, 2), np.nan), "NaN"),
        ([0, 1], np.full((2, 2), 0.7), "sum"),
        ([0, 1], [[1.5, -0.5], [0.5, 0.5]], "softmax"),
        ([0, 1], np.full((3, 2), 0.5), "same items"),
        ([0, 2], np.full((2, 2), 0.5), "from 0 to 1"),
        ([0, -1], np.full((2, 2), 0.5), "from 0 to 1"),
        ([0.0, 1.0], np.full((2, 2), 0.5), "integers"),
        ([[0, 1]], np.full((2, 2), 0.5), "shape"),
        ([0, 1], np.full(2, 0.5), "shape"),
        ([0, 1], np.full((2, 1), 1.0), "2 classes"),
        ([], np.empty((0, 2)), "at least 1"),
    ],
)
def test_bad_input_is_refused_with_a_reason(labels, scores, message):
    labels = np.array(labels) if labels else np.empty(0, dtype=int)
    for metric in (report, expected_calibration_error):
        with pytest.raises(ValueError, match=message):
            metric(labels, np.array(scores))


def test_numbers_out_of_range_are_refused():
    labels, scores = predictions(0)
    with pytest.raises(ValueError, match="bins"):
        reliability_curve(labels, scores, bins=0)
    with pytest.raises(ValueError, match="count"):
        right_and_wrong(labels, scores, 0, seed=0)
    with pytest.raises(ValueError, match="predicted"):
        confusion_matrix(labels, np.full(len(labels), 10), CLASSES)
