"""The training loop, on the backend in force; both backends agree."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bench.config import Fit
from bench.paths import ROOT

pytest.importorskip("keras")

from bench import models, training

FIT = Fit(epochs=2, batch_size=10, learning_rate=1e-2)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)


def _autoencoder(images, *, seed=1, optimizer=None, **settings):
    training.backend.prepare("float32", seed)
    pair = models.autoencoder.dense_encoder((16,), 2), models.autoencoder.dense_decoder((16,), 2)
    steps = training.loop.steps(len(images), FIT)
    objective = training.objective.Objective(
        loss=models.autoencoder.reconstruction_loss(*pair),
        trains=pair,
        optimizer=optimizer or training.schedule.adam(FIT.learning_rate, steps),
    )
    record = training.loop.train([objective], {"images": images}, fit=FIT, seed=seed, **settings)
    return pair, record


def test_the_loss_falls_and_is_recorded_each_epoch(images):
    messages = []
    _, record = _autoencoder(
        images, validation={"images": images[:20]}, progress=lambda *words: messages.append(words)
    )
    assert list(record.history["epoch"]) == [1, 2]
    assert record.history["loss"].is_monotonic_decreasing
    assert {"validation_loss", "seconds"} <= set(record.history)
    assert record.cost["steps"] == 12
    assert record.cost["parameters"] == 784 * 16 + 16 + 16 * 2 + 2 + 2 * 16 + 16 + 16 * 784 + 784
    assert record.cost["images_per_second"] > 0
    assert messages[-1][0] == 1.0


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(images):
    weights = [_autoencoder(images, seed=seed)[0][0].get_weights()[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_replicas_train_as_one_does(images, monkeypatch):
    # a batch of ten among three: parts of 3, 3 and 4 images
    if training.backend.name() != "tensorflow":
        pytest.skip("XLA divides the work by itself")
    alone = _autoencoder(images)
    monkeypatch.setattr(training.backend, "replicas", lambda: 3)
    together = _autoencoder(images)
    assert together[1].cost["replicas"] == 3
    np.testing.assert_allclose(together[1].history["loss"], alone[1].history["loss"], rtol=1e-4)
    for one, other in zip(alone[0], together[0], strict=True):
        for expected, got in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(got, expected, atol=2e-3)


def test_a_diverged_training_names_epoch_and_scalar(images):
    import keras

    with pytest.raises(training.loop.DivergedError, match=r"loss became (nan|inf) in epoch"):
        _autoencoder(images, optimizer=keras.optimizers.SGD(float("inf")))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="does not fit into 3 training images"):
        training.loop.steps_per_epoch(3, 10)


def test_averaged_weights_take_their_place_at_the_end(images):
    kept = training.schedule.steady_adam(1e-2, averaged=True)
    (encoder, _), _ = _autoencoder(images, optimizer=kept)
    averages = [np.asarray(v) for v in kept._model_variables_moving_average]
    np.testing.assert_allclose(encoder.get_weights()[0], averages[0], rtol=1e-6)


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing():
    rate = training.schedule.OneCycle(0.1, steps=100, rise=0.25)
    rates = [float(training.backend.to_numpy(rate(step))) for step in range(100)]
    assert max(rates) == pytest.approx(0.1, rel=0.03)
    assert np.argmax(rates) == pytest.approx(25, abs=2)
    assert rates[0] < 0.01
    assert rates[-1] < 0.002
    assert min(rates) > 0


@pytest.mark.parametrize("shift", [1, 3])
def test_shifted_images_are_translations(shift):
    random = training.objective.random(3)
    image = np.zeros((40, 28, 28, 1), dtype="float32")
    image[:, 14, 14] = 1.0
    moved = training.backend.to_numpy(training.augment.Augmentation(shift=shift)(image, random))
    np.testing.assert_allclose(moved.sum(axis=(1, 2, 3)), 1.0)
    places = np.argwhere(moved[..., 0] == 1.0)[:, 1:] - 14
    assert np.abs(places).max() == shift
    assert len(np.unique(places, axis=0)) > 2


def test_about_half_of_the_images_are_mirrored():
    images = np.random.default_rng(0).random((400, 28, 28, 1), dtype="float32")
    out = training.augment.Augmentation(flip=True)(images, training.objective.random(3))
    out = training.backend.to_numpy(out)
    same = (out == images).all(axis=(1, 2, 3))
    mirrored = (out == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert np.logical_xor(same, mirrored).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_erased_rectangles_have_the_stated_share_and_size():
    images = np.full((600, 28, 28, 1), 2.0, dtype="float32")
    out = training.augment.Augmentation(erase=0.5)(images, training.objective.random(3))
    erased = training.backend.to_numpy(out)[..., 0] != 2.0
    touched = erased.any(axis=(1, 2))
    assert 0.4 < touched.mean() < 0.6
    share = erased[touched].mean(axis=(1, 2))
    assert share.max() < 0.4
    assert share.mean() == pytest.approx((0.02 + 0.33) / 2, abs=0.04)


def test_a_saved_network_is_loaded_in_safe_mode_and_gives_the_same(images, tmp_path):
    (encoder, _), _ = _autoencoder(images)
    encoder.save(tmp_path / "encoder.keras")
    again = training.predict.load(tmp_path / "encoder.keras")
    np.testing.assert_allclose(
        training.predict.images_to(encoder, images), training.predict.images_to(again, images)
    )


@pytest.mark.slow
def test_both_backends_train_every_family_alike(tmp_path):
    metrics = {}
    for backend in ("tensorflow", "jax"):
        environment = {**os.environ, "KERAS_BACKEND": backend}
        command = [sys.executable, str(ROOT / "tests" / "backend_probe.py"), str(tmp_path)]
        answer = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=3600
        )
        assert answer.returncode == 0, answer.stderr
        metrics[backend] = json.loads(answer.stdout.splitlines()[-1])
    assert metrics["tensorflow"].keys() == metrics["jax"].keys()
    for family, losses in metrics["tensorflow"].items():
        np.testing.assert_allclose(losses, metrics["jax"][family], rtol=2e-3, err_msg=family)


def test_training_the_plain_copy_of_a_timed_network_leaves_the_network_alone():
    from bench.timing import networks

    training.backend.prepare("float32", 1)
    timed = networks.build("classifier", 0.25)
    before = [array.copy() for array in timed.whole().get_weights()]
    plain = timed.compiled()
    for mine, copied in zip(before, plain.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, copied)
    plain.fit(np.zeros((4, 28, 28, 1)), np.zeros(4), verbose=0)
    for mine, now in zip(before, timed.whole().get_weights(), strict=True):
        np.testing.assert_array_equal(mine, now)
