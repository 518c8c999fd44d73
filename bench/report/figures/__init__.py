"""The report's figures: one function each, drawn from the store in one language."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from bench.data import DATASETS
from bench.report.collect import Results, Variant
from bench.report.constants import Constants
from bench.report.drawings import Drawings
from bench.report.i18n import Language
from bench.report.names import GENERATORS, N_, experiment_name
from bench.store import StoredCell

__all__ = ["FIGURES", "Drawn", "Gallery"]

DATASET_OF = {"mnist_classifier": "mnist"}  # every other experiment: Fashion-MNIST


@dataclass(frozen=True)
class Drawn:
    """A finished figure.

    Attributes
    ----------
    svg : str
        One ``<svg>`` element, sized in millimetres, with a title for readers who cannot see it.
    alt : str
        The same title.
    cells : tuple of StoredCell
        The cells that it shows.
    """

    svg: str
    alt: str
    cells: tuple[StoredCell, ...] = field(default=())


@dataclass(frozen=True)
class Recipe:
    """How a figure is drawn.

    Attributes
    ----------
    draw : str
        Module of this package and function; called with results and language, then by name with
        what else it takes. A name, so that matplotlib is loaded only where something is drawn.
    experiment : str or None
        Whose cells it shows; None: those of the experiment that is named when it is asked for.
    variants : tuple of str
        The variants whose cells it shows; of another experiment: ``experiment/variant``.
    alt : str
        What it shows, for readers who cannot see it.
    pooled : bool
        Whether it shows all seeds, or only the lowest (images, maps).
    takes_classes, takes_handed_in : bool
        What else `draw` takes.
    """

    draw: str
    experiment: str | None
    variants: tuple[str, ...]
    alt: str
    pooled: bool = False
    takes_classes: bool = False
    takes_handed_in: bool = False


CLASSIFIERS = ("handed_in", "from_scratch", "fine_tuned")
CALIBRATED = (*CLASSIFIERS, "ensemble")
NETWORK_MAPS = ("handed_in", "autoencoder", "vae", "neighbour_autoencoder")
MAPS = (*NETWORK_MAPS, "pca", "tsne", "umap")
SAMPLED = ("reference", *GENERATORS)
RECONSTRUCTING = ("handed_in", "handed_in_longer", "autoencoder", "vae", "refined")

EMBEDDING, GENERATION = "fashion_embedding", "fashion_generation"
SPEED = "training_speed"
SPRINTS = ("to_90", "to_92", "to_94")

FIGURES: dict[str, Recipe] = {
    "stage_curves": Recipe(
        "curves.stage_curves",
        None,
        ("pretrained",),
        N_("Line charts of the reconstruction loss over epochs, one for each greedy stage."),
        pooled=True,
    ),
    "pretrained_reconstructions": Recipe(
        "images.pretrained_reconstructions",
        None,
        ("pretrained",),
        N_("A row of test images above a row of their reconstructions."),
    ),
    "classifier_curves": Recipe(
        "curves.classifier_curves",
        None,
        CLASSIFIERS,
        N_("Line charts of loss and accuracy over epochs for each classifier."),
        pooled=True,
    ),
    "confusion": Recipe(
        "scores.confusion",
        None,
        ("fine_tuned",),
        N_("Confusion matrix: per cent of each true class by predicted class."),
        pooled=True,
        takes_classes=True,
    ),
    "per_class": Recipe(
        "scores.per_class",
        None,
        CLASSIFIERS,
        N_("Dot plot of the F1 score of each class for each classifier."),
        pooled=True,
        takes_classes=True,
        takes_handed_in=True,
    ),
    "examples": Recipe(
        "images.examples",
        None,
        ("fine_tuned",),
        N_("Sheets of wrongly and rightly classified test images with their labels."),
        takes_classes=True,
    ),
    "reliability": Recipe(
        "calibration.reliability",
        None,
        CALIBRATED,
        N_("Line charts of accuracy against confidence for each classifier, with the diagonal."),
        pooled=True,
    ),
    "few_labels": Recipe(
        "calibration.few_labels",
        None,
        ("few_labels",),
        N_("Line chart of test accuracy over labelled images, pretrained and from scratch."),
        pooled=True,
    ),
    "overfitting": Recipe(
        "calibration.overfitting",
        "fashion_classifier",
        ("overfitting",),
        N_("Line charts of training and validation loss for three classifiers on few images."),
        pooled=True,
    ),
    "embedding_curves": Recipe(
        "curves.embedding_curves",
        EMBEDDING,
        NETWORK_MAPS,
        N_("Line charts of the loss over epochs for the networks that draw a map."),
        pooled=True,
    ),
    "embedding_maps": Recipe(
        "maps.embedding_maps",
        EMBEDDING,
        MAPS,
        N_("Scatter plots of the test images in two dimensions, one for each method, by class."),
        takes_classes=True,
    ),
    "embedding_clouds": Recipe(
        "maps.embedding_clouds",
        EMBEDDING,
        MAPS,
        N_("The same maps with small images in place of the points."),
        takes_classes=True,
    ),
    "neighbourhoods": Recipe(
        "neighbourhoods.neighbourhoods",
        EMBEDDING,
        MAPS,
        N_("Line chart of the share of neighbours kept over their number, a line for each method."),
        pooled=True,
    ),
    "embedding_brightness": Recipe(
        "maps.embedding_brightness",
        EMBEDDING,
        ("handed_in", "autoencoder", "pca", "tsne"),
        N_("Scatter plots of mean brightness against the first axis of each map."),
    ),
    "embedding_reconstructions": Recipe(
        "images.embedding_reconstructions",
        EMBEDDING,
        NETWORK_MAPS,
        N_("One image of each class above its reconstructions from two numbers."),
    ),
    "decoded_grids": Recipe(
        "images.decoded_grids",
        EMBEDDING,
        NETWORK_MAPS,
        N_("Images decoded from a regular grid over each map."),
    ),
    "generation_samples": Recipe(
        "sampled.samples",
        GENERATION,
        SAMPLED,
        N_("A strip of real images above sheets of samples from each generator."),
    ),
    "generation_reconstructions": Recipe(
        "sampled.reconstructions",
        GENERATION,
        RECONSTRUCTING,
        N_("Real images above the reconstructions of each network with an encoder."),
    ),
    "generation_interpolations": Recipe(
        "sampled.interpolations",
        GENERATION,
        GENERATORS,
        N_("Rows of images that change from one code to another."),
    ),
    "generation_nearest": Recipe(
        "sampled.nearest",
        GENERATION,
        GENERATORS,
        N_("Samples above the training images that are nearest to them."),
    ),
    "generation_curves": Recipe(
        "generators.training_curves",
        GENERATION,
        ("autoencoder", "vae", "latent_flow", "gan", "refined"),
        N_("Line charts over epochs: each generator's losses, and who wins against whom."),
        pooled=True,
    ),
    "class_shares": Recipe(
        "generators.class_shares",
        GENERATION,
        SAMPLED,
        N_("Table in colours: per cent of each class among the samples of each generator."),
        pooled=True,
        takes_classes=True,
    ),
    "fidelity_diversity": Recipe(
        "generators.fidelity_diversity",
        GENERATION,
        SAMPLED,
        N_("Scatter plots of precision against recall and of density against coverage."),
        pooled=True,
    ),
    "ladder": Recipe(
        "generators.ladder",
        GENERATION,
        ("ladder", *SAMPLED),
        N_("Line charts of the Fréchet distance over blur and noise, the generators' as lines."),
        pooled=True,
    ),
    "ladder_images": Recipe(
        "sampled.spoilt",
        GENERATION,
        ("ladder", "reference"),
        N_("Rows of the same real images, more and more blurred and noisy."),
    ),
    "budget": Recipe(
        "generators.budget",
        GENERATION,
        GENERATORS,
        N_("Scatter plots of the Fréchet distance against seconds of training and parameters."),
        pooled=True,
    ),
    "throughput": Recipe(
        "speed.throughput",
        SPEED,
        ("throughput",),
        N_("Bar charts of images a second for each contender, one chart for each network."),
    ),
    "speedruns": Recipe(
        "speed.speedruns",
        "fashion_speedrun",
        ("mnist_speedrun/to_99", *SPRINTS),
        N_("Line charts of accuracy over seconds of training for each sprint."),
        pooled=True,
    ),
    "growth": Recipe(
        "speed.growth",
        SPEED,
        ("training_growth", "map_growth"),
        N_("Line charts of seconds over the size of the work, both on logarithmic axes."),
    ),
    "growth_load": Recipe(
        "speed.growth_load",
        SPEED,
        ("training_growth",),
        N_("Line charts of images a second and of peak memory over the size of the work."),
    ),
}


class Gallery:
    """Draws figures when they are first asked for, in one language."""

    def __init__(
        self, results: Results, language: Language, constants: Constants, kept: Drawings
    ) -> None:
        self.results = results
        self.language = language
        self.constants = constants
        self.kept = kept
        self._drawn: dict[str, Drawn | None] = {}

    def get(self, name: str, experiment: str = "") -> Drawn | None:
        """Return a figure; None where the run holds nothing to draw.

        Parameters
        ----------
        name : str
            One of `FIGURES`.
        experiment : str
            Which experiment, for figures that several share.
        """
        key = f"{name}-{experiment}" if experiment else name
        if key not in self._drawn:
            self._drawn[key] = self._draw(name, experiment, key)
        return self._drawn[key]

    def variants(self, name: str, experiment: str = "") -> list[Variant]:
        """Return the variants that a figure shows."""
        recipe = FIGURES[name]
        home = recipe.experiment or experiment
        return [
            self.results.variant(variant if "/" in variant else f"{home}/{variant}")
            for variant in recipe.variants
        ]

    def _draw(self, name: str, experiment: str, key: str) -> Drawn | None:
        recipe, variants = FIGURES[name], self.variants(name, experiment)
        experiment = recipe.experiment or experiment
        if not any(variant.done for variant in variants):
            return None
        alt = f"{experiment_name(experiment, self.language)}. {self.language.gettext(recipe.alt)}"
        shown = [v.done if recipe.pooled else v.done[:1] for v in variants]
        cells = tuple(cell for cells in shown for cell in cells)
        svg = self.kept.find(key, cells)
        if svg is None:
            svg = self._drawn_anew(recipe, experiment, f"drawing-{key}".replace("_", "-"), alt)
            if svg is None:
                return None
            self.kept.keep(key, cells, svg)
        return Drawn(svg, alt, cells)

    def _drawn_anew(self, recipe: Recipe, experiment: str, name: str, alt: str) -> str | None:
        """Draw a figure; None where its cells hold nothing to draw."""
        more: dict[str, Any] = {}
        if recipe.experiment is None:
            more["experiment"] = experiment
        if recipe.takes_classes:
            more["class_names"] = self.class_names(experiment)
        if recipe.takes_handed_in:
            more["handed_in"] = self.constants.handed_in(f"{experiment}.f1")
        style, svg = (import_module(f"{__name__}.{module}") for module in ("style", "svg"))
        module, function = recipe.draw.split(".")
        draw = getattr(import_module(f"{__name__}.{module}"), function)
        with style.settings():
            figure = draw(self.results, self.language, **more)
            if figure is None:
                return None
            # a sheet of images writes itself
            own = getattr(figure, "to_svg", None)
            return str(own(name, alt) if own else svg.to_svg(figure, name, alt))

    def class_names(self, experiment: str) -> tuple[str, ...]:
        """Class names of an experiment's data set, in the report's language."""
        info = DATASETS[DATASET_OF.get(experiment, "fashion_mnist")]
        if all(name.isdigit() for name in info.class_names):
            return info.class_names
        return tuple(self.language.gettext(name) for name in info.class_names)
