"""Arguments of the drawing functions."""

from dataclasses import dataclass

from bench.declarations import Declaration, Figure
from bench.report.values.collect import Results, Variant
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language
from bench.report.words.names import system_name


@dataclass(frozen=True)
class Subject:
    """What a figure is to show, and in which language.

    Attributes
    ----------
    results : Results
        The run.
    experiment : Declaration
        Whose figure it is.
    variants : tuple of Variant
        The systems that its declaration lists for the figure, in that order.
    language : Language
        Of all its words.
    class_names : tuple of str
        Of the experiment's data set, in the language.
    stated_f1 : tuple of float or None
        F1 of each class in an earlier report, where one is known.
    """

    results: Results
    experiment: Declaration
    variants: tuple[Variant, ...]
    language: Language
    class_names: tuple[str, ...] = ()
    stated_f1: tuple[float, ...] | None = None

    @property
    def any_done(self) -> bool:
        """Whether one of the systems has a finished cell."""
        return any(variant.done for variant in self.variants)

    def system(self, name: str) -> Variant:
        """Return another system of the same experiment."""
        return self.results.variant(f"{self.experiment.name}/{name}")

    def named(self, variant: Variant) -> str:
        """Name a system in the figure's language."""
        return system_name(variant, self.language)


def subject_of(
    results: Results, said: Declaration, figure: Figure, language: Language, constants: Constants
) -> Subject:
    """Collect what a declared figure shows.

    Parameters
    ----------
    results : Results
        The run.
    said : Declaration
        Whose figure it is.
    figure : Figure
        The figure.
    language : Language
        Of its words.
    constants : Constants
        Figures that were not measured here.

    Returns
    -------
    Subject
        What the drawing function is given.
    """
    return Subject(
        results,
        said,
        tuple(results.variant(path) for path in said.shown_in(figure)),
        language,
        class_names(results, said.name, language),
        constants.handed_in(f"{said.name}.f1"),
    )


def class_names(results: Results, experiment: str, language: Language) -> tuple[str, ...]:
    """Class names of an experiment's data set, in a language.

    Parameters
    ----------
    results : Results
        Results of the run.
    experiment : str
        Name of an experiment.
    language : Language
        The report's language.

    Returns
    -------
    tuple of str
        A name for each class.
    """
    used = results.dataset(experiment)
    if used.instead_of or all(name.isdigit() for name in used.class_names):
        return used.class_names
    return tuple(language.gettext(name) for name in used.class_names)
