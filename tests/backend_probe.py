"""Train each family of networks for a few steps and print the losses: one call for each backend.

Initial weights come from the first call, so that only the arithmetic differs. The GAN and the
augmentation draw random numbers, which the backends draw differently; here they are left out.
"""

import json
import sys
from pathlib import Path

import numpy as np

from bench import models, training
from bench.config import Fit

FIT = Fit(epochs=3, batch_size=20, learning_rate=2e-3)


def main(folder: Path) -> dict[str, list[float]]:
    random = np.random.default_rng(0)
    data = {
        "images": random.integers(0, 256, (100, 28, 28), dtype=np.uint8),
        "labels": random.integers(0, 10, 100).astype(np.uint8),
    }
    return {
        "stacked autoencoder": _train(folder, "stage", _stage(), data),
        "classifier": _train(folder, "classifier", _classifier(), data),
        "handed-in autoencoder": _train(folder, "handed_in", _handed_in(), data),
        "dense autoencoder": _train(folder, "dense", _dense(), data),
    }


def _stage():
    stack = models.stacked.build((4, 8))
    source = training.objective.random(1)
    loss = models.stacked.denoising_loss(stack, 2, 0.0, source)
    return loss, [stack.encoders[1], stack.decoders[1]], stack.encoders[:1]


def _classifier():
    network = models.stacked.classifier(models.stacked.build((4, 8)).encoders, "max")
    plain = training.augment.Augmentation()
    source = training.objective.random(1)
    return models.stacked.classification_loss(network, plain, 0.1, source), [network], []


def _handed_in():
    pair = [models.handed_in.encoder(), models.handed_in.decoder()]
    return models.autoencoder.reconstruction_loss(*pair), pair, []


def _dense():
    pair = [models.autoencoder.dense_encoder((8,), 2), models.autoencoder.dense_decoder((8,), 2)]
    return models.autoencoder.reconstruction_loss(*pair), pair, []


def _train(folder, name, parts, data):
    loss, trains, uses = parts
    path = folder / f"{name}.npz"
    networks = [*trains, *uses]
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            for k, network in enumerate(networks):
                count = len(network.get_weights())
                network.set_weights([stored[f"{k}-{position}"] for position in range(count)])
    else:
        weights = {
            f"{k}-{position}": array
            for k, network in enumerate(networks)
            for position, array in enumerate(network.get_weights())
        }
        np.savez(path, **weights)
    objective = training.objective.Objective(
        loss=loss,
        trains=trains,
        uses=uses,
        optimizer=training.schedule.adam(FIT.learning_rate, training.loop.steps(100, FIT)),
    )
    record = training.loop.train([objective], data, fit=FIT, seed=3, validation=data)
    return [*record.history["loss"], *record.history["validation_loss"]]


if __name__ == "__main__":
    training.backend.prepare("float32", 1)
    print(json.dumps(main(Path(sys.argv[1]))))
