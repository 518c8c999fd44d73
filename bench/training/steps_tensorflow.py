"""Training steps on TensorFlow: a compiled loop over batches of device-resident data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bench.training.objective import Loss, Objective

Log = dict[str, float]


def compile_training(
    objectives: Sequence[Objective], data: Mapping[str, np.ndarray]
) -> Callable[[np.ndarray], Log]:
    """Compile several training steps into one call.

    Parameters
    ----------
    objectives : sequence of Objective
        Applied in turn at each step.
    data : mapping of str to ndarray
        The whole training set, first axis the images; it stays on the device.

    Returns
    -------
    callable
        Takes indices of shape (steps, batch) and gives each scalar's mean over the steps.
    """
    resident = {name: tf.constant(array) for name, array in data.items()}
    for objective in objectives:
        objective.optimizer.build(objective.trainable)

    def step(rows: Any) -> dict[str, Any]:
        batch = {name: tf.gather(array, rows) for name, array in resident.items()}
        logged: dict[str, Any] = {}
        for objective in objectives:
            with tf.GradientTape() as tape:
                scalars = objective.loss(batch, True)
            values = [variable.value for variable in objective.trainable]
            gradients = tape.gradient(scalars["loss"], values)
            objective.optimizer.apply(gradients, objective.trainable)
            logged |= scalars
        return {name: tf.cast(value, tf.float32) for name, value in logged.items()}

    return _averaged(step)


def compile_evaluation(
    loss: Loss, uses: Sequence[Any], data: Mapping[str, np.ndarray]
) -> Callable[[np.ndarray], Log]:
    """Compile the same loop without training: `loss(batch, False)` averaged over the batches."""
    del uses  # TensorFlow's variables carry their own state
    resident = {name: tf.constant(array) for name, array in data.items()}

    def step(rows: Any) -> dict[str, Any]:
        batch = {name: tf.gather(array, rows) for name, array in resident.items()}
        return {name: tf.cast(value, tf.float32) for name, value in loss(batch, False).items()}

    return _averaged(step)


def _averaged(step: Callable[[Any], dict[str, Any]]) -> Callable[[np.ndarray], Log]:
    @tf.function(reduce_retracing=True)
    def run(indices: Any) -> dict[str, Any]:
        count = tf.shape(indices)[0]
        total = step(indices[0])
        for position in tf.range(1, count):
            now = step(indices[position])
            total = {name: total[name] + now[name] for name in total}
        return {name: value / tf.cast(count, tf.float32) for name, value in total.items()}

    def call(indices: np.ndarray) -> Log:
        logged = run(tf.constant(indices, tf.int32))
        return {name: float(value) for name, value in logged.items()}

    return call
