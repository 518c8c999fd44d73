"""Normalisation statistics are those of the final weights."""

import numpy as np
import pytest

from bench.config import Fit

pytest.importorskip("keras")

from bench import models, training

FIT = Fit(epochs=1, batch_size=20, learning_rate=1e-2)


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    squares = np.zeros((400, 28, 28), dtype=np.uint8)
    for image in squares:
        top, left = random.integers(0, 18, 2)
        image[top : top + 10, left : left + 10] = random.integers(100, 256)
    return squares


def _trained(images, optimizer=None):
    """Train the handed-in autoencoder for 20 steps: its momentum of .99 keeps 82 % of its start."""
    training.backend.prepare("float32", 3)
    pair = models.handed_in.encoder(), models.handed_in.decoder()
    objective = training.objective.Objective(
        loss=models.autoencoder.reconstruction_loss(*pair),
        trains=pair,
        optimizer=optimizer or training.schedule.constant_adam(FIT.learning_rate),
    )
    training.loop.train([objective], {"images": images}, fit=FIT, seed=5)
    return objective


def _losses(objective, images):
    batches = [{"images": images[start : start + 20]} for start in range(0, 400, 20)]
    at = {
        training_mode: np.mean(
            [float(objective.loss(batch, training_mode)["loss"]) for batch in batches]
        )
        for training_mode in (False, True)
    }
    return at[False], at[True]


@pytest.mark.parametrize("averaged", [False, True])
def test_evaluation_equals_the_mean_of_training_mode(images, averaged):
    optimizer = training.schedule.steady_adam(2e-3, averaged=True) if averaged else None
    evaluated, trained = _losses(_trained(images, optimizer), images)
    assert evaluated == pytest.approx(trained, rel=0.02)


def test_without_it_evaluation_is_another_network(images, monkeypatch):
    monkeypatch.setattr(training.statistics, "reestimator", lambda *args, **settings: lambda: None)
    evaluated, trained = _losses(_trained(images), images)
    assert abs(evaluated - trained) > 0.02 * trained


@pytest.mark.parametrize("compiled", [False, True])
def test_only_statistics_change_and_momenta_are_restored(images, compiled):
    objective = _trained(images)
    layers = [
        one for network in objective.trains for one in training.statistics.normalisations(network)
    ]
    before = [np.asarray(v) for v in objective.trainable]
    momenta = [layer.momentum for layer in layers]
    kept = [np.asarray(layer.moving_mean) for layer in layers]
    for layer in layers:
        layer.moving_mean.assign(np.full(layer.moving_mean.shape, 1e3, dtype="float32"))
    training.statistics.reestimator(
        [objective], {"images": images}, batch_size=20, seed=5, compiled=compiled
    )()
    assert [layer.momentum for layer in layers] == momenta
    for weight, now in zip(before, objective.trainable, strict=True):
        np.testing.assert_array_equal(weight, np.asarray(now))
    for mean, layer in zip(kept, layers, strict=True):
        np.testing.assert_allclose(np.asarray(layer.moving_mean), mean, atol=1e-4)


def test_exact_curves_are_those_of_the_statistics_at_the_end(images):
    losses = {}
    for exact in (False, True):
        training.backend.prepare("float32", 3)
        pair = models.handed_in.encoder(), models.handed_in.decoder()
        objective = training.objective.Objective(
            loss=models.autoencoder.reconstruction_loss(*pair),
            trains=pair,
            optimizer=training.schedule.constant_adam(FIT.learning_rate),
        )
        record = training.loop.train(
            [objective],
            {"images": images},
            fit=FIT,
            seed=5,
            validation={"images": images},
            exact_curves=exact,
        )
        losses[exact] = float(record.history["validation_loss"].iloc[-1])
        evaluated, _ = _losses(objective, images)
    assert losses[True] == pytest.approx(evaluated, rel=1e-3)
    assert abs(losses[False] - evaluated) > 0.02 * evaluated


def test_compiled_passes_see_the_weights_of_the_moment(images):
    objective = _trained(images)
    reestimate = training.statistics.reestimator(
        [objective], {"images": images}, batch_size=20, seed=5, compiled=True
    )
    reestimate()
    for variable in objective.trainable:
        variable.assign(variable + 0.01)
    reestimate()
    evaluated, trained = _losses(objective, images)
    assert evaluated == pytest.approx(trained, rel=0.02)
