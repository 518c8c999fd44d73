"""Normalisation statistics that fit the trained weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from bench.training import backend
from bench.training.objective import Objective

IMAGES = 5000  # the mean over so many images is known to about a per cent of its spread
MOST_BATCHES = 40


def reestimator(
    objectives: Sequence[Objective],
    data: Mapping[str, np.ndarray],
    *,
    batch_size: int,
    seed: int,
    compiled: bool = False,
) -> Callable[[], None]:
    """Make a function that replaces the moving statistics of batch normalisation.

    A moving average still holds a part of its start after a short training (`momentum` to the
    power of the steps), and averaged weights (Polyak averaging) have the statistics of the weights
    that were not averaged. Here the current weights see batches of training data in training mode,
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
    compiled : bool
        Whether to compile the passes: worth it where the function is called often.

    Returns
    -------
    callable
        Takes nothing; each call re-estimates the statistics for the weights of that moment.

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
    passes = []
    for objective in objectives:
        layers = [layer for network in objective.trains for layer in normalisations(network)]
        if layers:
            look = _pass(objective, layers)
            passes.append((backend.steps().compiled(look) if compiled else look, layers))

    def run() -> None:
        for look, layers in passes:
            momenta = [layer.momentum for layer in layers]
            for seen, chosen in enumerate(rows):
                # the running mean over the batches so far
                momentum = keras.ops.convert_to_tensor(seen / (seen + 1), "float32")
                batch = {
                    name: keras.ops.convert_to_tensor(array[chosen]) for name, array in data.items()
                }
                look(momentum, batch)
            for layer, kept in zip(layers, momenta, strict=True):
                layer.momentum = kept

    return run


def _pass(objective: Objective, layers: Sequence[Any]) -> Callable[[Any, Any], None]:
    """Let a batch change the moving statistics with a given momentum."""

    def look(momentum: Any, batch: Any) -> None:
        for layer in layers:
            layer.momentum = momentum
        objective.loss(batch, True)

    return look


def normalisations(network: Any) -> list[keras.layers.BatchNormalization]:
    """List the batch normalisation layers of a network that training changes."""
    return [
        layer
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
