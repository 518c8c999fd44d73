"""Normalisation statistics that fit the trained weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from bench.training.objective import Objective

IMAGES = 5000  # the mean over so many images is known to about a per cent of its spread
MOST_BATCHES = 40


def reestimate(
    objectives: Sequence[Objective],
    data: Mapping[str, np.ndarray],
    *,
    batch_size: int,
    seed: int,
) -> None:
    """Replace the moving statistics of batch normalisation by means over training batches.

    A moving average still holds a part of its start after a short training (`momentum` to the
    power of the steps), and averaged weights (Polyak averaging) have the statistics of the weights
    that were not averaged. Here the final weights see batches of training data in training mode,
    and each statistic becomes the plain mean over them. No weight changes.

    Parameters
    ----------
    objectives : sequence of Objective
        The layers of what each `trains` are re-estimated, by its own loss.
    data : mapping of str to ndarray
        Training data, first axis the images; at most `IMAGES` of them are used.
    batch_size : int
        Images a batch, as in training.
    seed : int
        Which images.

    Notes
    -----
    Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI 2018,
    arXiv 1803.05407, section 3.2. The variance is the mean of the batches' variances, as in
    training.
    """
    count = len(next(iter(data.values())))
    order = np.random.default_rng(seed).permutation(count)
    batches = max(1, min(count, IMAGES, MOST_BATCHES * batch_size) // batch_size)
    rows = order[: batches * batch_size].reshape(batches, -1)
    for objective in objectives:
        layers = [layer for network in objective.trains for layer in normalisations(network)]
        if not layers:
            continue
        momenta = [layer.momentum for layer in layers]
        for seen, chosen in enumerate(rows):
            for layer in layers:
                layer.momentum = seen / (seen + 1)  # the running mean over the batches so far
            batch = {
                name: keras.ops.convert_to_tensor(array[chosen]) for name, array in data.items()
            }
            objective.loss(batch, True)
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def normalisations(network: Any) -> list[keras.layers.BatchNormalization]:
    """List the batch normalisation layers of a network that training changes."""
    return [
        layer
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
