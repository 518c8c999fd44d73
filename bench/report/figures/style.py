"""Style of the figures: typeface, axes, colours."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import cycle
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bench.paths import TEMPLATES
from bench.report.words.i18n import Language

T = TypeVar("T")

FAMILY = "Source Sans 3"
TEXT_WIDTH = 160.0  # mm, the report's text block
INK = "#1a1a1a"
QUIET = "#6b6b6b"
RULE = "#c9c9c9"

LONGEST_NAME = 18  # characters of a class's name in a figure
MOST_NUMBERED = 20  # classes of which a matrix shows numbers, not colours alone


def class_ticks(class_names: Sequence[str]) -> tuple[list[str], float]:
    """Names of classes, cut where they are long, and the size in points that all of them fit in."""
    cut = LONGEST_NAME + 1
    shown = [name if len(name) <= cut else f"{name[:LONGEST_NAME]}…" for name in class_names]
    return shown, 7.5 * min(1.0, 20 / len(class_names))


# Of the lines of a chart, one after the other: grey print keeps them apart; see `with_markers`.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
MARKED = 8  # markers along a line of many points

# What is too pale to be read is written in a darker shade of itself.
WRITTEN_COLOURS = {"#56b4e9": "#2a84b5", "#cc79a7": "#b0557f", "#e69f00": "#a06e00"}
SETTINGS: dict[str, Any] = {
    "font.family": [FAMILY],
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": 600,
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelsize": 8.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a name may have a dollar sign
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "grid.color": RULE,
    "grid.linewidth": 0.4,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "latent-lab",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "image.interpolation": "none",
}


@cache
def register_fonts() -> None:
    """Make the report's typeface known to matplotlib."""
    for cut, weight, slant in (
        ("Regular", 400, "normal"),
        ("Semibold", 600, "normal"),
        ("It", 400, "italic"),
    ):
        path = str(TEMPLATES / "fonts" / f"SourceSans3-{cut}.ttf")
        # entered by hand: matplotlib takes the Semibold for a family of its own
        entry = font_manager.FontEntry(path, name=FAMILY, style=slant, weight=weight)
        font_manager.fontManager.ttflist.append(entry)


def settings() -> AbstractContextManager[None]:
    """Return a context within which figures are drawn in the report's style."""
    register_fonts()
    return mpl.rc_context(SETTINGS)  # type: ignore[arg-type]


def new_figure(
    height: float,
    width: float = TEXT_WIDTH,
    margins: tuple[float, float, float, float] = (11.0, 2.0, 10.5, 6.0),
    gaps: tuple[float, float] = (13.0, 14.0),
    grid: tuple[int, int] = (1, 1),
) -> Figure:
    """Make an empty figure with panels at given places, the same in each figure.

    Parameters
    ----------
    height, width : float
        Size, mm.
    margins : tuple of float
        Left, right, bottom and top, mm.
    gaps : tuple of float
        Between columns and between rows, mm.
    grid : tuple of int
        Rows and columns that `Figure.subplots` will be asked for.

    Returns
    -------
    Figure
        With its axes.
    """
    figure = Figure(figsize=(width / 25.4, height / 25.4))
    left, right, bottom, top = margins
    rows, columns = grid
    panel_width = (width - left - right - gaps[0] * (columns - 1)) / columns
    panel_height = (height - bottom - top - gaps[1] * (rows - 1)) / rows
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        bottom=bottom / height,
        top=1 - top / height,
        wspace=gaps[0] / panel_width,
        hspace=gaps[1] / panel_height,
    )
    return figure


def whole_axis(axes: Axes) -> None:
    """Take everything off an axes but its title: for images and maps."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def number_ticks(
    axes: Axes,
    language: Language,
    which: Sequence[str] = ("x", "y"),
    percent: Sequence[str] = (),
) -> None:
    """Write tick labels as the language does.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    language : Language
        The report's language.
    which : sequence of {'x', 'y'}
        The axes.
    percent : sequence of {'x', 'y'}
        Those of them along which shares are drawn, to be read in per cent.
    """
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        factor = 100 if name in percent else 1
        axis.set_major_formatter(
            FuncFormatter(
                lambda value, _, factor=factor: language.number(round(value * factor, 7), "g")
            )
        )


def epoch_axis(axes: Axes, language: Language, label: str, percent: Sequence[str] = ()) -> None:
    """Whole epochs along x, with room beside a single one.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    language : Language
        The report's language.
    label : str
        Of the axis.
    percent : sequence of {'x', 'y'}
        Axes along which shares are drawn, to be read in per cent.
    """
    low, high = axes.dataLim.intervalx
    if high - low < 1:
        axes.set_xlim(low - 0.5, high + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
    axes.set_xlabel(label)
    number_ticks(axes, language, percent=percent)


def fitting_size(text: str, room: float, size: float = 8.5) -> float:
    """Return the type size at which a semibold text fits into `room` mm, at most `size`.

    Parameters
    ----------
    text : str
        The text.
    room : float
        Width, mm.
    size : float
        Largest type size, points.

    Returns
    -------
    float
        Type size, points.
    """
    width = 0.53 * len(text) * size * 25.4 / 72  # a letter is about half as wide as high
    return min(size, max(5.5, size * room / width))


def with_markers(lines: Iterable[T]) -> Iterator[tuple[T, str]]:
    """Give each line of a chart its marker; after the last of `MARKERS` the first comes again."""
    return zip(lines, cycle(MARKERS), strict=False)


def spread_markers(points: int) -> int:
    """Return of how many points of a line one gets a marker."""
    return max(1, points // MARKED)


def note(axes: Axes, text: str) -> None:
    """Write in a panel why it is empty.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    text : str
        The reason.
    """
    whole_axis(axes)
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET,
        fontstyle="italic", wrap=True,
    )  # fmt: skip
