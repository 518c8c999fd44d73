"""Sheets of small images: laid out in millimetres and written as SVG directly."""

import base64
import io
from html import escape

import numpy as np
from PIL import Image

from bench.report.figures.style import FAMILY, INK, QUIET, TEXT_WIDTH

SHARPEN = 3  # each pixel becomes 3x3, so that no viewer blurs it much
POINT = 25.4 / 72  # mm
ANCHORS = {"left": "start", "center": "middle", "right": "end"}


class Sheet:
    """A sheet of paper: millimetres, y downwards.

    Parameters
    ----------
    height, width : float
        Its size, mm.
    """

    def __init__(self, height: float, width: float = TEXT_WIDTH) -> None:
        self.height, self.width = height, width
        self._items: list[str] = []

    def block(
        self,
        images: np.ndarray,
        columns: int,
        x: float,
        y: float,
        tile: float,
        gap: float = 0.8,
        sharpen: int = SHARPEN,
    ) -> None:
        """Place images row by row as one picture, dark ink on paper.

        Parameters
        ----------
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
        """
        count, side = len(images), images.shape[1] * sharpen
        rows = -(-count // columns)
        space = round(gap / tile * side)
        step = side + space
        paper = np.full((rows * step - space, columns * step - space), 255, np.uint8)
        for index, image in enumerate(images):
            top, left = index // columns * step, index % columns * step
            enlarged = (255 - image).repeat(sharpen, 0).repeat(sharpen, 1)
            paper[top : top + side, left : left + side] = enlarged
        height, width = (size * tile / side for size in paper.shape)
        self.picture(paper, x, y, width, height)

    def picture(self, pixels: np.ndarray, x: float, y: float, width: float, height: float) -> None:
        """Place a picture: uint8, (height, width) grey or (height, width, 3) RGB.

        Parameters
        ----------
        pixels : ndarray of uint8
            The picture.
        x : float
            From the left, mm.
        y : float
            From the top, mm.
        width : float
            Width, mm.
        height : float
            Height, mm.
        """
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="png")
        data = base64.b64encode(buffer.getvalue()).decode()
        self._items.append(
            f'<image x="{x:.3f}" y="{y:.3f}" width="{width:.3f}" height="{height:.3f}"'
            f' preserveAspectRatio="none" image-rendering="pixelated"'
            f' xlink:href="data:image/png;base64,{data}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        bold: bool = False,
        size: float = 8.0,
        colour: str = INK,
        align: str = "left",
        italic: bool = False,
    ) -> None:
        """Write; `y` is the baseline, mm, and `size` is in points.

        Parameters
        ----------
        x : float
            From the left, mm.
        y : float
            From the top, mm.
        text : str
            The text.
        bold : bool
            Whether it is semibold.
        size : float
            Type size, points.
        colour : str
            Colour.
        align : {'left', 'center', 'right'}
            Where `x` is in the text.
        italic : bool
            Whether it is italic.
        """
        style = ' font-style="italic"' if italic else ""
        self._items.append(
            f'<text x="{x:.3f}" y="{y:.3f}" font-size="{size * POINT:.3f}" fill="{colour}"'
            f' font-weight="{600 if bold else 400}" text-anchor="{ANCHORS[align]}"{style}'
            f" font-family=\"'{FAMILY}'\">{escape(text)}</text>"
        )

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a hairline around a block.

        Parameters
        ----------
        x : float
            From the left, mm.
        y : float
            From the top, mm.
        width : float
            Width, mm.
        height : float
            Height, mm.
        """
        self._items.append(
            f'<rect x="{x:.3f}" y="{y:.3f}" width="{width:.3f}" height="{height:.3f}"'
            f' fill="none" stroke="{QUIET}" stroke-width="0.14"/>'
        )

    def to_svg(self, name: str, alt: str) -> str:
        """Write the sheet as one SVG element; see `bench.report.figures.svg.to_svg`.

        Parameters
        ----------
        name : str
            Prefix of identifiers within the page.
        alt : str
            Text for readers who cannot see it.

        Returns
        -------
        str
            An `svg` element.
        """
        width, height = self.width, self.height
        return (
            f'<svg id="{name}" class="drawing" role="img" aria-labelledby="{name}-title"'
            ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' width="{width:.1f}mm" height="{height:.1f}mm"'
            f' style="--share:{width / TEXT_WIDTH:.1%}" viewBox="0 0 {width:.3f} {height:.3f}">'
            f'<title id="{name}-title">{escape(alt)}</title>{"".join(self._items)}</svg>'
        )
