"""Small trainings whose quality is compared with a recorded one, several seeds each.

Run by its path with the first seed and how many; prints JSON, one list of figures for each probe.
Everything is scored on images held out of the training set: the test set is not for this.
"""

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from bench.experiments.definition import Cell

TRAIN, HELD_OUT = 2000, 1000
SPLIT_SEED = 20231130
ARITHMETIC = "float32"  # everywhere the same, so that one reference serves every machine


def figures(first_seed: int, seeds: int) -> dict[str, list[float]]:
    """Train every probe for each seed.

    Parameters
    ----------
    first_seed, seeds : int
        Seeds `first_seed`, `first_seed + 1`, and so on.

    Returns
    -------
    dict of str to list of float
        Accuracy of the classifier, reconstruction error of the autoencoder, 5-NN accuracy of its
        map; one figure a seed.
    """
    from bench import data

    whole = data.load("fashion_mnist")
    split = data.split(whole, HELD_OUT, SPLIT_SEED, limit=TRAIN + HELD_OUT)
    found: dict[str, list[float]] = {}
    for seed in range(first_seed, first_seed + seeds):
        cell = cast("Cell", SimpleNamespace(split=split, seed=seed, progress=None))
        for name, value in (_classifier(cell) | _autoencoder(cell)).items():
            found.setdefault(name, []).append(value)
    return found


def _classifier(cell: "Cell") -> dict[str, float]:
    from bench import models, training
    from bench.config import Fit
    from bench.experiments.stacked_classifier import fit_classifier

    training.backend.prepare(ARITHMETIC, cell.seed)
    network = models.stacked.classifier(models.stacked.build((16, 32, 64)).encoders, "flat")
    fit = Fit(epochs=8, batch_size=125, learning_rate=5e-3)
    augment = training.augment.Augmentation(flip=True)
    fit_classifier(cell, network, fit, augment)
    logits = training.predict.images_to(network, cell.split.validation_images)
    right = logits.argmax(1) == cell.split.validation_labels
    return {"classifier.accuracy": float(np.mean(right))}


def _autoencoder(cell: "Cell") -> dict[str, float]:
    from bench import metrics, models, training
    from bench.config import Fit
    from bench.experiments.methods import fit_autoencoder

    training.backend.prepare(ARITHMETIC, cell.seed)
    pair = (
        models.autoencoder.dense_encoder((256, 64), 2),
        models.autoencoder.dense_decoder((256, 64), 2),
    )
    fit = Fit(epochs=20, batch_size=125, learning_rate=3e-3)
    fit_autoencoder(cell, pair, cell.split.train_images, fit)
    split = cell.split
    codes = [
        training.predict.images_to(pair[0], images)
        for images in (split.train_images, split.validation_images)
    ]
    restored = training.predict.codes_to(pair[1], codes[1])[..., 0]
    error = restored - split.validation_images / np.float32(255)
    near = metrics.embedding.knn_accuracy(
        codes[0], split.train_labels, codes[1], split.validation_labels
    )
    return {
        "autoencoder.negative_error": -float(np.mean(np.square(error))),
        "autoencoder.knn_accuracy": float(near),
    }


if __name__ == "__main__":
    print(json.dumps(figures(int(sys.argv[1]), int(sys.argv[2]))))
