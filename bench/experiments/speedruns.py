"""Seconds to quality: the shortest training that reaches an accuracy on the test images.

As in airbench (Jordan 2024, arXiv 2404.00498) the whole training is planned for one target, with a
one-cycle schedule of its own; compilation is warm-up and counted apart. The accuracy is that of the
last epoch, on the test images, evaluated once and with their mirror images where training mirrors;
the curve is on validation images, plain.
"""

import numpy as np

from bench import models, training
from bench.config.schema import Sprint
from bench.declarations import declared
from bench.experiments.definition import Cell, Experiment
from bench.experiments.stacked_classifier import fit_classifier
from bench.store import Result

WEIGHT_DECAY = 0.02

mnist_speedrun = Experiment(declared("mnist_speedrun"))
fashion_speedrun = Experiment(declared("fashion_speedrun"))


@mnist_speedrun.variant(settings=("to_99",), repeated="seeds")
def to_99(cell: Cell) -> Result:
    """Sprint to 99 %."""
    return _sprint(cell, cell.settings.to_99)


@fashion_speedrun.variant(settings=("to_90",), repeated="seeds")
def to_90(cell: Cell) -> Result:
    """Sprint to 90 %."""
    return _sprint(cell, cell.settings.to_90)


@fashion_speedrun.variant(settings=("to_92",), repeated="seeds")
def to_92(cell: Cell) -> Result:
    """Sprint to 92 %."""
    return _sprint(cell, cell.settings.to_92)


@fashion_speedrun.variant(settings=("to_94",), repeated="seeds")
def to_94(cell: Cell) -> Result:
    """Sprint to 94 %."""
    return _sprint(cell, cell.settings.to_94)


def _sprint(cell: Cell, sprint: Sprint) -> Result:
    training.backend.prepare(cell.precision, cell.seed, replicated=True)
    encoders = models.stacked.build(sprint.widths, cell.split.size).encoders
    network = models.stacked.classifier(encoders, "average", classes=cell.split.classes)
    augment = training.augment.Augmentation(sprint.shift, sprint.flip, sprint.erase)
    record = fit_classifier(
        cell,
        network,
        sprint.fit,
        augment,
        weight_decay=WEIGHT_DECAY,
        optimizer=training.schedule.muon,
    )
    views = training.views.Views(mirrored=sprint.flip).of(cell.split.test_images)
    logits = np.mean([training.predict.images_to(network, view) for view in views], axis=0)
    right = logits.argmax(axis=1) == cell.split.test_labels
    cost = record.cost
    seconds = cost["milliseconds_per_step"] * cost["steps"] / 1000
    curve = record.history[["epoch", "validation_accuracy"]].assign(
        seconds=record.history["epoch"] * seconds / cost["epochs"]
    )
    return Result(
        metrics={
            "accuracy": float(np.mean(right)),
            "target": sprint.target,
            "seconds": seconds,
            "warm_up_seconds": cost["compile_seconds"],
            "training": cost,
        },
        tables={"curve": curve},
    )
