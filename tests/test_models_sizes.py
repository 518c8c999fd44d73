"""Networks follow the images' size and the classes; for 28 x 28 and ten they are what they were.

The figures of stored runs rest on these networks. Each is told by its layers (type, output shape,
parameters) and by its initial weights for one seed.
"""

import hashlib
import json

import keras
import numpy as np
import pytest

from bench import models, training
from bench.judge import recipe
from bench.timing import networks

WIDTHS = (8, 16, 32)
SIZES = [8, 9, 13, 28, 30, 31, 64]
# Layers, as a hash, and the sum of the initial weights' absolute values: before any of them
# followed the data.
BEFORE = {
    "dense_encoder": ("96ce0accc22b4316", 4813.464),
    "dense_decoder": ("a0a9dfeee1565020", 4805.365),
    "convolutional_encoder": ("07be0d55c1b74aae", 564.414),
    "convolutional_decoder": ("bb3ab183eec20ed7", 1998.624),
    "vae_encoder": ("28e1d8116e238cfe", 836.755),
    "vae_decoder": ("bb3ab183eec20ed7", 1998.624),
    "discriminator": ("f99e818696a37714", 426.140),
    "stage_1_encoder": ("6602a87688a5b757", 41.525),
    "stage_1_decoder": ("d19465603588d36a", 12.192),
    "stage_2_encoder": ("4cc0d6c14a3bdef0", 432.675),
    "stage_2_decoder": ("cc4e8bb7253400ef", 126.397),
    "stage_3_encoder": ("f075d92e4e46428e", 1206.854),
    "stage_3_decoder": ("1bce0ff25c2cc9ae", 274.138),
    "classifier_average": ("34e950070e54bc34", 1742.838),
    "classifier_max": ("2a831ce39213bda2", 1742.838),
    "classifier_flat": ("7d9fb0d80bd6a23c", 1882.023),
    "linear_probe": ("95cbfe5c4a7d6b5a", 64.500),
    "density": ("b5f77a69050338b1", 2635.477),
    "velocity": ("0270df918cea6016", 615.142),
    "handed_in_encoder": ("df9a3f9c1fadf1fb", 2121.577),
    "handed_in_decoder": ("9377d6118777ebc5", 2373.939),
    "handed_in_classifier": ("7e596b200507b4aa", 2812.410),
    "judge": ("6645529a58a8b7bf", 4702.858),
    "timed_classifier": ("c186d3abdb39a13a", 13039.037),
    "timed_handed_in": ("4253335f347dd8e2", 4513.867),
    "timed_autoencoder": ("240a772b8a5aedd6", 8691.993),
}


def built(name):
    """Build a network as the experiments do for the assignment's data."""
    stages = {
        f"stage_{k}_{part}": (part, k - 1) for k in (1, 2, 3) for part in ("encoder", "decoder")
    }
    if name in stages:
        part, place = stages[name]
        return getattr(models.stacked.build(WIDTHS), f"{part}s")[place]
    kind, _, rest = name.partition("_")
    if kind == "timed":
        return networks.build(rest).whole()
    encoders = models.stacked.build(WIDTHS).encoders if kind in ("classifier", "density") else ()
    if kind == "classifier":
        return models.stacked.classifier(encoders, rest)
    return {
        "dense_encoder": lambda: models.autoencoder.dense_encoder((128, 64), 2),
        "dense_decoder": lambda: models.autoencoder.dense_decoder((128, 64), 2),
        "convolutional_encoder": lambda: models.autoencoder.convolutional_encoder(16, 8),
        "convolutional_decoder": lambda: models.autoencoder.convolutional_decoder(16, 8),
        "vae_encoder": lambda: models.vae.encoder(16, 8),
        "vae_decoder": lambda: models.vae.decoder(16, 8),
        "discriminator": lambda: models.gan.discriminator(16),
        "linear_probe": lambda: models.stacked.linear_probe(20),
        "density": lambda: models.neighbour.density_network(encoders, 50),
        "velocity": lambda: models.flow.velocity(8, 32),
        "handed_in_encoder": models.handed_in.encoder,
        "handed_in_decoder": models.handed_in.decoder,
        "handed_in_classifier": lambda: models.handed_in.classifier(models.handed_in.encoder()),
        "judge": recipe.classifier,
    }[name]()


@pytest.mark.parametrize("name", BEFORE)
def test_networks_of_28_pixels_and_ten_classes_are_what_they_were(name):
    training.backend.prepare("float32", 7)
    network = built(name)
    rows = training.predict.architecture({"": network})
    layers = [[row["type"], row["output_shape"], row["parameters"]] for row in rows]
    sha256, weights = BEFORE[name]
    assert hashlib.sha256(json.dumps(layers).encode()).hexdigest()[:16] == sha256
    if keras.backend.backend() == "tensorflow":  # every backend draws other weights
        found = sum(float(np.abs(array.astype("float64")).sum()) for array in network.get_weights())
        assert found == pytest.approx(weights, rel=1e-6, abs=6e-4)


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out_in_any_size(size):
    images = np.zeros((2, size, size, 1), "float32")
    stack = models.stacked.build(WIDTHS, size)
    assert stack.reconstruct(images).shape == images.shape
    assert models.stacked.classifier(stack.encoders, "flat", classes=3)(images).shape == (2, 3)
    assert models.gan.discriminator(4, size)(images).shape == (2, 1)
    assert recipe.classifier(size, 100)(images).shape == (2, 100)
    for encoder, decoder in (
        (
            models.autoencoder.dense_encoder((9,), 2, size),
            models.autoencoder.dense_decoder((9,), 2, size),
        ),
        (models.vae.mean_encoder(models.vae.encoder(8, 2, size)), models.vae.decoder(8, 2, size)),
    ):
        assert decoder(encoder(images)).shape == images.shape


def test_pixels_come_back_in_any_size():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 11, 11), dtype=np.uint8)
    unit = training.backend.to_numpy(models.images.to_unit(pixels))
    assert unit.shape == (3, 11, 11, 1)
    np.testing.assert_array_equal(models.images.to_pixels(unit), pixels)
    np.testing.assert_array_equal(models.images.to_pixels(unit[..., 0]), pixels)


def test_more_stages_than_the_size_can_be_halved():
    with pytest.raises(ValueError, match="expected at most 3 stages for images of 8 pixels"):
        models.stacked.build((4, 4, 4, 4), 8)


def test_targets_of_other_numbers_of_classes():
    random = training.objective.random(1)
    network = models.stacked.classifier(
        models.stacked.build((4,), 8).encoders, "average", classes=2
    )
    loss = models.stacked.classification_loss(network, training.augment.Augmentation(), 0.1, random)
    batch = {"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, 1, 0], np.uint8)}
    # equal logits: the entropy of two classes, whatever the smoothing
    network.get_layer("logits").set_weights([np.zeros((4, 2)), np.zeros(2)])
    assert float(loss(batch, True)["loss"]) == pytest.approx(np.log(2), rel=1e-5)
