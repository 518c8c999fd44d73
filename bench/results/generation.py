"""Results of the generators."""

from typing import Annotated

import pandas as pd

from bench.results.held import (
    Columns,
    Cost,
    Count,
    Holding,
    ImageGrid,
    Images,
    NotNegative,
    Part,
    Share,
)


class Distances(Part):
    """Distances of images from real ones, and their sharpness."""

    frechet_distance: NotNegative
    kernel_distance: float
    sharpness: NotNegative


class Failure(Part):
    """A known failure: its measure, the limit, and whether it was seen."""

    measure: float
    limit: float
    detected: float


class Failures(Part):
    """Failures that were looked for."""

    mode_collapse: Failure
    memorisation: Failure
    dead_codes: Failure | None = None
    posterior_collapse: Failure | None = None
    discriminator_saturation: Failure | None = None


class SampleMetrics(Distances):
    """Figures of samples; see `bench.experiments.sampling`."""

    precision: Share
    recall: Share
    density: NotNegative
    coverage: Share
    checkerboard: NotNegative | None = None
    class_histogram: list[float]
    missing_classes: Count
    nearest_distance_ratio: NotNegative
    failures: Failures
    pupil_accuracy: Share | None = None


class JudgeFigures(Part):
    """The judge's accuracy on test images, and its file's SHA-256."""

    accuracy: Share
    sha256: str


class ReferenceMetrics(SampleMetrics):
    """Figures of real images."""

    judge: JudgeFigures
    train_half_distance: float | None = None


class Samples(Part):
    """Images that the report shows."""

    samples: Images


class Reference(Holding):
    """Held-out real images, measured as samples are."""

    metrics: ReferenceMetrics
    arrays: Samples


class LadderTables(Part):
    """Distances step by step."""

    ladder: Annotated[
        pd.DataFrame,
        Columns("kind", "strength", "frechet_distance", "kernel_distance", "sharpness"),
    ]


class LadderArrays(Part):
    """Images of each step."""

    samples: ImageGrid


class Ladder(Holding):
    """Real images, more and more blurred and noisy."""

    tables: LadderTables
    arrays: LadderArrays


class JudgeMetrics(Part):
    """Accuracy of a judge on test images."""

    accuracy: Share


class Judge(Holding):
    """A judge that was trained for the run's own images."""

    metrics: JudgeMetrics


class GeneratorMetrics(SampleMetrics):
    """Figures of a trained generator."""

    training: Cost
    path_smoothness: NotNegative
    paths: int
    trained: float


class EncodedMetrics(GeneratorMetrics):
    """Figures of a generator that has an encoder."""

    reconstruction_mse: NotNegative
    trivial_error: float
    reconstructions: Distances


class History(Part):
    """History of the training, where the cell has one of its own."""

    history: (
        Annotated[
            pd.DataFrame,
            Columns(
                *("epoch", "seconds", "loss"),
                allowed=(
                    *("validation_loss", "reconstruction", "kl"),
                    *("validation_reconstruction", "validation_kl"),
                ),
            ),
        ]
        | None
    ) = None


class GeneratorArrays(Part):
    """Samples, walks between codes, and the nearest training images."""

    samples: Images
    interpolation: ImageGrid
    nearest: Images


class EncodedArrays(GeneratorArrays):
    """The same, and reconstructions."""

    originals: Images
    reconstructions: Images


class Encoded(Holding):
    """A generator with an encoder."""

    metrics: EncodedMetrics
    tables: History
    arrays: EncodedArrays


class VariationalMetrics(EncodedMetrics):
    """Figures of a VAE; see `bench.experiments.variational.held_out_bounds`."""

    latent_size: int
    active_units: int
    negative_elbo: float
    reconstruction_nats: float
    kl: NotNegative
    importance_weighted_nats: float
    importance_images_negative_elbo: float
    importance_samples: int
    importance_images: int


class Variational(Holding):
    """A VAE."""

    metrics: VariationalMetrics
    tables: History
    arrays: EncodedArrays


class PlayTables(Part):
    """History of a generator and a discriminator that train against each other."""

    history: Annotated[
        pd.DataFrame,
        Columns(
            *("epoch", "seconds", "loss"),
            *("discriminator_loss", "generator_loss", "penalty", "discriminator_wins"),
        ),
    ]


class AdversarialMetrics(GeneratorMetrics):
    """Figures of a GAN."""

    latent_size: int
    discriminator_wins: float
    trivial_distance: float


class Adversarial(Holding):
    """A GAN."""

    metrics: AdversarialMetrics
    tables: PlayTables
    arrays: GeneratorArrays


class FlowMetrics(GeneratorMetrics):
    """Figures of a flow in pixels."""

    evaluations: int
    trivial_distance: float


class FlowTables(Part):
    """History of the flow's training."""

    history: Annotated[pd.DataFrame, Columns("epoch", "seconds", "loss")]


class Flow(Holding):
    """A flow in pixels."""

    metrics: FlowMetrics
    tables: FlowTables
    arrays: GeneratorArrays


class OneStepMetrics(FlowMetrics):
    """Figures of a flow's network that was trained on as a generator of one step."""

    discriminator_wins: float
    before: Distances


class OneStep(Holding):
    """A generator of one step."""

    metrics: OneStepMetrics
    tables: PlayTables
    arrays: GeneratorArrays


class RefinedMetrics(EncodedMetrics):
    """Figures of a decoder that was refined against a discriminator."""

    discriminator_wins: float


class Refined(Holding):
    """An autoencoder whose decoder was refined against a discriminator."""

    metrics: RefinedMetrics
    tables: PlayTables
    arrays: EncodedArrays
