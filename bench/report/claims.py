"""The handed-in report's eight claims, each as measures with a direction and a verdict.

What a measure is held against was set before anything was measured. A claim is supported only if
each of its measures is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bench.metrics.statistics import verdict
from bench.report.collect import Quantity, Results, correlation, difference, share, spread
from bench.report.names import GENERATORS, N_

Direction = Literal["greater", "less"]
NOT_MEASURED = "not measured"
# What decides over a claim of several measures: the first of these that one of them says.
ORDER = ("not supported", NOT_MEASURED, "one run, no verdict", "not distinguishable", "supported")
HANDED_IN, VAE, GAN = (f"fashion_generation/{name}" for name in ("handed_in", "vae", "gan"))
COLLAPSE, OVERFITTING = "fashion_embedding/collapse", "fashion_classifier/overfitting"
PCA, TSNE = "fashion_embedding/pca", "fashion_embedding/tsne"
GROUPS = (
    (N_("of a shoe’s ten neighbours on the t-SNE map: share of shoes"), "map:5+7+9.5+7+9"),
    (N_("of those of a pair of trousers: share of trousers"), "map:1.1"),
    (
        N_("of those of a T-shirt, pullover, dress, coat or shirt: share of these"),
        "map:0+2+3+4+6.0+2+3+4+6",
    ),
)
MOSTLY, STRONG = 0.9, 0.7  # share of neighbours, correlation


@dataclass(frozen=True)
class Measure:
    """One figure that a claim is judged by.

    Attributes
    ----------
    description : str
        What was measured: a message for the catalogue.
    figure : Quantity
        With its interval.
    direction : {"greater", "less"}
        Where it lies if the claim holds.
    reference : float
        Than what it is greater or less.
    systems : tuple of str
        For a comparison: the two variants, the second taken from the first (or its divisor).
    spec : str
        How the figure is written.
    """

    description: str
    figure: Quantity
    direction: Direction
    reference: float = 0.0
    systems: tuple[str, ...] = ()
    spec: str = ".3f"

    @cached_property
    def verdict(self) -> str:
        """What the figure says; ``not measured`` where no cell holds it."""
        if not self.figure:
            return NOT_MEASURED
        return verdict(self.figure.interval, self.direction, self.reference)


@dataclass(frozen=True)
class Claim:
    """A claim of the handed-in report."""

    number: int
    text: str
    measures: tuple[Measure, ...]

    @cached_property
    def verdict(self) -> str:
        """What all its measures together say."""
        return overall(measure.verdict for measure in self.measures)


def overall(verdicts: Iterable[str]) -> str:
    """Put the verdicts of a claim's measures together.

    Parameters
    ----------
    verdicts : iterable of str
        At least one.

    Returns
    -------
    str
        ``supported`` if all are; else, in this order, ``not supported``, ``not measured``,
        ``one run, no verdict`` or ``not distinguishable`` if any is.
    """
    return min(verdicts, key=ORDER.index)


def best_generator(results: Results) -> str | None:
    """Return the generator of least mean Fréchet distance, the handed-in decoder apart."""
    paths = [f"fashion_generation/{name}" for name in GENERATORS if name != "handed_in"]
    reached = [(q.mean, path) for path in paths if (q := results.value(path, "frechet_distance"))]
    return min(reached)[1] if reached else None


def claims(results: Results) -> list[Claim]:
    """Measure the eight claims on a run."""
    ask = _Asking(results)
    best = best_generator(results) or VAE
    bright = results.value(PCA, "brightness_correlation")
    return [
        Claim(
            1,
            N_(
                "The two-dimensional autoencoder puts all points on one single line, whatever "
                "their class."
            ),
            (
                Measure(
                    N_("share of short trainings of the handed-in network that end on one line"),
                    share(results.value(COLLAPSE, "on_one_line")),
                    "greater",
                    0.5,
                    spec=".2f",
                ),
            ),
        ),
        Claim(
            2,
            N_(
                "PCA gives a cloud ordered by brightness: white images on the right, black ones "
                "on the left."
            ),
            (
                Measure(
                    N_("correlation of brightness with an axis, without sign; over test images"),
                    correlation(bright, results.value(PCA, "rows:test_labels")),
                    "greater",
                    STRONG,
                ),
            ),
        ),
        Claim(
            3,
            N_(
                "t-SNE groups images by likeness and separates classes: shoes together; T-shirts, "
                "dresses and coats together; trousers apart."
            ),
            tuple(
                Measure(words, results.value(TSNE, path), "greater", MOSTLY)
                for words, path in GROUPS
            ),
        ),
        Claim(
            4,
            N_(
                "The classifier overfits: training loss falls while validation loss rises, and "
                "validation accuracy stalls."
            ),
            tuple(
                Measure(words, results.value(OVERFITTING, f"handed_in.{path}"), direction)
                for words, path, direction in _LOSSES
            ),
        ),
        Claim(
            5,
            N_("More epochs or another architecture would give the generated images a shape."),
            (
                ask.less(N_("Fréchet distance"), "frechet_distance", best, HANDED_IN, ".2f"),
                ask.greater(N_("density"), "density", best, HANDED_IN),
            ),
        ),
        Claim(
            6,
            N_(
                "VAE samples are more diverse; its latent space is continuous and interpolates "
                "smoothly."
            ),
            (
                ask.greater(N_("recall"), "recall", VAE, GAN),
                ask.greater(N_("coverage"), "coverage", VAE, GAN),
                ask.less(N_("unevenness of walks between codes"), "path_smoothness", VAE, GAN),
            ),
        ),
        Claim(
            7,
            N_("GAN samples are of higher quality (sharper) but less diverse."),
            (
                ask.greater(N_("sharpness"), "sharpness", GAN, VAE),
                ask.greater(N_("precision"), "precision", GAN, VAE),
                ask.less(N_("recall"), "recall", GAN, VAE),
            ),
        ),
        Claim(
            8,
            N_(
                "VAE training is more stable; GAN training is harder and suffers mode collapse "
                "and artefacts."
            ),
            (
                Measure(
                    N_("spread over the seeds of the logarithm of the Fréchet distance"),
                    spread(
                        results.value(GAN, "frechet_distance"),
                        results.value(VAE, "frechet_distance"),
                    ),
                    "greater",
                    1.0,
                    (GAN, VAE),
                    ".2f",
                ),
                ask.greater(N_("missing classes"), "missing_classes", GAN, VAE, ".2f"),
            ),
        ),
    ]


_LOSSES: tuple[tuple[str, str, Direction], ...] = (
    (
        N_("training loss of the handed-in classifier: change over the second half"),
        "training_loss_change",
        "less",
    ),
    (N_("its validation loss: change over the second half"), "validation_loss_change", "greater"),
)


class _Asking:
    """Makes measures that compare two variants, seed by seed."""

    def __init__(self, results: Results) -> None:
        self._results = results

    def greater(self, words: str, path: str, first: str, second: str, spec: str = ".3f") -> Measure:
        return self._of(words, path, (first, second), "greater", spec)

    def less(self, words: str, path: str, first: str, second: str, spec: str = ".3f") -> Measure:
        return self._of(words, path, (first, second), "less", spec)

    def _of(
        self, words: str, path: str, systems: tuple[str, str], direction: Direction, spec: str
    ) -> Measure:
        gap = difference(*(self._results.value(system, path) for system in systems))
        return Measure(words, gap, direction, systems=systems, spec=spec)
