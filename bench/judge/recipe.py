"""Recipe of the shipped judge: `python -m bench.judge.recipe` trains it and writes the file.

A new judge is a new scale: distances of older runs cannot be compared with it. So the printed hash
must be entered in `loading.py` by hand. It is trained on the 60,000 training images, in float32.
"""

import hashlib

import keras
import numpy as np
from keras import layers

from bench import data, training
from bench.config import Fit
from bench.interfaces import Progress
from bench.judge.loading import FILE, Judge

WIDTHS = (16, 32, 64)
FIT = Fit(epochs=16, batch_size=125, learning_rate=2e-2)
WEIGHT_DECAY = 0.02
AUGMENTATION = training.augment.Augmentation(shift=1)
SEED = 20231130


def classifier(size: int = 28, classes: int = 10) -> keras.Model:
    """Build the judge's network, from images to logits by way of 64 features.

    Written out here: the networks of the experiments may change, this scale may not.

    Parameters
    ----------
    size : int
        Pixels a side.
    classes : int
        Number of logits.

    Returns
    -------
    keras.Model
        The network.
    """
    image = keras.Input((size, size, 1))
    maps = _normalised(_convolution(WIDTHS[0], 4, strides=2)(image))
    for width in WIDTHS[1:]:
        maps = _normalised(layers.MaxPooling2D()(_convolution(width, 3)(maps)))
        maps = _normalised(_convolution(width, 3)(maps))
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    return keras.Model(image, layers.Dense(classes, name="logits")(features), name="judge")


def _convolution(filters: int, kernel: int, strides: int = 1) -> keras.Layer:
    return layers.Conv2D(
        filters,
        kernel,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )


def _normalised(maps: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(maps))


def train(images: np.ndarray, labels: np.ndarray, classes: int, progress: Progress) -> keras.Model:
    """Train a judge on images.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, size, size)
        Training images. If there are fewer than a batch of the recipe, all are one batch.
    labels : ndarray of uint8, shape (n,)
        Their classes.
    classes : int
        Number of classes.
    progress : callable
        Called with the share that is done and the latest loss.

    Returns
    -------
    keras.Model
        From images (n, size, size, 1) in [0, 1] to logits (n, classes).
    """
    training.backend.prepare("float32", SEED)
    network = classifier(images.shape[1], classes)
    training.supervised.train_classifier(
        network,
        images,
        labels,
        fit=FIT.model_copy(update={"batch_size": min(FIT.batch_size, len(images))}),
        seed=SEED,
        augment=AUGMENTATION,
        weight_decay=WEIGHT_DECAY,
        optimizer=training.schedule.muon,
        progress=progress,
    )
    return network


def make() -> Judge:
    """Train the judge that is shipped."""
    whole = data.load("fashion_mnist")

    def show(done: float, words: str) -> None:
        print(f"\r{done:4.0%} {words}", end="", flush=True)

    return Judge(train(whole.train_images, whole.train_labels, len(whole.class_names), show))


def main() -> None:
    """Train the judge, write it, and print the hash that `loading.py` needs."""
    judge = make()
    judge.network.save(FILE)
    whole = data.load("fashion_mnist")
    _, classes = judge.look(whole.test_images)
    print(f"\nSHA256 = {hashlib.sha256(FILE.read_bytes()).hexdigest()!r}")
    print(f"ACCURACY = {np.mean(classes == whole.test_labels)}")


if __name__ == "__main__":
    main()
