"""Training a VAE, for the map and the generator; apart from `methods`, which all cells reach."""

from typing import Any

import numpy as np

from bench import models, training
from bench.config import Fit
from bench.experiments.definition import Cell


def fit_vae(
    cell: Cell,
    pair: tuple[Any, Any],
    images: np.ndarray,
    fit: Fit,
    *,
    beta: float,
    free_bits: float = 0.0,
) -> Any:
    """Train a VAE's encoder and decoder on the evidence lower bound, validating each epoch."""
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
