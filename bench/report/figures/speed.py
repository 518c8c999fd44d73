"""Figures of speed: contenders side by side, accuracy over seconds, growth of cost."""

from itertools import groupby
from operator import attrgetter

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from bench.report.figures.style import (
    INK,
    QUIET,
    RULE,
    new_figure,
    note,
    number_ticks,
    with_markers,
)
from bench.report.figures.subject import Subject
from bench.report.values.collect import Variant
from bench.report.words.i18n import Language
from bench.report.words.names import status_name

CONTENDER_COLOURS = {"our_loop": "#0072b2", "keras_fit": "#777777", "pytorch": "#d55e00"}
GROWTH_COLOUR = "#0072b2"


def throughput(subject: Subject) -> Figure | None:
    """Draw images a second of each contender for each network, slowest to fastest round."""
    language, (variant,) = subject.language, subject.variants
    _ = language.gettext
    if not variant.done:
        return None
    networks, contenders = (subject.results.words(kind) for kind in ("network", "contender"))
    figure = new_figure(44, margins=(30, 3, 10.5, 6), gaps=(5, 0), grid=(1, len(networks)))
    panels = figure.subplots(1, len(networks), sharey=True)
    names = [name for name in contenders if variant.value(_rate("classifier", name))]
    for axes, (network, words) in zip(panels, networks.items(), strict=True):
        axes.set_title(_(words))
        for height, name in enumerate(names):
            rate = variant.value(_rate(network, name))
            slow, fast = (
                variant.value(f"networks.{network}.{name}.{end}") for end in ("slowest", "fastest")
            )
            if not (rate and slow and fast):
                continue
            colour = CONTENDER_COLOURS[
                name.removesuffix("_float32").removesuffix("_mixed_bfloat16")
            ]
            axes.barh(
                height,
                rate.mean,
                height=0.6,
                color=colour,
                alpha=0.55 if name.endswith("_float32") else 1.0,
                linewidth=0,
            )
            axes.hlines(height, slow.mean, fast.mean, color=INK, linewidth=0.9)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(left=0)
        number_ticks(axes, language, "x")
    panels[0].set_yticks(range(len(names)), [_(contenders[name]) for name in names])
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    panels[len(panels) // 2].set_xlabel(_("Images a second"))
    return figure


def speedruns(subject: Subject) -> Figure | None:
    """Draw validation accuracy over seconds, and where each sprint ends on the test images."""
    language = subject.language
    _ = language.gettext
    if not subject.any_done:
        return None
    races = [list(race) for _, race in groupby(subject.variants, key=attrgetter("experiment"))]
    figure = new_figure(62, margins=(13, 3, 10.5, 6), gaps=(16, 0), grid=(1, len(races)))
    panels = figure.subplots(1, len(races), squeeze=False)[0]
    for axes, race in zip(panels, races, strict=True):
        axes.set_title(subject.results.dataset(race[0].experiment).title)
        shown = [variant for variant in race if variant.done]
        if not shown:
            note(axes, status_name(race[0].absence or "absent", language))
            continue
        for variant, marker in with_markers(shown):
            _race(axes, variant, subject.named(variant), marker)
        axes.set_xlabel(_("Seconds of training"))
        axes.set_xlim(left=0)
        number_ticks(axes, language, percent=("y",))
        axes.legend(loc="lower right", handlelength=1.2, borderaxespad=0.2, labelspacing=0.25)
    panels[0].set_ylabel(_("Accuracy (%)"))
    return figure


def growth(subject: Subject) -> Figure | None:
    """Draw seconds over the size of the work, both logarithmic, with the fitted exponents."""
    language, variants = subject.language, subject.variants
    grown = subject.results.words("growth_axis")
    tables = [table for variant in variants for table in variant.tables("growth")[:1]]
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True)
    axes_names = [name for name in grown if name != "threads" and (table["axis"] == name).any()]
    rows = -(-len(axes_names) // 3)
    figure = new_figure(8 + 42 * rows, gaps=(14, 17), grid=(rows, 3))
    panels = np.ravel(figure.subplots(rows, 3, squeeze=False))
    for axes, name in zip(panels, axes_names, strict=False):
        own = table[table["axis"] == name]
        exponent = next((q for v in variants if (q := v.value(f"exponents.{name}.exponent"))), None)
        _grown(
            axes, own, language, language.gettext(grown[name]), exponent.mean if exponent else None
        )
    for axes in panels[len(axes_names) :]:
        axes.set_visible(False)
    return figure


def growth_load(subject: Subject) -> Figure | None:
    """Draw images a second and peak memory of our loop over the size of the work."""
    language, (variant,) = subject.language, subject.variants
    tables, grown = variant.tables("growth")[:1], subject.results.words("growth_axis")
    if not tables:
        return None
    shown = [name for name in grown if (tables[0]["axis"] == name).any()]
    figure = new_figure(76, margins=(16, 3, 10.5, 6), gaps=(7, 8), grid=(2, len(shown)))
    panels = figure.subplots(2, len(shown), squeeze=False, sharey="row", sharex="col")
    for column, name in zip(panels.T, shown, strict=True):
        own = tables[0][tables[0]["axis"] == name]
        sizes = own["size"].to_numpy(float)
        for axes, measured in zip(column, ("images_per_second", "peak_memory_mib"), strict=True):
            axes.plot(sizes, own[measured], color=GROWTH_COLOUR, marker="o", markersize=3)
        column[1].set_xlabel(language.gettext(grown[name]))
        _size_axis(column[1], sizes)
    for row in panels:  # each with one scale
        row[0].set_ylim(0, 1.08 * row[0].get_ylim()[1])
        for axes in row:
            number_ticks(axes, language)
    panels[0, 0].set_ylabel(language.gettext("Images a second"))
    panels[1, 0].set_ylabel(language.gettext("Peak memory, MiB"))
    return figure


def _rate(network: str, contender: str) -> str:
    return f"networks.{network}.{contender}.images_per_second"


def _race(axes: Axes, variant: Variant, name: str, marker: str) -> None:
    colour = variant.colour
    curves = variant.tables("curve")
    shortest = min(map(len, curves))
    seconds, accuracy = (
        np.mean([curve[column].to_numpy(float)[:shortest] for curve in curves], axis=0)
        for column in ("seconds", "validation_accuracy")
    )
    axes.plot(seconds, accuracy, color=colour, marker=marker, markersize=2.8, label=name)
    target, reached, taken = (variant.value(path) for path in ("target", "accuracy", "seconds"))
    axes.axhline(target.mean, color=RULE, linewidth=0.6, zorder=0)
    axes.scatter(taken.values, reached.values, s=22, marker="D", facecolors="none",
                 edgecolors=colour, linewidths=0.9, zorder=3)  # fmt: skip


def _grown(
    axes: Axes, own: pd.DataFrame, language: Language, title: str, exponent: float | None
) -> None:
    sizes, seconds = own["size"].to_numpy(float), own["seconds"].to_numpy(float)
    axes.plot(sizes, seconds, color=GROWTH_COLOUR, marker="o", markersize=3)
    _size_axis(axes, sizes)
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter(NullFormatter())
    low, high = seconds.min(), seconds.max()
    if high < 3 * low:  # a flat line is to look flat
        middle = np.sqrt(low * high)
        axes.set_ylim(middle / 2, middle * 2)
    axes.set_yticks(_nice(*axes.get_ylim()))
    number_ticks(axes, language)
    axes.set_title(title)
    axes.set_ylabel(language.gettext("Seconds"))
    if exponent is not None:
        words = language.gettext("exponent %(b)s") % {"b": language.number(exponent, ".2f")}
        axes.text(0.05, 0.9, words, transform=axes.transAxes, color=QUIET, fontsize=7.5)


def _size_axis(axes: Axes, sizes: np.ndarray) -> None:
    """Logarithmic; at most four of the sizes are its ticks, so that their labels do not touch."""
    axes.set_xscale("log")
    axes.set_xticks(sizes[:: -(-len(sizes) // 4)])
    axes.xaxis.set_minor_locator(NullLocator())


def _nice(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two bounds, at most four."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    return ticks if len(ticks) <= 4 else [t for t in ticks if np.isclose(np.log10(t) % 1, 0)]
