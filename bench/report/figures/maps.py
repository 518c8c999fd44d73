"""Two-dimensional maps of the images: points, clouds of the images, brightness."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from bench.report.collect import Results, Variant
from bench.report.figures.sheet import Sheet
from bench.report.figures.style import (
    CLASS_COLOURS,
    QUIET,
    SYSTEM_COLOURS,
    TEXT_WIDTH,
    fitting_size,
    new_figure,
    note,
    number_ticks,
    whole_axis,
)
from bench.report.i18n import Language
from bench.report.names import status_name, system_name

SYSTEMS = ("assignment", "autoencoder", "pca", "tsne")
PANEL = (TEXT_WIDTH - 6) / 2  # mm
PANEL_PIXELS = 640
OUTLIERS = 0.2  # per cent of the points on each side that the frame may leave out


def embedding_maps(results: Results, language: Language, class_names: tuple[str, ...]) -> Figure:
    """Draw the four maps as points coloured and labelled by class."""
    figure, panels = _four_panels(results, language)
    for axes, variant in panels:
        points, labels = variant.array("test_map"), variant.array("test_labels")
        if points is None or labels is None:
            continue
        order = np.random.default_rng(0).permutation(len(points))  # no class lies on top
        colours = np.array([to_rgb(colour) for colour in CLASS_COLOURS])[labels[order]]
        size = np.clip(8000 / len(points), 0.9, 7)
        axes.scatter(
            points[order, 0],
            points[order, 1],
            s=size,
            c=colours,
            linewidths=0,
            alpha=0.7,
            rasterized=True,
        )
        _frame(axes, points)
        _label_classes(axes, points, labels, class_names)
    return figure


def embedding_clouds(results: Results, language: Language) -> Sheet:
    """Draw the maps with the images themselves, inked in the colour of their class."""
    side, title, space = PANEL, 6.0, TEXT_WIDTH - 2 * PANEL
    sheet = Sheet(2 * (side + title) + 2)
    for place, name in enumerate(SYSTEMS):
        variant = results.variant(f"fashion_embedding/{name}")
        x, y = place % 2 * (side + space), place // 2 * (side + title + 2)
        sheet.text(x, y + 3.7, system_name(variant.path, language), bold=True, size=8.5)
        points, labels = variant.array("test_map"), variant.array("test_labels")
        thumbnails, index = variant.array("thumbnails"), variant.array("thumbnail_index")
        if points is None or labels is None or thumbnails is None or index is None:
            words = status_name(variant.absence or "absent", language)
            sheet.text(
                x + side / 2, y + title + side / 2, words, align="center", italic=True, colour=QUIET
            )
        else:
            cloud = _cloud(thumbnails, points[index], labels[index], map_frame(points))
            sheet.picture(cloud, x, y + title, side, side)
        sheet.frame(x + 0.1, y + title, side - 0.2, side - 0.1)
    return sheet


def embedding_brightness(results: Results, language: Language) -> Figure | None:
    """Draw the brightness of the shown images against the first axis of each map."""
    _ = language.gettext
    variants = [results.variant(f"fashion_embedding/{name}") for name in SYSTEMS]
    shown = [variant for variant in variants if variant.array("thumbnail_index") is not None]
    if not shown:
        return None
    figure = new_figure(46, margins=(11, 2, 8, 6), gaps=(6, 0), grid=(1, len(shown)))
    panels = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for axes, variant in zip(panels, shown, strict=True):
        points, index = variant.array("test_map"), variant.array("thumbnail_index")
        thumbnails = variant.array("thumbnails")
        assert points is not None  # noqa: S101 - stored together with the thumbnails
        assert index is not None and thumbnails is not None  # noqa: S101, PT018
        brightness = thumbnails.mean(axis=(1, 2)) / 255
        across = principal_axis(points)[index]
        axes.scatter(
            across, brightness, s=3, color=SYSTEM_COLOURS[variant.name], linewidths=0, alpha=0.6,
            rasterized=True,
        )  # fmt: skip
        name = system_name(variant.path, language)
        axes.set_title(name, fontsize=fitting_size(name, 30))
        axes.set_xticks([])
        axes.set_xlabel(_("First axis of the map"))
        number_ticks(axes, language, "y")
    panels[0].set_ylabel(_("Mean brightness"))
    return figure


def principal_axis(points: np.ndarray) -> np.ndarray:
    """Coordinates along the direction in which a map is widest.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        The map.

    Returns
    -------
    ndarray of shape (n,)
        Centred coordinates; the sign is chosen so that the first map axis runs the same way.
    """
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    direction = directions[0] * (np.sign(directions[0, 0]) or 1)
    return np.asarray(centred @ direction)


def _four_panels(results: Results, language: Language) -> tuple[Figure, list[tuple[Axes, Variant]]]:
    side = (TEXT_WIDTH - 6) / 2
    figure = new_figure(2 * side + 14, margins=(0.3, 0.3, 0.3, 6), gaps=(5.4, 7.7), grid=(2, 2))
    pairs = []
    for axes, name in zip(figure.subplots(2, 2).ravel(), SYSTEMS, strict=True):
        variant = results.variant(f"fashion_embedding/{name}")
        axes.set_title(system_name(variant.path, language))
        if variant.array("test_map") is None:
            note(axes, status_name(variant.absence or "absent", language))
        pairs.append((axes, variant))
    return figure, pairs


def _frame(axes: Axes, points: np.ndarray) -> None:
    """Draw the map's frame and no axes."""
    whole_axis(axes)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.4)
    left, right, low, high = map_frame(points)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)


def map_frame(points: np.ndarray) -> tuple[float, float, float, float]:
    """Return left, right, lower and upper limit of a map without its outermost few points."""
    low, high = np.percentile(points, [OUTLIERS, 100 - OUTLIERS], axis=0)
    margin = np.maximum((high - low) * 0.05, 1e-6)
    (left, bottom), (right, top) = low - margin, high + margin
    return float(left), float(right), float(bottom), float(top)


def _label_classes(
    axes: Axes, points: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]
) -> None:
    """Write each class's name at its median, moved off names already there."""
    paper = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.6}
    low_x, high_x = axes.get_xlim()
    low_y, high_y = axes.get_ylim()
    taken: list[tuple[float, float]] = []
    for label, name in enumerate(class_names):
        own = points[labels == label]
        if not len(own):
            continue
        middle = np.median(own, axis=0)
        x = float(np.clip((middle[0] - low_x) / (high_x - low_x), 0.12, 0.88))
        y = free_height(
            x, float(np.clip((middle[1] - low_y) / (high_y - low_y), 0.04, 0.96)), taken
        )
        taken.append((x, y))
        axes.text(
            x, y, name, transform=axes.transAxes, ha="center", va="center", fontsize=7.5,
            fontweight=600, color=_darker(CLASS_COLOURS[label]), bbox=paper,
        )  # fmt: skip


def free_height(x: float, y: float, taken: list[tuple[float, float]]) -> float:
    """Return the height nearest to `y` at which a label at `x` covers none of those taken."""
    candidates = sorted(np.linspace(0.03, 0.97, 95), key=lambda height: abs(height - y))
    for height in [y, *candidates]:
        if all(abs(height - b) > 0.042 or abs(x - a) > 0.24 for a, b in taken):
            return float(height)
    return y


def _darker(colour: str) -> tuple[float, ...]:
    return tuple(0.72 * part for part in to_rgb(colour))


def _cloud(
    thumbnails: np.ndarray,
    points: np.ndarray,
    labels: np.ndarray,
    limits: tuple[float, float, float, float],
) -> np.ndarray:
    """Ink each image, in the colour of its class, at its place on one sheet: (n, n, 3) RGB."""
    side = thumbnails.shape[1]
    ink = np.zeros((PANEL_PIXELS, PANEL_PIXELS), np.uint8)
    owner = np.zeros((PANEL_PIXELS, PANEL_PIXELS), np.uint8)
    left, right, low, high = limits
    columns = (points[:, 0] - left) / (right - left) * PANEL_PIXELS - side / 2
    rows = (high - points[:, 1]) / (high - low) * PANEL_PIXELS - side / 2
    edge = PANEL_PIXELS - side
    for image, label, row, column in zip(thumbnails, labels, rows, columns, strict=True):
        if not (0 <= row <= edge and 0 <= column <= edge):
            continue
        place = np.s_[int(row) : int(row) + side, int(column) : int(column) + side]
        over = image > ink[place]  # the stronger ink shows, so that neighbours stay legible
        ink[place][over] = image[over]
        owner[place][over] = label
    palette = np.array([to_rgb(code) for code in CLASS_COLOURS])
    shades = 1 - np.arange(256)[:, None, None] / 255 * (1 - palette)  # ink, class, channel
    return (255 * shades).astype(np.uint8)[ink, owner]
