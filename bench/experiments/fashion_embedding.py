"""Exercise 4, first half: a map of Fashion-MNIST in two dimensions.

Four methods are fitted on the training images and scored on the held-out test images: the handed-in
autoencoder (two ReLU units), a sound one (linear bottleneck), PCA and t-SNE. Labels colour the maps
and score them; no method sees them. Depth, width and learning rate of the sound autoencoder are
searched for the lowest reconstruction error on a split of the training set.
"""

import time
from typing import Any

import numpy as np

from bench import metrics, models, training
from bench.config import Fit
from bench.experiments.definition import Cell, Experiment
from bench.experiments.methods import (
    fit_autoencoder,
    for_epochs,
    reconstructed,
    rows_to_search,
    searched,
)
from bench.store import Result

experiment = Experiment(
    name="fashion_embedding",
    dataset="fashion_mnist",
    exercise="4",
    title="Fashion-MNIST in two dimensions: autoencoders, PCA and t-SNE",
)
LATENT = 2
GRID = 15
THUMBNAILS = 400


@experiment.variant("search", settings=("search", "hidden", "autoencoder"))
def search_network(cell: Cell) -> Result:
    """Search the sound autoencoder's network for the lowest validation loss."""
    settings = cell.settings
    images = cell.split.train_images[rows_to_search(cell)]

    def space(hyperparameters: Any) -> None:
        hyperparameters.Choice("width", [0.5, 1.0, 2.0])
        hyperparameters.Int("depth", 1, len(settings.hidden))
        hyperparameters.Float("learning_rate", 5e-4, 5e-3, sampling="log")

    def trial(values: Any, epochs: int) -> Any:
        fit = for_epochs(settings.autoencoder, epochs, values["learning_rate"])
        return fit_autoencoder(cell, _networks(settings.hidden, values), images, fit)

    return searched(cell, space, trial, objective="validation_loss", direction="min")


@experiment.variant(settings=("score_images",))
def pca(cell: Cell) -> Result:
    """Principal component analysis: the linear map of least squared error."""
    from sklearn.decomposition import PCA

    reduction = PCA(LATENT, random_state=cell.seed)
    began = time.perf_counter()
    train_map = reduction.fit_transform(_vectors(cell.split.train_images))
    fitted = time.perf_counter()
    test_map = reduction.transform(_vectors(cell.split.test_images))
    seconds = {
        "fit_seconds": fitted - began,
        "transform_seconds": time.perf_counter() - fitted,
    }
    told, arrays = _mapped(cell, train_map, test_map)
    restored = reduction.inverse_transform(test_map) - _vectors(cell.split.test_images)
    told |= {
        **seconds,
        "decodes": True,
        "reconstruction_mse": float(np.mean(np.square(restored))),
        "explained_variance": [float(v) for v in reduction.explained_variance_ratio_],
    }
    return Result(metrics=told, arrays=arrays)


@experiment.variant(settings=("score_images", "tsne"))
def tsne(cell: Cell) -> Result:
    """t-SNE (van der Maaten and Hinton, 2008) by openTSNE, which can place new images."""
    from openTSNE import TSNE
    from sklearn.decomposition import PCA

    settings = cell.settings.tsne
    images = cell.split.train_images[: settings.images]
    began = time.perf_counter()
    components = min(settings.components, len(images))
    reduction = PCA(components, random_state=cell.seed).fit(_vectors(images))
    cell.progress(0.05, "neighbours")

    def watch(iteration: int, *_: Any) -> None:
        cell.progress(0.1 + 0.6 * min(1.0, iteration / 750), f"t-SNE iteration {iteration}")

    method = TSNE(
        perplexity=settings.perplexity,
        n_jobs=-1,
        random_state=cell.seed,
        callbacks=watch,
        callbacks_every_iters=50,
    )
    embedding = method.fit(reduction.transform(_vectors(images)))
    fitted = time.perf_counter()
    cell.progress(0.7, "placing the test images")
    test_map = embedding.transform(reduction.transform(_vectors(cell.split.test_images)))
    seconds = {
        "fit_seconds": fitted - began,
        "transform_seconds": time.perf_counter() - fitted,
    }
    labels = cell.split.train_labels[: settings.images]
    told, arrays = _mapped(cell, np.asarray(embedding), np.asarray(test_map), labels)
    return Result(metrics={**told, **seconds, "decodes": False}, arrays=arrays)


@experiment.variant(settings=("score_images", "assignment"), repeated=True)
def assignment(cell: Cell) -> Result:
    """Train the handed-in autoencoder: two ReLU units in the middle."""
    training.backend.prepare(cell.precision, cell.seed)
    pair = (models.assignment.encoder(), models.assignment.decoder())
    return _trained(cell, pair, cell.settings.assignment)


@experiment.variant(
    settings=("score_images", "hidden", "autoencoder"), needs=("search",), repeated=True
)
def autoencoder(cell: Cell) -> Result:
    """Train the sound autoencoder: a linear bottleneck, with the searched network."""
    training.backend.prepare(cell.precision, cell.seed)
    best = cell.needs["search"].metrics["best"]
    fit = cell.settings.autoencoder
    fit = for_epochs(fit, fit.epochs, best["learning_rate"])
    return _trained(cell, _networks(cell.settings.hidden, best), fit)


def _networks(hidden: tuple[int, ...], values: Any) -> tuple[Any, Any]:
    units = [int(values["width"] * width) for width in hidden[: values["depth"]]]
    return (
        models.autoencoder.dense_encoder(units, LATENT),
        models.autoencoder.dense_decoder(units, LATENT),
    )


def _trained(cell: Cell, pair: Any, fit: Fit) -> Result:
    encoder, decoder = pair
    began = time.perf_counter()
    record = fit_autoencoder(cell, pair, cell.split.train_images, fit)
    fitted = time.perf_counter()
    test_map = training.predict.images_to(encoder, cell.split.test_images)
    placed = time.perf_counter()
    told, arrays = _mapped(
        cell, training.predict.images_to(encoder, cell.split.train_images), test_map
    )
    restored, error = reconstructed(cell, decoder, test_map)
    _, one_a_class = np.unique(cell.split.test_labels, return_index=True)
    arrays |= {
        "originals": cell.split.test_images[one_a_class],
        "reconstructions": restored[one_a_class],
        **_decoded_grid(decoder, test_map),
    }
    told |= {
        "decodes": True,
        "fit_seconds": fitted - began,
        "transform_seconds": placed - fitted,
        "reconstruction_mse": error,
        "dead_units": metrics.embedding.dead_units(test_map),
        "training": record.cost,
        "architecture": training.predict.architecture({"encoder": encoder, "decoder": decoder}),
    }
    return Result(
        metrics=told,
        tables={"history": record.history},
        arrays=arrays,
        models={"encoder": encoder, "decoder": decoder},
    )


def _decoded_grid(decoder: Any, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Decode a regular grid over the map's central 96 %: can the map generate?"""
    low, high = np.percentile(positions, [2, 98], axis=0)
    across, up = (np.linspace(low[axis], high[axis], GRID) for axis in range(LATENT))
    codes = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, LATENT).astype("float32")
    pixels = models.images.to_pixels(training.predict.codes_to(decoder, codes))
    return {
        "decoded_grid": pixels.reshape(GRID, GRID, 28, 28),
        "grid_extent": np.array([low[0], high[0], low[1], high[1]], dtype="float32"),
    }


def _mapped(
    cell: Cell, train_map: np.ndarray, test_map: np.ndarray, train_labels: np.ndarray | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Score a map on the test images and keep what the report draws."""
    labels = cell.split.train_labels if train_labels is None else train_labels
    cell.progress(0.99, "scoring the map")
    told = metrics.embedding.scorecard(
        cell.split.test_images,
        test_map,
        cell.split.test_labels,
        train_map,
        labels,
        sample=cell.settings.score_images,
        seed=cell.seed,
    )
    count = min(THUMBNAILS, len(test_map))
    rows = np.random.default_rng(cell.seed).permutation(len(test_map))[:count]
    arrays = {
        "test_map": np.asarray(test_map, dtype="float32"),
        "test_labels": cell.split.test_labels,
        "thumbnail_index": rows,
        "thumbnails": cell.split.test_images[rows],
    }
    return {**told, "embeds_new_images": True}, arrays


def _vectors(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype("float32") / 255.0
