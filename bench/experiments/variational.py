"""Training and evaluation of a VAE, for the map and the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import models, training
from bench.config import Fit
from bench.experiments.definition import Cell
from bench.interfaces import Figures
from bench.store import derive_seed

if TYPE_CHECKING:
    import keras

    from bench.training.loop import Record

BOUND_DRAWS = 3  # codes drawn for each image
IMPORTANCE_SAMPLES, IMPORTANCE_IMAGES = 100, 500
SAMPLES_AT_ONCE = 20  # for memory; divides the samples


def fit_vae(
    cell: Cell,
    pair: tuple[keras.Model, keras.Model],
    images: np.ndarray,
    fit: Fit,
    *,
    beta: float,
    free_bits: float = 0.0,
) -> Record:
    """Train a VAE's encoder and decoder on the evidence lower bound, validating each epoch.

    Parameters
    ----------
    cell : Cell
        Its seed, validation images and progress are used.
    pair : tuple of keras.Model
        Encoder (mean and log-variance) and decoder.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    fit : Fit
        The training.
    beta, free_bits : float
        See `models.vae.negative_elbo`.

    Returns
    -------
    Record
        Of the training.
    """
    random, steps = training.objective.random(cell.seed), training.loop.steps(len(images), fit)
    optimizer = training.schedule.adam(fit.learning_rate, steps)
    loss = models.vae.negative_elbo(
        *pair, random, beta=beta, free_bits=free_bits, step=optimizer.iterations, steps=steps
    )
    return training.loop.train(
        [training.objective.Objective(loss, pair, optimizer, random=random)],
        {"images": images},
        fit=fit,
        seed=cell.seed,
        validation={"images": cell.split.validation_images},
        progress=cell.progress,
    )


def held_out_bounds(cell: Cell, pair: tuple[keras.Model, keras.Model]) -> Figures:
    """Evaluate a VAE on the test images: the evidence lower bound, and a tighter one.

    Parameters
    ----------
    cell : Cell
        Its seed and test images are used.
    pair : tuple of keras.Model
        Encoder (mean and log-variance) and decoder.

    Returns
    -------
    dict
        Nats an image: `negative_elbo`, the sum of `reconstruction_nats` (codes drawn, mean over
        `BOUND_DRAWS`) and `kl`; `importance_weighted_nats`, the negative estimate of log p(x)
        (`models.vae.importance_weighted`) from `importance_samples` codes for each of
        `importance_images` images, and `importance_images_negative_elbo`, the bound on the same
        images and codes. None is a normalised likelihood: see `models.vae`.
    """
    encode, decode = pair
    images = cell.split.test_images / np.float32(255)
    encoded = training.predict.images_to(encode, cell.split.test_images)
    mean, log_variance = map(training.backend.to_numpy, models.vae.mean_and_log_variance(encoded))
    random = np.random.default_rng(derive_seed(cell.seed, "bounds"))

    def draw(count: int, times: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw codes for the first images: log-likelihoods, log density ratios (times, count)."""
        of = mean[:count], log_variance[:count]
        noise = random.standard_normal((times, *of[0].shape), dtype="float32")
        codes = of[0] + np.exp(0.5 * of[1]) * noise
        restored = training.predict.codes_to(decode, codes.reshape(-1, codes.shape[-1]))
        restored = restored.reshape(times, count, *images.shape[1:])
        likelihood = [models.vae.log_likelihood(images[:count], each) for each in restored]
        return np.stack(likelihood), models.vae.log_density_ratio(codes, *of)

    count = min(IMPORTANCE_IMAGES, len(images))
    likelihoods = [draw(len(images), 1)[0] for _ in range(BOUND_DRAWS)]
    weights = np.concatenate(
        [
            np.add(*draw(count, SAMPLES_AT_ONCE))
            for _ in range(IMPORTANCE_SAMPLES // SAMPLES_AT_ONCE)
        ]
    )
    reconstruction = -float(np.mean(likelihoods))
    kl = float(training.backend.to_numpy(models.vae.kl_per_unit(mean, log_variance)).sum(1).mean())
    return {
        "negative_elbo": reconstruction + kl,
        "reconstruction_nats": reconstruction,
        "kl": kl,
        "importance_weighted_nats": -float(models.vae.importance_weighted(weights).mean()),
        "importance_images_negative_elbo": -float(weights.mean()),
        "importance_samples": len(weights),
        "importance_images": count,
    }
