"""Figures that compare the generators: classes, quality, the ladder, what a training cost."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bench.report.figures.curves import (
    curve,
    label_ends,
    line_key,
    pair,
    several,
)
from bench.report.figures.scores import label_box
from bench.report.figures.style import (
    INK,
    MOST_NUMBERED,
    QUIET,
    TEXT_WIDTH,
    WRITTEN_COLOURS,
    class_ticks,
    epoch_axis,
    new_figure,
    note,
    number_ticks,
    with_markers,
)
from bench.report.figures.subject import Subject
from bench.report.values.bounds import possible, within
from bench.report.values.collect import Variant
from bench.report.values.quantities import Quantity
from bench.report.words.i18n import Language
from bench.report.words.names import status_name, system_name

ACROSS = 3  # panels in a row
Spot = tuple[float, float, str, str]  # across, up, name, colour


def training_curves(subject: Subject) -> Figure | None:
    """Draw each generator's own losses, and how often the discriminators are right."""
    language = subject.language
    # an extra that this run was not asked for needs no panel
    variants = [variant for variant in subject.variants if variant.cells]
    if not any(variant.tables("history") for variant in variants):
        return None
    rows = -(-(len(variants) + 1) // ACROSS)
    figure = new_figure(47 * rows, margins=(11, 20, 10.5, 6), gaps=(31, 17), grid=(rows, ACROSS))
    panels = figure.subplots(rows, ACROSS, squeeze=False).ravel()
    for axes, variant in zip(panels, variants, strict=False):
        _losses(axes, variant, language)
    _wins(panels[len(variants)], variants, language)
    for axes in panels[len(variants) + 1 :]:
        axes.set_axis_off()
    for axes in panels[: len(variants) : ACROSS]:
        axes.set_ylabel(language.gettext("Loss (nats)"))
    return figure


def _losses(axes: Axes, variant: Variant, language: Language) -> None:
    """Draw the losses that a history has: of two players, of a bound, or one loss."""
    _ = language.gettext
    tables = variant.tables("history")
    held = set(tables[0]) if tables else set()
    if "generator_loss" in held:
        players = {
            "discriminator_loss": (_("discriminator"), INK),
            "generator_loss": (_("generator"), variant.colour),
        }
        several(axes, variant, language, players)
    elif "kl" in held:
        parts = {
            "reconstruction": (_("reconstruction"), variant.colour),
            "kl": (_("KL term"), "#d55e00"),
            "validation_loss": (_("validation bound"), INK),
        }
        several(axes, variant, language, parts)
    else:
        pair(axes, variant, language)
        if "validation_loss" in held and len(tables[0]) > 1:
            line_key(axes, language)


def _wins(axes: Axes, variants: Sequence[Variant], language: Language) -> None:
    """Draw the share of pairs that the discriminator orders rightly."""
    axes.set_title(language.gettext("Discriminator right (%)"))
    ends = []
    for variant, marker in with_markers(variants):
        tables = variant.tables("history")
        if not tables or "discriminator_wins" not in tables[0]:
            continue
        colour = variant.colour
        last = curve(axes, tables, "discriminator_wins", colour, "solid", marker)
        ends.append((last, system_name(variant, language), colour, marker))
    if not ends:
        note(axes, status_name("absent", language))
        return
    axes.axhline(0.5, color=QUIET, linewidth=0.5, linestyle=(0, (2, 2)))
    axes.set_ylim(0, 1.02)
    epoch_axis(axes, language, language.gettext("Epoch"), percent=("y",))
    label_ends(axes, ends, gap=0.13)


def class_shares(subject: Subject) -> Figure | None:
    """Draw per cent of each class among the samples of each generator, by the judge."""
    language, variants, class_names = subject.language, subject.variants, subject.class_names
    if not subject.any_done:
        return None
    even = 1 / len(class_names)  # share of each class among real images
    figure = new_figure(74, margins=(33, 9, 2, 22))
    axes = figure.subplots()
    shares = np.full((len(variants), len(class_names)), np.nan)
    for row, variant in enumerate(variants):
        own = [variant.value(f"class_histogram.{label}") for label in range(len(class_names))]
        if all(own):
            shares[row] = [quantity.mean for quantity in own]
        else:
            words = status_name(variant.absence or "absent", language)
            axes.text(
                (len(class_names) - 1) / 2,
                row,
                words,
                ha="center",
                va="center",
                color=QUIET,
                fontstyle="italic",
            )
    # as far from an even share as none at all: full colour
    axes.imshow(shares, cmap="PuOr_r", vmin=0, vmax=2 * even, aspect="auto")
    names, size = class_ticks(class_names)
    for row, column in np.argwhere(~np.isnan(shares)) if len(names) <= MOST_NUMBERED else ():
        share = shares[row, column]
        axes.text(
            column, row, language.number(share * 100, ".1f"), ha="center", va="center",
            fontsize=7.5 * min(1.0, 12 / len(names)),
            color="white" if abs(share - even) > 0.7 * even else INK,
        )  # fmt: skip
    axes.set_yticks(range(len(variants)), [system_name(v, language) for v in variants])
    axes.set_xticks(range(len(names)), names, fontsize=size)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="left", rotation_mode="anchor")
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def fidelity_diversity(subject: Subject) -> Figure | None:
    """Draw precision against recall, and density against coverage, of each generator."""
    language, variants = subject.language, subject.variants
    _ = language.gettext
    pairs = (
        ("precision", _("Precision (%)"), "recall", _("Recall (%)")),
        ("density", _("Density"), "coverage", _("Coverage (%)")),
    )
    if not subject.any_done:
        return None
    figure = new_figure(76, width=TEXT_WIDTH, margins=(11, 4, 10.5, 3), gaps=(16, 0), grid=(1, 2))
    for axes, (y, y_name, x, x_name) in zip(figure.subplots(1, 2), pairs, strict=True):
        spots = _spots(axes, variants, language, x, y)
        if not spots:
            note(axes, _("no values"))
            continue
        axes.set_xlim(-0.02, 1.02 * max(1, *(s[0] for s in spots)))
        axes.set_ylim(-0.02, 1.06 * max(1, *(s[1] for s in spots)))
        axes.set_xlabel(x_name + " →")
        axes.set_ylabel(y_name + " →")
        number_ticks(axes, language, percent=("x",) if y == "density" else ("x", "y"))
        name_spots(axes, spots)
    return figure


def budget(subject: Subject) -> Figure | None:
    """Draw Fréchet distance against seconds of training, and against trained parameters."""
    language, variants = subject.language, subject.variants
    _ = language.gettext
    costs = (
        ("training.seconds", _("Seconds of training"), 1.0),
        ("training.parameters", _("Trained parameters, thousands"), 1e-3),
    )
    if not any(variant.value("training.seconds") for variant in variants):
        return None
    figure = new_figure(66, margins=(13, 4, 10.5, 3), gaps=(12, 0), grid=(1, 2))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (path, words, unit) in zip(panels, costs, strict=True):
        axes.set_xscale("log")
        axes.set_yscale("log")
        spots = _spots(axes, variants, language, path, "frechet_distance", unit)
        axes.set_xlabel(words)
        if spots:
            axes.set_xlim(*_room([spot[0] for spot in spots], 1.6))
            axes.set_ylim(*_room([spot[1] for spot in spots], 1.5))
        _log_ticks(axes, language)
        name_spots(axes, spots)
    panels[0].set_ylabel("← " + _("Fréchet distance"))
    return figure


def ladder(subject: Subject) -> Figure | None:
    """Draw the Fréchet distance of spoilt real images, with each generator's as a line."""
    language, (spoilt, *sampled) = subject.language, subject.variants
    _ = language.gettext
    tables = spoilt.tables("ladder")
    if not tables:
        return None
    steps = tables[0]
    marks = [
        (quantity.mean, subject.named(variant), variant.colour)
        for variant in sampled
        if (quantity := variant.value("frechet_distance"))
    ]
    figure = new_figure(58, margins=(13, 33, 10.5, 3), gaps=(5, 0), grid=(1, 2))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (kind, words) in zip(panels, subject.results.words("spoiler").items(), strict=True):
        own = steps[steps["kind"] == kind].sort_values("strength")
        for height, _name, colour in marks:
            axes.axhline(height, color=colour, linewidth=0.9, linestyle=(0, (4, 1.5)))
        axes.plot(own["strength"], own["frechet_distance"], color=INK, marker="o", markersize=4)
        axes.set_yscale("log")
        axes.set_xlabel(_(words))
        axes.set_xticks(own["strength"].to_list())
        axes.margins(x=0.08)
    heights = [*steps["frechet_distance"], *(height for height, _name, _colour in marks)]
    panels[0].set_ylim(*_room(heights, 1.25))
    for axes in panels:
        _log_ticks(axes, language, "y")
        number_ticks(axes, language, "x")
    panels[0].set_ylabel(_("Fréchet distance"))
    label_ends(panels[-1], [(y, name, WRITTEN_COLOURS.get(c, c), "") for y, name, c in marks], 0.06)
    return figure


def _spots(
    axes: Axes, variants: Sequence[Variant], language: Language, x: str, y: str, unit: float = 1.0
) -> list[Spot]:
    """Draw one spot for each variant, with intervals both ways; say where each lies."""
    spots = []
    for variant in variants:
        across, up = variant.value(x), variant.value(y)
        if not across or not up:
            continue
        colour = variant.colour
        axes.errorbar(
            across.mean * unit, up.mean, xerr=_arms(across, unit), yerr=_arms(up), fmt="o",
            color=colour, markersize=5, elinewidth=0.8,
        )  # fmt: skip
        spots.append((across.mean * unit, up.mean, system_name(variant, language), colour))
    return spots


def name_spots(axes: Axes, spots: list[Spot]) -> None:
    """Name each spot beside, above or below it, where no other name or spot is.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    spots : list of Spot
        What is named.
    """
    box = axes.get_window_extent()
    width, height = box.width * 72 / axes.figure.dpi, box.height * 72 / axes.figure.dpi
    to_share = (axes.transData - axes.transAxes).transform
    centres = [to_share((x, y)) * (width, height) for x, y, _, _ in spots]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in centres]
    for bar in _bars(axes):
        (left, low), (right, high) = to_share(bar) * (width, height)
        taken.append((left - 1, low - 1, right + 1, high + 1))
    for (x, y), (_, _, text, colour) in zip(centres, spots, strict=True):
        place = label_box(x, y, 0.53 * 7.5 * len(text), 8.0, taken, width)
        taken.append(place)
        axes.annotate(
            text, (place[0] / width, (place[1] + 1.5) / height), xycoords="axes fraction",
            fontsize=7.5, fontweight=600, color=WRITTEN_COLOURS.get(colour, colour),
        )  # fmt: skip


def _arms(quantity: Quantity, unit: float = 1.0) -> list[list[float]] | None:
    """How far an interval reaches below and above its mean, within what is possible."""
    found = quantity.interval
    if found.low is None or found.high is None:
        return None
    low, high = within(found.low, found.high, possible(quantity.path))
    return [[(found.mean - low) * unit], [(high - found.mean) * unit]]


def _bars(axes: Axes) -> list[np.ndarray]:
    """Both ends of every interval drawn in a panel, in data units."""
    drawn = [c for c in axes.containers if isinstance(c, ErrorbarContainer)]
    return [
        np.sort(segment, axis=0)
        for container in drawn
        for lines in container.lines[2]
        for segment in lines.get_segments()
    ]


def _room(values: list[float], factor: float) -> tuple[float, float]:
    """Limits of a logarithmic axis, with room around the values."""
    positive = [value for value in values if value > 0]
    return min(positive) / factor, max(positive) * factor


def _log_ticks(axes: Axes, language: Language, which: str = "xy") -> None:
    """Number 1, 2 and 5 times powers of ten, or powers alone where there are many."""
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        low, high = axis.get_view_interval()
        many = np.log10(high / low) > 2
        axis.set_major_locator(LogLocator(subs=(1.0,) if many else (1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
        number_ticks(axes, language, name)
