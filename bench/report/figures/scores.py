"""Figures of scores: confusion, per-class measures, class shares, fidelity against diversity."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.collect import Results
from bench.report.figures.style import (
    INK,
    QUIET,
    RULE,
    SYSTEM_COLOURS,
    TEXT_WIDTH,
    fitting_size,
    new_figure,
    note,
    number_ticks,
)
from bench.report.i18n import Language
from bench.report.names import status_name, system_name

Box = tuple[float, float, float, float]  # left, bottom, right, top
GENERATORS = ("reference", "assignment", "autoencoder", "vae", "gan")


def confusion(
    results: Results, language: Language, experiment: str, class_names: tuple[str, ...]
) -> Figure | None:
    """Draw the confusion matrix, summed over the seeds, in shares of each true class."""
    _ = language.gettext
    variant = results.variant(f"{experiment}/fine_tuned")
    if not variant.done:
        return None
    counts = np.sum([np.array(cell.metrics["confusion"], float) for cell in variant.done], axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    short = max(map(len, class_names)) < 3
    margins = (12, 2, 11, 1) if short else (26, 2, 23, 1)
    side = 76  # mm, of the matrix
    figure = new_figure(
        side + margins[2] + margins[3], width=side * 1.3 + margins[0] + margins[1], margins=margins
    )
    axes = figure.subplots()
    errors = np.where(np.eye(len(shares), dtype=bool), 0, shares)
    greatest = max(errors.max(), 1e-3)
    axes.imshow(errors, cmap="Oranges", vmin=0, vmax=greatest * 1.35, aspect="auto")
    for row, column in np.ndindex(shares.shape):
        share, right = shares[row, column], row == column
        if right or share >= 0.0005:
            axes.text(
                column, row, language.number(share * 100, ".1f"), ha="center", va="center",
                fontsize=7, color=INK if right or share > 0.4 * greatest else QUIET,
                fontweight=600 if right else 400,
            )  # fmt: skip
    axes.set_xticks(range(len(class_names)), class_names)
    if not short:
        axes.tick_params(axis="x", labelrotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(class_names)), class_names)
    axes.tick_params(length=0)
    axes.set_xlabel(_("Predicted"))
    axes.set_ylabel(_("True"))
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def per_class(
    results: Results,
    language: Language,
    experiment: str,
    class_names: tuple[str, ...],
    handed_in: Sequence[float] | None,
) -> Figure | None:
    """Draw the F1 score of each class: handed in, its network again, this project's."""
    _ = language.gettext
    rows = {
        name: [
            results.value(f"{experiment}/{name}", f"per_class.f1.{label}") for label in range(10)
        ]
        for name in ("assignment", "from_scratch", "fine_tuned")
    }
    if not any(rows.values()) or not any(q for own in rows.values() for q in own):
        return None
    figure = new_figure(66, margins=(24, 36, 10.5, 2))
    axes = figure.subplots()
    heights = np.arange(10)
    axes.hlines(heights, 0, 1, color=RULE, linewidth=0.4, zorder=0)
    lowest = 1.0
    keys = []
    if handed_in is not None:
        axes.scatter(handed_in, heights, s=20, marker="|", color=INK, linewidths=1.2, zorder=3)
        keys.append((_("Handed-in report"), INK))
        lowest = min(handed_in)
    for name, own in rows.items():
        if not all(own):
            continue
        means = [quantity.mean for quantity in own]
        lowest = min(lowest, *means)
        axes.scatter(means, heights, s=16, color=SYSTEM_COLOURS[name], linewidths=0, zorder=2)
        keys.append((system_name(f"{experiment}/{name}", language), SYSTEM_COLOURS[name]))
    axes.set_xlim(max(0, lowest - 0.03), 1.002)
    axes.set_ylim(9.6, -0.6)
    axes.set_yticks(heights, class_names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_("F1 score"))
    number_ticks(axes, language, "x")
    for place, (text, colour) in enumerate(reversed(keys)):
        axes.text(
            1.03, 0.94 - 0.085 * place, text, transform=axes.transAxes, color=colour,
            fontsize=7.5, fontweight=600, va="center",
        )  # fmt: skip
    return figure


def class_shares(
    results: Results, language: Language, class_names: tuple[str, ...]
) -> Figure | None:
    """Draw which classes each generator's samples belong to, by the judge."""
    _ = language.gettext
    paths = [f"fashion_generation/{name}" for name in GENERATORS]
    variants = [results.variant(path) for path in paths]
    if not any(variant.done for variant in variants):
        return None
    figure = new_figure(62, margins=(22, 2, 10.5, 6), gaps=(3, 0), grid=(1, len(paths)))
    panels = figure.subplots(1, len(paths), sharex=True, sharey=True)
    heights = np.arange(10)
    for axes, variant in zip(panels, variants, strict=True):
        name = system_name(variant.path, language)
        axes.set_title(name, fontsize=fitting_size(name, 21, 8))
        own = [variant.value(f"class_histogram.{label}") for label in heights]
        if not all(own):
            note_text = status_name(variant.absence or "absent", language)
            axes.text(0.5, 0.5, note_text, transform=axes.transAxes, ha="center", color=QUIET,
                      fontstyle="italic")  # fmt: skip
            continue
        axes.barh(heights, [q.mean for q in own], height=0.62, color=SYSTEM_COLOURS[variant.name],
                  linewidth=0)  # fmt: skip
        axes.axvline(0.1, color=INK, linewidth=0.5, linestyle=(0, (2, 2)))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        number_ticks(axes, language, "x")
    panels[0].set_yticks(heights, class_names)
    panels[0].set_ylim(9.6, -0.6)
    panels[len(paths) // 2].set_xlabel(_("Share of the samples"))
    return figure


def fidelity_diversity(results: Results, language: Language) -> Figure | None:
    """Draw precision against recall, and density against coverage, of each generator."""
    _ = language.gettext
    pairs = (
        ("precision", _("Precision"), "recall", _("Recall")),
        ("density", _("Density"), "coverage", _("Coverage")),
    )
    variants = [results.variant(f"fashion_generation/{name}") for name in GENERATORS]
    if not any(variant.done for variant in variants):
        return None
    figure = new_figure(70, width=TEXT_WIDTH, margins=(11, 4, 10.5, 3), gaps=(16, 0), grid=(1, 2))
    for axes, (y, y_name, x, x_name) in zip(figure.subplots(1, 2), pairs, strict=True):
        spots = []
        for variant in variants:
            across, up = variant.value(x), variant.value(y)
            if not across or not up:
                continue
            colour = SYSTEM_COLOURS[variant.name]
            axes.errorbar(
                across.mean, up.mean, xerr=across.half_width, yerr=up.half_width, fmt="o",
                color=colour, markersize=5, elinewidth=0.8,
            )  # fmt: skip
            spots.append((across.mean, up.mean, system_name(variant.path, language), colour))
        if not spots:
            note(axes, _("no values"))
            continue
        axes.set_xlim(-0.02, 1.02 * max(1, *(s[0] for s in spots)))
        axes.set_ylim(-0.02, 1.06 * max(1, *(s[1] for s in spots)))
        axes.set_xlabel(x_name + " →")
        axes.set_ylabel(y_name + " →")
        number_ticks(axes, language)
        _name_spots(axes, spots)
    return figure


def _name_spots(axes: Axes, spots: list[tuple[float, float, str, str]]) -> None:
    """Name each spot beside, above or below it, where no other name or spot is."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    box = axes.get_window_extent()
    width, height = box.width * 72 / axes.figure.dpi, box.height * 72 / axes.figure.dpi
    centres = [
        ((x - left) / (right - left) * width, (y - low) / (high - low) * height)
        for x, y, _, _ in spots
    ]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in centres]
    for (x, y), (_, _, text, colour) in zip(centres, spots, strict=True):
        place = label_box(x, y, 0.53 * 7.5 * len(text), 8.0, taken, width)
        taken.append(place)
        axes.annotate(
            text, (place[0] / width, (place[1] + 1.5) / height), xycoords="axes fraction",
            fontsize=7.5, fontweight=600, color=colour,
        )  # fmt: skip


def label_box(
    x: float, y: float, width: float, height: float, taken: list[Box], room: float
) -> Box:
    """Find a box for a label near a spot that covers none of those taken.

    Parameters
    ----------
    x, y : float
        The spot.
    width, height : float
        Of the label.
    taken : list of (left, bottom, right, top)
        What it may not cover.
    room : float
        Right edge of the panel; the left one is 0.

    Returns
    -------
    tuple of float
        Left, bottom, right and top; to the right of the spot if every place is taken.
    """
    aside, gap = 6.0, 5.0
    places = [
        (left, y + rise - height / 2)
        for step in range(6)
        for rise in (step * height, -step * height)
        for left in (x + aside, x - aside - width, x - width / 2)
        if step or left != x - width / 2
    ]
    places += [(x - width / 2, y + gap), (x - width / 2, y - gap - height)]
    for left, bottom in places:
        box = (left, bottom, left + width, bottom + height)
        if box[0] >= 0 and box[2] <= room and not any(_overlap(box, other) for other in taken):
            return box
    return (x + aside, y - height / 2, x + aside + width, y + height / 2)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
