"""Searches: what was tried, how the score grew with the time spent, what the settings explain."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.report.figures.style import (
    INK,
    QUIET,
    RULE,
    fitting_size,
    new_figure,
    note,
    number_ticks,
)
from bench.report.figures.subject import Subject
from bench.report.values.searches import (
    comparable,
    importance,
    trials_needed,
    varied,
)
from bench.report.words.i18n import Language
from bench.report.words.names import choice_name, hyperparameter_name, objective_name
from bench.results.searches import HYPERPARAMETER

BEST, DEFAULT = "#0072b2", "#d55e00"
BY_RANK = LinearSegmentedColormap.from_list("rank", ["#dddddd", "#5b9bc4"])  # worst, best
Dashes = tuple[int, tuple[float, ...]]  # of a line, as matplotlib has them
SOLID: Dashes = (0, ())
DASHED: Dashes = (0, (4, 1.5))
DOTTED: Dashes = (0, (1, 1.5))
LISTED = 5  # up to so many values of a setting stand evenly spaced
WIDE = 3.0  # from this ratio on, positive values stand on a logarithmic axis
WIDTHS = (2.0, 1.15, 1.0)  # of the panels
ROOM = 54.0  # mm for the names of all settings
NAME_LINE = 10  # characters in a line of such a name, if it has more
PANEL_HEIGHT = 38.0  # mm
EMPTY_PANEL = 30  # characters of a line in the last panel
PAPER = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.4}


def course(subject: Subject) -> Figure | None:
    """Draw a search: all trials, the score over the seconds spent, what each setting explains."""
    language, (variant,) = subject.language, subject.variants
    _ = language.gettext
    tables = variant.tables("trials")
    if not tables or not varied(tables[0]):
        return None
    higher, objective = variant.get("direction") != "min", variant.get("objective")
    factor = 100 if objective == "validation_accuracy" else 1  # read in per cent
    trials = tables[0].assign(score=pd.to_numeric(tables[0]["score"]) * factor)
    label = objective_name(objective, language)
    figure = new_figure(56, margins=(9, 3, 11, 7), gaps=(16, 0), grid=(1, 3))
    every, spent, explained = figure.subplots(1, 3, width_ratios=WIDTHS)
    _parallel(every, trials, higher, label, language)
    _over_time(spent, trials, higher, label, language)
    _explained(explained, trials, language)
    for axes, title in (
        (every, _("Trials")),
        (spent, _("Score over time")),
        (explained, _("Importance")),
    ):
        axes.set_title(title)
    return figure


def _parallel(
    axes: Axes, trials: pd.DataFrame, higher: bool, label: str, language: Language
) -> None:
    """Draw a line for each trial across its settings and its score, the better the darker."""
    scores = pd.to_numeric(trials["score"])
    lengths = ["epochs"] if trials["epochs"].min() < trials["epochs"].max() else []
    columns = [*varied(trials), *lengths]
    heights, ticks = zip(*(_scaled(trials[name], language) for name in columns), strict=True)
    score_heights, score_ticks = _scaled(scores, language)
    lines = np.column_stack([*heights, score_heights])
    better = scores.rank(ascending=higher, pct=True)
    best, default = _best(trials, higher), trials.index[trials["default"].astype(bool)]
    for row in better.sort_values(na_position="first").index:
        colour, width, style = BY_RANK(better[row]), 0.8, SOLID
        if np.isnan(better[row]):
            colour, style = RULE, DOTTED
        if row in default:
            colour, width, style = DEFAULT, 1.3, DASHED
        if row == best:
            colour, width, style = BEST, 1.6, SOLID
        axes.plot(lines[trials.index.get_loc(row)], color=colour, linewidth=width, linestyle=style)
    names = [
        language.gettext("epochs")
        if name == "epochs"
        else hyperparameter_name(name.removeprefix(HYPERPARAMETER), language)
        for name in columns
    ]
    for place, marks in enumerate((*ticks, score_ticks)):
        axes.axvline(place, color=QUIET, linewidth=0.6, zorder=0)
        for height, text in marks:
            axes.annotate(
                _in_lines(text), (place, height), (-2, 0), textcoords="offset points", ha="right",
                va="center", fontsize=6.5, color=INK, bbox=PAPER,
            )  # fmt: skip
    room = ROOM / len(names)
    axes.set_xticks(range(len(names) + 1), [_in_lines(text) for text in (*names, label)])
    for text in axes.get_xticklabels():
        longest = max(text.get_text().splitlines(), key=len)
        text.set_fontsize(fitting_size(longest, room, 7))
    axes.set_yticks([])
    axes.set_ylim(-0.06, 1.06)
    axes.set_xlim(-0.35, len(names) + 0.05)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _scaled(column: pd.Series, language: Language) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Give each value a height from 0 to 1, and say which values stand where."""
    known = column.dropna()
    values = sorted(known.unique())
    if len(values) <= LISTED and (not pd.api.types.is_float_dtype(column) or len(known) > LISTED):
        places = {v: k / max(1, len(values) - 1) for k, v in enumerate(values)}
        heights = column.map(places).to_numpy(dtype=float)
        return heights, [(places[v], _text(v, language)) for v in values]
    numbers = column.to_numpy(dtype=float)
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    logarithmic = low > 0 and high / low >= WIDE
    low, high = (np.log([low, high])) if logarithmic else (low, high)
    numbers = np.log(numbers) if logarithmic else numbers
    ends = [(0.0, low), (0.5, (low + high) / 2), (1.0, high)] if high > low else [(0.5, low)]
    heights = (numbers - low) / (high - low) if high > low else numbers * 0 + 0.5
    if logarithmic:
        marks = [(height, language.number(float(f"{np.exp(v):.2g}"), "g")) for height, v in ends]
    else:
        spec = _spec(high - low)
        marks = [(height, language.number(float(v), spec)) for height, v in ends]
    return heights, marks


def _spec(span: float) -> str:
    """Choose as many decimals as tell the ends of an axis apart, and one more."""
    return f".{max(0, 1 - int(np.floor(np.log10(span))))}f" if span > 0 else "g"


def _text(value: object, language: Language) -> str:
    if isinstance(value, str):
        return choice_name(value, language)
    return language.number(float(value), "g")  # type: ignore[arg-type]


def _best(trials: pd.DataFrame, higher: bool) -> object:
    """Row of the winner: the best of the longest trials."""
    whole = pd.to_numeric(trials["score"])[trials["epochs"] == trials["epochs"].max()].dropna()
    if whole.empty:
        return None
    return whole.idxmax() if higher else whole.idxmin()


def _over_time(
    axes: Axes, trials: pd.DataFrame, higher: bool, label: str, language: Language
) -> None:
    """Draw each score where its training ended, were all trained one after the other."""
    _ = language.gettext
    scores = pd.to_numeric(trials["score"])
    ends = pd.to_numeric(trials["seconds"]).fillna(0.0).cumsum()
    longest = (trials["epochs"] == trials["epochs"].max()) & scores.notna()
    short = ~longest & scores.notna()
    axes.plot(ends[short], scores[short], "o", color=RULE, markersize=2.4, linestyle="none")
    axes.plot(ends[longest], scores[longest], "o", color=QUIET, markersize=3, linestyle="none")
    reached = scores[longest].cummax() if higher else scores[longest].cummin()
    axes.step([*ends[longest], ends.iloc[-1]], [*reached, *reached[-1:]], where="post", color=BEST)
    default = scores[trials["default"].astype(bool)].dropna()
    if not default.empty:
        axes.axhline(default.iloc[0], color=DEFAULT, linewidth=0.9, linestyle=DASHED)
    axes.set_xlim(left=0)
    axes.set_xlabel(_("Seconds of training"))
    axes.set_ylabel(label, fontsize=fitting_size(label, PANEL_HEIGHT, 8))
    axes.margins(y=0.12)
    number_ticks(axes, language, "x")
    spec = _spec(float(np.ptp(scores.dropna()))) if scores.notna().any() else "g"
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.yaxis.set_major_formatter(lambda value, _: language.number(float(value), spec))


def _explained(axes: Axes, trials: pd.DataFrame, language: Language) -> None:
    """Draw how much of the score each setting explains; say so where nothing can be told."""
    _ = language.gettext
    found = importance(trials)
    if found is None:
        has, needs = len(comparable(trials)), trials_needed(trials)
        words = _("%(needs)d comparable trials are needed, there are %(has)d")
        note(axes, fill(words % {"needs": needs, "has": has}, EMPTY_PANEL))
        return
    if found.explained <= 0:
        words = _("the settings explain nothing that carries over to other trials")
        note(axes, fill(words, EMPTY_PANEL))
        return
    names = sorted(found.by_setting, key=lambda name: found.by_setting[name])
    heights = range(len(names))
    axes.barh(heights, [found.by_setting[name] for name in names], 0.5, color=BEST)
    axes.axvline(0, color=QUIET, linewidth=0.6)
    axes.set_yticks([])
    for height, name in zip(heights, names, strict=True):
        axes.annotate(
            hyperparameter_name(name, language), (0, height + 0.34), (2, 0),
            textcoords="offset points", va="bottom", fontsize=7.5,
        )  # fmt: skip
    axes.set_ylim(-0.5, len(names) - 0.1)
    axes.set_xlabel(_("Error added (%)"))
    number_ticks(axes, language, "x", percent="x")


def _in_lines(text: str) -> str:
    """Break a name of several words near its middle."""
    return fill(text, max(NAME_LINE, len(text) * 2 // 3), break_long_words=False)
