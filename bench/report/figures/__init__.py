"""The report's figures: one function each, drawn from the store in one language."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from bench.data import DATASETS
from bench.report.collect import Results, Variant
from bench.report.constants import Constants
from bench.report.drawings import Drawings
from bench.report.i18n import Language
from bench.report.names import N_, experiment_name
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


CLASSIFIERS = ("assignment", "from_scratch", "fine_tuned")
MAPS = ("assignment", "autoencoder", "pca", "tsne")
GENERATORS = ("reference", "assignment", "autoencoder", "vae", "gan")
TRAINED = GENERATORS[1:]

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
    "embedding_curves": Recipe(
        "curves.embedding_curves",
        EMBEDDING,
        ("assignment", "autoencoder"),
        N_("Line charts of the reconstruction loss over epochs for the two autoencoders."),
        pooled=True,
    ),
    "embedding_maps": Recipe(
        "maps.embedding_maps",
        EMBEDDING,
        MAPS,
        N_("Four scatter plots of the test images in two dimensions, coloured by class."),
        takes_classes=True,
    ),
    "embedding_clouds": Recipe(
        "maps.embedding_clouds",
        EMBEDDING,
        MAPS,
        N_("The same four maps with small images in place of the points."),
    ),
    "embedding_brightness": Recipe(
        "maps.embedding_brightness",
        EMBEDDING,
        MAPS,
        N_("Scatter plots of mean brightness against the first axis of each map."),
    ),
    "embedding_reconstructions": Recipe(
        "images.embedding_reconstructions",
        EMBEDDING,
        ("assignment", "autoencoder"),
        N_("One image of each class above its reconstructions from two numbers."),
    ),
    "decoded_grids": Recipe(
        "images.decoded_grids",
        EMBEDDING,
        ("assignment", "autoencoder"),
        N_("Images decoded from a regular grid over each map."),
    ),
    "generation_samples": Recipe(
        "images.samples",
        GENERATION,
        GENERATORS,
        N_("Sheets of samples from each generator beside real images."),
    ),
    "generation_reconstructions": Recipe(
        "images.generation_reconstructions",
        GENERATION,
        ("assignment", "autoencoder", "vae"),
        N_("Real images above the reconstructions of each network with an encoder."),
    ),
    "generation_interpolations": Recipe(
        "images.interpolations",
        GENERATION,
        TRAINED,
        N_("Rows of images that change from one code to another."),
    ),
    "generation_nearest": Recipe(
        "images.nearest",
        GENERATION,
        TRAINED,
        N_("Samples above the training images that are nearest to them."),
    ),
    "generation_curves": Recipe(
        "curves.generation_curves",
        GENERATION,
        ("autoencoder", "vae", "gan"),
        N_("Line charts of each generator's losses over epochs."),
        pooled=True,
    ),
    "class_shares": Recipe(
        "scores.class_shares",
        GENERATION,
        GENERATORS,
        N_("Bar charts of the classes that each generator's samples belong to."),
        pooled=True,
        takes_classes=True,
    ),
    "fidelity_diversity": Recipe(
        "scores.fidelity_diversity",
        GENERATION,
        GENERATORS,
        N_("Scatter plots of precision against recall and of density against coverage."),
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
