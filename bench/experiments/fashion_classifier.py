"""Exercise 5: classification of Fashion-MNIST with a stacked autoencoder.

The method is that of `stacked_classifier`; the reference rows are the handed-in network, its
encoder trained by `fashion_embedding`, with the dense head on top.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench import models, training
from bench.config import Fit
from bench.declarations import declared
from bench.experiments.applicability import fits_handed_in
from bench.experiments.definition import Cell, Experiment
from bench.experiments.evaluation import accuracy, against_most_frequent, evaluated
from bench.experiments.methods import for_epochs
from bench.experiments.stacked_classifier import (
    RECIPE,
    add_variants,
    fit_classifier,
    fit_with_recipe,
    views_of,
    winner,
)
from bench.interfaces import Figures
from bench.store import Result

if TYPE_CHECKING:
    import keras

    from bench.training.loop import Record
    from bench.training.schedule import OptimizerFactory

experiment = Experiment(declared("fashion_classifier"))
VIEWS = ("view_averaging", "flip")
HELD_OUT = 1000  # validation images evaluated each epoch of the many of `overfitting`, for its time


@experiment.variant(
    settings=("handed_in", *VIEWS),
    needs=("fashion_embedding/handed_in",),
    repeated="handed_in.seeds",
)
def handed_in(cell: Cell) -> Result:
    """Train the handed-in classifier for about as many seconds as ours gets."""
    return _handed_in(cell, cell.settings.handed_in)


@experiment.variant(
    settings=("handed_in_same_epochs", *VIEWS),
    needs=("fashion_embedding/handed_in",),
    repeated="handed_in_same_epochs.seeds",
)
def handed_in_same_epochs(cell: Cell) -> Result:
    """Train the handed-in classifier for as many epochs as ours gets."""
    return _handed_in(cell, cell.settings.handed_in_same_epochs)


def _handed_in(cell: Cell, fit: Fit) -> Result:
    """Train as handed in: no augmentation, no smoothing, no weight decay, a constant rate.

    The handed-in report gives no loss, no optimiser and no batch size. They are assumed:
    cross-entropy, Adam with Keras's defaults, and the batches of the settings. The figures are
    those of the images alone; the accuracy with our views is told apart.
    """
    training.backend.prepare(cell.precision, cell.seed)
    trained = cell.needs["fashion_embedding/handed_in"].model_path("encoder")
    network = models.handed_in.classifier(training.predict.load(trained), cell.split.classes)
    plain = training.augment.Augmentation()
    record = fit_classifier(cell, network, fit, plain, optimizer=_constant, exact_curves=True)
    result = evaluated(cell, network, record, views_of(cell), averaged_apart=True)
    return replace(result, metrics={**result.metrics, "overfitting": second_half(record.history)})


def _constant(learning_rate: float, steps: int, weight_decay: float) -> keras.optimizers.Optimizer:
    """Adam at a constant rate, whatever the steps; it decays no weight, and is asked for none."""
    return training.schedule.constant_adam(learning_rate)


@experiment.variant(
    settings=("overfitting", "widths", *RECIPE),
    needs=("search",),
    repeated="overfitting.seeds",
    applies=fits_handed_in,
)
def overfitting(cell: Cell) -> Result:
    """Train the handed-in classifier and ours on the same few images until one overfits (claim 4).

    All start from random weights and see the images as often. `handed_in` has the assumed constant
    rate; `decayed`, its control, is the same network whose rate follows the one-cycle schedule;
    `cured` is our network with its augmentation and regularisation. The curves are of at most
    `HELD_OUT` validation images, the accuracies at the end of all.
    """
    settings, split = cell.settings.overfitting, cell.split
    rows = np.random.default_rng(cell.seed).permutation(len(split.train_images))
    rows = rows[: settings.images]
    arms = {
        "handed_in": lambda part: _plain(part, rows, _constant),
        "decayed": lambda part: _plain(part, rows, training.schedule.adam),
        "cured": lambda part: _cured(part, rows),
    }
    scores: Figures = {}
    curves = []
    for number, (arm, train) in enumerate(arms.items()):
        training.backend.prepare(cell.precision, cell.seed)
        part = replace(cell, progress=training.loop.part_of(cell.progress, number, len(arms)))
        network, record = train(part)
        curves.append(record.history.assign(arm=arm))
        known, held_out = (
            accuracy(labels, training.predict.images_to(network, images))
            for images, labels in (
                (split.train_images[rows], split.train_labels[rows]),
                (split.validation_images, split.validation_labels),
            )
        )
        scores[arm] = {
            "training_accuracy": known,
            "validation_accuracy": held_out,
            "accuracy_gap": known - held_out,
            **second_half(record.history),
        }
    reached = [figures["validation_accuracy"] for figures in scores.values()]
    scores |= against_most_frequent(split.train_labels[rows], split.validation_labels, *reached)
    return Result(scores, tables={"history": pd.concat(curves, ignore_index=True)})


def _plain(cell: Cell, rows: np.ndarray, optimizer: OptimizerFactory) -> tuple[keras.Model, Record]:
    """Train the handed-in network from random weights: the network and the training's record."""
    network = models.handed_in.classifier(models.handed_in.encoder(), cell.split.classes)
    record = fit_classifier(
        cell,
        network,
        cell.settings.overfitting.fit,
        training.augment.Augmentation(),
        rows=rows,
        optimizer=optimizer,
        held_out=HELD_OUT,
        exact_curves=True,
    )
    return network, record


def _cured(cell: Cell, rows: np.ndarray) -> tuple[keras.Model, Record]:
    """Train our network from random weights: the network and the training's record."""
    values, fit = winner(cell, "from_scratch"), cell.settings.overfitting.fit
    encoders = models.stacked.build(cell.settings.widths, cell.split.size).encoders
    network = models.stacked.classifier(encoders, values["pooling"], classes=cell.split.classes)
    fit = for_epochs(fit, fit.epochs, values["learning_rate"])
    record = fit_with_recipe(cell, network, values, fit, rows, held_out=HELD_OUT, exact_curves=True)
    return network, record


def second_half(history: pd.DataFrame) -> dict[str, float]:
    """Measure what changed over the second half of a training.

    Overfitting: the training loss falls while the validation loss rises.
    """
    columns = {"training_loss": "loss"}
    columns |= {name: name for name in ("validation_loss", "validation_accuracy")}
    middle = max(0, len(history) // 2 - 1)
    return {
        f"{name}_change": float(history[column].iloc[-1] - history[column].iloc[middle])
        for name, column in columns.items()
    }


add_variants(experiment)
