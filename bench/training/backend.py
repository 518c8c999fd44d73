"""The Keras backend: its name, arithmetic and replicas."""

import os
from types import ModuleType

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from bench.interfaces import Tensor


def name() -> str:
    """Return `tensorflow` or `jax`."""
    return str(keras.backend.backend())


def steps() -> ModuleType:
    """Return the module that compiles training steps for this backend.

    Raises
    ------
    NotImplementedError
        If Keras runs on a backend that this project has no training step for.
    """
    # imported here, and not at the top: only one of the two frameworks need be installed
    if name() == "tensorflow":
        from bench.training import steps_tensorflow

        return steps_tensorflow
    if name() == "jax":
        from bench.training import steps_jax

        return steps_jax
    raise NotImplementedError(
        f"KERAS_BACKEND={name()}: expected tensorflow or jax. No network can be trained."
    )


_replicas = 1


def replicas() -> int:
    """Replicas of a network that train side by side, each on a part of the batch."""
    return _replicas


def prepare(precision: str, seed: int, *, replicated: bool = False) -> None:
    """Set the arithmetic and seed every source of randomness, before networks are built.

    Parameters
    ----------
    precision : {'float32', 'mixed_bfloat16'}
        Keras dtype policy: variables stay float32 under either.
    seed : int
        Seeds Python, NumPy and Keras: initial weights depend on nothing else.
    replicated : bool
        Whether to train as many replicas as the backend has use for: for trainings that have the
        whole machine. Their figures then depend on how many that is.
    """
    global _replicas
    _replicas = steps().most_replicas() if replicated else 1
    keras.backend.clear_session()
    keras.mixed_precision.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)


def precision() -> str:
    """Return the arithmetic in force: `float32` or `mixed_bfloat16`."""
    return str(keras.mixed_precision.dtype_policy().name)


def to_numpy(value: Tensor) -> np.ndarray:
    """Copy a tensor of the backend into a NumPy array."""
    return keras.ops.convert_to_numpy(value)
