"""Equations: MathML for the screen, SVG outlines for print, both from one LaTeX source."""

import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from latex2mathml.converter import convert
from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath

from bench.paths import TEMPLATES

FILE = "equations.toml"
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
    tree = tomllib.loads((templates / FILE).read_text(encoding="utf-8"))
    return {key: Equation(**entry) for key, entry in tree.items()}


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
    """
    mathml = convert(latex, display=display)
    return mathml.replace("<math", f'<math alttext="{escape(alt)}"', 1)


@cache
def to_outlines(latex: str, size: float = SIZE) -> tuple[str, float, float, float]:
    """Draw an equation as outlines: WeasyPrint sets no MathML.

    Parameters
    ----------
    latex : str
        The formula, without dollar signs.
    size : float
        Type size, points.

    Returns
    -------
    tuple of (str, float, float, float)
        SVG path data (y downwards, origin at the upper left), and width, height and depth below
        the baseline, points.
    """
    with rc_context({"mathtext.fontset": "stix", "svg.hashsalt": "latent-lab"}):
        path = TextPath((0, 0), f"${latex}$", size=size, prop=FontProperties(family="STIXGeneral"))
    low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
    return (_path_data(path, low[0], high[1]), *(high - low), max(0.0, -low[1]))


def to_svg(latex: str, alt: str, size: float = SIZE) -> str:
    """Write an equation as one SVG element, its title being `alt`."""
    data, width, height, _ = to_outlines(latex, size)
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
    ET.SubElement(root, "path", {"d": data, "fill": "#1a1a1a"})
    return ET.tostring(root, encoding="unicode")


def _path_data(path: TextPath, left: float, top: float) -> str:
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
