"""Metrics of generators, and the images of them that the report shows."""

from __future__ import annotations

import hashlib
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench import metrics, models, training
from bench.experiments.definition import Cell
from bench.experiments.methods import against_mean_image, reconstructed
from bench.interfaces import Figures, Values
from bench.judge import loading as judge
from bench.store import Result, derive_seed

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from bench.metrics.failures import Failure

SHOWN = 16
PATHS, FRAMES = 300, 10
PATHS_SHOWN = 6
PUPIL_WIDTHS = (16, 32, 64)
# Samples that the costlier measures look at, which compare all with all.
BALLS = 5000
NEAREST = 1000


def gaussian_codes(cell: Cell, size: int, count: int) -> np.ndarray:
    """Draw codes (count, size) from N(0, 1); those of one seed index are the same for all.

    Parameters
    ----------
    cell : Cell
        Its seed is used.
    size : int
        Size of a code.
    count : int
        Number of codes.

    Returns
    -------
    ndarray of float32, shape (count, size)
        Codes.
    """
    random = np.random.default_rng(derive_seed(cell.seed, "codes"))
    return random.standard_normal((count, size)).astype("float32")


def generated(
    cell: Cell,
    decoder: keras.Model,
    codes: np.ndarray,
    cost: Figures,
    *,
    gaussian: bool = False,
    encode: keras.Model | None = None,
    history: pd.DataFrame | None = None,
    extra: Figures | None = None,
) -> Result:
    """Decode drawn codes, measure the samples and gather what the report shows.

    Parameters
    ----------
    cell : Cell
        Its settings have `samples` and `pupil`.
    decoder : keras.Model
        From codes (n, d) to images.
    codes : ndarray of float32, shape (samples, d)
        As the generator draws them.
    cost : dict
        Of the training.
    gaussian : bool
        Whether codes are drawn from N(0, 1): walks between them are then spherical, else straight.
    encode : keras.Model, optional
        From images to codes, where there is an encoder.
    history : DataFrame, optional
        Of the training.
    extra : dict, optional
        Further figures.

    Returns
    -------
    Result
        Metrics, history, samples, interpolations and the networks.
    """
    samples = models.images.to_pixels(training.predict.codes_to(decoder, codes))
    paths = _paths(cell, decoder, codes, spherical=gaussian)
    reference_set = ReferenceSet(cell, len(samples))
    scores = reference_set.scores(samples) | {"training": cost, **(extra or {})}
    scores["path_smoothness"] = metrics.generation.path_smoothness(paths)
    scores["paths"] = len(paths)
    arrays = {"samples": samples, "interpolation": paths[:PATHS_SHOWN]}
    _, nearest = metrics.neighbours.nearest_neighbours(samples[:SHOWN], cell.split.train_images)
    arrays["nearest"] = cell.split.train_images[nearest.ravel()]
    if encode is None:
        scores["trivial_distance"] = reference_set.trivial_distance()
        scores["trained"] = float(scores["frechet_distance"] < scores["trivial_distance"])
    else:
        real_codes = training.predict.images_to(encode, cell.split.test_images)
        restored, scores["reconstruction_mse"] = reconstructed(cell, decoder, real_codes)
        scores |= against_mean_image(cell, scores["reconstruction_mse"])
        scores["reconstructions"] = reference_set.distances(restored[: len(samples)])
        scores["failures"] |= {"dead_codes": _row(metrics.failures.dead_codes(real_codes))}
        arrays["originals"] = cell.split.test_images[:SHOWN]
        arrays["reconstructions"] = restored[:SHOWN]
    scores["failures"] |= failures_of_training(scores)
    tables = {} if history is None else {"history": history}
    networks = {"decoder": decoder} | ({"encoder": encode} if encode is not None else {})
    return Result(metrics=scores, tables=tables, arrays=arrays, models=networks)


def judge_of(cell: Cell) -> judge.Judge:
    """Return the judge of a cell's images: the one that the run trained for them, or the shipped.

    Raises
    ------
    UserError
        If the shipped file is not the one that this code knows.
    """
    own = cell.needs.get("judge")
    if own is None:
        return judge.load()
    return judge.Judge(training.predict.load(own.model_path("judge")))


def judge_figures(cell: Cell) -> Figures:
    """Return the accuracy of a cell's judge on test images, and its file's SHA-256."""
    own = cell.needs.get("judge")
    if own is None:
        return {"accuracy": judge.ACCURACY, "sha256": judge.SHA256}
    digest = hashlib.sha256(own.model_path("judge").read_bytes()).hexdigest()
    return {"accuracy": own.metrics["accuracy"], "sha256": digest}


def validation_distance(cell: Cell, decoder: keras.Model, size: int) -> float:
    """Fréchet distance of samples to the validation images, as many: for choosing settings.

    Parameters
    ----------
    cell : Cell
        Its split and seed are used.
    decoder : keras.Model
        From codes to images.
    size : int
        Size of a code.

    Returns
    -------
    float
        Fréchet distance.
    """
    cell_judge = judge_of(cell)
    images = cell.split.validation_images
    codes = gaussian_codes(cell, size, len(images))
    samples = models.images.to_pixels(training.predict.codes_to(decoder, codes))
    return metrics.generation.frechet_distance(
        cell_judge.look(images)[0], cell_judge.look(samples)[0]
    )


class ReferenceSet:
    """Real training images as the judge sees them, to measure others by.

    Parameters
    ----------
    cell : Cell
        Its split and seed are used.
    count : int
        How many real images; as many as are to be measured.

    Attributes
    ----------
    images : ndarray of uint8, shape (count, size, size)
        The real images.
    classes : ndarray of int, shape (count,)
        What the judge takes them for.
    """

    def __init__(self, cell: Cell, count: int) -> None:
        self.cell, self.judge = cell, judge_of(cell)
        self.images = cell.split.train_images[:count]
        self.features, self.classes = self.judge.look(self.images)

    def distances(self, images: np.ndarray) -> dict[str, float]:
        """Distances of images (count, size, size) from the real ones, and their sharpness."""
        return self._distances(images, self.judge.look(images)[0])

    def trivial_distance(self) -> float:
        """Fréchet distance of a generator that always gives the mean training image."""
        mean = models.images.to_pixels(_mean_image(self.cell))
        features = np.repeat(self.judge.look(mean)[0], 2, axis=0)
        return metrics.generation.frechet_distance(self.features, features)

    def of(self, cell: Cell) -> ReferenceSet:
        """Give the same reference set to another cell of the same split, for its seed."""
        other = copy(self)
        other.cell = cell
        return other

    def scores(
        self, samples: np.ndarray, lessons: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Figures:
        """Measure samples in every way; what a pupil learns from them, for the first seed alone.

        Parameters
        ----------
        samples : ndarray of uint8, shape (count, size, size)
            What is measured.
        lessons : tuple of ndarray, optional
            Images and classes from which a pupil learns; else the samples, with the judge's.

        Returns
        -------
        dict
            Figures by name; see `measures`. For the first seed also `pupil_accuracy`.
        """
        self.cell.progress(0.95, "scoring the samples")
        features, classes = self.judge.look(samples)
        scores = self.measures(samples, features, classes)
        if self.cell.seed_index == 0:
            pupil = _pupil_accuracy(self.cell, *(lessons or (samples, classes)))
            scores["pupil_accuracy"] = pupil
        return scores

    def measures(self, samples: np.ndarray, features: np.ndarray, classes: np.ndarray) -> Figures:
        """Measure samples in every way that trains nothing.

        Parameters
        ----------
        samples : ndarray of uint8, shape (count, size, size)
            What is measured.
        features : ndarray of float32, shape (count, 64)
        classes : ndarray of int, shape (count,)
            What the judge says of them.

        Returns
        -------
        dict
            Figures by name.
        """
        shares = np.bincount(classes, minlength=self.cell.split.classes) / len(classes)
        some = self.features[:BALLS], features[:BALLS]
        precision, recall = metrics.manifolds.precision_recall(*some)
        density, coverage = metrics.manifolds.density_coverage(*some)
        nearest = metrics.neighbours.distance_ratio(
            samples[:NEAREST], self.cell.split.train_images, self.held_out_distance
        )
        failures = {
            "mode_collapse": _row(metrics.failures.mode_collapse(shares)),
            "memorisation": _row(metrics.failures.memorisation(nearest)),
        }
        return {
            **self._distances(samples, features),
            "precision": precision,
            "recall": recall,
            "density": density,
            "coverage": coverage,
            **self._checkerboard(samples),
            "class_histogram": [float(share) for share in shares],
            "missing_classes": len(metrics.generation.missing_classes(shares)),
            "nearest_distance_ratio": nearest,
            "failures": failures,
        }

    def _checkerboard(self, samples: np.ndarray) -> dict[str, float]:
        """Measure artefacts, where the images' size has the periods that are looked at."""
        if not metrics.generation.has_periods(samples):
            return {}
        return {"checkerboard": metrics.generation.checkerboard(samples, self.images)}

    @cached_property
    def held_out_distance(self) -> float:
        """Median distance of held-out images to their nearest training image."""
        split = self.cell.split
        return metrics.neighbours.held_out_distance(split.test_images[:NEAREST], split.train_images)

    def _distances(self, images: np.ndarray, features: np.ndarray) -> dict[str, float]:
        return {
            "frechet_distance": metrics.generation.frechet_distance(self.features, features),
            "kernel_distance": metrics.generation.kernel_distance(
                self.features, features, seed=self.cell.seed
            ),
            "sharpness": metrics.generation.sharpness(images, self.images),
        }


def _pupil_accuracy(cell: Cell, lessons: np.ndarray, classes: np.ndarray) -> float:
    """Train a small classifier on images with the judge's classes; its accuracy on test images.

    The classification accuracy score of Ravuri and Vinyals 2019, arXiv 1905.10887, for generators
    that are not told a class: the judge tells it afterwards.
    """
    training.backend.prepare("float32", cell.seed)
    encoders = models.stacked.build(PUPIL_WIDTHS, cell.split.size).encoders
    network = models.stacked.classifier(encoders, "average", classes=cell.split.classes)
    training.supervised.train_classifier(
        network,
        lessons,
        classes.astype(np.uint8),
        fit=cell.settings.pupil,
        seed=cell.seed,
        augment=training.augment.Augmentation(shift=1, flip=True),
        optimizer=training.schedule.muon,
    )
    logits = training.predict.images_to(network, cell.split.test_images)
    return float(np.mean(logits.argmax(axis=1) == cell.split.test_labels))


def _paths(cell: Cell, decoder: keras.Model, codes: np.ndarray, *, spherical: bool) -> np.ndarray:
    """Walk in equal steps between drawn codes: images (paths, frames, size, size)."""
    count = min(PATHS, len(codes) // 2)
    ends = np.random.default_rng(derive_seed(cell.seed, "paths")).permutation(len(codes))
    start, end = codes[ends[:count]], codes[ends[count : 2 * count]]
    shares = np.linspace(0.0, 1.0, FRAMES, dtype="float32")
    if spherical:
        between = metrics.generation.spherical_interpolation(start, end, shares)
    else:
        share = shares[None, :, None]
        between = (1 - share) * start[:, None] + share * end[:, None]
    frames = training.predict.codes_to(decoder, between.reshape(-1, codes.shape[1]))
    return models.images.to_pixels(frames).reshape(count, FRAMES, *frames.shape[1:3])


def _mean_image(cell: Cell) -> np.ndarray:
    """Mean of the training images, (1, size, size) in [0, 1]."""
    return np.asarray(cell.split.train_images.mean(axis=0)[None] / 255.0, dtype="float32")


def failures_of_training(scores: Values) -> Figures:
    """Test for failures that only networks with an encoder, or a discriminator, can have."""
    found = {}
    if "active_units" in scores:
        found["posterior_collapse"] = metrics.failures.posterior_collapse(
            scores["active_units"], scores["latent_size"]
        )
    if "discriminator_wins" in scores:
        found["discriminator_saturation"] = metrics.failures.discriminator_saturation(
            scores["discriminator_wins"]
        )
    return {name: _row(failure) for name, failure in found.items()}


def _row(failure: Failure) -> dict[str, float]:
    return {
        "measure": failure.measure,
        "limit": failure.limit,
        "detected": float(failure.detected),
    }
