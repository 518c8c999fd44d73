"""Networks have the stated shapes, and losses agree with their formulas."""

import functools
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from bench import models, training
from bench.config import Fit
from bench.experiments import variational
from bench.paths import ROOT

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 28, 28), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _prepared():
    training.backend.prepare("float32", 1)


def _numpy(value):
    return training.backend.to_numpy(value)


def test_pixels_survive_the_way_to_unit_images_and_back():
    unit = _numpy(models.images.to_unit(PIXELS))
    assert unit.shape == (6, 28, 28, 1)
    assert unit.min() >= 0
    assert unit.max() <= 1
    np.testing.assert_array_equal(models.images.to_pixels(unit), PIXELS)


def test_stages_halve_the_maps_and_their_decoders_undo_it():
    stack = models.stacked.build((4, 8, 16))
    assert [e.output_shape[1:] for e in stack.encoders] == [(14, 14, 4), (7, 7, 8), (3, 3, 16)]
    for encoder, decoder in zip(stack.encoders, stack.decoders, strict=True):
        assert decoder.input_shape == encoder.output_shape
        assert decoder.output_shape == encoder.input_shape
    assert _numpy(stack.reconstruct(models.images.to_unit(PIXELS))).shape == (6, 28, 28, 1)


def test_a_stage_trains_only_itself():
    stack = models.stacked.build((4, 8))
    random = training.objective.random(1)
    objective = training.objective.Objective(
        loss=models.stacked.denoising_loss(stack, 2, 0.3, random),
        trains=[stack.encoders[1], stack.decoders[1]],
        uses=stack.encoders[:1],
        optimizer=training.schedule.adam(1e-2, 10),
        random=random,
    )
    before = [[w.copy() for w in network.get_weights()] for network in stack.encoders]
    run = training.backend.steps().compile_training([objective], {"images": PIXELS})
    run(np.array([[0, 1, 2, 3]]))
    for old, new in zip(before[0], stack.encoders[0].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not np.array_equal(before[1][0], stack.encoders[1].get_weights()[0])


@pytest.mark.parametrize(("pooling", "size"), [("average", 8), ("max", 8), ("flat", 7 * 7 * 8)])
def test_the_classifier_pools_its_last_maps(pooling, size):
    network = models.stacked.classifier(models.stacked.build((4, 8)).encoders, pooling)
    assert network.output_shape == (None, 10)
    assert models.stacked.features_of(network).output_shape == (None, size)


def test_label_smoothing_is_in_training_only():
    network = models.stacked.classifier(models.stacked.build((4, 8)).encoders, "max")
    plain = training.augment.Augmentation()
    batch = {"images": PIXELS, "labels": np.arange(6, dtype=np.uint8)}
    losses = [
        models.stacked.classification_loss(network, plain, smoothing, None)(batch, False)["loss"]
        for smoothing in (0.0, 0.5)
    ]
    logits = _numpy(network(models.images.to_unit(PIXELS), training=False))
    entropy = np.log(np.exp(logits).sum(1)) - logits[np.arange(6), np.arange(6)]
    np.testing.assert_allclose(_numpy(losses[0]), entropy.mean(), rtol=1e-5)
    np.testing.assert_allclose(_numpy(losses[0]), _numpy(losses[1]))


def test_the_handed_in_networks_are_those_of_the_tables():
    encoder, decoder = models.handed_in.encoder(), models.handed_in.decoder()
    kinds = [(type(layer).__name__, layer) for layer in encoder.layers]
    convolutions = [
        (layer.filters, layer.kernel_size[0]) for kind, layer in kinds if kind == "Conv2D"
    ]
    assert convolutions == [
        (32, 3), (32, 3), (32, 3), (32, 3), (32, 2), (16, 2), (4, 2), (1, 2),
    ]  # fmt: skip
    assert [kind for kind, _ in kinds].count("BatchNormalization") == 2
    assert encoder.layers[-1].units == 2
    assert encoder.layers[-1].activation.__name__ == "relu"
    convolutions = [
        (layer.filters, layer.kernel_size[0])
        for layer in decoder.layers
        if type(layer).__name__ == "Conv2D"
    ]
    assert convolutions == [
        (4, 2), (16, 2), (32, 3), (32, 3), (32, 3), (32, 3), (32, 3), (1, 3),
    ]  # fmt: skip
    assert decoder.output_shape == (None, 28, 28, 1)
    classifier = models.handed_in.classifier(encoder)
    assert classifier.output_shape == (None, 10)
    assert classifier.get_layer("flattened").output.shape[1] == 49


def test_the_kl_is_that_of_the_closed_form():
    mean, log_variance = RANDOM.normal(size=(2, 5, 3)).astype("float32")
    ours = _numpy(models.vae.kl_per_unit(mean, log_variance))
    codes = mean + np.exp(log_variance / 2) * RANDOM.normal(size=(400_000, 5, 3))
    log_q = -0.5 * ((codes - mean) ** 2 / np.exp(log_variance) + log_variance)
    sampled = (log_q + 0.5 * codes**2).mean(axis=0)
    np.testing.assert_allclose(ours, sampled, atol=0.03)


def _bound(pair, beta=1.0, bits=0.0):
    return models.vae.negative_elbo(*pair, None, beta=beta, free_bits=bits, step=0, steps=10)


def _floats(scalars):
    return {name: float(_numpy(value)) for name, value in scalars.items()}


def test_the_evaluated_bound_has_no_weight():
    pair = models.vae.encoder(8, 3), models.vae.decoder(8, 3)
    first, second = (
        _floats(_bound(pair, beta, bits)({"images": PIXELS}, False))
        for beta, bits in ((1.0, 0.0), (4.0, 2.0))
    )
    assert first == second
    assert first["loss"] == pytest.approx(first["reconstruction"] + first["kl"])


@functools.cache
def _trained_vae():
    """A VAE that tells a few images apart: their brightness differs."""
    images = (PIXELS // 8 + 30 * np.arange(6)[:, None, None]).astype(np.uint8)
    pair = models.vae.encoder(8, 2), models.vae.decoder(8, 2)
    random, optimizer = training.objective.random(1), training.schedule.constant_adam(5e-3)
    loss = models.vae.negative_elbo(
        *pair, random, beta=1.0, free_bits=0.0, step=optimizer.iterations, steps=60
    )
    objective = training.objective.Objective(loss, pair, optimizer, random=random)
    fit = Fit(epochs=60, batch_size=6, learning_rate=5e-3)
    training.loop.train([objective], {"images": images}, fit=fit, seed=1)
    return pair, images


def test_the_evaluated_bound_is_the_mean_over_drawn_codes_and_worse_than_the_mean_code():
    pair, images = _trained_vae()
    evaluated = _floats(_bound(pair)({"images": images}, False))
    unit = models.images.to_unit(images)
    mean, log_variance = models.vae.mean_and_log_variance(pair[0](unit, training=False))
    deviation = np.exp(0.5 * _numpy(log_variance))
    noises = [
        _numpy(keras.random.normal((6, 2), seed=seed)) for seed in models.vae.EVALUATION_SEEDS
    ]
    assert len(noises) > 1
    assert not np.allclose(noises[0], noises[1])

    def error(codes):
        restored = _numpy(pair[1](codes.astype("float32"), training=False))[..., 0]
        return -models.vae.log_likelihood(images / 255.0, restored).mean()

    drawn = [error(_numpy(mean) + deviation * noise) for noise in noises]
    assert evaluated["reconstruction"] == pytest.approx(np.mean(drawn), rel=1e-4)
    assert evaluated["reconstruction"] > error(_numpy(mean)) + 0.1


EVALUATES = """
import json, numpy as np
from bench import models, training
training.backend.prepare("float32", 1)
images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
pair = models.autoencoder.dense_encoder((8,), 6), models.autoencoder.dense_decoder((8,), 3)
loss = models.vae.negative_elbo(*pair, None, beta=1.0, free_bits=0.0, step=0, steps=1)
run = training.backend.steps().compile_evaluation(loss, pair, {"images": images})
rows = np.arange(40).reshape(4, 10)
eager = [loss({"images": images[part]}, False) for part in rows]
mean = {name: np.mean([float(e[name]) for e in eager]) for name in eager[0]}
print(json.dumps([run(rows), run(rows), mean]))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_compiled_evaluation_draws_the_same_codes_each_time(backend):
    pytest.importorskip(backend)
    done = subprocess.run(
        [sys.executable, "-c", EVALUATES],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, eager = json.loads(done.stdout.splitlines()[-1])
    assert first == second
    assert first == pytest.approx(eager, rel=1e-4)


def _toy_model():
    """Four black or white pixels and one latent unit; log p(x) by a fine grid over the code."""
    slope, shift = np.array([1.5, -2.0, 0.7, 1.0]), np.array([0.2, 0.0, -0.5, 0.3])
    images = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 1]]).reshape(3, 2, 2)

    def decode(codes):
        return (1 / (1 + np.exp(-(codes * slope + shift)))).reshape(len(codes), 2, 2)

    grid = np.linspace(-8, 8, 4001)[:, None]
    log_prior = -0.5 * grid[:, 0] ** 2 - 0.5 * np.log(2 * np.pi)
    log_joint = [
        models.vae.log_likelihood(np.repeat(x[None], len(grid), 0), decode(grid)) + log_prior
        for x in images
    ]
    exact = np.log(np.trapezoid(np.exp(log_joint), grid[:, 0], axis=1))
    return images, decode, exact


def test_importance_weighting_lies_above_the_bound_and_tightens_to_the_likelihood():
    images, decode, exact = _toy_model()
    mean, log_variance = np.array([[0.4], [-0.4], [0.0]]), np.array([[0.0], [-1.0], [0.5]])
    random = np.random.default_rng(0)
    draws = []
    for _ in range(4000):
        codes = mean + np.exp(0.5 * log_variance) * random.normal(size=(3, 1))
        ratio = models.vae.log_density_ratio(codes, mean, log_variance)
        draws.append(models.vae.log_likelihood(images, decode(codes)) + ratio)
    weights = np.array(draws)
    bound = weights.mean(axis=0)
    estimates = [
        np.mean([models.vae.importance_weighted(part) for part in weights.reshape(-1, k, 3)], 0)
        for k in (1, 5, 100)
    ]
    np.testing.assert_allclose(estimates[0], bound)
    assert (bound + 0.02 < estimates[1]).all()
    assert (estimates[1] < estimates[2]).all()
    np.testing.assert_allclose(estimates[2], exact, atol=0.02)
    assert (bound < exact - 0.05).all()


def test_importance_weighting_of_far_weights_is_a_number():
    far = np.array([[-3000.0], [-3001.0], [-9000.0]])
    expected = -3000.0 + np.log((1 + np.exp(-1.0)) / 3)
    np.testing.assert_allclose(models.vae.importance_weighted(far), expected)


def test_bounds_on_the_test_images_are_those_of_the_evaluation():
    pair, images = _trained_vae()
    cell = SimpleNamespace(seed=5, split=SimpleNamespace(test_images=images))
    found = variational.held_out_bounds(cell, pair)
    evaluated = _floats(_bound(pair)({"images": images}, False))
    assert found["negative_elbo"] == pytest.approx(found["reconstruction_nats"] + found["kl"])
    assert found["kl"] == pytest.approx(evaluated["kl"], rel=1e-4)
    assert found["reconstruction_nats"] == pytest.approx(evaluated["reconstruction"], rel=0.05)
    assert found["importance_weighted_nats"] < found["importance_images_negative_elbo"] - 0.1
    assert found["importance_images_negative_elbo"] == pytest.approx(evaluated["loss"], rel=0.05)
    assert (found["importance_samples"], found["importance_images"]) == (100, 6)


def test_the_mean_encoder_is_the_first_half_of_the_encoder():
    encoder = models.vae.encoder(8, 3)
    mean = training.predict.images_to(models.vae.mean_encoder(encoder), PIXELS)
    np.testing.assert_allclose(mean, training.predict.images_to(encoder, PIXELS)[:, :3], rtol=1e-5)


def test_the_probed_slope_of_the_discriminator_is_its_gradient():
    tf = pytest.importorskip("tensorflow")
    discriminator = models.gan.discriminator(8)
    generator = models.autoencoder.convolutional_decoder(8, 4)
    many = np.repeat(PIXELS[:2], 2000, axis=0)
    loss, _ = models.gan.losses(generator, discriminator, 4, 1.0, training.objective.random(1))
    probed = float(_numpy(loss({"images": many}, False)["penalty"]))
    images = tf.constant(models.images.to_unit(many))
    codes = RANDOM.normal(size=(4000, 4)).astype("float32")
    exact = 0.0
    for inputs in (images, generator(codes, training=False)):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            logits = discriminator(inputs)
        gradient = tape.gradient(logits, inputs)
        exact += float(tf.reduce_mean(tf.reduce_sum(gradient**2, axis=(1, 2, 3))))
    assert probed == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("training", [True, False])
def test_fused_normalisation_is_keras_own(training):
    maps = np.random.default_rng(0).normal(1.0, 2.0, (6, 5, 5, 3)).astype("float32")
    ours, own = models.normalisation.BatchNormalization(), keras.layers.BatchNormalization()
    for layer in (ours, own):
        layer.build(maps.shape)
        layer.set_weights([np.linspace(low, low + 1, 3) for low in (0.5, -1.0, 0.2, 0.7)])
    expected, got = own(maps, training=training), ours(maps, training=training)
    np.testing.assert_allclose(got, expected, atol=1e-5)
    for mine, theirs in zip(ours.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)


@pytest.mark.parametrize("channels", [3, 16])
def test_fused_normalisation_keeps_the_arithmetic_of_its_inputs(channels):
    maps = np.random.default_rng(0).normal(1.0, 2.0, (6, 5, 5, channels))
    layer = models.normalisation.BatchNormalization(dtype="mixed_bfloat16")
    own = keras.layers.BatchNormalization()
    outputs = layer(keras.ops.cast(maps, "bfloat16"), training=True)
    assert outputs.dtype == "bfloat16"
    expected = own(maps.astype("float32"), training=True)
    np.testing.assert_allclose(keras.ops.cast(outputs, "float32"), expected, atol=0.03)


def test_fused_normalisation_has_keras_own_gradients():
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the other backends have Keras's own layer")
    maps = tf.constant(np.random.default_rng(0).normal(1.0, 2.0, (6, 5, 5, 3)).astype("float32"))
    found = []
    for kind in (models.normalisation.BatchNormalization, keras.layers.BatchNormalization):
        layer = kind()
        layer.build(maps.shape)
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(layer(maps, training=True) ** 3)
        found.append(tape.gradient(loss, [maps, layer.gamma.value, layer.beta.value]))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-2, rtol=1e-3)
