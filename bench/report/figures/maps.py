"""Two-dimensional maps of the images: points, clouds of the images, brightness."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from bench.report.figures.plain import class_colours, map_frame
from bench.report.figures.sheet import Sheet
from bench.report.figures.style import (
    QUIET,
    TEXT_WIDTH,
    fitting_size,
    new_figure,
    note,
    number_ticks,
    whole_axis,
)
from bench.report.figures.subject import Subject
from bench.report.values.collect import Variant
from bench.report.words.names import status_name

COLUMNS, SPACE, TITLE = 4, 3.0, 5.5  # mm
PANEL = (TEXT_WIDTH - 0.6 - (COLUMNS - 1) * SPACE) / COLUMNS  # mm
PANEL_PIXELS = 352
KEY_ROWS, NUMBER_SIZE = 10, 7.5  # of a key in one column; points
IN_A_CLOUD = 170  # images at most: with more they cover each other


def embedding_maps(subject: Subject) -> Figure:
    """Draw the maps as points coloured by class; each class's number stands at its median."""
    figure, panels, free = _panels(subject)
    palette = class_colours(len(subject.class_names))
    _key(free, subject.class_names)
    for axes, variant in panels:
        points, labels = variant.array("test_map"), variant.array("test_labels")
        if points is None or labels is None:
            continue
        order = np.random.default_rng(0).permutation(len(points))  # no class lies on top
        colours = np.array([to_rgb(code) for code in palette])[labels[order]]
        size = np.clip(4000 / len(points), 0.5, 5)
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
        _number_classes(axes, points, labels, palette)
    return figure


def embedding_clouds(subject: Subject) -> Sheet:
    """Draw the maps with the images themselves, inked in the colour of their class."""
    side, title, count = PANEL, TITLE, len(subject.variants)
    palette = class_colours(len(subject.class_names))
    sheet = Sheet(_rows(count) * (side + title + 2) - 2)
    for place, variant in enumerate(subject.variants):
        x, y = place % COLUMNS * (side + SPACE) + 0.3, place // COLUMNS * (side + title + 2)
        name = subject.named(variant)
        sheet.text(x, y + 3.7, name, bold=True, size=fitting_size(name, side))
        points, labels = variant.array("test_map"), variant.array("test_labels")
        thumbnails, index = variant.array("thumbnails"), variant.array("thumbnail_index")
        if points is None or labels is None or thumbnails is None or index is None:
            words = status_name(variant.absence or "absent", subject.language)
            sheet.text(
                x + side / 2, y + title + side / 2, words, align="center", italic=True, colour=QUIET
            )
        else:
            index, images = index[:IN_A_CLOUD], thumbnails[:IN_A_CLOUD]
            cloud = _cloud(images, points[index], labels[index], map_frame(points), palette)
            sheet.picture(cloud, x, y + title, side, side)
        sheet.frame(x + 0.1, y + title, side - 0.2, side - 0.1)
    left = count % COLUMNS * (side + SPACE) + 3
    top = (_rows(count) - 1) * (side + title + 2) + title
    for label, name, corner, type_size in _key_places(subject.class_names):
        sheet.text(
            left + corner[0] * side,
            top + 3 + corner[1] * side,
            f"{label} {name}" if len(palette) > KEY_ROWS else name,
            bold=True,
            colour=to_hex(_darker(palette[label])),
            size=type_size,
        )
    return sheet


def embedding_brightness(subject: Subject) -> Figure | None:
    """Draw the brightness of the shown images against the first axis of each map."""
    language = subject.language
    _ = language.gettext
    shown = [
        variant for variant in subject.variants if variant.array("thumbnail_index") is not None
    ]
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
            across, brightness, s=3, color=variant.colour, linewidths=0, alpha=0.6,
            rasterized=True,
        )  # fmt: skip
        name = subject.named(variant)
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


def _rows(count: int) -> int:
    """Rows of panels that so many maps need."""
    return -(-count // COLUMNS)


def _panels(subject: Subject) -> tuple[Figure, list[tuple[Axes, Variant]], list[Axes]]:
    """Lay out a panel for each method; what is left of the grid comes back as the third."""
    between, rows = TITLE + 1.7, _rows(len(subject.variants))
    figure = new_figure(
        0.3 + TITLE + rows * PANEL + (rows - 1) * between,
        margins=(0.3, 0.3, 0.3, TITLE),
        gaps=(SPACE, between),
        grid=(rows, COLUMNS),
    )
    panels = list(figure.subplots(rows, COLUMNS).ravel())
    pairs = []
    for axes, variant in zip(panels, subject.variants, strict=False):
        name = subject.named(variant)
        axes.set_title(name, fontsize=fitting_size(name, PANEL))
        if variant.array("test_map") is None:
            note(axes, status_name(variant.absence or "absent", subject.language))
        pairs.append((axes, variant))
    return figure, pairs, panels[len(subject.variants) :]


def _frame(axes: Axes, points: np.ndarray) -> None:
    """Draw the map's frame and no axes."""
    whole_axis(axes)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.4)
    left, right, low, high = map_frame(points)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)


def _key(panels: list[Axes], class_names: tuple[str, ...]) -> None:
    """Draw a key in a free panel: number, colour and name of each class."""
    for axes in panels:
        whole_axis(axes)
    if not panels:
        return
    palette = class_colours(len(class_names))
    for label, name, (across, down), size in _key_places(class_names):
        x, y = 0.1 + across, 0.95 - down
        _number(panels[0], x, y, label, palette[label], min(size, NUMBER_SIZE))
        panels[0].text(
            x + 0.0125 * size, y, name, transform=panels[0].transAxes, va="center", fontsize=size
        )


def _key_places(
    class_names: tuple[str, ...],
) -> Iterator[tuple[int, str, tuple[float, float], float]]:
    """Yield label, name, place (shares of a panel, right and down) and size of a key's entries."""
    columns = -(-len(class_names) // KEY_ROWS)
    rows = -(-len(class_names) // columns)
    size = 8.0 if columns == 1 else max(3.0, 9.0 / columns)
    longest = int(1.9 * KEY_ROWS / columns)
    for label, name in enumerate(class_names):
        column, row = divmod(label, rows)
        shown = name if columns == 1 or len(name) <= longest else f"{name[:longest]}…"
        yield label, shown, (column / columns, row * 0.1 * KEY_ROWS / max(rows, KEY_ROWS)), size


def _number(
    axes: Axes, x: float, y: float, label: int, colour: str, size: float = NUMBER_SIZE
) -> None:
    paper = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "boxstyle": "circle,pad=0.12"}
    axes.text(
        x, y, str(label), transform=axes.transAxes, ha="center", va="center_baseline",
        fontsize=size, fontweight=600, color=_darker(colour), bbox=paper,
    )  # fmt: skip


def _number_classes(
    axes: Axes, points: np.ndarray, labels: np.ndarray, palette: tuple[str, ...]
) -> None:
    """Write each class's number at its median, moved off numbers already there."""
    low_x, high_x = axes.get_xlim()
    low_y, high_y = axes.get_ylim()
    taken: list[tuple[float, float]] = []
    for label, colour in enumerate(palette):
        own = points[labels == label]
        if not len(own):
            continue
        middle = np.median(own, axis=0)
        x = float(np.clip((middle[0] - low_x) / (high_x - low_x), 0.04, 0.96))
        y = free_height(
            x, float(np.clip((middle[1] - low_y) / (high_y - low_y), 0.04, 0.96)), taken
        )
        taken.append((x, y))
        _number(axes, x, y, label, colour)


def free_height(x: float, y: float, taken: list[tuple[float, float]]) -> float:
    """Return the height nearest to `y` at which a label at `x` covers none of those taken.

    Parameters
    ----------
    x : float
        Place of the label.
    y : float
        Height that is wanted.
    taken : list of tuple of float
        Places of other labels.

    Returns
    -------
    float
        The height.
    """
    candidates = sorted(np.linspace(0.03, 0.97, 95), key=lambda height: abs(height - y))
    for height in [y, *candidates]:
        if all(abs(height - b) > 0.085 or abs(x - a) > 0.075 for a, b in taken):
            return float(height)
    return y


def _darker(colour: str) -> tuple[float, float, float]:
    red, green, blue = to_rgb(colour)
    return 0.72 * red, 0.72 * green, 0.72 * blue


def _cloud(
    thumbnails: np.ndarray,
    points: np.ndarray,
    labels: np.ndarray,
    limits: tuple[float, float, float, float],
    colours: tuple[str, ...],
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
    palette = np.array([to_rgb(code) for code in colours])
    shades = 1 - np.arange(256)[:, None, None] / 255 * (1 - palette)  # ink, class, channel
    return (255 * shades).astype(np.uint8)[ink, owner]
