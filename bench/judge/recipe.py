"""How the shipped judge was made: `python -m bench.judge.recipe` trains it and writes the file.

A new judge is a new scale: distances of older runs cannot be compared with it. So the printed hash
must be entered in `loading.py` by hand. It is trained on the 60,000 training images, in float32.
"""

import hashlib

import numpy as np

from bench import data, models, training
from bench.config import Fit
from bench.judge.loading import FILE, Judge

WIDTHS = (16, 32, 64)
FIT = Fit(epochs=16, batch_size=125, learning_rate=2e-2)
WEIGHT_DECAY = 0.02
AUGMENTATION = training.augment.Augmentation(shift=1)
SEED = 20231130


def make() -> Judge:
    """Train the judge."""
    whole = data.load("fashion_mnist")
    training.backend.prepare("float32", SEED)
    network = models.stacked.classifier(models.stacked.build(WIDTHS).encoders, "average")
    training.supervised.train_classifier(
        network,
        whole.train_images,
        whole.train_labels,
        fit=FIT,
        seed=SEED,
        augment=AUGMENTATION,
        weight_decay=WEIGHT_DECAY,
        optimizer=training.schedule.muon,
        progress=lambda done, words: print(f"\r{done:4.0%} {words}", end="", flush=True),
    )
    return Judge(network)


def main() -> None:
    """Train, write and tell what `loading.py` must know."""
    judge = make()
    judge.network.save(FILE)
    whole = data.load("fashion_mnist")
    _, classes = judge.look(whole.test_images)
    print(f"\nSHA256 = {hashlib.sha256(FILE.read_bytes()).hexdigest()!r}")
    print(f"ACCURACY = {np.mean(classes == whole.test_labels)}")


if __name__ == "__main__":
    main()
