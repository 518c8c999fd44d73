"""A flow that turns noise into codes: the second stage behind a trained autoencoder.

Flow matching along straight paths: Lipman et al. 2023, arXiv 2210.02747, equation 23 with
sigma_min = 0; Liu, Gong and Liu 2023, arXiv 2209.03003, equation 1. A prior that is fitted after
the autoencoder mends the mismatch between the codes of images and N(0, 1) (two-stage VAE: Dai and
Wipf 2019, arXiv 1903.05789).
"""

import keras
import numpy as np
from keras import layers, ops

from bench.interfaces import Batch, Loss, Scalars, Tensor

FREQUENCIES = 4  # the time is shown to the network as sines and cosines, besides itself
STEPS = 40  # of the sampler, each with two evaluations


def velocity(latent: int, hidden: int, depth: int = 3) -> keras.Model:
    """Build the network: codes with time features (n, latent + 9) to velocities (n, latent).

    Parameters
    ----------
    latent : int
        Size of the codes.
    hidden : int
        Units of each hidden layer.
    depth : int
        Residual layers after the first.

    Returns
    -------
    keras.Model
        The network.
    """
    seen = keras.Input((latent + 1 + 2 * FREQUENCIES,))
    state = layers.Dense(hidden, activation="gelu")(seen)
    for _ in range(depth):
        state = layers.Add()([state, layers.Dense(hidden, activation="gelu")(state)])
    return keras.Model(seen, layers.Dense(latent, dtype="float32")(state), name="velocity")


def time_features(time: Tensor) -> Tensor:
    """Return the time with its sines and cosines: (n, 1) to (n, 9)."""
    angles = [np.pi * k * time for k in range(1, FREQUENCIES + 1)]
    waves = [wave(angle) for angle in angles for wave in (ops.sin, ops.cos)]
    return ops.concatenate([time, *waves], axis=-1)


def with_time(codes: Tensor, time: Tensor) -> Tensor:
    """Put time features beside codes: (n, latent) and (n, 1) to (n, latent + 9).

    Parameters
    ----------
    codes : tensor, shape (n, latent)
        Codes.
    time : tensor, shape (n, 1)
        Time of each, from 0 (noise) to 1 (codes).

    Returns
    -------
    tensor, shape (n, latent + 9)
        The network's input.
    """
    return ops.concatenate([codes, time_features(time)], axis=-1)


def matching_loss(network: keras.Model, random: keras.random.SeedGenerator) -> Loss:
    """Squared error of the velocity on straight paths from noise to the `codes` of a batch.

    Parameters
    ----------
    network : keras.Model
        See `velocity`.
    random : keras.random.SeedGenerator
        Source of the noise and of the times.

    Returns
    -------
    callable
        `loss(batch, training)`, as `training.objective.Objective` takes it.
    """

    def loss(batch: Batch, training: bool) -> Scalars:
        codes = batch["codes"]
        noise = keras.random.normal(ops.shape(codes), seed=random)
        time = keras.random.uniform((ops.shape(codes)[0], 1), seed=random)
        between = (1.0 - time) * noise + time * codes
        predicted = network(with_time(between, time), training=training)
        return {"loss": ops.mean(ops.square(predicted - (codes - noise)))}

    return loss


def flow(network: keras.Model, noise: np.ndarray) -> np.ndarray:
    """Carry noise (n, latent) along the velocity field to codes, by the midpoint rule.

    Parameters
    ----------
    network : keras.Model
        See `velocity`.
    noise : ndarray of float, shape (n, latent)
        Draws from N(0, 1).

    Returns
    -------
    ndarray of float, shape (n, latent)
        The codes.
    """
    state, step = ops.convert_to_tensor(noise, dtype="float32"), 1.0 / STEPS
    for k in range(STEPS):
        time = ops.full((len(noise), 1), k * step)
        middle = state + 0.5 * step * network(with_time(state, time), training=False)
        state = state + step * network(with_time(middle, time + 0.5 * step), training=False)
    return np.asarray(ops.convert_to_numpy(state), dtype="float32")
