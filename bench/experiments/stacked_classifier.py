"""Method of exercises 3 and 5: a stacked denoising autoencoder turned into a classifier.

Greedy stages learn to undo the corruption of their own input, without labels; a linear probe shows
what the codes already know; then all layers are fine-tuned with labels. The control is the same
network, trained in the same way from random weights. Learning rate, pooling and label smoothing
are searched on a split of the training set, and both get the winner. The networks of all seeds
together are a row of their own, the ensemble.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from bench import metrics, models, training
from bench.config import Fit
from bench.experiments.definition import Cell, Experiment
from bench.experiments.methods import for_epochs, rows_to_search, searched
from bench.store import Result, derive_seed

RECIPE = ("fine_tune", "weight_decay", "shift", "flip", "erase", "view_averaging")
SHOWN = 16
SHIFTED = 1  # pixels, of the views that are averaged
PROBE = Fit(epochs=10, batch_size=250, learning_rate=3e-3)


def add_variants(experiment: Experiment) -> None:
    """Give an experiment the variants of this method, in the order in which they run."""
    add = experiment.variant
    add("search", settings=("search", "widths", *RECIPE))(search_recipe)
    add(settings=("widths", "corruption", "stage"), repeated="seeds")(pretrained)
    add(needs=("pretrained",), repeated="seeds")(linear_probe)
    add(settings=RECIPE, needs=("search", "pretrained"), repeated="seeds")(fine_tuned)
    add(settings=("widths", *RECIPE), needs=("search",), repeated="seeds")(from_scratch)
    add(gathers=("fine_tuned",))(ensemble)
    add(
        settings=("widths", "few_labels", *RECIPE),
        needs=("search", "pretrained"),
        repeated="few_labels.seeds",
    )(few_labels)


def search_recipe(cell: Cell) -> Result:
    """Search learning rate, pooling and label smoothing for the network from random weights."""
    rows = rows_to_search(cell)

    def space(hyperparameters: Any) -> None:
        hyperparameters.Float("learning_rate", 1e-2, 4e-2, sampling="log")
        hyperparameters.Choice("pooling", ["average", "max", "flat"])
        hyperparameters.Choice("label_smoothing", [0.0, 0.1])

    def trial(values: Any, epochs: int) -> Any:
        encoders = models.stacked.build(cell.settings.widths).encoders
        network = models.stacked.classifier(encoders, values["pooling"])
        fit = for_epochs(cell.settings.fine_tune, epochs, values["learning_rate"])
        return fit_with_recipe(cell, network, values, fit, rows)

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


def ensemble(cell: Cell) -> Result:
    """Average the fine-tuned classifiers of all seeds."""
    members = cell.gathered["fine_tuned"]
    probabilities = np.mean([member.array("probabilities") for member in members], axis=0)
    return Result(
        metrics={"members": len(members), **_judged(cell.split.test_labels, probabilities)},
        arrays={"probabilities": probabilities, "labels": cell.split.test_labels},
    )


def few_labels(cell: Cell) -> Result:
    """Train with few labelled images: from the pretrained stages, and from random weights.

    Both see the same images in the same order, with the same augmentation and for as long.
    """
    settings, best = cell.settings.few_labels, cell.needs["search"].metrics["best"]
    fit = for_epochs(cell.settings.fine_tune, settings.epochs, best["learning_rate"])
    arms = ("pretrained", "from_scratch")
    accuracy: dict[str, dict[str, float]] = {arm: {} for arm in arms}
    jobs = [(count, arm) for count in settings.per_class for arm in arms]
    for number, (count, arm) in enumerate(jobs):
        training.backend.prepare(cell.precision, cell.seed)
        rows = _labelled(cell.split.train_labels, count, settings.images, cell.seed)
        encoders = (
            _encoders(cell)
            if arm == "pretrained"
            else models.stacked.build(cell.settings.widths).encoders
        )
        network = models.stacked.classifier(encoders, best["pooling"])
        part = replace(cell, progress=training.loop.part_of(cell.progress, number, len(jobs)))
        fit_with_recipe(part, network, best, fit, rows, validated=False)
        # mirror images alone: so many networks leave no time for more
        mirrored = cell.settings.view_averaging and cell.settings.flip
        views = training.views.Views(mirrored=mirrored)
        probabilities = _probabilities(network, cell.split.test_images, views)
        right = probabilities.argmax(axis=1) == cell.split.test_labels
        accuracy[arm][str(count)] = float(np.mean(right))
    gaps = {
        count: value - accuracy["from_scratch"][count]
        for count, value in accuracy["pretrained"].items()
    }
    return Result({"per_class": list(settings.per_class), "accuracies": accuracy, "gaps": gaps})


def _labelled(labels: np.ndarray, per_class: int, images: int, seed: int) -> np.ndarray:
    """Draw rows, as many of each class, and repeat them to an epoch of so many images."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(labels))
    chosen = [shuffled[labels[shuffled] == label][:per_class] for label in np.unique(labels)]
    return np.resize(random.permutation(np.concatenate(chosen)), images)


def _encoders(cell: Cell) -> list[Any]:
    stages = sorted(cell.needs["pretrained"].folder.glob("encoder_*.keras"))
    return [training.predict.load(path) for path in stages]


def _classified(cell: Cell, encoders: Any) -> Result:
    best = cell.needs["search"].metrics["best"]
    network = models.stacked.classifier(encoders, best["pooling"])
    fit = cell.settings.fine_tune
    fit = for_epochs(fit, fit.epochs, best["learning_rate"])
    record = fit_with_recipe(cell, network, best, fit)
    views = training.views.Views()
    if cell.settings.view_averaging:
        views = training.views.Views(SHIFTED, mirrored=cell.settings.flip)
    return evaluated(cell, network, record, views)


def fit_with_recipe(
    cell: Cell,
    network: Any,
    values: Any,
    fit: Fit,
    rows: Any = slice(None),
    *,
    validated: bool = True,
) -> Any:
    """Train for so long with the experiment's recipe and the searched values."""
    settings = cell.settings
    return fit_classifier(
        cell,
        network,
        fit,
        training.augment.Augmentation(settings.shift, settings.flip, settings.erase),
        label_smoothing=values["label_smoothing"],
        weight_decay=settings.weight_decay,
        rows=rows,
        optimizer=training.schedule.muon,
        validated=validated,
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
    optimizer: Any = None,
    validated: bool = True,
) -> Any:
    """Train a classifier on (some rows of) a cell's training images, validating each epoch.

    Parameters
    ----------
    cell : Cell
        Its split, seed and progress are used.
    network, fit, augment, label_smoothing, weight_decay
        See `training.supervised.train_classifier`.
    rows : slice or ndarray of int
        Which training images, in which order before shuffling.
    optimizer : callable, optional
        `training.schedule.muon` or `training.schedule.adam`, which is taken if none is given.
    validated : bool
        Whether the validation images are evaluated each epoch.

    Returns
    -------
    Record
        Of the training.
    """
    split = cell.split
    held_out = {"images": split.validation_images, "labels": split.validation_labels}
    return training.supervised.train_classifier(
        network,
        split.train_images[rows],
        split.train_labels[rows],
        fit=fit,
        seed=cell.seed,
        augment=augment,
        label_smoothing=label_smoothing,
        weight_decay=weight_decay,
        optimizer=optimizer or training.schedule.adam,
        validation=held_out if validated else None,
        progress=cell.progress,
    )


def evaluated(cell: Cell, network: Any, record: Any, views: Any) -> Result:
    """Evaluate a trained classifier once on the test set and gather what the report shows."""
    images, labels = cell.split.test_images, cell.split.test_labels
    probabilities = _probabilities(network, images, views)
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
    return Result(
        metrics={
            **_judged(labels, probabilities),
            "training": record.cost,
            "architecture": training.predict.architecture({"classifier": network}),
        },
        tables={"history": record.history},
        arrays={"probabilities": probabilities, "labels": labels, **examples},
        models={"classifier": network},
    )


def _probabilities(network: Any, images: np.ndarray, views: Any) -> np.ndarray:
    """Class probabilities (n, 10) of images, averaged over views of them."""
    each = (_softmax(training.predict.images_to(network, view)) for view in views.of(images))
    return np.mean(list(each), axis=0)


def _judged(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Per-class report and calibration of predictions."""
    curve = metrics.classification.reliability_curve(labels, probabilities)
    filled = curve.counts > 0
    error = metrics.classification.expected_calibration_error(labels, probabilities)
    return {
        **metrics.classification.report(labels, probabilities),
        "expected_calibration_error": error,
        "reliability": {
            "confidence": curve.confidence[filled].tolist(),
            "accuracy": curve.accuracy[filled].tolist(),
            "counts": curve.counts[filled].tolist(),
        },
    }


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype="float32")
