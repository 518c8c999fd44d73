"""Method of exercises 3 and 5: a stacked denoising autoencoder turned into a classifier.

Greedy stages learn to undo the corruption of their own input, without labels; a linear probe shows
what the codes already know; then all layers are fine-tuned with labels. The control is the same
network, trained in the same way from random weights. Learning rate, pooling and label smoothing
are searched on a split of the training set, for both, and each gets its own winner. The networks
of all seeds together are a row of their own, the ensemble.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench import metrics, models, training
from bench.config import Fit
from bench.experiments.definition import Cell, Experiment
from bench.experiments.evaluation import (
    accuracy,
    against_most_frequent,
    evaluated,
    probabilities_by_view,
    scored,
    softmax,
)
from bench.experiments.methods import (
    Trial,
    against_mean_image,
    for_epochs,
    rows_to_search,
    searched,
    with_seed,
)
from bench.interfaces import Figures, Progress, Values
from bench.store import Result

if TYPE_CHECKING:
    import keras
    from keras_tuner import HyperParameters

    from bench.models.stacked import Stack
    from bench.training.augment import Augmentation
    from bench.training.loop import Record
    from bench.training.schedule import OptimizerFactory
    from bench.training.views import Views

RECIPE = ("fine_tune", "weight_decay", "shift", "flip", "erase", "view_averaging")
DEFAULT = {"pooling": "average", "label_smoothing": 0.0}  # the learning rate is a setting
SHOWN = 16
SHIFTED = 1  # pixels, of the views that are averaged
PROBE = Fit(epochs=10, batch_size=250, learning_rate=3e-3)
PROBE_IMAGES = 20_000


def add_variants(experiment: Experiment) -> None:
    """Give an experiment the variants of this method, in the order in which they run."""
    add = experiment.variant
    add(settings=("widths", "corruption", "stage"), repeated="seeds")(pretrained)
    add("search", settings=("search", "widths", *RECIPE), needs=("pretrained",))(search_recipe)
    add(settings=("widths",), needs=("pretrained",), repeated="seeds")(linear_probe)
    add(settings=RECIPE, needs=("search", "pretrained"), repeated="seeds")(fine_tuned)
    add(settings=("widths", *RECIPE), needs=("search",), repeated="seeds")(from_scratch)
    add(gathers=("fine_tuned",))(ensemble)
    add(
        settings=("widths", "calibration", *RECIPE),
        needs=("search",),
        repeated="calibration.seeds",
    )(calibration)
    add(
        settings=("few_labels", "corruption", *RECIPE),
        needs=("search",),
        repeated="few_labels.seeds",
    )(few_labels)


def pretrained(cell: Cell) -> Result:
    """Train the stages greedily, each on the codes of the one below, without labels."""
    training.backend.prepare(cell.precision, cell.seed)
    stack = models.stacked.build(cell.settings.widths, cell.split.size)
    records = training.greedy.train_stages(
        stack,
        cell.split.train_images,
        fit=cell.settings.stage,
        corruption=cell.settings.corruption,
        seed=cell.seed,
        validation={"images": cell.split.validation_images},
        progress=cell.progress,
    )
    parts = {f"encoder_{k}": network for k, network in enumerate(stack.encoders, start=1)}
    parts |= {f"decoder_{k}": network for k, network in enumerate(stack.decoders, start=1)}
    restored, error = _restored(stack, cell.split.test_images)
    return Result(
        metrics={
            "code_size": int(np.prod(stack.encoders[-1].output_shape[1:])),
            "reconstruction_mse": error,
            **against_mean_image(cell, error),
            "training": training.loop.total_cost(records),
            "architecture": training.predict.architecture(parts),
        },
        tables={"history": training.loop.joined_history(records, "stage")},
        arrays={
            "originals": cell.split.test_images[:SHOWN],
            "reconstructions": models.images.to_pixels(restored[:SHOWN]),
        },
        models=parts,
    )


def _restored(stack: Stack, images: np.ndarray) -> tuple[np.ndarray, float]:
    """Reconstruct images through all stages, with the mean squared error of the [0, 1] pixels."""
    batches = np.array_split(images, max(1, len(images) // training.predict.BATCH))
    parts = [stack.reconstruct(models.images.to_unit(batch)) for batch in batches]
    restored = np.concatenate([training.backend.to_numpy(part) for part in parts])[..., 0]
    return restored, float(np.mean(np.square(restored - images / np.float32(255))))


def search_recipe(cell: Cell) -> Result:
    """Search learning rate, pooling and label smoothing, from pretrained and random weights.

    All trials start from the pretrained stages of the first seed; what is drawn anew with a seed is
    the head, the order of the images and the augmentation.
    """
    rows = rows_to_search(cell)

    def space(hyperparameters: HyperParameters) -> None:
        hyperparameters.Float("learning_rate", 1e-2, 4e-2, sampling="log")
        hyperparameters.Choice("pooling", ["average", "max", "flat"])
        hyperparameters.Choice("label_smoothing", [0.0, 0.1])

    def from_encoders(make: Callable[[Cell], Sequence[keras.Model]]) -> Trial:
        def trial(values: Values, epochs: int, seed: int) -> Record:
            network = _network(cell, make(cell), values["pooling"])
            fit = for_epochs(cell.settings.fine_tune, epochs, values["learning_rate"])
            return fit_with_recipe(with_seed(cell, seed), network, values, fit, rows)

        return trial

    return searched(
        cell,
        space,
        {"fine_tuned": from_encoders(_trained), "from_scratch": from_encoders(_random)},
        default={"learning_rate": cell.settings.fine_tune.learning_rate, **DEFAULT},
        objective="validation_accuracy",
        direction="max",
    )


def linear_probe(cell: Cell) -> Result:
    """Train one linear layer on the frozen codes, which were learned without labels.

    The same layer on the pixels and on the codes of untrained stages are its controls. All three
    are trained on the same images.
    """
    training.backend.prepare("float32", cell.seed)
    count = min(PROBE_IMAGES, len(cell.split.train_images))
    rows = np.random.default_rng(cell.seed).permutation(len(cell.split.train_images))[:count]
    images, tests = cell.split.train_images[rows], cell.split.test_images
    labels = cell.split.train_labels[rows]

    def probed(encode: Callable[[np.ndarray], np.ndarray], part: int) -> tuple[np.ndarray, int]:
        codes = encode(images)
        progress = training.loop.part_of(cell.progress, part, 3)
        probe = models.stacked.linear_probe(codes.shape[1], cell.split.classes)
        _fit_probe(probe, codes, labels, cell.seed, progress)
        return softmax(training.predict.codes_to(probe, encode(tests))), codes.shape[1]

    untrained = models.stacked.build(cell.settings.widths, cell.split.size)
    _normalise(untrained, images, cell.seed)
    pixels, _ = probed(lambda shown: shown.reshape(len(shown), -1) / np.float32(255), 0)
    random, _ = probed(_encoding(untrained.encoders), 1)
    probabilities, size = probed(_encoding(_trained(cell)), 2)
    scores, arrays = scored(cell, probabilities, probabilities, 1)
    own = {
        "code_size": size,
        "pixels_accuracy": accuracy(cell.split.test_labels, pixels),
        "random_encoder_accuracy": accuracy(cell.split.test_labels, random),
        "probe_images": count,
    }
    controls = {"pixels_probabilities": pixels, "random_encoder_probabilities": random}
    return Result(metrics={**scores, **own}, arrays={**arrays, **controls})


def _encoding(encoders: Sequence[keras.Model]) -> Callable[[np.ndarray], np.ndarray]:
    network = models.stacked.features_of(models.stacked.classifier(encoders, "flat"))
    return lambda images: training.predict.images_to(network, images)


def _normalise(stack: Stack, images: np.ndarray, seed: int) -> None:
    """Fit the normalisation of untrained stages to images, as training does: no weight changes."""
    aim = training.objective.Objective(
        loss=lambda batch, learning: {
            "loss": stack.encode(models.images.to_unit(batch["images"]), 99, learning)
        },
        trains=stack.encoders,
        optimizer=training.schedule.constant_adam(PROBE.learning_rate),
    )
    training.statistics.reestimator(
        [aim], {"images": images}, batch_size=PROBE.batch_size, seed=seed
    )()


def _fit_probe(
    probe: keras.Model, codes: np.ndarray, labels: np.ndarray, seed: int, progress: Progress
) -> None:
    # with fewer images than a batch all are one batch
    fit = PROBE.model_copy(update={"batch_size": min(PROBE.batch_size, len(codes))})
    steps = training.loop.steps(len(codes), fit)
    aim = training.objective.Objective(
        loss=models.stacked.probe_loss(probe),
        trains=[probe],
        optimizer=training.schedule.adam(PROBE.learning_rate, steps),
    )
    data = {"codes": codes, "labels": labels}
    training.loop.train([aim], data, fit=fit, seed=seed, progress=progress)


def fine_tuned(cell: Cell) -> Result:
    """Fine-tune the greedily trained stages with labels."""
    training.backend.prepare(cell.precision, cell.seed)
    return _classified(cell, _trained(cell), "fine_tuned")


def from_scratch(cell: Cell) -> Result:
    """Train the same network in the same way from random weights: the control."""
    training.backend.prepare(cell.precision, cell.seed)
    return _classified(cell, _random(cell), "from_scratch")


def ensemble(cell: Cell) -> Result:
    """Average the fine-tuned classifiers of all seeds."""
    members = cell.gathered["fine_tuned"]
    views = members[0].metrics["views"]
    single = "single_view_probabilities" if views > 1 else "probabilities"
    together, alone = (
        np.mean([member.array(name) for member in members], axis=0)
        for name in ("probabilities", single)
    )
    scores, arrays = scored(cell, together, alone, views)
    return Result(metrics={"members": len(members), **scores}, arrays=arrays)


def calibration(cell: Cell) -> Result:
    """Train twice from random weights, without and with label smoothing: which is calibrated?

    Nothing else differs. The test images are classified from one view: the mean over views is a
    cause of its own for low confidence.
    """
    settings = cell.settings.calibration
    values = winner(cell, "from_scratch")
    fit = for_epochs(settings.fit, settings.fit.epochs, values["learning_rate"])
    rows = np.random.default_rng(cell.seed).permutation(len(cell.split.train_images))
    labels, scores = cell.split.test_labels, {}
    arms = {"unsmoothed": 0.0, "smoothed": settings.label_smoothing}
    for number, (arm, smoothing) in enumerate(arms.items()):
        training.backend.prepare(cell.precision, cell.seed)
        network = _network(cell, _random(cell), values["pooling"])
        part = replace(cell, progress=training.loop.part_of(cell.progress, number, len(arms)))
        recipe = {**values, "label_smoothing": smoothing}
        fit_with_recipe(part, network, recipe, fit, rows[: settings.images], held_out=0)
        found = softmax(training.predict.images_to(network, cell.split.test_images))
        error = metrics.classification.expected_calibration_error(labels, found)
        scores[arm] = {
            "accuracy": accuracy(labels, found),
            "expected_calibration_error": error,
        }
    errors = {arm: figures["expected_calibration_error"] for arm, figures in scores.items()}
    accuracies = [figures["accuracy"] for figures in scores.values()]
    return Result(
        {
            **scores,
            "change": errors["smoothed"] - errors["unsmoothed"],
            "label_smoothing": settings.label_smoothing,
            **against_most_frequent(cell.split.train_labels, labels, *accuracies),
        }
    )


def few_labels(cell: Cell) -> Result:
    """Train with few labelled images: from stages pretrained in this cell, and from random weights.

    Both see the same images in the same order, with the same augmentation and for as long.
    """
    settings, best = cell.settings.few_labels, cell.needs["search"].metrics["best"]
    training.backend.prepare(cell.precision, cell.seed)
    stack = models.stacked.build(settings.widths, cell.split.size)
    network = _network(cell, stack.encoders, best["pooling"])
    # the head is the same for both
    starts = {"from_scratch": network.get_weights()}
    shuffled = np.random.default_rng(cell.seed).permutation(len(cell.split.train_images))
    training.greedy.train_stages(
        stack,
        cell.split.train_images[shuffled[: settings.unlabelled]],
        fit=settings.stage,
        corruption=cell.settings.corruption,
        seed=cell.seed,
        progress=training.loop.part_of(cell.progress, 0, 2),
    )
    starts = {"pretrained": network.get_weights(), **starts}
    accuracies = _few_labels(cell, network, starts, best)
    gaps = {
        count: value - accuracies["from_scratch"][count]
        for count, value in accuracies["pretrained"].items()
    }
    reached = [value for by_count in accuracies.values() for value in by_count.values()]
    return Result(
        {
            "per_class": list(settings.per_class),
            "accuracies": accuracies,
            "gaps": gaps,
            **against_most_frequent(cell.split.train_labels, cell.split.test_labels, *reached),
        }
    )


def _few_labels(
    cell: Cell, network: keras.Model, starts: dict[str, list[np.ndarray]], best: Values
) -> dict[str, dict[str, float]]:
    """Accuracies by arm and labels of each class."""
    settings = cell.settings.few_labels
    fit = for_epochs(cell.settings.fine_tune, settings.epochs, best["learning_rate"])
    # mirror images alone: so many networks leave no time for more
    mirrored = cell.settings.view_averaging and cell.settings.flip
    views = training.views.Views(mirrored=mirrored)
    found: dict[str, dict[str, float]] = {arm: {} for arm in starts}
    jobs = [(count, arm) for count in settings.per_class for arm in starts]
    for number, (count, arm) in enumerate(jobs):
        rows = _labelled(cell.split.train_labels, count, settings.images, cell.seed)
        network.set_weights(starts[arm])
        progress = training.loop.part_of(cell.progress, len(jobs) + number, 2 * len(jobs))
        part = replace(cell, progress=progress)
        fit_with_recipe(part, network, best, fit, rows, held_out=0)
        probabilities = probabilities_by_view(network, cell.split.test_images, views).mean(axis=0)
        found[arm][str(count)] = accuracy(cell.split.test_labels, probabilities)
    return found


def _labelled(labels: np.ndarray, per_class: int, images: int, seed: int) -> np.ndarray:
    """Draw rows, as many of each class, and repeat them to an epoch of so many images."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(labels))
    chosen = [shuffled[labels[shuffled] == label][:per_class] for label in np.unique(labels)]
    return np.resize(random.permutation(np.concatenate(chosen)), images)


def winner(cell: Cell, arm: str) -> Figures:
    """Values that the search found for an arm: `fine_tuned` or `from_scratch`.

    Parameters
    ----------
    cell : Cell
        It needs the search.
    arm : {'fine_tuned', 'from_scratch'}
        Which start of the training.

    Returns
    -------
    dict
        Hyperparameters by name.
    """
    values: Figures = cell.needs["search"].metrics["best_by_arm"][arm]
    return values


def _trained(cell: Cell) -> list[keras.Model]:
    """Encoders of the pretrained stages."""
    stages = sorted(cell.needs["pretrained"].folder.glob("encoder_*.keras"))
    return [training.predict.load(path) for path in stages]


def _random(cell: Cell) -> Sequence[keras.Model]:
    """Untrained encoders."""
    return models.stacked.build(cell.settings.widths, cell.split.size).encoders


def _network(cell: Cell, encoders: Sequence[keras.Model], pooling: str) -> keras.Model:
    """Build the classifier of the cell's classes on encoders."""
    return models.stacked.classifier(encoders, pooling, classes=cell.split.classes)


def _classified(cell: Cell, encoders: Sequence[keras.Model], arm: str) -> Result:
    values = winner(cell, arm)
    network = _network(cell, encoders, values["pooling"])
    fit = cell.settings.fine_tune
    fit = for_epochs(fit, fit.epochs, values["learning_rate"])
    record = fit_with_recipe(cell, network, values, fit)
    return evaluated(cell, network, record, views_of(cell))


def views_of(cell: Cell) -> Views:
    """Views of a test image that the settings ask for."""
    if not cell.settings.view_averaging:
        return training.views.Views()
    return training.views.Views(SHIFTED, mirrored=cell.settings.flip)


def fit_with_recipe(
    cell: Cell,
    network: keras.Model,
    values: Values,
    fit: Fit,
    rows: slice | np.ndarray = slice(None),
    *,
    held_out: int | None = None,
    exact_curves: bool = False,
) -> Record:
    """Train with the experiment's recipe and the searched values; see `fit_classifier`.

    Parameters
    ----------
    cell : Cell
        Its settings, split, seed and progress are used.
    network : keras.Model
        From images to logits.
    values : mapping
        The searched hyperparameters; see `winner`.
    fit : Fit
        The training.
    rows, held_out, exact_curves
        See `fit_classifier`.

    Returns
    -------
    Record
        Of the training.
    """
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
        held_out=held_out,
        exact_curves=exact_curves,
    )


def fit_classifier(
    cell: Cell,
    network: keras.Model,
    fit: Fit,
    augment: Augmentation,
    *,
    label_smoothing: float = 0.0,
    weight_decay: float = 0.0,
    rows: slice | np.ndarray = slice(None),
    optimizer: OptimizerFactory | None = None,
    held_out: int | None = None,
    exact_curves: bool = False,
) -> Record:
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
        Takes the learning rate, the steps and the weight decay; `training.schedule.muon` or
        `training.schedule.adam`, which is taken if none is given.
    held_out : int, optional
        How many validation images are evaluated each epoch, 0 for none; all if absent.
    exact_curves : bool
        See `training.loop.train`.

    Returns
    -------
    Record
        Of the training.
    """
    split = cell.split
    seen = slice(held_out)
    validation = {
        "images": split.validation_images[seen],
        "labels": split.validation_labels[seen],
    }
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
        validation=None if held_out == 0 else validation,
        exact_curves=exact_curves,
        progress=cell.progress,
    )
