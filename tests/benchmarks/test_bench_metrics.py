"""Time of the metrics at sizes near those of the report."""

import numpy as np
import pytest

from bench import metrics

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((2000, 784), dtype="float32")
MAP = RANDOM.normal(size=(2000, 2))
LABELS = RANDOM.integers(0, 10, 2000)
FEATURES = RANDOM.normal(size=(2, 2000, 128)).astype("float32")


def test_scorecard(benchmark):
    arguments = (IMAGES.reshape(-1, 28, 28), MAP, LABELS, MAP, LABELS)
    scores = benchmark.pedantic(metrics.embedding.scorecard, args=arguments, rounds=3)
    assert 0 <= scores["trustworthiness"] <= 1


def test_frechet_distance(benchmark):
    distance = benchmark.pedantic(
        metrics.generation.frechet_distance, args=tuple(FEATURES), rounds=5
    )
    assert distance >= 0


@pytest.mark.parametrize("name", ["precision_recall", "density_coverage"])
def test_manifold_measures(benchmark, name):
    function = getattr(metrics.manifolds, name)
    pair = benchmark.pedantic(function, args=tuple(FEATURES), rounds=3)
    assert all(np.isfinite(pair))


def test_classification_report(benchmark):
    probabilities = RANDOM.dirichlet(np.ones(10), 10_000)
    labels = RANDOM.integers(0, 10, 10_000)
    told = benchmark.pedantic(metrics.classification.report, args=(labels, probabilities), rounds=5)
    assert 0 <= told["accuracy"] <= 1
