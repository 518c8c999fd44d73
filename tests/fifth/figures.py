"""Its figure."""

from matplotlib.figure import Figure

from bench.report.figures.style import new_figure, number_ticks
from bench.report.figures.subject import Subject


def prototypes(subject: Subject) -> Figure | None:
    """Draw the accuracy of each prototype, a dot for each seed."""
    if not subject.any_done:
        return None
    figure = new_figure(36, margins=(34, 4, 10.5, 2))
    axes = figure.subplots()
    for height, variant in enumerate(subject.variants):
        values = variant.value("accuracy").values
        axes.scatter(values, [height] * len(values), color=variant.colour, s=16)
    axes.set_yticks(range(len(subject.variants)), [subject.named(v) for v in subject.variants])
    axes.set_ylim(len(subject.variants) - 0.5, -0.5)
    axes.set_xlabel(subject.language.gettext("Accuracy"))
    number_ticks(axes, subject.language, "x")
    return figure
