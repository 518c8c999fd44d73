"""Exercise 4, second half: can the networks generate new images?

Four generators of Fashion-MNIST: the handed-in decoder fed with random codes, an autoencoder with a
Gaussian mixture fitted to its codes, a VAE and a GAN. All are scored alike, in the feature space
of one judge (a small classifier trained on the training images), beside a reference row: held-out
real images. The VAE's latent size and learning rate are searched for the best validation bound.
"""

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
from bench.store import Result, derive_seed

experiment = Experiment(
    name="fashion_generation",
    dataset="fashion_mnist",
    exercise="4",
    title="New images of Fashion-MNIST: autoencoder, VAE and GAN",
)
JUDGE_WIDTHS = (16, 32, 64)
KEPT = 400
SHOWN = 16
PATHS, FRAMES = 6, 10


@experiment.variant(settings=("judge",))
def judge(cell: Cell) -> Result:
    """Train the classifier whose features and verdicts measure the samples."""
    training.backend.prepare("float32", cell.seed)
    network = models.stacked.classifier(models.stacked.build(JUDGE_WIDTHS).encoders, "average")
    random, fit = training.objective.random(cell.seed), cell.settings.judge
    steps = training.loop.steps(len(cell.split.train_images), fit)
    objective = training.objective.Objective(
        loss=models.stacked.classification_loss(
            network, training.augment.Augmentation(), 0.0, random
        ),
        trains=[network],
        optimizer=training.schedule.adam(fit.learning_rate, steps),
        random=random,
    )
    data = {"images": cell.split.train_images, "labels": cell.split.train_labels}
    record = training.loop.train([objective], data, fit=fit, seed=cell.seed, progress=cell.progress)
    logits = training.predict.images_to(network, cell.split.test_images)
    accuracy = float(np.mean(logits.argmax(1) == cell.split.test_labels))
    return Result(
        metrics={"accuracy": accuracy, "training": record.cost},
        tables={"history": record.history},
        models={"classifier": network},
    )


@experiment.variant(settings=("samples",), needs=("judge",))
def reference(cell: Cell) -> Result:
    """Score held-out real images as if they were samples: the floor of every measure."""
    images = cell.split.test_images[: cell.settings.samples]
    return Result(metrics=_scores(cell, images), arrays={"samples": images[:KEPT]})


@experiment.variant("search", settings=("search", "width", "vae"))
def search_vae(cell: Cell) -> Result:
    """Search the VAE's latent size and learning rate for the best validation bound."""
    settings = cell.settings
    images = cell.split.train_images[rows_to_search(cell)]

    def space(hyperparameters: Any) -> None:
        hyperparameters.Choice("latent", [8, 16, 32])
        hyperparameters.Float("learning_rate", 1e-3, 8e-3, sampling="log")

    def trial(values: Any, epochs: int) -> Any:
        fit = for_epochs(settings.vae, epochs, values["learning_rate"])
        pair = _vae_networks(settings.width, values["latent"])
        return _fit_vae(cell, pair, images, fit, beta=1.0, free_bits=0.0)

    return searched(cell, space, trial, objective="validation_loss", direction="min")


@experiment.variant(
    settings=("samples",), needs=("judge", "fashion_embedding/assignment"), repeated=True
)
def assignment(cell: Cell) -> Result:
    """Feed the handed-in decoder with codes drawn evenly over the range of the real ones."""
    trained = cell.needs["fashion_embedding/assignment"]
    encoder, decoder = (
        training.predict.load(trained.model_path(p)) for p in ("encoder", "decoder")
    )
    codes = training.predict.images_to(encoder, cell.split.train_images)
    random = np.random.default_rng(cell.seed)
    drawn = random.uniform(codes.min(0), codes.max(0), (cell.settings.samples, codes.shape[1]))
    cost = trained.metrics["training"]
    return _generated(cell, decoder, drawn.astype("float32"), cost, encode=encoder)


@experiment.variant(
    settings=("samples", "width", "latent", "mixture_components", "autoencoder"),
    needs=("judge",),
    repeated=True,
)
def autoencoder(cell: Cell) -> Result:
    """Train an autoencoder and fit a Gaussian mixture to its codes (Ghosh et al. 2020)."""
    from sklearn.mixture import GaussianMixture

    training.backend.prepare(cell.precision, cell.seed)
    settings, fit = cell.settings, cell.settings.autoencoder
    encoder = models.autoencoder.convolutional_encoder(settings.width, settings.latent)
    decoder = models.autoencoder.convolutional_decoder(settings.width, settings.latent)
    record = fit_autoencoder(cell, (encoder, decoder), cell.split.train_images, fit)
    cell.progress(0.9, "fitting the mixture")
    codes = training.predict.images_to(encoder, cell.split.train_images)
    mixture = GaussianMixture(
        settings.mixture_components,
        reg_covar=1e-4 * float(codes.var()),
        max_iter=50,
        tol=1e-2,
        random_state=cell.seed,
    ).fit(codes.astype("float64"))
    drawn = mixture.sample(settings.samples)[0].astype("float32")
    drawn = np.random.default_rng(cell.seed).permutation(drawn)  # they come sorted by component
    return _generated(cell, decoder, drawn, record.cost, encode=encoder, history=record.history)


@experiment.variant(
    settings=("samples", "width", "vae", "beta", "free_bits"),
    needs=("judge", "search"),
    repeated=True,
)
def vae(cell: Cell) -> Result:
    """Train the VAE with the searched size and rate, and decode codes drawn from its prior."""
    training.backend.prepare(cell.precision, cell.seed)
    settings, best = cell.settings, cell.needs["search"].metrics["best"]
    encoder, decoder = _vae_networks(settings.width, best["latent"])
    record = _fit_vae(
        cell,
        (encoder, decoder),
        cell.split.train_images,
        for_epochs(settings.vae, settings.vae.epochs, best["learning_rate"]),
        beta=settings.beta,
        free_bits=settings.free_bits,
    )
    mean_of = models.vae.mean_encoder(encoder)
    means = training.predict.images_to(mean_of, cell.split.validation_images)
    random = np.random.default_rng(cell.seed)
    drawn = random.standard_normal((settings.samples, best["latent"])).astype("float32")
    extra = {
        "latent_size": best["latent"],
        "active_units": int(np.sum(means.var(axis=0) > models.vae.ACTIVE_VARIANCE)),
        "kl": float(record.history["validation_kl"].iloc[-1]),
    }
    return _generated(
        cell, decoder, drawn, record.cost, encode=mean_of, history=record.history, extra=extra
    )


@experiment.variant(
    settings=("samples", "width", "latent", "gan", "gradient_penalty"),
    needs=("judge",),
    repeated=True,
)
def gan(cell: Cell) -> Result:
    """Train the GAN; the generator's weights are averaged over the steps."""
    training.backend.prepare(cell.precision, cell.seed)
    settings, fit = cell.settings, cell.settings.gan
    size = 4 * settings.latent
    generator = models.gan.generator(settings.width, size)
    discriminator = models.gan.discriminator(settings.width)
    random = training.objective.random(cell.seed)
    losses = models.gan.losses(generator, discriminator, size, settings.gradient_penalty, random)
    players = ((discriminator, generator), (generator, discriminator))
    objectives = [
        training.objective.Objective(
            loss=loss,
            trains=[trained],
            uses=[other],
            optimizer=training.schedule.steady_adam(
                fit.learning_rate, averaged=trained is generator
            ),
            random=random,
        )
        for loss, (trained, other) in zip(losses, players, strict=True)
    ]
    record = training.loop.train(
        objectives,
        {"images": cell.split.train_images},
        fit=fit,
        seed=cell.seed,
        progress=cell.progress,
    )
    drawn = np.random.default_rng(cell.seed).standard_normal((settings.samples, size))
    return _generated(
        cell,
        generator,
        drawn.astype("float32"),
        record.cost,
        history=record.history,
        extra={"latent_size": size},
    )


def _vae_networks(width: int, latent: int) -> tuple[Any, Any]:
    return models.vae.encoder(width, latent), models.vae.decoder(width, latent)


def _fit_vae(
    cell: Cell,
    pair: tuple[Any, Any],
    images: np.ndarray,
    fit: Fit,
    *,
    beta: float,
    free_bits: float,
) -> Any:
    random, steps = training.objective.random(cell.seed), training.loop.steps(len(images), fit)
    optimizer = training.schedule.adam(fit.learning_rate, steps)
    loss = models.vae.negative_elbo(
        *pair, random, beta=beta, free_bits=free_bits, step=optimizer.iterations, steps=steps
    )
    return training.loop.train(
        [training.objective.Objective(loss, pair, optimizer, random=random)],
        {"images": images},
        fit=fit,
        seed=cell.seed,
        validation={"images": cell.split.validation_images},
        progress=cell.progress,
    )


def _generated(
    cell: Cell,
    decoder: Any,
    codes: np.ndarray,
    cost: Any,
    *,
    encode: Any = None,
    history: Any = None,
    extra: Any = None,
) -> Result:
    """Decode the drawn codes, score the samples and gather what the report shows."""
    samples = models.images.to_pixels(training.predict.codes_to(decoder, codes))
    ends = np.random.default_rng(derive_seed(cell.seed, "paths")).permutation(len(codes))
    start, end = codes[ends[:PATHS]], codes[ends[PATHS : 2 * PATHS]]
    share = np.linspace(0.0, 1.0, FRAMES, dtype="float32")[None, :, None]
    between = (1 - share) * start[:, None] + share * end[:, None]
    frames = models.images.to_pixels(
        training.predict.codes_to(decoder, between.reshape(-1, codes.shape[1]))
    )
    told = _scores(cell, samples) | {"training": cost, **(extra or {})}
    arrays = {"samples": samples[:KEPT], "interpolation": frames.reshape(PATHS, FRAMES, 28, 28)}
    _, nearest = metrics.neighbours.nearest_neighbours(samples[:SHOWN], cell.split.train_images)
    arrays["nearest"] = cell.split.train_images[nearest.ravel()]
    if encode is not None:
        codes = training.predict.images_to(encode, cell.split.test_images)
        restored, told["reconstruction_mse"] = reconstructed(cell, decoder, codes)
        arrays["originals"] = cell.split.test_images[:SHOWN]
        arrays["reconstructions"] = restored[:SHOWN]
    tables = {} if history is None else {"history": history}
    networks = {"decoder": decoder} | ({"encoder": encode} if encode is not None else {})
    return Result(metrics=told, tables=tables, arrays=arrays, models=networks)


def _scores(cell: Cell, samples: np.ndarray) -> dict[str, Any]:
    """Measure samples against as many real training images, in the judge's feature space."""
    cell.progress(0.95, "scoring the samples")
    classify = training.predict.load(cell.needs["judge"].model_path("classifier"))
    features_of = models.stacked.features_of(classify)
    real = cell.split.train_images[: len(samples)]
    real_features = training.predict.images_to(features_of, real)
    features = training.predict.images_to(features_of, samples)
    logits = training.predict.images_to(classify, samples)
    counts = np.bincount(logits.argmax(axis=1), minlength=10)
    precision, recall = metrics.manifolds.precision_recall(real_features, features)
    density, coverage = metrics.manifolds.density_coverage(real_features, features)
    return {
        "frechet_distance": metrics.generation.frechet_distance(real_features, features),
        "kernel_distance": metrics.generation.kernel_distance(
            real_features, features, seed=cell.seed
        ),
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
        "class_histogram": [float(share) for share in counts / counts.sum()],
        "sharpness": metrics.generation.sharpness(samples, real),
        "nearest_distance_ratio": metrics.neighbours.nearest_distance_ratio(
            samples[:2000], cell.split.test_images[:2000], cell.split.train_images
        ),
    }
