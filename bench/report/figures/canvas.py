"""Sheets of small images, laid out in millimetres and drawn as one picture a block."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.figures.style import INK, QUIET, TEXT_WIDTH

SHARPEN = 4  # each pixel becomes 4x4, so that no viewer blurs it


def canvas(height: float, width: float = TEXT_WIDTH) -> tuple[Figure, Axes]:
    """Make a figure whose one axes is a sheet of paper: millimetres, y downwards."""
    figure = Figure(figsize=(width / 25.4, height / 25.4))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return figure, axes


def block(
    axes: Axes,
    images: np.ndarray,
    columns: int,
    x: float,
    y: float,
    tile: float,
    gap: float = 0.8,
    sharpen: int = SHARPEN,
) -> tuple[float, float]:
    """Draw images row by row as one picture, dark ink on paper.

    Parameters
    ----------
    axes : Axes
        A sheet from `canvas`.
    images : ndarray of uint8, shape (n, height, width)
        What to draw; 255 is drawn as full ink.
    columns : int
        Images in a row.
    x, y : float
        Upper left corner, mm.
    tile, gap : float
        Width of an image and of the space between two, mm.
    sharpen : int
        How often each pixel is repeated along each side.

    Returns
    -------
    tuple of float
        Width and height of the block, mm.
    """
    count, side = len(images), images.shape[1]
    rows = -(-count // columns)
    space = round(gap / tile * side * sharpen)
    step = side * sharpen + space
    sheet = np.full((rows * step - space, columns * step - space), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * step, index % columns * step
        enlarged = (255 - image).repeat(sharpen, 0).repeat(sharpen, 1)
        sheet[top : top + side * sharpen, left : left + side * sharpen] = enlarged
    width = sheet.shape[1] * tile / (side * sharpen)
    height = sheet.shape[0] * tile / (side * sharpen)
    grey = np.repeat(sheet[..., None], 3, axis=2)
    axes.imshow(grey, extent=(x, x + width, y + height, y), aspect="auto", zorder=1)
    return width, height


def frame(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    """Draw a hairline around a block."""
    axes.plot(
        [x, x + width, x + width, x, x], [y, y, y + height, y + height, y],
        color=QUIET, linewidth=0.4,
    )  # fmt: skip


def caption(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    bold: bool = False,
    size: float = 8.0,
    colour: str = INK,
    align: str = "left",
) -> None:
    """Write on the sheet; `y` is the baseline, mm."""
    axes.text(
        x, y, text, ha=align, va="baseline", fontsize=size, color=colour,
        fontweight=600 if bold else 400,
    )  # fmt: skip


def row_tops(start: float, heights: Sequence[float], gap: float) -> list[float]:
    """Upper edges of blocks set one below the other, mm."""
    tops = [start]
    for height in heights[:-1]:
        tops.append(tops[-1] + height + gap)
    return tops
