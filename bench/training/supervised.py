"""Training of a classifier, as experiments, pupils of generators and the judge share it."""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from bench.config import Fit
from bench.interfaces import Progress
from bench.models import stacked
from bench.training import loop, objective, schedule
from bench.training.augment import Augmentation

PLAIN = Augmentation()


def train_classifier(
    network: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    fit: Fit,
    seed: int,
    augment: Augmentation = PLAIN,
    label_smoothing: float = 0.0,
    weight_decay: float = 0.0,
    optimizer: Callable[..., keras.optimizers.Optimizer] = schedule.adam,
    validation: Mapping[str, np.ndarray] | None = None,
    exact_curves: bool = False,
    progress: Progress | None = None,
) -> loop.Record:
    """Train a network on labelled images.

    Parameters
    ----------
    network : keras.Model
        From images (n, size, size, 1) to logits (n, classes).
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    labels : ndarray of uint8, shape (n,)
        Their classes.
    fit : Fit
        Epochs, batch size, highest learning rate.
    seed : int
        Of the order of the images and of the augmentation.
    augment : Augmentation
        Random changes of the training images.
    label_smoothing, weight_decay : float
        Regularisation.
    optimizer : callable
        Takes the learning rate, the steps and the weight decay: `schedule.adam`, `schedule.muon`
        or another.
    validation : mapping of str to ndarray, optional
        `images` and `labels` that are evaluated each epoch.
    exact_curves : bool
        See `loop.train`.
    progress : callable, optional
        Called with the share that is done and the latest loss.

    Returns
    -------
    Record
        Of the training.
    """
    random = objective.random(seed)
    steps = loop.steps(len(images), fit)
    aim = objective.Objective(
        loss=stacked.classification_loss(network, augment, label_smoothing, random),
        trains=[network],
        optimizer=optimizer(fit.learning_rate, steps, weight_decay),
        random=random,
    )
    return loop.train(
        [aim],
        {"images": images, "labels": labels},
        fit=fit,
        seed=seed,
        validation=validation,
        exact_curves=exact_curves,
        progress=progress,
    )
