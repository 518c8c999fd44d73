"""Exercise 5: classification of Fashion-MNIST with a stacked autoencoder.

The method is that of `stacked_classifier`; the reference row is the handed-in network, its encoder
trained by `fashion_embedding`, with the dense head on top.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bench import models, training
from bench.experiments.definition import Cell, Experiment
from bench.experiments.methods import for_epochs
from bench.experiments.stacked_classifier import (
    RECIPE,
    add_variants,
    evaluated,
    fit_classifier,
    fit_with_recipe,
)
from bench.store import Result

experiment = Experiment(
    name="fashion_classifier",
    dataset="fashion_mnist",
    exercise="5",
    title="Classification of Fashion-MNIST with a stacked autoencoder",
)


@experiment.variant(
    settings=("handed_in",), needs=("fashion_embedding/handed_in",), repeated="seeds"
)
def handed_in(cell: Cell) -> Result:
    """Train the handed-in classifier: no augmentation, no smoothing, no weight decay."""
    training.backend.prepare(cell.precision, cell.seed)
    trained = cell.needs["fashion_embedding/handed_in"].model_path("encoder")
    network = models.handed_in.classifier(training.predict.load(trained))
    plain = training.augment.Augmentation()
    record = fit_classifier(cell, network, cell.settings.handed_in, plain)
    return evaluated(cell, network, record, training.views.Views())


@experiment.variant(
    settings=("overfitting", "widths", *RECIPE), needs=("search",), repeated="overfitting.seeds"
)
def overfitting(cell: Cell) -> Result:
    """Train the handed-in classifier and ours on the same few images until one overfits (claim 4).

    Both start from random weights and see the images as often; what differs is the network, the
    augmentation and the regularisation.
    """
    settings, best = cell.settings.overfitting, cell.needs["search"].metrics["best"]
    rows = np.random.default_rng(cell.seed).permutation(len(cell.split.train_images))
    rows = rows[: settings.images]
    told: dict[str, dict[str, float]] = {}
    curves = []
    for number, arm in enumerate(("handed_in", "cured")):
        training.backend.prepare(cell.precision, cell.seed)
        part = replace(cell, progress=training.loop.part_of(cell.progress, number, 2))
        if arm == "handed_in":
            network = models.handed_in.classifier(models.handed_in.encoder())
            plain = training.augment.Augmentation()
            record = fit_classifier(part, network, settings.fit, plain, rows=rows)
        else:
            encoders = models.stacked.build(cell.settings.widths).encoders
            network = models.stacked.classifier(encoders, best["pooling"])
            fit = for_epochs(settings.fit, settings.fit.epochs, best["learning_rate"])
            record = fit_with_recipe(part, network, best, fit, rows)
        curves.append(record.history.assign(arm=arm))
        told[arm] = _overfitted(cell, network, record.history, rows)
    return Result(told, tables={"history": pd.concat(curves, ignore_index=True)})


def _overfitted(
    cell: Cell, network: Any, history: pd.DataFrame, rows: np.ndarray
) -> dict[str, float]:
    """Measure how far a trained network is from what it makes of held-out images."""
    split, middle = cell.split, len(history) // 2 - 1
    seen = training.predict.images_to(network, split.train_images[rows]).argmax(axis=1)
    known = float(np.mean(seen == split.train_labels[rows]))
    held_out = float(history["validation_accuracy"].iloc[-1])
    losses, validation = history["loss"], history["validation_loss"]
    return {
        "training_accuracy": known,
        "validation_accuracy": held_out,
        "accuracy_gap": known - held_out,
        # over the second half of the training: the claim is that one falls while the other rises
        "training_loss_change": float(losses.iloc[-1] - losses.iloc[middle]),
        "validation_loss_change": float(validation.iloc[-1] - validation.iloc[middle]),
    }


add_variants(experiment)
