"""Figures of classifiers: confidence against accuracy, few labels, overfitting."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bench.report.figures.curves import TRAINING, VALIDATION, curve, from_zero, label_ends, line_key
from bench.report.figures.style import (
    QUIET,
    RULE,
    epoch_axis,
    fitting_size,
    new_figure,
    note,
    number_ticks,
    with_markers,
)
from bench.report.figures.subject import Subject
from bench.report.values.collect import Variant
from bench.report.words.names import status_name

BINS = 15  # of `bench.metrics.classification.reliability_curve`
ARMS = {"pretrained": "fine_tuned", "from_scratch": "from_scratch"}  # few labels: whose colour
OVERFITTING_ARMS = {"handed_in": "handed_in", "decayed": "from_scratch", "cured": "fine_tuned"}


def reliability(subject: Subject) -> Figure | None:
    """Draw accuracy against confidence, bin by bin, a panel for each classifier."""
    language, variants = subject.language, subject.variants
    _ = language.gettext
    shown = [variant for variant in variants if is_shown(variant) and pooled_bins(variant).size]
    if not shown:
        return None
    count = len(variants)
    figure = new_figure(46, margins=(11, 2, 10.5, 6), gaps=(5, 0), grid=(1, count))
    panels = figure.subplots(1, count, sharex=True, sharey=True)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    for axes, variant in zip(panels, shown, strict=False):
        confidence, accuracy, counts = pooled_bins(variant)
        colour = variant.colour
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
        axes.plot(confidence, accuracy, color=colour, linewidth=1.0)
        axes.scatter(
            confidence, accuracy, s=3 + 60 * counts / counts.sum(), color=colour, linewidths=0
        )
        name = subject.named(variant)
        axes.set_title(name, fontsize=fitting_size(name, 31))
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.03)
        axes.set_xticks([0, 0.5, 1])
        axes.set_yticks([0, 0.5, 1])
        axes.set_xlabel(_("Confidence (%)"))
        number_ticks(axes, language, percent=("x", "y"))
    panels[0].set_ylabel(_("Accuracy (%)"))
    return figure


def is_shown(variant: Variant) -> bool:
    """Whether a variant is shown: it has results, and an ensemble has several members."""
    return bool(variant.done) and (variant.name != "ensemble" or variant.get("members") > 1)


def pooled_bins(variant: Variant) -> np.ndarray:
    """Put the bins of all seeds together.

    Parameters
    ----------
    variant : Variant
        A classifier.

    Returns
    -------
    ndarray of float, shape (3, bins)
        Confidence, accuracy and number of images of each bin that holds any; shape (3, 0) where no
        cell has a curve.
    """
    curves = [cell.metrics["reliability"] for cell in variant.done if "reliability" in cell.metrics]
    if not curves:
        return np.empty((3, 0))
    confidence, accuracy, counts = (
        np.concatenate([np.asarray(own[name], float) for own in curves])
        for name in ("confidence", "accuracy", "counts")
    )
    place = np.clip(np.ceil(confidence * BINS - 1e-9).astype(int) - 1, 0, BINS - 1)
    images = np.bincount(place, weights=counts, minlength=BINS)
    filled = images > 0
    sums = [
        np.bincount(place, weights=v * counts, minlength=BINS)[filled]
        for v in (confidence, accuracy)
    ]
    return np.stack([*(total / images[filled] for total in sums), images[filled]])


def few_labels(subject: Subject) -> Figure | None:
    """Draw test accuracy over labelled images a class, pretrained and from random weights."""
    language, (variant,) = subject.language, subject.variants
    _ = language.gettext
    counts = variant.get("per_class")
    if not counts:
        return None
    names = {"pretrained": _("pretrained"), "from_scratch": _("from scratch")}
    figure = new_figure(50, width=105, margins=(11, 24, 10.5, 2))
    axes = figure.subplots()
    ends = []
    for shift, ((arm, system), marker) in zip(
        (0.97, 1.03), with_markers(ARMS.items()), strict=True
    ):
        values = [variant.value(f"accuracies.{arm}.{count}") for count in counts]
        means, halves = [q.mean for q in values], [q.half_width or 0.0 for q in values]
        colour = subject.system(system).colour
        # side by side, so that neither interval hides the other
        axes.errorbar(
            [count * shift for count in counts], means, yerr=halves, color=colour, marker=marker,
            markersize=3.5, elinewidth=0.9, capsize=1.8,
        )  # fmt: skip
        ends.append((means[-1], names[arm], colour, marker))
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(counts)
    axes.set_xlabel(_("Labelled images of each class"))
    axes.set_ylabel(_("Test accuracy (%)"))
    number_ticks(axes, language, percent=("y",))
    axes.grid(axis="y", color=RULE, linewidth=0.4)
    label_ends(axes, ends, gap=0.1)
    return figure


def overfitting(subject: Subject) -> Figure | None:
    """Draw the loss over epochs of the three arms that see the same few images."""
    language, (variant,) = subject.language, subject.variants
    _ = language.gettext
    tables = variant.tables("history")
    if not tables:
        return None
    titles = {
        "handed_in": subject.named(subject.system("handed_in")),
        "decayed": _("The same, rate falls to zero"),
        "cured": _("Network of exercise 5"),
    }
    figure = new_figure(52, gaps=(9, 0), grid=(1, len(OVERFITTING_ARMS)))
    panels = figure.subplots(1, len(OVERFITTING_ARMS), sharey=True)
    for axes, (arm, system) in zip(panels, OVERFITTING_ARMS.items(), strict=True):
        own = [table[table["arm"] == arm].reset_index(drop=True) for table in tables]
        axes.set_title(titles[arm], fontsize=fitting_size(titles[arm], 42))
        if any(table.empty for table in own):
            note(axes, status_name("absent", language))
            continue
        _losses(axes, own, subject.system(system).colour)
        epoch_axis(axes, language, _("Epoch"))
    from_zero(panels[0])
    panels[0].set_ylabel(_("Loss"))
    line_key(panels[0], language)
    return figure


def _losses(axes: Axes, tables: list, colour: str) -> None:
    curve(axes, tables, "loss", colour, TRAINING)
    curve(axes, tables, "validation_loss", colour, VALIDATION)
