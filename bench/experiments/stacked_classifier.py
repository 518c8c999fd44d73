"""Method of exercises 3 and 5: a stacked denoising autoencoder turned into a classifier.

Greedy stages learn to undo the corruption of their own input, without labels; a linear probe shows
what the codes already know; then all layers are fine-tuned with labels. The control is the same
network, trained in the same way from random weights. Learning rate, pooling and label smoothing
are searched on a split of the training set, and both get the winner.
"""

from typing import Any

import numpy as np

from bench import metrics, models, training
from bench.config import Fit
from bench.experiments.definition import Cell, Experiment
from bench.experiments.methods import for_epochs, rows_to_search, searched
from bench.store import Result, derive_seed

RECIPE = ("fine_tune", "weight_decay", "shift", "flip", "erase", "flip_averaging")
SHOWN = 16
PROBE = Fit(epochs=10, batch_size=250, learning_rate=3e-3)


def add_variants(experiment: Experiment) -> None:
    """Give an experiment the variants of this method, in the order in which they run."""
    add = experiment.variant
    add("search", settings=("search", "widths", *RECIPE))(search_recipe)
    add(settings=("widths", "corruption", "stage"), repeated=True)(pretrained)
    add(needs=("pretrained",), repeated=True)(linear_probe)
    add(settings=RECIPE, needs=("search", "pretrained"), repeated=True)(fine_tuned)
    add(settings=("widths", *RECIPE), needs=("search",), repeated=True)(from_scratch)


def search_recipe(cell: Cell) -> Result:
    """Search learning rate, pooling and label smoothing for the network from random weights."""
    rows = rows_to_search(cell)

    def space(hyperparameters: Any) -> None:
        hyperparameters.Float("learning_rate", 3e-3, 1.5e-2, sampling="log")
        hyperparameters.Choice("pooling", ["average", "max", "flat"])
        hyperparameters.Choice("label_smoothing", [0.0, 0.1])

    def trial(values: Any, epochs: int) -> Any:
        encoders = models.stacked.build(cell.settings.widths).encoders
        network = models.stacked.classifier(encoders, values["pooling"])
        return _fit_with_recipe(cell, network, values, epochs, rows)

    return searched(cell, space, trial, objective="validation_accuracy", direction="max")


def pretrained(cell: Cell) -> Result:
    """Train the stages greedily, each on the codes of the one below, without labels."""
    training.backend.prepare(cell.precision, cell.seed)
    stack = models.stacked.build(cell.settings.widths)
    records = []
    for stage in range(1, len(stack.encoders) + 1):
        fit, random = cell.settings.stage, training.objective.random(cell.seed)
        steps = training.loop.steps(len(cell.split.train_images), fit)
        objective = training.objective.Objective(
            loss=models.stacked.denoising_loss(stack, stage, cell.settings.corruption, random),
            trains=[stack.encoders[stage - 1], stack.decoders[stage - 1]],
            uses=stack.encoders[: stage - 1],
            optimizer=training.schedule.adam(fit.learning_rate, steps),
            random=random,
        )
        record = training.loop.train(
            [objective],
            {"images": cell.split.train_images},
            fit=fit,
            seed=derive_seed(cell.seed, stage),
            validation={"images": cell.split.validation_images},
            progress=training.loop.part_of(cell.progress, stage - 1, len(stack.encoders)),
        )
        records.append(record)
    shown = cell.split.test_images[:SHOWN]
    restored = models.images.to_pixels(stack.reconstruct(models.images.to_unit(shown)))
    code = stack.encode(models.images.to_unit(shown), len(stack.encoders))
    parts = {f"encoder_{k}": network for k, network in enumerate(stack.encoders, start=1)}
    parts |= {f"decoder_{k}": network for k, network in enumerate(stack.decoders, start=1)}
    return Result(
        metrics={
            "code_size": int(np.prod(code.shape[1:])),
            "training": training.loop.total_cost(records),
            "architecture": training.predict.architecture(parts),
        },
        tables={"history": training.loop.joined_history(records, "stage")},
        arrays={"originals": shown, "reconstructions": restored},
        models=parts,
    )


def linear_probe(cell: Cell) -> Result:
    """Train one linear layer on the frozen codes: what they know without labels."""
    training.backend.prepare("float32", cell.seed)
    encoders = _encoders(cell)
    network = models.stacked.classifier(encoders, "flat")
    encode = models.stacked.features_of(network)
    codes = training.predict.images_to(encode, cell.split.train_images)
    probe = models.stacked.linear_probe(codes.shape[1])
    random = training.objective.random(cell.seed)
    objective = training.objective.Objective(
        loss=models.stacked.probe_loss(probe),
        trains=[probe],
        optimizer=training.schedule.adam(
            PROBE.learning_rate, training.loop.steps(len(codes), PROBE)
        ),
        random=random,
    )
    training.loop.train(
        [objective],
        {"codes": codes, "labels": cell.split.train_labels},
        fit=PROBE,
        seed=cell.seed,
        progress=cell.progress,
    )
    test_codes = training.predict.images_to(encode, cell.split.test_images)
    logits = training.predict.codes_to(probe, test_codes)
    told = metrics.classification.report(cell.split.test_labels, _softmax(logits))
    return Result(metrics={**told, "code_size": codes.shape[1]})


def fine_tuned(cell: Cell) -> Result:
    """Fine-tune the greedily trained stages with labels."""
    training.backend.prepare(cell.precision, cell.seed)
    return _classified(cell, _encoders(cell))


def from_scratch(cell: Cell) -> Result:
    """Train the same network in the same way from random weights: the control."""
    training.backend.prepare(cell.precision, cell.seed)
    return _classified(cell, models.stacked.build(cell.settings.widths).encoders)


def _encoders(cell: Cell) -> list[Any]:
    stages = sorted(cell.needs["pretrained"].folder.glob("encoder_*.keras"))
    return [training.predict.load(path) for path in stages]


def _classified(cell: Cell, encoders: Any) -> Result:
    best = cell.needs["search"].metrics["best"]
    network = models.stacked.classifier(encoders, best["pooling"])
    record = _fit_with_recipe(cell, network, best, cell.settings.fine_tune.epochs)
    return evaluated(cell, network, record, flip_averaging=cell.settings.flip_averaging)


def _fit_with_recipe(
    cell: Cell, network: Any, values: Any, epochs: int, rows: Any = slice(None)
) -> Any:
    """Train with the experiment's recipe and the searched values."""
    settings = cell.settings
    return fit_classifier(
        cell,
        network,
        for_epochs(settings.fine_tune, epochs, values["learning_rate"]),
        training.augment.Augmentation(settings.shift, settings.flip, settings.erase),
        label_smoothing=values["label_smoothing"],
        weight_decay=settings.weight_decay,
        rows=rows,
    )


def fit_classifier(
    cell: Cell,
    network: Any,
    fit: Fit,
    augment: Any,
    *,
    label_smoothing: float = 0.0,
    weight_decay: float = 0.0,
    rows: Any = slice(None),
) -> Any:
    """Train a classifier on (some rows of) the training images, validating each epoch."""
    random = training.objective.random(cell.seed)
    images, labels = cell.split.train_images[rows], cell.split.train_labels[rows]
    steps = training.loop.steps(len(images), fit)
    objective = training.objective.Objective(
        loss=models.stacked.classification_loss(network, augment, label_smoothing, random),
        trains=[network],
        optimizer=training.schedule.adam(fit.learning_rate, steps, weight_decay),
        random=random,
    )
    return training.loop.train(
        [objective],
        {"images": images, "labels": labels},
        fit=fit,
        seed=cell.seed,
        validation={
            "images": cell.split.validation_images,
            "labels": cell.split.validation_labels,
        },
        progress=cell.progress,
    )


def evaluated(cell: Cell, network: Any, record: Any, *, flip_averaging: bool) -> Result:
    """Evaluate a trained classifier once on the test set and gather what the report shows."""
    images, labels = cell.split.test_images, cell.split.test_labels
    probabilities = _softmax(training.predict.images_to(network, images))
    if flip_averaging:
        mirrored = _softmax(training.predict.images_to(network, images[:, :, ::-1]))
        probabilities = (probabilities + mirrored) / 2
    right, wrong = metrics.classification.right_and_wrong(labels, probabilities, 20, cell.seed)
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    examples: dict[str, np.ndarray] = {}
    for name, rows in (("right", right), ("wrong", wrong)):
        examples |= {
            f"{name}_images": images[rows],
            f"{name}_true": labels[rows],
            f"{name}_predicted": predicted[rows].astype(np.uint8),
            f"{name}_confidence": confidence[rows],
        }
    error = metrics.classification.expected_calibration_error(labels, probabilities)
    return Result(
        metrics={
            **metrics.classification.report(labels, probabilities),
            "expected_calibration_error": error,
            "training": record.cost,
            "architecture": training.predict.architecture({"classifier": network}),
        },
        tables={"history": record.history},
        arrays={"probabilities": probabilities, "labels": labels, **examples},
        models={"classifier": network},
    )


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype="float32")
