"""Does the mean or the median image of a class classify better?"""

from collections.abc import Callable

import numpy as np

from bench.declarations import declared
from bench.experiments.definition import Cell, Experiment
from bench.store import Result

experiment = Experiment(declared("prototypes"))


@experiment.variant(settings=("images",), repeated="seeds")
def mean(cell: Cell) -> Result:
    """Classify by the nearest mean image."""
    return _classified(cell, np.mean)


@experiment.variant(settings=("images",), repeated="seeds")
def median(cell: Cell) -> Result:
    """Classify by the nearest median image."""
    return _classified(cell, np.median)


@experiment.variant(gathers=("mean", "median"))
def gain(cell: Cell) -> Result:
    """Take the one accuracy from the other, seed by seed."""
    pairs = zip(cell.gathered["median"], cell.gathered["mean"], strict=True)
    return Result({"gains": [a.metrics["accuracy"] - b.metrics["accuracy"] for a, b in pairs]})


def _classified(cell: Cell, middle: Callable[..., np.ndarray]) -> Result:
    split = cell.split
    rows = np.random.default_rng(cell.seed).permutation(len(split.train_images))
    rows = rows[: cell.settings.images]
    images, labels = split.train_images[rows].astype(float), split.train_labels[rows]
    classes = np.unique(labels)
    prototypes = np.stack([middle(images[labels == label], axis=0) for label in classes])
    tests = split.test_images.reshape(len(split.test_images), -1).astype(float)
    flat = prototypes.reshape(len(prototypes), -1)
    distances = np.square(tests).sum(1)[:, None] - 2 * tests @ flat.T + np.square(flat).sum(1)
    right = classes[distances.argmin(axis=1)] == split.test_labels
    return Result(
        {"accuracy": float(np.mean(right)), "test_images": len(tests)},
        arrays={"prototypes": np.rint(prototypes).astype(np.uint8)},
    )
