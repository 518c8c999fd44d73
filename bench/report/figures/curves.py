"""Learning curves."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from bench.report.figures.style import (
    QUIET,
    epoch_axis,
    fitting_size,
    new_figure,
    note,
    spread_markers,
    whole_axis,
    with_markers,
)
from bench.report.figures.subject import Subject
from bench.report.values.collect import Variant
from bench.report.words.i18n import Language
from bench.report.words.names import status_name, system_name

TRAINING, VALIDATION = (0, (2.5, 1.5)), "solid"
End = tuple[float, str, str, str]  # of a line: height, name, colour, marker


def stage_curves(subject: Subject) -> Figure | None:
    """Draw the loss of each greedy stage, training and validation."""
    language, (variant,) = subject.language, subject.variants
    _ = language.gettext
    tables = variant.tables("history")
    if not tables:
        return None
    stages = sorted(set(tables[0]["stage"]))
    figure = new_figure(46, grid=(1, len(stages)))
    panels = figure.subplots(1, len(stages), squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        own = [table[table["stage"] == stage].reset_index(drop=True) for table in tables]
        axes.set_title(_("Stage %(stage)d") % {"stage": stage})
        if one_epoch(axes, own, ("loss", "validation_loss"), language):
            continue
        curve(axes, own, "loss", variant.colour, TRAINING)
        curve(axes, own, "validation_loss", variant.colour, VALIDATION)
        epoch_axis(axes, language, _("Epoch"))
        from_zero(axes)
    panels[0].set_ylabel(_("Reconstruction loss"))
    line_key(panels[-1], language)
    return figure


def classifier_curves(subject: Subject) -> Figure | None:
    """Draw loss and accuracy of every classifier, training and validation."""
    language, variants = subject.language, subject.variants
    _ = language.gettext
    if not any(variant.tables("history") for variant in variants):
        return None
    figure = new_figure(54, margins=(11, 33, 10.5, 6), gaps=(14, 0), grid=(1, 2))
    panels = figure.subplots(1, 2)
    ends: list[End] = []
    for variant, marker in with_markers(variants):
        tables, colour = variant.tables("history"), variant.colour
        name = subject.named(variant)
        if not tables:
            continue
        for axes, column in zip(panels, ("loss", "accuracy"), strict=True):
            curve(axes, tables, column, colour, TRAINING, marker)
            last = curve(axes, tables, f"validation_{column}", colour, VALIDATION, marker)
        ends.append((last, name, colour, marker))
    for axes, title, percent in zip(
        panels, (_("Loss"), _("Accuracy (%)")), ((), ("y",)), strict=True
    ):
        axes.set_title(title)
        epoch_axis(axes, language, _("Epoch"), percent)
    from_zero(panels[0])
    label_ends(panels[1], ends)
    line_key(panels[0], language)
    return figure


def embedding_curves(subject: Subject) -> Figure | None:
    """Draw the loss of the networks with a two-dimensional code, each in its own units.

    The last of them is trained in two stages, encoder and decoder, and has a panel for each.
    """
    language, variants = subject.language, subject.variants
    _ = language.gettext
    if not any(variant.tables("history") for variant in variants):
        return None
    figure = new_figure(94, gaps=(13, 17), grid=(2, 3))
    panels = figure.subplots(2, 3).ravel()
    steps = [(variant, 1, "") for variant in variants]
    steps[-1:] = [(variants[-1], 1, _("encoder")), (variants[-1], 2, _("decoder"))]
    for axes, (variant, stage, part) in zip(panels, steps, strict=False):
        pair(axes, variant, language, stage)
        axes.set_title(axes.get_title("left"), fontsize=fitting_size(axes.get_title("left"), 42))
        axes.text(0.05, 0.07, part, transform=axes.transAxes, color=QUIET)
    for row in (0, 3):
        panels[row].set_ylabel(_("Loss (nats)"))
    whole_axis(panels[-1])
    line_key(panels[-1], language, "upper left")
    return figure


def curve(
    axes: Axes,
    tables: Sequence[pd.DataFrame],
    column: str,
    colour: str,
    style: object,
    marker: str = "o",
) -> float:
    """Draw a column over epochs: its mean over the seeds, with a band from least to greatest.

    Markers are filled on solid lines, and hollow on others.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    tables : sequence of DataFrame
        Histories, one a seed.
    column : str
        What is drawn.
    colour : str
        Of line and band.
    style : object
        Line style of matplotlib.
    marker : str
        Marker of matplotlib.

    Returns
    -------
    float
        The mean at the last epoch.
    """
    shortest = min(len(table) for table in tables)
    values = np.stack([table[column].to_numpy(float)[:shortest] for table in tables])
    epochs = tables[0]["epoch"].to_numpy()[:shortest]
    mean = values.mean(axis=0)
    axes.plot(
        epochs, mean, color=colour, linestyle=style, marker=marker, markersize=3,
        markeredgewidth=0.8, markerfacecolor=colour if style == "solid" else "white",
        markevery=spread_markers(shortest),
    )  # fmt: skip
    if len(tables) > 1:
        axes.fill_between(
            epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0
        )
    return float(mean[-1])


def one_epoch(
    axes: Axes, tables: Sequence[pd.DataFrame], columns: Sequence[str], language: Language
) -> bool:
    """Write the values of a single epoch as text: one point is no curve.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    tables : sequence of DataFrame
        Histories, one a seed.
    columns : sequence of str
        What would be drawn.
    language : Language
        The report's language.

    Returns
    -------
    bool
        Whether there is only one epoch: then the panel holds the words and nothing else.
    """
    if min(len(table) for table in tables) > 1:
        return False
    _ = language.gettext
    words = {"loss": _("training"), "validation_loss": _("validation")}
    lines = [_("one epoch")]
    for column in columns:
        if column in tables[0] and tables[0][column].notna().any():
            mean = float(np.mean([table[column].iloc[0] for table in tables]))
            lines.append(f"{words[column]}: {language.number(mean, '.4f')}")
    note(axes, "\n".join(lines))
    return True


def from_zero(axes: Axes) -> None:
    """Start the loss axis at zero where no loss is below it."""
    low, high = axes.get_ylim()
    if low > 0 or axes.dataLim.ymin >= 0:
        axes.set_ylim(0, high)


def label_ends(axes: Axes, ends: Sequence[End], gap: float = 0.075) -> None:
    """Name each line at its right end beside its marker, pushed apart where two would overlap.

    Parameters
    ----------
    axes : Axes
        Panel, with its final limits.
    ends : sequence of (float, str, str, str)
        Height (data units), text, colour and marker; a line may have none.
    gap : float
        Least distance, share of the panel's height.
    """
    if not ends:
        return
    ordered = sorted(ends)
    scaled = axes.yaxis.get_transform().transform
    low, high = scaled(np.array(axes.get_ylim()))
    wanted = (scaled(np.array([y for y, *_ in ordered])) - low) / (high - low)
    places: list[float] = []
    for place in np.clip(wanted, 0, 1):
        places.append(max(place, places[-1] + gap) if places else place)
    above = max(1.0, gap * (len(places) - 1)) + gap
    for k in reversed(range(len(places))):  # what was pushed out at the top comes down again
        above = places[k] = min(places[k], above - gap)
    beside = offset_copy(axes.transAxes, axes.get_figure(root=True), x=4, units="points")
    for place, (_, text, colour, marker) in zip(places, ordered, strict=True):
        if marker:
            axes.plot(
                1, place, marker, transform=beside, color=colour, markersize=3.5, clip_on=False
            )
        axes.annotate(
            text, (1, place), (9 if marker else 4, 0), "axes fraction", "offset points",
            va="center", color=colour, fontsize=7.5, fontweight=600,
        )  # fmt: skip


def line_key(axes: Axes, language: Language, place: Literal["best", "upper left"] = "best") -> None:
    """Draw a key in a corner: which line is training and which is validation.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    language : Language
        The report's language.
    place : str
        Corner, as matplotlib names it.
    """
    _ = language.gettext
    for style, text in ((VALIDATION, _("validation")), (TRAINING, _("training"))):
        axes.plot([], [], color=QUIET, linestyle=style, linewidth=1.2, label=text)
    axes.legend(loc=place, handlelength=1.8, borderaxespad=0.2, labelspacing=0.25)


def pair(axes: Axes, variant: Variant, language: Language, stage: int | None = None) -> None:
    """Draw training and validation loss (of one stage), the latter where there is one.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    variant : Variant
        The variant.
    language : Language
        The report's language.
    stage : int, optional
        Number of a stage; if absent, the whole history.
    """
    axes.set_title(system_name(variant, language))
    tables = variant.tables("history")
    if not tables:
        note(axes, status_name(variant.absence or "absent", language))
        return
    if stage is not None:
        tables = [table[table["stage"] == stage].reset_index(drop=True) for table in tables]
    if one_epoch(axes, tables, ("loss", "validation_loss"), language):
        return
    curve(axes, tables, "loss", variant.colour, TRAINING)
    if "validation_loss" in tables[0] and tables[0]["validation_loss"].notna().any():
        curve(axes, tables, "validation_loss", variant.colour, VALIDATION)
    epoch_axis(axes, language, language.gettext("Epoch"))
    from_zero(axes)


def several(
    axes: Axes, variant: Variant, language: Language, columns: dict[str, tuple[str, str]]
) -> None:
    """Draw several columns of a history, each named at its end: words and colour by column.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    variant : Variant
        The variant.
    language : Language
        The report's language.
    columns : dict of str to tuple of str
        Words and colour, by column.
    """
    axes.set_title(system_name(variant, language))
    tables = variant.tables("history")
    if not tables:
        note(axes, status_name(variant.absence or "absent", language))
        return
    ends = [
        (curve(axes, tables, column, colour, "solid", marker), text, colour, marker)
        for (column, (text, colour)), marker in with_markers(columns.items())
        if column in tables[0]
    ]
    epoch_axis(axes, language, language.gettext("Epoch"))
    from_zero(axes)
    label_ends(axes, ends, gap=0.13)
