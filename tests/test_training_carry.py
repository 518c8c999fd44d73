"""Trainings that go on where an earlier one stopped."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from bench.config import Fit
from bench.training import backend, carry, loop, objective, schedule

IMAGES = np.random.default_rng(3).integers(0, 255, (80, 6), dtype=np.uint8)


def _train(epochs, optimizer, seed=5):
    backend.prepare("float32", seed)
    network = keras.Sequential(
        [keras.layers.Input((6,)), keras.layers.Dense(4), keras.layers.BatchNormalization(),
         keras.layers.Dense(6)]
    )  # fmt: skip

    def loss(batch, training):
        images = keras.ops.cast(batch["images"], "float32") / 255
        noise = keras.random.normal(keras.ops.shape(images), stddev=0.1, seed=random)
        return {"loss": keras.ops.mean((network(images + noise, training=training) - images) ** 2)}

    random = objective.random(seed)
    aim = objective.Objective(loss, [network], optimizer(epochs), random=random)
    fit = Fit(epochs=epochs, batch_size=20, learning_rate=1e-2)
    loop.train([aim], {"images": IMAGES}, fit=fit, seed=seed)
    return network, aim.optimizer


def _constant(epochs):
    return schedule.constant_adam(1e-2)


def _one_cycle(epochs):
    return schedule.adam(1e-2, 4 * epochs)


def _averaging(epochs):
    return schedule.steady_adam(1e-2, averaged=True)


def _muon(epochs):
    return schedule.muon(1e-2, 4 * epochs)


@pytest.mark.parametrize("optimizer", [_constant, _averaging])
def test_one_training_in_two_parts_is_the_whole_training(optimizer):
    """With a constant rate: weights, moments, averages, noise and order of images go on."""
    whole, _ = _train(5, optimizer)
    with carry.carrying(None, True) as first:
        _train(2, optimizer)
    with carry.carrying(first.to_bytes(), False):
        parts, _ = _train(3, optimizer)
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", [_one_cycle, _muon])
def test_the_schedule_starts_anew_and_the_count_of_steps_goes_on(optimizer):
    with carry.carrying(None, True) as first:
        _, before = _train(1, optimizer)
    with carry.carrying(first.to_bytes(), False):
        _, after = _train(2, optimizer)
    assert int(before.iterations) == 4
    assert int(after.iterations) == 4 + 8
    fresh = optimizer(2)._learning_rate
    for step in range(8):
        assert float(after._learning_rate(4 + step)) == pytest.approx(float(fresh(step)))


def test_without_being_asked_nothing_is_noted_and_nothing_changes():
    plain, _ = _train(1, _one_cycle)
    with carry.carrying(None, False) as states:
        same, _ = _train(1, _one_cycle)
    assert states.to_bytes() == carry.States(None, True).to_bytes()
    for one, other in zip(plain.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_network_cannot_go_on():
    with carry.carrying(None, True) as first:
        _train(1, _constant)
    with carry.carrying(first.to_bytes(), False), pytest.raises(ValueError, match="goes on from"):
        _train(1, _averaging)
