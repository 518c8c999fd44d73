"""Exercise 4, first half: a map of Fashion-MNIST in two dimensions.

Seven methods are fitted on the training images and scored on the held-out test images: the
handed-in autoencoder (two ReLU units), a sound one (linear bottleneck), a VAE, the neighbour
autoencoder (it learns where t-SNE puts an image), PCA, t-SNE and UMAP. Labels colour the maps and
score them; no method sees them. Depth, width and learning rate of the sound autoencoder are
searched for the lowest reconstruction error on a split of the training set.

What the handed-in report does not say of its training is assumed: Bernoulli cross-entropy, Adam as
Keras sets it by default at a constant rate, batches of 125. The same network is also trained for
longer; many short trainings tell how often its map is one line; and repeated t-SNE maps tell what
of the groups is not chance.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench import metrics, models, training
from bench.config import Fit, schema
from bench.declarations import declared
from bench.experiments.applicability import fits_handed_in
from bench.experiments.definition import Cell, Experiment
from bench.experiments.methods import (
    against_mean_image,
    fit_autoencoder,
    for_epochs,
    reconstructed,
    rows_to_search,
    searched,
    with_seed,
)
from bench.experiments.variational import fit_vae
from bench.interfaces import Figures, Values
from bench.store import Result, StoredCell, derive_seed

if TYPE_CHECKING:
    import keras
    from keras_tuner import HyperParameters

    from bench.training.loop import Record

experiment = Experiment(declared("fashion_embedding"))
LATENT = 2
LINE = 0.99  # share of the variance along one direction from which the eye sees a line
GRID = 15
THUMBNAILS = 400
NETWORKS = ("handed_in", "autoencoder", "vae", "neighbour_autoencoder")
# What the handed-in report saw stand together: classes that are asked, classes that are counted.
GROUPS = {"shoes": (5, 7, 9), "trousers": (1,), "tops": (0, 2, 3, 4, 6)}


@experiment.variant("search", settings=("search", "hidden", "autoencoder"))
def search_network(cell: Cell) -> Result:
    """Search the sound autoencoder's network for the lowest validation loss."""
    settings = cell.settings
    images = cell.split.train_images[rows_to_search(cell)]

    def space(hyperparameters: HyperParameters) -> None:
        hyperparameters.Choice("width", [0.5, 1.0, 2.0])
        hyperparameters.Int("depth", 1, len(settings.hidden))
        hyperparameters.Float("learning_rate", 5e-4, 5e-3, sampling="log")

    def trial(values: Values, epochs: int, seed: int) -> Record:
        fit = for_epochs(settings.autoencoder, epochs, values["learning_rate"])
        pair = _networks(cell, values)
        return fit_autoencoder(with_seed(cell, seed), pair, images, fit)

    return searched(
        cell,
        space,
        trial,
        default={
            "width": 1.0,
            "depth": len(settings.hidden),
            "learning_rate": settings.autoencoder.learning_rate,
        },
        objective="validation_loss",
        direction="min",
    )


@experiment.variant(settings=("score_images",))
def pca(cell: Cell) -> Result:
    """Principal component analysis: the linear map of least squared error."""
    from sklearn.decomposition import PCA

    reduction = PCA(LATENT, random_state=cell.seed)
    clock = _Clock()
    train_map = reduction.fit_transform(_vectors(cell.split.train_images))
    clock.fitted()
    test_map = reduction.transform(_vectors(cell.split.test_images))
    seconds = clock.placed()
    scores, arrays = _mapped(cell, train_map, test_map)
    restored = reduction.inverse_transform(test_map) - _vectors(cell.split.test_images)
    scores |= {
        **seconds,
        "decodes": True,
        "reconstruction_mse": float(np.mean(np.square(restored))),
        "explained_variance": [float(v) for v in reduction.explained_variance_ratio_],
    }
    return Result(metrics=scores, arrays=arrays)


@experiment.variant(settings=("score_images", "tsne"), repeated="tsne.seeds")
def tsne(cell: Cell) -> Result:
    """t-SNE (van der Maaten and Hinton, 2008) by openTSNE, which can place new images."""
    return _tsne_map(cell, cell.settings.tsne)


@experiment.variant(settings=("score_images", "tsne_repeated"), repeated="tsne_repeated.seeds")
def tsne_repeated(cell: Cell) -> Result:
    """Repeat t-SNE on fewer images, to see which groups are not due to chance (claim 3)."""
    return _tsne_map(cell, cell.settings.tsne_repeated)


def _tsne_map(cell: Cell, settings: schema.TSNE) -> Result:
    from openTSNE import TSNE
    from sklearn.decomposition import PCA

    images = cell.split.train_images[: settings.images]
    clock = _Clock()
    components = min(settings.components, *_vectors(images).shape)
    reduction = PCA(components, random_state=cell.seed).fit(_vectors(images))
    cell.progress(0.05, "neighbours")

    def watch(iteration: int, *_: object) -> None:
        cell.progress(0.1 + 0.6 * min(1.0, iteration / 750), f"t-SNE iteration {iteration}")

    method = TSNE(
        perplexity=settings.perplexity,
        n_jobs=1,  # the map depends on how many
        random_state=cell.seed,
        callbacks=watch,
        callbacks_every_iters=50,
    )
    embedding = method.fit(reduction.transform(_vectors(images)))
    clock.fitted()
    cell.progress(0.7, "placing the test images")
    test_map = embedding.transform(reduction.transform(_vectors(cell.split.test_images)))
    seconds = clock.placed()
    scores, arrays = _mapped(cell, np.asarray(embedding), np.asarray(test_map))
    return Result(metrics={**scores, **seconds, "decodes": False}, arrays=arrays)


@experiment.variant(settings=("score_images", "umap"), repeated="umap.seeds")
def umap(cell: Cell) -> Result:
    """UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426) by umap-learn."""
    from umap import UMAP

    settings = cell.settings.umap
    images = cell.split.train_images[: settings.images]
    clock = _Clock()
    cell.progress(0.1, "UMAP")
    # with a seed it runs on one thread
    method = UMAP(n_neighbors=settings.neighbours, random_state=cell.seed, n_jobs=1)
    train_map = method.fit_transform(_vectors(images))
    clock.fitted()
    cell.progress(0.7, "placing the test images")
    test_map = method.transform(_vectors(cell.split.test_images))
    seconds = clock.placed()
    scores, arrays = _mapped(cell, train_map, test_map)
    return Result(metrics={**scores, **seconds, "decodes": False}, arrays=arrays)


@experiment.variant(
    settings=("score_images", "handed_in"), repeated="handed_in.seeds", applies=fits_handed_in
)
def handed_in(cell: Cell) -> Result:
    """Train the handed-in autoencoder: two ReLU units in the middle."""
    training.backend.prepare(cell.precision, cell.seed)
    pair = (models.handed_in.encoder(), models.handed_in.decoder())
    return _trained(cell, pair, cell.settings.handed_in, constant_rate=True)


@experiment.variant(
    settings=("score_images", "handed_in_longer"),
    needs=("handed_in",),
    repeated="handed_in_longer.seeds",
)
def handed_in_longer(cell: Cell) -> Result:
    """Go on training the handed-in autoencoder: does it only need more epochs (claim 5)?

    The weights go on from those of the same seed index; Adam's moments start anew.
    """
    training.backend.prepare(cell.precision, cell.seed)
    first = cell.needs["handed_in"]
    encoder, decoder = (
        training.predict.load(first.model_path(part)) for part in ("encoder", "decoder")
    )
    return _trained(
        cell, (encoder, decoder), cell.settings.handed_in_longer, constant_rate=True, before=first
    )


@experiment.variant(settings=("collapse",), repeated="collapse.seeds", applies=fits_handed_in)
def collapse(cell: Cell) -> Result:
    """Train the handed-in autoencoder for a short while: is its map one line (claim 1)?"""
    training.backend.prepare(cell.precision, cell.seed)
    settings = cell.settings.collapse
    rows = np.random.default_rng(cell.seed).permutation(len(cell.split.train_images))
    encoder, decoder = models.handed_in.encoder(), models.handed_in.decoder()
    images = cell.split.train_images[rows[: settings.images]]
    fit_autoencoder(cell, (encoder, decoder), images, settings.fit, constant_rate=True)
    codes = training.predict.images_to(encoder, cell.split.test_images)
    _, error = reconstructed(cell, decoder, codes)
    scores = {
        "reconstruction_mse": error,
        **against_mean_image(cell, error),
        "dead_units": metrics.embedding.dead_units(codes),
        "rank": metrics.embedding.rank(codes),
        "line_share": metrics.embedding.line_share(codes),
    }
    return Result({**scores, "on_one_line": float(scores["line_share"] > LINE)})


@experiment.variant(
    settings=("score_images", "hidden", "autoencoder"),
    needs=("search",),
    repeated="autoencoder.seeds",
)
def autoencoder(cell: Cell) -> Result:
    """Train the sound autoencoder: a linear bottleneck, with the searched network."""
    training.backend.prepare(cell.precision, cell.seed)
    best = cell.needs["search"].metrics["best"]
    fit = cell.settings.autoencoder
    fit = for_epochs(fit, fit.epochs, best["learning_rate"])
    return _trained(cell, _networks(cell, best), fit)


@experiment.variant(settings=("score_images", "hidden", "vae"), repeated="vae.seeds")
def vae(cell: Cell) -> Result:
    """Train a VAE with two latent units: the same layers, a prior on the map."""
    training.backend.prepare(cell.precision, cell.seed)
    size = cell.split.size
    encoder = models.autoencoder.dense_encoder(cell.settings.hidden, 2 * LATENT, size)
    decoder = models.autoencoder.dense_decoder(cell.settings.hidden, LATENT, size)
    clock = _Clock()
    record = fit_vae(cell, (encoder, decoder), cell.split.train_images, cell.settings.vae, beta=1.0)
    clock.fitted()
    images = len(cell.split.train_images)
    return _network_map(cell, models.vae.mean_encoder(encoder), decoder, [record], clock, images)


@experiment.variant(
    settings=("score_images", "hidden", "neighbour"), needs=("tsne",), repeated="neighbour.seeds"
)
def neighbour_autoencoder(cell: Cell) -> Result:
    """Train an encoder on the places that t-SNE found for the training images, then a decoder.

    t-SNE works with the exact neighbours of every image. The encoder learns a density over its
    map and puts an image at the density's mode (`models.neighbour`), so that new images are placed
    by a network, and the decoder turns any place into an image.
    """
    from sklearn.cluster import KMeans

    training.backend.prepare(cell.precision, cell.seed)
    settings = cell.settings.neighbour
    positions = cell.needs["tsne"].array("train_map")
    positions = (positions - positions.mean(axis=0)) / positions.std()
    images = cell.split.train_images[: len(positions)]
    clock = _Clock(earlier=cell.needs["tsne"].metrics["fit_seconds"])
    sample = np.random.default_rng(cell.seed).permutation(len(positions))[: 20 * settings.anchors]
    clusters = KMeans(settings.anchors, n_init=1, max_iter=20, random_state=cell.seed)
    anchors = clusters.fit(positions[sample]).cluster_centers_.astype("float32")
    bandwidth = float(np.median(metrics.neighbours.nearest_other(anchors)))
    density = models.neighbour.density_network(
        models.stacked.build(settings.widths, cell.split.size).encoders, settings.anchors
    )
    data = {"images": images, "positions": positions}
    steps = training.loop.steps(len(images), settings.encoder)
    placing = training.objective.Objective(
        loss=models.neighbour.density_loss(density, anchors, bandwidth),
        trains=[density],
        optimizer=training.schedule.muon(settings.encoder.learning_rate, steps),
    )
    parts = [training.loop.part_of(cell.progress, k, 2) for k in range(2)]
    placed = training.loop.train(
        [placing], data, fit=settings.encoder, seed=cell.seed, progress=parts[0]
    )
    encoder = models.neighbour.placing_network(density, anchors, bandwidth)
    training.backend.prepare("float32", cell.seed)
    decoder = models.autoencoder.dense_decoder(cell.settings.hidden, LATENT, cell.split.size)
    steps = training.loop.steps(len(images), settings.decoder)
    drawing = training.objective.Objective(
        loss=models.neighbour.decoding_loss(decoder),
        trains=[decoder],
        optimizer=training.schedule.adam(settings.decoder.learning_rate, steps),
    )
    drawn = training.loop.train(
        [drawing], data, fit=settings.decoder, seed=cell.seed, progress=parts[1]
    )
    clock.fitted()
    return _network_map(cell, encoder, decoder, [placed, drawn], clock, len(images))


@experiment.variant(gathers=NETWORKS)
def stability(cell: Cell) -> Result:
    """Compare the maps that repeated trainings draw of the same images."""
    scores: dict[str, dict[str, float]] = {}
    for name in cell.gathered:
        maps = [drawn.array("test_map") for drawn in cell.gathered[name]]
        if len(maps) > 1:
            scores[name] = metrics.stability.stability(maps)._asdict()
    return Result({"stability": scores, "maps": len(next(iter(cell.gathered.values())))})


def _networks(cell: Cell, values: Values) -> tuple[keras.Model, keras.Model]:
    hidden, size = cell.settings.hidden[: values["depth"]], cell.split.size
    units = [int(values["width"] * width) for width in hidden]
    return (
        models.autoencoder.dense_encoder(units, LATENT, size),
        models.autoencoder.dense_decoder(units, LATENT, size),
    )


class _Clock:
    """Seconds that a method took to fit, and to place the test images.

    `earlier`: seconds of what it builds on, which had to be fitted before.
    """

    def __init__(self, earlier: float = 0.0) -> None:
        self.earlier = earlier
        self.moments = [time.perf_counter()]

    def fitted(self) -> None:
        self.moments.append(time.perf_counter())

    def placed(self) -> dict[str, float]:
        began, fitted = self.moments
        now = time.perf_counter()
        return {
            "fit_seconds": self.earlier + fitted - began,
            "transform_seconds": now - fitted,
        }


def _trained(
    cell: Cell,
    pair: tuple[keras.Model, keras.Model],
    fit: Fit,
    *,
    constant_rate: bool = False,
    before: StoredCell | None = None,
) -> Result:
    """Train an autoencoder; `before` is the cell whose training this one goes on with."""
    clock = _Clock(earlier=before.metrics["fit_seconds"] if before else 0.0)
    images = cell.split.train_images
    # another order of the images than before
    part = replace(cell, seed=derive_seed(cell.seed, "longer")) if before else cell
    record = fit_autoencoder(part, pair, images, fit, constant_rate=constant_rate)
    clock.fitted()
    if before is not None:
        first = before.metrics["training"]
        both = {key: record.cost[key] + first[key] for key in ("epochs", "steps", "seconds")}
        record = replace(record, cost=record.cost | both)
    encoder, decoder = pair
    return _network_map(cell, encoder, decoder, [record], clock, len(images))


def _network_map(
    cell: Cell,
    encoder: keras.Model,
    decoder: keras.Model,
    records: list[Record],
    clock: _Clock,
    images: int,
) -> Result:
    """Place the images by a trained encoder and gather what the report shows."""
    test_map = training.predict.images_to(encoder, cell.split.test_images)
    seconds = clock.placed()
    scores, arrays = _mapped(
        cell, training.predict.images_to(encoder, cell.split.train_images), test_map
    )
    restored, error = reconstructed(cell, decoder, test_map)
    _, one_a_class = np.unique(cell.split.test_labels, return_index=True)
    arrays |= {
        "originals": cell.split.test_images[one_a_class],
        "reconstructions": restored[one_a_class],
        **_decoded_grid(decoder, test_map),
    }
    scores |= {
        **seconds,
        "decodes": True,
        "reconstruction_mse": error,
        **against_mean_image(cell, error),
        "fit_images": images,
        "training": training.loop.total_cost(records),
        "architecture": training.predict.architecture({"encoder": encoder, "decoder": decoder}),
    }
    return Result(
        metrics=scores,
        tables={"history": training.loop.joined_history(records, "stage")},
        arrays=arrays,
        models={"encoder": encoder, "decoder": decoder},
    )


def _decoded_grid(decoder: keras.Model, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Decode a regular grid over the map's central 96 %, to see whether the map can generate."""
    low, high = np.percentile(positions, [2, 98], axis=0)
    across, up = (np.linspace(low[axis], high[axis], GRID) for axis in range(LATENT))
    codes = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, LATENT).astype("float32")
    pixels = models.images.to_pixels(training.predict.codes_to(decoder, codes))
    return {
        "decoded_grid": pixels.reshape(GRID, GRID, *pixels.shape[1:]),
        "grid_extent": np.array([low[0], high[0], low[1], high[1]], dtype="float32"),
    }


def _mapped(
    cell: Cell, train_map: np.ndarray, test_map: np.ndarray
) -> tuple[Figures, dict[str, np.ndarray]]:
    """Score a map on the test images and keep what the report draws.

    `fit_images` is the number of training images that have a place; a network that was fitted on
    others says so itself.
    """
    # what is scored is what is kept, so that it can be scored again
    train_map, test_map = (np.asarray(each, dtype="float32") for each in (train_map, test_map))
    cell.progress(0.99, "scoring the map")
    count = min(THUMBNAILS, len(test_map))
    rows = np.random.default_rng(cell.seed).permutation(len(test_map))[:count]
    arrays = {
        "test_map": test_map,
        "train_map": train_map,
        "test_labels": cell.split.test_labels,
        "thumbnail_index": rows,
        "thumbnails": cell.split.test_images[rows],
    }
    scores = map_scores(cell, train_map, test_map) | {
        "fit_images": len(train_map),
        "test_images": len(test_map),
        "embeds_new_images": True,
    }
    return scores, arrays


def map_scores(
    cell: Cell, train_map: np.ndarray, test_map: np.ndarray, ranks: np.ndarray | None = None
) -> Figures:
    """Score a map on the test images.

    Parameters
    ----------
    cell : Cell
        Its split, its seed and its setting `score_images` are used.
    train_map : ndarray of float32, shape (n, 2)
        Positions of the first n training images.
    test_map : ndarray of float32, shape (m, 2)
        Positions of all test images.
    ranks : ndarray of int, optional
        What `metrics.embedding.image_ranks` gives for the test images, where it is known.

    Returns
    -------
    dict
        What `metrics.embedding.scorecard` tells; for Fashion-MNIST also `group_purity`.
    """
    labels = cell.split.test_labels
    scores = metrics.embedding.scorecard(
        cell.split.test_images,
        test_map,
        labels,
        train_map,
        cell.split.train_labels[: len(train_map)],
        sample=cell.settings.score_images,
        seed=cell.seed,
        ranks=ranks,
    )
    if cell.split.dataset == experiment.dataset:
        scores["group_purity"] = {
            name: metrics.embedding.neighbours_among(test_map, labels, classes, classes)
            for name, classes in GROUPS.items()
        }
    return scores


def _vectors(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype("float32") / 255.0
