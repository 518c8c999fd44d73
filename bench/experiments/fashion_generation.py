"""Exercise 4, second half: can the networks generate new images?

Generators of Fashion-MNIST: the handed-in decoder fed with random codes, the same after a longer
training, an autoencoder with a Gaussian mixture fitted to its codes, the same with its decoder
refined against a discriminator, a VAE, the same with a flow in place of its prior, and a GAN. All
are measured alike (`sampling`), in the feature space of one judge, beside held-out real
images and a ladder of blur and noise.

VAE and GAN are a duel: one decoder, one latent size, the same codes, no augmentation, and settings
that give both about the same time. The VAE's latent size and learning rate are searched for the
best validation bound, the GAN's learning rate and penalty for the least Fréchet distance to the
validation images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from bench import models, training
from bench.config import Fit
from bench.declarations import declared
from bench.experiments.applicability import has_no_shipped_judge
from bench.experiments.definition import Cell, Experiment
from bench.experiments.methods import (
    fit_autoencoder,
    for_epochs,
    rows_to_search,
    searched,
    with_seed,
)
from bench.experiments.sampling import (
    SHOWN,
    ReferenceSet,
    gaussian_codes,
    generated,
    judge_figures,
    validation_distance,
)
from bench.experiments.variational import fit_vae, held_out_bounds
from bench.interfaces import Batch, Figures, Tensor, Values
from bench.store import Result, StoredCell

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from keras_tuner import HyperParameters
    from sklearn.mixture import GaussianMixture

    from bench.training.loop import Record

experiment = Experiment(declared("fashion_generation"))
FLOW_UNITS = 256
REAL_SHOWN = 400
RANGE_IMAGES = 10_000  # whose codes give the range from which the handed-in codes are drawn
LADDER = (
    *(("blur", strength) for strength in (0.5, 1.0, 1.5, 2.0)),  # pixels, standard deviation
    *(("noise", strength) for strength in (0.05, 0.1, 0.2, 0.4)),  # of grey values in [0, 1]
)


@experiment.variant("judge", applies=has_no_shipped_judge)
def train_judge(cell: Cell) -> Result:
    """Train a judge on the run's data, by the recipe of the shipped one."""
    from bench.judge import recipe

    network = recipe.train(
        cell.split.train_images, cell.split.train_labels, cell.split.classes, cell.progress
    )
    logits = training.predict.images_to(network, cell.split.test_images)
    right = logits.argmax(axis=1) == cell.split.test_labels
    return Result({"accuracy": float(np.mean(right))}, models={"judge": network})


@experiment.variant(settings=("samples", "pupil"), uses=("judge",))
def reference(cell: Cell) -> Result:
    """Score held-out real images as if they were samples: the limit of every measure."""
    images = cell.split.test_images[: cell.settings.samples]
    reference_set = ReferenceSet(cell, len(images))
    # the pupil learns from real images of the training set: the test images judge it
    scores = reference_set.scores(images, lessons=(reference_set.images, reference_set.classes))
    scores["judge"] = judge_figures(cell)
    other_half = cell.split.train_images[len(images) : 2 * len(images)]
    if len(other_half) == len(images):  # else there are not enough training images for two
        scores["train_half_distance"] = reference_set.distances(other_half)["frechet_distance"]
    return Result(scores, arrays={"samples": images[:REAL_SHOWN]})


@experiment.variant(settings=("samples",), uses=("judge",))
def ladder(cell: Cell) -> Result:
    """Add blur and noise to held-out real images, step by step, to show what a distance means."""
    images = cell.split.test_images[: cell.settings.samples]
    reference_set = ReferenceSet(cell, len(images))
    rows: list[Figures] = []
    shown: list[np.ndarray] = []
    for kind, strength in LADDER:
        cell.progress(len(rows) / len(LADDER), f"{kind} {strength}")
        spoilt = _SPOILERS[kind](images, strength, cell.seed)
        shown.append(spoilt[:SHOWN])
        rows.append({"kind": kind, "strength": strength, **reference_set.distances(spoilt)})
    return Result({}, tables={"ladder": pd.DataFrame(rows)}, arrays={"samples": np.stack(shown)})


@experiment.variant("search", settings=("search", "width", "latent", "vae"))
def search_vae(cell: Cell) -> Result:
    """Search the VAE's latent size and learning rate for the best validation bound."""
    settings = cell.settings
    images = cell.split.train_images[rows_to_search(cell)]

    def space(hyperparameters: HyperParameters) -> None:
        hyperparameters.Choice("latent", [8, 16, 32])
        hyperparameters.Float("learning_rate", 4e-3, 3.2e-2, sampling="log")

    def trial(values: Values, epochs: int, seed: int) -> Record:
        fit = for_epochs(settings.vae, epochs, values["learning_rate"])
        pair = _vae_networks(settings.width, values["latent"], cell.split.size)
        return fit_vae(with_seed(cell, seed), pair, images, fit, beta=1.0)

    return searched(
        cell,
        space,
        trial,
        default={"latent": settings.latent, "learning_rate": settings.vae.learning_rate},
        objective="validation_loss",
        direction="min",
    )


@experiment.variant(
    "gan_search",
    settings=("gan_search", "width", "gan", "gradient_penalty"),
    needs=("search",),
    uses=("judge",),
)
def search_gan(cell: Cell) -> Result:
    """Search the GAN's learning rate and penalty for the least distance to validation images."""
    settings, budget = cell.settings, cell.settings.gan_search
    latent = cell.needs["search"].metrics["best"]["latent"]
    images = cell.split.train_images[rows_to_search(cell, budget)]

    def space(hyperparameters: HyperParameters) -> None:
        hyperparameters.Float("learning_rate", 3e-4, 3e-3, sampling="log")
        hyperparameters.Float("gradient_penalty", 0.1, 10.0, sampling="log")

    def trial(values: Values, epochs: int, seed: int) -> float:
        fit = for_epochs(settings.gan, epochs, values["learning_rate"])
        seeded = with_seed(cell, seed)
        generator = models.autoencoder.convolutional_decoder(
            settings.width, latent, cell.split.size
        )
        penalty = values["gradient_penalty"]
        play(seeded, generator, latent, {"images": images}, fit, penalty, settings.width)
        return validation_distance(seeded, generator, latent)

    return searched(
        cell,
        space,
        trial,
        default={
            "learning_rate": settings.gan.learning_rate,
            "gradient_penalty": settings.gradient_penalty,
        },
        objective="validation_frechet_distance",
        direction="min",
        budget=budget,
    )


@experiment.variant(
    settings=("samples", "pupil"),
    needs=("fashion_embedding/handed_in",),
    repeated="handed_in_seeds",
    uses=("judge",),
)
def handed_in(cell: Cell) -> Result:
    """Feed the handed-in decoder with codes drawn evenly over the range of the real ones."""
    return _handed_in(cell, cell.needs["fashion_embedding/handed_in"])


@experiment.variant(
    settings=("samples", "pupil"),
    needs=("fashion_embedding/handed_in_longer",),
    repeated="handed_in_seeds",
    uses=("judge",),
)
def handed_in_longer(cell: Cell) -> Result:
    """Do the same with the handed-in decoder that was trained for longer."""
    return _handed_in(cell, cell.needs["fashion_embedding/handed_in_longer"])


@experiment.variant(
    settings=("samples", "pupil", "width", "latent", "mixture_components", "autoencoder"),
    repeated="autoencoder.seeds",
    uses=("judge",),
)
def autoencoder(cell: Cell) -> Result:
    """Train an autoencoder and fit a Gaussian mixture to its codes (Ghosh et al. 2020)."""
    training.backend.prepare(cell.precision, cell.seed)
    settings, fit = cell.settings, cell.settings.autoencoder
    sizes = (settings.width, settings.latent, cell.split.size)
    encoder = models.autoencoder.convolutional_encoder(*sizes)
    decoder = models.autoencoder.convolutional_decoder(*sizes)
    record = fit_autoencoder(cell, (encoder, decoder), cell.split.train_images, fit)
    mixture = _mixture(cell, training.predict.images_to(encoder, cell.split.train_images))
    drawn = _drawn(cell, mixture, settings.samples)
    return generated(cell, decoder, drawn, record.cost, encode=encoder, history=record.history)


@experiment.variant(
    settings=("samples", "pupil", "width", "vae", "beta", "free_bits"),
    needs=("search",),
    repeated="vae.seeds",
    uses=("judge",),
)
def vae(cell: Cell) -> Result:
    """Train the VAE with the searched size and rate, and decode codes drawn from its prior."""
    training.backend.prepare(cell.precision, cell.seed)
    settings, best = cell.settings, cell.needs["search"].metrics["best"]
    encoder, decoder = _vae_networks(settings.width, best["latent"], cell.split.size)
    record = fit_vae(
        cell,
        (encoder, decoder),
        cell.split.train_images,
        for_epochs(settings.vae, settings.vae.epochs, best["learning_rate"]),
        beta=settings.beta,
        free_bits=settings.free_bits,
    )
    mean_of = models.vae.mean_encoder(encoder)
    means = training.predict.images_to(mean_of, cell.split.validation_images)
    active = int(np.sum(means.var(axis=0) > models.vae.ACTIVE_VARIANCE))
    cell.progress(0.9, "evaluating the bound")
    extra = {
        "latent_size": best["latent"],
        "active_units": active,
        **held_out_bounds(cell, (encoder, decoder)),
    }
    return generated(
        cell,
        decoder,
        gaussian_codes(cell, best["latent"], settings.samples),
        record.cost,
        gaussian=True,
        encode=mean_of,
        history=record.history,
        extra=extra,
    )


@experiment.variant(
    settings=("samples", "pupil", "flow"),
    needs=("vae",),
    repeated="flow.seeds",
    uses=("judge",),
)
def latent_flow(cell: Cell) -> Result:
    """Draw the VAE's codes from a flow fitted to them, not from its prior: two stages."""
    trained = cell.needs["vae"]
    encoder, decoder = _loaded(trained)
    training.backend.prepare("float32", cell.seed)
    codes = training.predict.images_to(encoder, cell.split.train_images)
    centre, spread = codes.mean(axis=0), codes.std(axis=0) + 1e-6
    fit, random = cell.settings.flow, training.objective.random(cell.seed)
    size = codes.shape[1]
    velocity = models.flow.velocity(size, FLOW_UNITS)
    objective = training.objective.Objective(
        loss=models.flow.matching_loss(velocity, random),
        trains=[velocity],
        optimizer=training.schedule.adam(fit.learning_rate, training.loop.steps(len(codes), fit)),
        random=random,
    )
    record = training.loop.train(
        [objective],
        {"codes": (codes - centre) / spread},
        fit=fit,
        seed=cell.seed,
        progress=cell.progress,
    )
    noise = gaussian_codes(cell, size, cell.settings.samples)
    drawn = models.flow.flow(velocity, noise) * spread + centre
    cost = _with_first_stage(record.cost, trained)
    return generated(cell, decoder, drawn, cost, encode=encoder, history=record.history)


@experiment.variant(
    settings=("samples", "pupil", "width", "gan"),
    needs=("search", "gan_search"),
    repeated="gan.seeds",
    uses=("judge",),
)
def gan(cell: Cell) -> Result:
    """Train the VAE's decoder as a GAN's generator; its weights are averaged over the steps."""
    training.backend.prepare(cell.precision, cell.seed)
    settings, best = cell.settings, cell.needs["gan_search"].metrics["best"]
    size = cell.needs["search"].metrics["best"]["latent"]
    generator = models.autoencoder.convolutional_decoder(settings.width, size, cell.split.size)
    record = play(
        cell,
        generator,
        size,
        {"images": cell.split.train_images},
        for_epochs(settings.gan, settings.gan.epochs, best["learning_rate"]),
        best["gradient_penalty"],
        settings.width,
    )
    return generated(
        cell,
        generator,
        gaussian_codes(cell, size, settings.samples),
        record.cost,
        gaussian=True,
        history=record.history,
        extra={"latent_size": size, "discriminator_wins": _wins(record)},
    )


@experiment.variant(
    settings=(
        "samples", "pupil", "width", "mixture_components", "refined", "gradient_penalty"
    ),
    needs=("autoencoder",),
    repeated="refined.seeds",
    uses=("judge",),
)  # fmt: skip
def refined(cell: Cell) -> Result:
    """Go on training the autoencoder's decoder, on codes of its mixture, against a discriminator.

    As in VAE/GAN (Larsen et al. 2016, arXiv 1512.09300) the codes come from an encoder and the
    judgement of an image from a discriminator; here one after the other.
    """
    trained = cell.needs["autoencoder"]
    encoder, decoder = _loaded(trained)
    training.backend.prepare(cell.precision, cell.seed)
    codes = training.predict.images_to(encoder, cell.split.train_images)
    mixture = _mixture(cell, codes)
    record = play(
        cell,
        decoder,
        lambda batch: batch["codes"],
        {"images": cell.split.train_images, "codes": _drawn(cell, mixture, len(codes))},
        cell.settings.refined,
        cell.settings.gradient_penalty,
        cell.settings.width,
    )
    # the decoder is trained in both stages, and counts once
    cost = _with_first_stage(record.cost, trained, again=decoder)
    return generated(
        cell,
        decoder,
        _drawn(cell, mixture, cell.settings.samples),
        cost,
        encode=encoder,
        history=record.history,
        extra={"discriminator_wins": _wins(record)},
    )


@experiment.variant(
    settings=("samples", "pupil", "pixel_flow"), repeated="pixel_flow.seeds", uses=("judge",)
)
def pixel_flow(cell: Cell) -> Result:
    """Train a flow from noise to images, and draw images by following it step by step."""
    training.backend.prepare(cell.precision, cell.seed)
    fit, size = cell.settings.pixel_flow, cell.split.size
    random = training.objective.random(cell.seed)
    network = models.pixel_flow.denoiser(fit.width, size)
    objective = training.objective.Objective(
        loss=models.pixel_flow.matching_loss(network, random),
        trains=[network],
        optimizer=training.schedule.muon(
            fit.learning_rate,
            training.loop.steps(len(cell.split.train_images), fit),
            averaged=True,
        ),
        random=random,
    )
    record = training.loop.train(
        [objective],
        {"images": cell.split.train_images},
        fit=fit,
        seed=cell.seed,
        progress=cell.progress,
    )
    return generated(
        cell,
        models.pixel_flow.generator(network, fit.steps),
        gaussian_codes(cell, size * size, cell.settings.samples),
        record.cost,
        gaussian=True,
        history=record.history,
        extra={"evaluations": 2 * fit.steps - 1},
    )


@experiment.variant(
    settings=("samples", "pupil", "one_step", "gradient_penalty"),
    needs=("pixel_flow",),
    repeated="one_step.seeds",
    uses=("judge",),
)
def one_step(cell: Cell) -> Result:
    """Train the flow's network as a generator of one step against a discriminator.

    After Zheng and Yang 2025, arXiv 2506.09376, who find that such training needs no distillation.
    """
    trained = cell.needs["pixel_flow"]
    training.backend.prepare(cell.precision, cell.seed)
    flow = models.pixel_flow  # imported before the file is read, which names its layer
    network = flow.network_of(training.predict.load(trained.model_path("decoder")))
    generator = flow.generator(network, steps=1)
    size, fit = cell.split.size**2, cell.settings.one_step
    codes = gaussian_codes(cell, size, cell.settings.samples)
    untuned = models.images.to_pixels(training.predict.codes_to(generator, codes))
    before = ReferenceSet(cell, len(untuned)).distances(untuned)
    record = play(
        cell,
        generator,
        size,
        {"images": cell.split.train_images},
        fit,
        cell.settings.gradient_penalty,
        fit.width,
    )
    extra = {"evaluations": 1, "before": before, "discriminator_wins": _wins(record)}
    cost = _with_first_stage(record.cost, trained, again=generator)
    history = record.history
    return generated(cell, generator, codes, cost, gaussian=True, history=history, extra=extra)


def _handed_in(cell: Cell, trained: StoredCell) -> Result:
    """Decode codes drawn evenly over the range of the real ones, whose distribution is unknown."""
    encoder, decoder = _loaded(trained)
    codes = training.predict.images_to(encoder, cell.split.train_images[:RANGE_IMAGES])
    random = np.random.default_rng(cell.seed)
    drawn = random.uniform(codes.min(0), codes.max(0), (cell.settings.samples, codes.shape[1]))
    cost = trained.metrics["training"]
    return generated(cell, decoder, drawn.astype("float32"), cost, encode=encoder)


def _loaded(trained: StoredCell) -> tuple[keras.Model, keras.Model]:
    """Encoder and decoder of a finished cell."""
    encoder, decoder = (
        training.predict.load(trained.model_path(part)) for part in ("encoder", "decoder")
    )
    return encoder, decoder


def _with_first_stage(
    cost: Figures, trained: StoredCell, again: keras.Model | None = None
) -> Figures:
    """Add the cost of the first stage; `again` names the network that both stages trained."""
    first = trained.metrics["training"]
    twice = sum(int(np.prod(v.shape)) for v in again.trainable_variables) if again else 0
    return cost | {
        "seconds": cost["seconds"] + first["seconds"],
        "parameters": cost["parameters"] + first["parameters"] - twice,
    }


def _blurred(images: np.ndarray, strength: float, seed: int) -> np.ndarray:
    del seed
    return np.asarray(gaussian_filter(images, sigma=(0.0, strength, strength)))


def _noisy(images: np.ndarray, strength: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0.0, 255.0 * strength, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


_SPOILERS = {"blur": _blurred, "noise": _noisy}


def _mixture(cell: Cell, codes: np.ndarray) -> GaussianMixture:
    """Fit Gaussians to codes (n, latent)."""
    from sklearn.mixture import GaussianMixture

    cell.progress(0.0, "fitting the mixture")
    return GaussianMixture(
        cell.settings.mixture_components,
        reg_covar=1e-4 * float(codes.var()),
        max_iter=50,
        tol=1e-2,
        random_state=cell.seed,
    ).fit(codes.astype("float64"))


def _drawn(cell: Cell, mixture: GaussianMixture, count: int) -> np.ndarray:
    """Draw codes from a mixture; they come sorted by component, so they are shuffled."""
    drawn = mixture.sample(count)[0].astype("float32")
    return np.asarray(np.random.default_rng(cell.seed).permutation(drawn))


def play(
    cell: Cell,
    generator: keras.Model,
    codes: int | Callable[[Batch], Tensor],
    data: dict[str, np.ndarray],
    fit: Fit,
    gradient_penalty: float,
    width: int,
) -> Record:
    """Train a generator and a fresh discriminator against each other.

    Parameters
    ----------
    cell : Cell
        Its seed gives the order of the images, fresh codes and probing noise.
    generator : keras.Model
        From codes to images.
    codes : int or callable
        Size of codes that are drawn from N(0, 1), or a function that takes them from a batch.
    data : dict of str to ndarray
        `images`, and what `codes` takes.
    fit : Fit
        The training.
    gradient_penalty : float
        Weight of the discriminator's gradient penalties.
    width : int
        Channels of the discriminator's first convolution.

    Returns
    -------
    Record
        History and cost.
    """
    random = training.objective.random(cell.seed)
    discriminator = models.gan.discriminator(width, cell.split.size)
    losses = models.gan.losses(generator, discriminator, codes, gradient_penalty, random)
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
    return training.loop.train(objectives, data, fit=fit, seed=cell.seed, progress=cell.progress)


def _wins(record: Record) -> float:
    """How often the discriminator was right in the last epoch."""
    return float(record.history["discriminator_wins"].iloc[-1])


def _vae_networks(width: int, latent: int, size: int) -> tuple[keras.Model, keras.Model]:
    return models.vae.encoder(width, latent, size), models.vae.decoder(width, latent, size)
