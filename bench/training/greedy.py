"""Greedy training of a stacked autoencoder: stage by stage, without labels."""

from collections.abc import Mapping

import numpy as np

from bench.config import Fit
from bench.interfaces import Progress
from bench.models import stacked
from bench.store import derive_seed
from bench.training import loop, objective, schedule


def train_stages(
    stack: stacked.Stack,
    images: np.ndarray,
    *,
    fit: Fit,
    corruption: float,
    seed: int,
    validation: Mapping[str, np.ndarray] | None = None,
    progress: Progress | None = None,
) -> list[loop.Record]:
    """Train each stage on the codes of the one below, which no longer changes.

    Parameters
    ----------
    stack : Stack
        Its encoders and decoders are trained.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    fit : Fit
        The training of each stage.
    corruption : float
        Share of a stage's inputs set to zero (masking noise).
    seed : int
        Of the noise, and of the order of the images, which differs from stage to stage.
    validation : mapping of str to ndarray, optional
        `images` that are evaluated each epoch.
    progress : callable, optional
        Called with the share that is done and the latest loss.

    Returns
    -------
    list of Record
        One for each stage.
    """
    records = []
    count = len(stack.encoders)
    for stage in range(1, count + 1):
        random = objective.random(seed)
        aim = objective.Objective(
            loss=stacked.denoising_loss(stack, stage, corruption, random),
            trains=[stack.encoders[stage - 1], stack.decoders[stage - 1]],
            uses=stack.encoders[: stage - 1],
            optimizer=schedule.adam(fit.learning_rate, loop.steps(len(images), fit)),
            random=random,
        )
        record = loop.train(
            [aim],
            {"images": images},
            fit=fit,
            seed=derive_seed(seed, stage),
            validation=validation,
            progress=progress and loop.part_of(progress, stage - 1, count),
        )
        records.append(record)
    return records
