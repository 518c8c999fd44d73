"""The report's figures: one function each, drawn from the store in one language.

Which there are, and of which systems, each experiment declares.
"""

from dataclasses import dataclass, field
from importlib import import_module

from bench.declarations import Figure
from bench.report.figures.drawings import Drawings
from bench.report.figures.subject import Subject, class_names, subject_of
from bench.report.values.collect import Results, Variant
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language
from bench.report.words.names import experiment_name
from bench.store import StoredCell

__all__ = ["Drawn", "Gallery"]


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
            As its experiment declares it.
        experiment : str
            Which experiment, for figures that several share.

        Returns
        -------
        Drawn or None
            The figure.
        """
        key = f"{name}-{experiment}" if experiment else name
        if key not in self._drawn:
            self._drawn[key] = self._draw(name, experiment, key)
        return self._drawn[key]

    def variants(self, name: str, experiment: str = "") -> list[Variant]:
        """Return the variants that a figure shows.

        Parameters
        ----------
        name : str
            The figure.
        experiment : str
            Name of an experiment.

        Returns
        -------
        list of Variant
            The variants.
        """
        said, figure = self.results.figure(name, experiment)
        return [self.results.variant(path) for path in said.shown_in(figure)]

    def _draw(self, name: str, experiment: str, key: str) -> Drawn | None:
        said, figure = self.results.figure(name, experiment)
        variants = self.variants(name, experiment)
        if not any(variant.done for variant in variants):
            return None
        alt = f"{experiment_name(said, self.language)}. {self.language.gettext(figure.alt)}"
        shown = [v.done if figure.pooled else v.done[:1] for v in variants]
        cells = tuple(cell for cells in shown for cell in cells)
        svg = self.kept.find(key, cells)
        if svg is None:
            subject = subject_of(self.results, said, figure, self.language, self.constants)
            svg = _drawn(subject, figure, f"drawing-{key}".replace("_", "-"), alt)
            if svg is None:
                return None
            self.kept.keep(key, cells, svg)
        return Drawn(svg, alt, cells)

    def class_names(self, experiment: str) -> tuple[str, ...]:
        """Class names of an experiment's data set, in the report's language."""
        return class_names(self.results, experiment, self.language)


def _drawn(subject: Subject, figure: Figure, name: str, alt: str) -> str | None:
    """Draw a figure; None where its cells hold nothing to draw."""
    # imported here, so that matplotlib is loaded only where something is drawn
    style, svg = (import_module(f"{__name__}.{module}") for module in ("style", "svg"))
    draw = subject.experiment.find(figure.draw, __name__)
    with style.settings():
        drawing = draw(subject)
        if drawing is None:
            return None
        # a sheet of images writes itself
        own = getattr(drawing, "to_svg", None)
        return str(own(name, alt) if own else svg.to_svg(drawing, name, alt))
