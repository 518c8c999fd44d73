"""Figure of the neighbours that each map keeps, from the nearest ones to whole regions."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from bench.report.figures.style import RULE, new_figure, number_ticks, spread_markers, with_markers
from bench.report.figures.subject import Subject
from bench.report.values.collect import Variant

SOLID, DASHED = "solid", (0, (4, 1.5))


def neighbourhoods(subject: Subject) -> Figure | None:
    """Draw the share of neighbours kept, beyond chance, over the size of the neighbourhood.

    Networks are solid lines, methods without one dashed; the key is in the order of the areas.
    """
    language, variants = subject.language, subject.variants
    _ = language.gettext
    drawn = [(variant, *found) for variant in variants if (found := curves(variant)) is not None]
    if not drawn:
        return None
    figure = new_figure(66, margins=(11, 48, 10.5, 2))
    axes = figure.subplots()
    shapes = {variant.name: shape for (variant, _s, _k), shape in with_markers(drawn)}
    for variant, sizes, kept in drawn:
        axes.plot(
            sizes, kept.mean(axis=0), color=variant.colour, linewidth=1.3, markersize=3.2,
            linestyle=SOLID if variant.network else DASHED, marker=shapes[variant.name],
            markevery=spread_markers(len(sizes)),
        )  # fmt: skip
        if len(kept) > 1:
            axes.fill_between(
                sizes, kept.min(axis=0), kept.max(axis=0), alpha=0.15, linewidth=0,
                color=variant.colour,
            )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(1, max(sizes[-1] for _, sizes, _ in drawn))
    axes.set_ylim(bottom=min(0.0, *(kept.min() for _, _, kept in drawn)))
    axes.set_xlabel(_("Size of the neighbourhood"))
    axes.set_ylabel(_("Neighbours kept, beyond chance"))
    axes.grid(axis="y", color=RULE, linewidth=0.4)
    number_ticks(axes, language)
    for place, variant in enumerate(sorted((v for v, _, _ in drawn), key=_area, reverse=True)):
        height, colour = 0.95 - 0.085 * place, variant.colour
        axes.plot(
            [1.03, 1.0575, 1.085], [height] * 3, transform=axes.transAxes, clip_on=False,
            color=colour, linewidth=1.3, linestyle=SOLID if variant.network else DASHED,
            marker=shapes[variant.name], markevery=[1], markersize=3.2,
        )  # fmt: skip
        axes.text(
            1.1, height, subject.named(variant), transform=axes.transAxes,
            color=colour, fontsize=7.5, fontweight=600, va="center",
        )  # fmt: skip
    return figure


def curves(variant: Variant) -> tuple[np.ndarray, np.ndarray] | None:
    """Collect a method's curves over its seeds.

    Parameters
    ----------
    variant : Variant
        A map.

    Returns
    -------
    tuple of ndarray or None
        Sizes of neighbourhood, shape (n,), and shares kept, shape (seeds, n), of the cells that
        were scored at the sizes of the first; None where no cell holds a curve.
    """
    held = [cell.metrics.get("neighbourhood_curve") for cell in variant.done]
    found = [curve for curve in held if curve]
    if not found:
        return None
    sizes = found[0]["k"]
    kept = [curve["kept"] for curve in found if curve["k"] == sizes]
    return np.asarray(sizes), np.array(kept, float)


def _area(variant: Variant) -> float:
    area = variant.value("neighbourhood_auc")
    return area.mean if area else 0.0
