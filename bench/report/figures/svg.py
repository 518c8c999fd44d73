"""From a matplotlib figure to a small, reproducible SVG that a page can carry in its own text."""

import io
import re
from dataclasses import dataclass, field
from html import escape

from matplotlib.figure import Figure

from bench.report.figures.style import TEXT_WIDTH
from bench.store import StoredCell

STYLED_TEXT = re.compile(r'<text style="([^"]*)"')
ROTATED_BY_NOTHING = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')
IDENTIFIER = re.compile(r' id="([^"]+)"')
REFERENCE = re.compile(r'(?:xlink:href="#|url\(#)([^")]+)')
BLANK_PATCH = re.compile(r'\s*<g>\s*<path d="[^"]*" style="fill: none"/>\s*</g>')
EMPTY_GROUP = re.compile(r"\s*<g>\s*</g>")


@dataclass(frozen=True)
class Drawn:
    """A finished figure.

    Attributes
    ----------
    svg : str
        One ``<svg>`` element, sized in millimetres, with a title for readers who cannot see it.
    alt : str
        The same title.
    cells : tuple of StoredCell
        The cells that it shows.
    """

    svg: str
    alt: str
    cells: tuple[StoredCell, ...] = field(default=())


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """Write a figure as one SVG element.

    Parameters
    ----------
    figure : Figure
        What to write.
    name : str
        Unique on the page: identifiers inside the SVG are made from it.
    alt : str
        What the figure shows, in words.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", dpi=220, transparent=True, metadata={"Date": None})
    text = METADATA.sub("", PROLOGUE.sub("", buffer.getvalue(), count=1), count=1)
    text = ROTATED_BY_NOTHING.sub("", STYLED_TEXT.sub(_text_attributes, text))
    text = _own_identifiers(text, name)
    text = EMPTY_GROUP.sub("", EMPTY_GROUP.sub("", BLANK_PATCH.sub("", text)))
    text = text.replace('<style type="text/css">*{', f'<style type="text/css">#{name} *{{', 1)
    opening = f'<svg id="{name}" class="drawing" role="img" aria-labelledby="{name}-title"'
    text = text.replace("<svg", opening, 1)
    text = SIZE.sub(_millimetres, text, count=1)
    head, tail = text.split(">", 1)
    return f'{head}><title id="{name}-title">{escape(alt)}</title>{tail.strip()}'


def _text_attributes(match: re.Match[str]) -> str:
    """Turn a text's style into attributes: WeasyPrint reads no weight out of a `font` shorthand."""
    attributes = []
    for declaration in match.group(1).split("; "):
        name, value = declaration.split(": ", 1)
        if name == "font":
            attributes.append(_font_attributes(value))
        else:
            attributes.append(f'{name}="{value.replace("px", "")}"')
    return "<text " + " ".join(attributes)


def _font_attributes(shorthand: str) -> str:
    *words, size, family = re.split(r" (?=(?:[^']*'[^']*')*[^']*$)", shorthand, maxsplit=4)
    names = {"italic": "font-style", "oblique": "font-style"}
    parts = [f'{names.get(word, "font-weight")}="{word}"' for word in words]
    return " ".join([*parts, f'font-size="{size.removesuffix("px")}"', f'font-family="{family}"'])


def _own_identifiers(text: str, name: str) -> str:
    """Keep only the identifiers that are referred to, and make them unique to this figure."""
    used = set(REFERENCE.findall(text))
    text = IDENTIFIER.sub(
        lambda m: f' id="{name}-{m.group(1)}"' if m.group(1) in used else "", text
    )
    return REFERENCE.sub(lambda m: m.group(0).replace(m.group(1), f"{name}-{m.group(1)}"), text)


def _millimetres(match: re.Match[str]) -> str:
    width, height = (float(points) * 25.4 / 72 for points in match.groups())
    share = width / TEXT_WIDTH  # on the screen, of the text's width
    return f'width="{width:.1f}mm" height="{height:.1f}mm" style="--share:{share:.1%}"'
