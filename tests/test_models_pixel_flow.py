"""The flow in pixels: its network, its loss and its sampler."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from bench import models, training
from bench.config import Fit
from bench.paths import ROOT
from bench.store import Result, StoredCell, write_done, write_manifest

RANDOM = np.random.default_rng(0)
TARGET = RANDOM.uniform(0.0, 1.0, (28, 28, 1)).astype("float32")
NOISE = RANDOM.standard_normal((6, 784)).astype("float32")


@pytest.fixture(autouse=True)
def _prepared():
    training.backend.prepare("float32", 1)


def _sure_of(image):
    """Build a network that takes every noisy image for the same clean one."""
    noisy, time = keras.Input((28, 28, 1)), keras.Input((9,))
    bias = keras.initializers.Constant(2.0 * image.ravel() - 1.0)
    flat = keras.layers.Dense(784, kernel_initializer="zeros", bias_initializer=bias)(time)
    return keras.Model([noisy, time], keras.layers.Reshape((28, 28, 1))(flat))


def _stirred(network):
    """Give a network other weights than those it starts with, which are 0 where it ends."""
    random = np.random.default_rng(5)
    network.set_weights([random.normal(0.0, 0.1, w.shape) for w in network.get_weights()])
    return network


@pytest.mark.parametrize("size", [8, 13, 28, 30])
def test_a_network_returns_images_of_the_size_it_was_given(size):
    network = models.pixel_flow.denoiser(8, size)
    assert network.output_shape == (None, size, size, 1)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_sampler_ends_at_the_clean_image_that_the_network_is_sure_of(steps):
    drawn = training.predict.codes_to(models.pixel_flow.generator(_sure_of(TARGET), steps), NOISE)
    np.testing.assert_allclose(drawn, np.broadcast_to(TARGET, drawn.shape), atol=1e-5)


def test_the_sampler_carries_a_gaussian_to_a_gaussian():
    """Images from N(0, s^2): the exact network is linear, and so is the exact way."""
    spread = 0.3
    noisy, time = keras.Input((28, 28, 1)), keras.Input((9,))
    t = keras.layers.Reshape((1, 1, 1))(time[:, :1])
    slope = t * spread**2 / ((1.0 - t) ** 2 + (t * spread) ** 2)
    network = keras.Model([noisy, time], noisy * slope)
    drawn = training.predict.codes_to(models.pixel_flow.generator(network, 200), NOISE)
    expected = (spread * NOISE.reshape(drawn.shape) + 1.0) / 2.0
    np.testing.assert_allclose(drawn, expected, atol=0.01)


def test_the_loss_is_that_of_the_velocity():
    network = _sure_of(TARGET)
    batch = {"images": np.broadcast_to(np.rint(255 * TARGET[None, ..., 0]), (4, 28, 28))}
    loss = models.pixel_flow.matching_loss(network, training.objective.random(3))(batch, False)
    assert float(training.backend.to_numpy(loss["loss"])) < 1e-3  # rounded pixels are near
    dark = {"images": np.zeros((4, 28, 28), dtype="uint8")}
    far = models.pixel_flow.matching_loss(network, training.objective.random(3))(dark, False)
    # the error is divided by what is left of the path, which is less than all of it
    assert float(training.backend.to_numpy(far["loss"])) > 4.0 * np.mean(np.square(TARGET))


def test_a_generator_survives_being_stored(tmp_path):
    generator = models.pixel_flow.generator(_stirred(models.pixel_flow.denoiser(8)), 3)
    generator.save(tmp_path / "decoder.keras")
    again = training.predict.load(tmp_path / "decoder.keras")
    before = training.predict.codes_to(generator, NOISE)
    assert before.std() > 0.0
    np.testing.assert_allclose(before, training.predict.codes_to(again, NOISE), atol=1e-5)


def _stored_run(folder):
    """Store a run with the networks whose layers are of this project."""
    density = models.neighbour.density_network(models.stacked.build((4, 8)).encoders, 30)
    anchors = RANDOM.normal(size=(30, 2)).astype("float32")
    networks = {
        "fashion_generation/pixel_flow": models.pixel_flow.generator(
            models.pixel_flow.denoiser(8, 8), 2
        ),
        "fashion_embedding/neighbour_autoencoder": models.neighbour.placing_network(
            density, anchors, 0.3
        ),
    }
    cells = []
    for path, network in networks.items():
        cells.append(StoredCell(folder, *path.split("/"), 0, "ab" * 32))
        write_done(cells[-1], Result({}, models={"decoder": network}), {}, {})
    write_manifest(folder, {}, cells)
    return networks


@pytest.mark.parametrize("asked", [0, 1])
def test_a_reader_in_another_process_loads_networks_with_layers_of_this_project(tmp_path, asked):
    path = [*_stored_run(tmp_path / "run")][asked]
    script = "import sys, bench; bench.open_run(sys.argv[1]).network(sys.argv[2])"
    words = [sys.executable, "-c", script, str(tmp_path / "run"), path]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)


def test_the_network_of_a_stored_generator_is_found_in_another_process(tmp_path):
    models.pixel_flow.generator(models.pixel_flow.denoiser(8, 8), 2).save(tmp_path / "d.keras")
    script = (
        "import pathlib, sys; from bench import models, training; flow = models.pixel_flow; "
        "network = flow.network_of(training.predict.load(pathlib.Path(sys.argv[1]))); "
        "assert network.name == 'denoiser'"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "d.keras")]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)


def test_training_lowers_the_loss_and_ends_with_averaged_weights():
    images = np.broadcast_to(np.rint(255 * TARGET[None, ..., 0]), (200, 28, 28)).astype(np.uint8)
    network = models.pixel_flow.denoiser(8)
    random = training.objective.random(1)
    fit = Fit(epochs=6, batch_size=20, learning_rate=1e-2)
    optimizer = training.schedule.muon(
        fit.learning_rate, training.loop.steps(200, fit), averaged=True
    )
    loss = models.pixel_flow.matching_loss(network, random)
    objective = training.objective.Objective(loss, [network], optimizer, random=random)
    record = training.loop.train([objective], {"images": images}, fit=fit, seed=1)
    assert record.history["loss"].iloc[-1] < 0.5 * record.history["loss"].iloc[0]
    assert optimizer.use_ema
