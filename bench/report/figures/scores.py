"""Figures of scores: confusion, per-class measures, class shares, fidelity against diversity."""

import numpy as np
from matplotlib.figure import Figure

from bench.report.figures.style import (
    INK,
    MOST_NUMBERED,
    QUIET,
    RULE,
    class_ticks,
    new_figure,
    number_ticks,
    with_markers,
)
from bench.report.figures.subject import Subject

Box = tuple[float, float, float, float]  # left, bottom, right, top


def confusion(subject: Subject) -> Figure | None:
    """Draw the confusion matrix, summed over the seeds, in shares of each true class."""
    language, class_names, (variant,) = subject.language, subject.class_names, subject.variants
    _ = language.gettext
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
    numbered = len(shares) <= MOST_NUMBERED
    for row, column in np.ndindex(shares.shape if numbered else (0, 0)):
        share, right = shares[row, column], row == column
        if right or share >= 0.0005:
            axes.text(
                column, row, language.number(share * 100, ".1f"), ha="center", va="center",
                fontsize=7 * min(1.0, 10 / len(shares)),
                color=INK if right or share > 0.4 * greatest else QUIET,
                fontweight=600 if right else 400,
            )  # fmt: skip
    names, size = class_ticks(class_names)
    axes.set_xticks(range(len(names)), names, fontsize=size)
    if not short:
        axes.tick_params(axis="x", labelrotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.tick_params(length=0)
    axes.set_xlabel(_("Predicted"))
    axes.set_ylabel(_("True"))
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def per_class(subject: Subject) -> Figure | None:
    """Draw the F1 score of each class: as stated before, and of this run's classifiers."""
    language, class_names, stated = subject.language, subject.class_names, subject.stated_f1
    _ = language.gettext
    rows = {
        variant: [variant.value(f"per_class.f1.{label}") for label in range(len(class_names))]
        for variant in subject.variants
    }
    if not any(rows.values()) or not any(q for own in rows.values() for q in own):
        return None
    names, size = class_ticks(class_names)
    figure = new_figure(12.5 + 5.35 * min(max(len(names), 10), 40), margins=(24, 36, 10.5, 2))
    axes = figure.subplots()
    heights = np.arange(len(class_names))
    axes.hlines(heights, 0, 1, color=RULE, linewidth=0.4, zorder=0)
    lowest = 1.0
    keys = []
    if stated is not None:
        axes.scatter(stated, heights, s=20, marker="|", color=INK, linewidths=1.2, zorder=3)
        keys.append((_("Earlier report"), INK, "|"))
        lowest = min(stated)
    for (variant, own), marker in with_markers(rows.items()):
        if not all(own):
            continue
        means = [quantity.mean for quantity in own]
        lowest = min(lowest, *means)
        axes.scatter(
            means, heights, s=16, color=variant.colour, linewidths=0, zorder=2, marker=marker
        )
        keys.append((subject.named(variant), variant.colour, marker))
    axes.set_xlim(max(0, lowest - 0.03), 1.002)
    axes.set_ylim(len(class_names) - 0.4, -0.6)
    axes.set_yticks(heights, names, fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_("F1 (%)"))
    number_ticks(axes, language, "x", percent="x")
    for place, (text, colour, marker) in enumerate(reversed(keys)):
        height = 0.94 - 0.085 * place
        axes.plot(
            1.03, height, marker, transform=axes.transAxes, color=colour, markersize=4,
            clip_on=False,
        )  # fmt: skip
        axes.text(
            1.06, height, text, transform=axes.transAxes, color=colour, fontsize=7.5,
            fontweight=600, va="center",
        )  # fmt: skip
    return figure


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
        Right edge of the panel; its left and lower one are 0.

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
        if (
            box[0] >= 0 <= bottom
            and box[2] <= room
            and not any(_overlap(box, other) for other in taken)
        ):
            return box
    return (x + aside, y - height / 2, x + aside + width, y + height / 2)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
