"""Equations: MathML for the screen, SVG outlines for print, both from one LaTeX source."""

import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
from latex2mathml.converter import convert

from bench.paths import TEMPLATES

if TYPE_CHECKING:
    from matplotlib.path import Path as Outline

FILE, SPOKEN = "equations.toml", "spoken"
SIZE = 10.0  # points, the text's own size


@dataclass(frozen=True)
class Equation:
    """A display equation.

    Attributes
    ----------
    latex : str
        In the part of LaTeX that both matplotlib's mathtext and latex2mathml read.
    alt : str
        The formula read aloud, in English: a message for the catalogue.
    """

    latex: str
    alt: str


@cache
def load_equations(templates: Path = TEMPLATES) -> dict[str, Equation]:
    """Read every equation of the report."""
    return {key: Equation(**entry) for key, entry in _read(templates).items() if key != SPOKEN}


@cache
def load_spoken(templates: Path = TEMPLATES) -> dict[str, str]:
    """Read how formulas in the text are read aloud: LaTeX to English messages."""
    return dict(_read(templates)[SPOKEN])


def _read(templates: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads((templates / FILE).read_text(encoding="utf-8"))


@cache
def to_mathml(latex: str, alt: str, display: str = "block") -> str:
    """Write an equation as MathML.

    Parameters
    ----------
    latex : str
        The formula, without dollar signs.
    alt : str
        What readers hear who do not see it.
    display : {"block", "inline"}
        On a line of its own, or in the text.

    Returns
    -------
    str
        A `math` element.
    """
    mathml = convert(latex, display=display)
    return mathml.replace("<math", f'<math alttext="{escape(alt)}"', 1)


@dataclass(frozen=True)
class Outlines:
    """An equation as outlines: WeasyPrint sets no MathML.

    Attributes
    ----------
    path : str
        SVG path data: y downwards, origin at the upper left.
    width, height, depth : float
        Size, and how far it reaches below the baseline, points.
    """

    path: str
    width: float
    height: float
    depth: float


def to_outlines(latex: str, size: float = SIZE) -> Outlines:
    """Draw an equation (LaTeX without dollar signs) in a type size given in points.

    Parameters
    ----------
    latex : str
        The equation.
    size : float
        Type size, points.

    Returns
    -------
    Outlines
        The path and its extent.
    """
    # half a second that a rendering with kept drawings need not spend
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    with rc_context({"mathtext.fontset": "stix", "svg.hashsalt": "latent-lab"}):
        path = TextPath((0, 0), f"${latex}$", size=size, prop=FontProperties(family="STIXGeneral"))
    low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
    width, height = (float(side) for side in high - low)
    return Outlines(_path_data(path, low[0], high[1]), width, height, max(0.0, -float(low[1])))


def to_svg(outlines: Outlines, alt: str) -> str:
    """Write an equation as one SVG element, its title being `alt`.

    Parameters
    ----------
    outlines : Outlines
        See `to_outlines`.
    alt : str
        Text for readers who cannot see it.

    Returns
    -------
    str
        An `svg` element.
    """
    width, height = outlines.width, outlines.height
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": f"{width:.2f}pt",
            "height": f"{height:.2f}pt",
            "viewBox": f"0 0 {width:.2f} {height:.2f}",
        },
    )
    ET.SubElement(root, "title").text = alt
    ET.SubElement(root, "path", {"d": outlines.path, "fill": "#1a1a1a"})
    return ET.tostring(root, encoding="unicode")


def _path_data(path: "Outline", left: float, top: float) -> str:
    from matplotlib.path import Path as Outline

    letters = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}
    parts = []
    for vertices, code in path.iter_segments(simplify=False, curves=True):
        if code == Outline.CLOSEPOLY:
            parts.append("Z")
            continue
        points = np.asarray(vertices).reshape(-1, 2)
        numbers = " ".join(f"{x - left:.2f} {top - y:.2f}" for x, y in points)
        parts.append(letters[code] + numbers)
    return "".join(parts)
