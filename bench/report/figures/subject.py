"""What a drawing function is given."""

from dataclasses import dataclass

from bench.declarations import Declaration
from bench.report.collect import Results, Variant
from bench.report.i18n import Language
from bench.report.names import system_name


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
