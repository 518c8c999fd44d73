"""Training steps on TensorFlow: a compiled loop over batches of device-resident data."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf

from bench.interfaces import Loss, Scalars
from bench.store.provenance import usable_cores
from bench.training.objective import Objective

Log = dict[str, float]
Step = tuple[Scalars, list[tf.Tensor]]  # what is logged, and the gradients


MOST_REPLICAS = 4  # each normalises over its part of the batch, which must not become small


def most_replicas() -> int:
    """How many replicas of a network may train side by side in this process: up to one a core.

    An operation that runs on one core alone waits for no other, and each core has one at any time.
    TensorFlow must be told so before its first operation: a process in which it already ran with
    other threads, or that has an accelerator, trains one replica.
    """
    cores = len(usable_cores())
    if tf.config.list_physical_devices("GPU"):
        return 1
    replicas = min(cores, MOST_REPLICAS)
    try:
        tf.config.threading.set_inter_op_parallelism_threads(replicas)
        tf.config.threading.set_intra_op_parallelism_threads(cores // replicas)
    except RuntimeError:
        return 1
    return replicas


def compile_training(
    objectives: Sequence[Objective], data: Mapping[str, np.ndarray], replicas: int = 1
) -> Callable[[np.ndarray], Log]:
    """Compile several training steps into one call.

    Parameters
    ----------
    objectives : sequence of Objective
        Applied in turn at each step.
    data : mapping of str to ndarray
        The whole training set, first axis the images; it stays on the device.
    replicas : int
        How many replicas of the networks train side by side.

    Returns
    -------
    callable
        Takes indices of shape (steps, batch) and gives each scalar's mean over the steps.

    Notes
    -----
    With several replicas each takes a part of the batch, nearly equal ones, and
    normalises over it; moving statistics change once a replica, and the mean of the gradients over
    the images is applied.
    """
    resident = {name: tf.constant(array) for name, array in data.items()}
    for objective in objectives:
        objective.optimizer.build(objective.trainable)

    def differentiated(objective: Objective, rows: tf.Tensor) -> Step:
        batch = {name: tf.gather(array, rows) for name, array in resident.items()}
        with tf.GradientTape() as tape:
            scalars = objective.loss(batch, True)
        values = [variable.value for variable in objective.trainable]
        return scalars, tape.gradient(scalars["loss"], values)

    def step(rows: tf.Tensor) -> Scalars:
        logged: Scalars = {}
        parts = _parts(rows, replicas)
        for objective in objectives:
            scalars, gradients = _mean([differentiated(objective, part) for part in parts], parts)
            objective.optimizer.apply(gradients, objective.trainable)
            logged |= scalars
        return {name: tf.cast(value, tf.float32) for name, value in logged.items()}

    return _averaged(step)


def _parts(rows: tf.Tensor, count: int) -> list[tf.Tensor]:
    if count == 1:
        return [rows]  # whose size is known before it runs
    edges = [k * tf.size(rows) // count for k in range(count + 1)]
    return [rows[start:end] for start, end in pairwise(edges)]


def _mean(replicas: Sequence[Step], parts: Sequence[tf.Tensor]) -> Step:
    """Mean of equal structures of tensors, weighted by the images that each is the mean of."""
    if len(replicas) == 1:
        return replicas[0]
    sizes = [tf.cast(tf.size(part), tf.float32) for part in parts]
    shares = [size / tf.add_n(sizes) for size in sizes]

    def mean(*values: tf.Tensor) -> tf.Tensor:
        pairs = zip(shares, values, strict=True)
        return tf.add_n([tf.cast(share, value.dtype) * value for share, value in pairs])

    return tf.nest.map_structure(mean, *replicas)


def compile_evaluation(
    loss: Loss, uses: Sequence[keras.Model], data: Mapping[str, np.ndarray]
) -> Callable[[np.ndarray], Log]:
    """Compile the same loop without training: `loss(batch, False)` averaged over the batches.

    Parameters
    ----------
    loss : callable
        See `training.objective.Objective`.
    uses : sequence of keras.Model
        The networks that the loss calls.
    data : mapping of str to ndarray
        What it is evaluated on; it stays on the device.

    Returns
    -------
    callable
        Takes indices of shape (steps, batch) and gives each scalar's mean over the steps.
    """
    del uses  # TensorFlow's variables carry their own state
    resident = {name: tf.constant(array) for name, array in data.items()}

    def step(rows: tf.Tensor) -> Scalars:
        batch = {name: tf.gather(array, rows) for name, array in resident.items()}
        return {name: tf.cast(value, tf.float32) for name, value in loss(batch, False).items()}

    return _averaged(step)


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Compile a function of tensors that only changes variables."""
    run: Callable[..., None] = tf.function(function, reduce_retracing=True)
    return run


def _averaged(step: Callable[[tf.Tensor], Scalars]) -> Callable[[np.ndarray], Log]:
    names: list[str] = []

    @tf.function(reduce_retracing=True)
    def run(indices: tf.Tensor) -> Scalars:
        # the step stands in the loop alone: traced twice, it compiles for twice as long
        count = tf.shape(indices)[0]
        rows = tf.TensorArray(tf.float32, size=count)
        for position in tf.range(count):
            scalars = step(indices[position])
            names[:] = list(scalars)
            rows = rows.write(position, tf.stack(list(scalars.values())))
        return tf.reduce_mean(rows.stack(), axis=0)

    def call(indices: np.ndarray) -> Log:
        means = run(tf.constant(indices, tf.int32)).numpy()
        return {name: float(value) for name, value in zip(names, means, strict=True)}

    return call
