"""Time of each metric, at sizes near those of the report."""

import numpy as np
import pytest

from bench import metrics

COUNT = 2000
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (COUNT, 28, 28)).astype("uint8")
PIXELS = IMAGES.reshape(COUNT, -1) / np.float32(255)
MAP = RANDOM.normal(size=(COUNT, 2))
LABELS = RANDOM.integers(0, 10, COUNT)
FEATURES = RANDOM.normal(size=(2, COUNT, 128)).astype("float32")
PROBABILITIES = RANDOM.dirichlet(np.ones(10), 10_000)
CLASSES = RANDOM.integers(0, 10, 10_000)
RANKS = metrics.neighbourhoods.neighbour_ranks(PIXELS[:1000])
MAP_RANKS = metrics.neighbourhoods.neighbour_ranks(MAP[:1000])

MEASURES = {
    "scorecard": (metrics.embedding.scorecard, (PIXELS, MAP, LABELS, MAP, LABELS)),
    "neighbour_ranks": (metrics.neighbourhoods.neighbour_ranks, (PIXELS,)),
    "trustworthiness": (metrics.neighbourhoods.trustworthiness, (RANKS, MAP_RANKS)),
    "continuity": (metrics.neighbourhoods.continuity, (RANKS, MAP_RANKS)),
    "neighbourhood_curve": (metrics.neighbourhoods.neighbourhood_curve, (RANKS, MAP_RANKS)),
    "knn_accuracy": (metrics.embedding.knn_accuracy, (MAP, LABELS, MAP, LABELS)),
    "triplet_accuracy": (metrics.embedding.triplet_accuracy, (PIXELS, MAP, 1)),
    "distance_correlation": (metrics.embedding.distance_correlation, (PIXELS, MAP, 1)),
    "frechet_distance": (metrics.generation.frechet_distance, tuple(FEATURES)),
    "kernel_distance": (metrics.generation.kernel_distance, (*FEATURES, 1)),
    "precision_recall": (metrics.manifolds.precision_recall, tuple(FEATURES)),
    "density_coverage": (metrics.manifolds.density_coverage, tuple(FEATURES)),
    "checkerboard": (metrics.generation.checkerboard, (PIXELS.reshape(-1, 28, 28),) * 2),
    "sharpness": (metrics.generation.sharpness, (PIXELS.reshape(-1, 28, 28),) * 2),
    "nearest_neighbours": (metrics.neighbours.nearest_neighbours, tuple(FEATURES)),
    "classification_report": (metrics.classification.report, (CLASSES, PROBABILITIES)),
    "calibration_error": (
        metrics.classification.expected_calibration_error,
        (CLASSES, PROBABILITIES),
    ),
}


@pytest.mark.parametrize("name", MEASURES)
def test_metric(timed, name):
    function, arguments = MEASURES[name]
    measured = timed(function, *arguments, items=len(arguments[0]), unit="images")
    assert measured is not None
