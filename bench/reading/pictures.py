"""Single figures of the report: as SVG, as PNG, and in a notebook."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from bench.errors import UserError
from bench.paths import TEMPLATES
from bench.report.values.collect import Results
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language

DPI = 300
MM = 25.4
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
CUTS = {("400", "normal"): "Regular", ("600", "normal"): "Semibold", ("400", "italic"): "It"}
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


@dataclass(frozen=True)
class Picture:
    """A figure of a run.

    Attributes
    ----------
    name : str
        As its experiment declares it.
    alt : str
        What it shows, in words.
    svg : str
        The drawing as the report has it.
    drawing : matplotlib.figure.Figure or Sheet
        What it was written from.
    """

    name: str
    alt: str
    svg: str
    drawing: Any

    def _repr_svg_(self) -> str:
        return self.svg

    def png(self, dpi: int = DPI) -> bytes:
        """Rasterise the figure, on white.

        Parameters
        ----------
        dpi : int
            Pixels an inch.
        """
        buffer = io.BytesIO()
        if hasattr(self.drawing, "savefig"):
            from bench.report.figures import style

            with style.settings():
                metadata = {"Description": self.alt, "Software": None}
                self.drawing.savefig(
                    buffer, format="png", dpi=dpi, facecolor="white", metadata=metadata
                )
        else:
            _painted(self.svg, dpi).save(buffer, format="png")
        return buffer.getvalue()

    def save(self, path: Path | str) -> Path:
        """Write the figure as ``.svg`` or ``.png``.

        Raises
        ------
        UserError
            If the ending is another one.
        """
        target = Path(path)
        if target.suffix == ".svg":
            target.write_text(self.svg, encoding="utf-8")
        elif target.suffix == ".png":
            target.write_bytes(self.png())
        else:
            raise UserError(f"{target}: expected a name that ends in .svg or .png.")
        return target


def draw(results: Results, name: str, experiment: str = "", language: str = "en") -> Picture | None:
    """Draw a figure; None where its cells hold nothing to draw.

    Parameters
    ----------
    results : Results
        The run.
    name, experiment : str
        The figure, and whose it is where several experiments have one of this name.
    language : str
        Of its words.

    Returns
    -------
    Picture or None
        The figure.
    """
    from bench.report.figures import style, svg
    from bench.report.figures.subject import subject_of

    words = Language(language)
    said, figure = results.figure(name, experiment)
    subject = subject_of(results, said, figure, words, Constants())
    if not subject.any_done:
        return None
    with style.settings():
        drawing = said.find(figure.draw, "bench.report.figures")(subject)
        if drawing is None:
            return None
        alt = words.gettext(figure.alt)
        own = getattr(drawing, "to_svg", None)
        text = own(name, alt) if own else svg.to_svg(drawing, name, alt)
    return Picture(name, alt, str(text), drawing)


def _painted(svg: str, dpi: int) -> Any:
    """Paint a sheet of images: pictures, words and frames, which is all that it holds."""
    from PIL import Image, ImageDraw, ImageFont

    root = ET.fromstring(svg)  # noqa: S314 - our own, just written
    scale = dpi / MM
    size = [round(float(side) * scale) for side in root.attrib["viewBox"].split()[2:]]
    paper = Image.new("RGB", (size[0], size[1]), "white")
    pen = ImageDraw.Draw(paper)
    for item in root:
        kind, given = item.tag.removeprefix(SVG), item.attrib
        if kind == "title":
            continue
        x, y = (float(given[side]) * scale for side in ("x", "y"))
        if kind == "text":
            cut = CUTS[given["font-weight"], given.get("font-style", "normal")]
            path = TEMPLATES / "fonts" / f"SourceSans3-{cut}.ttf"
            font = ImageFont.truetype(str(path), float(given["font-size"]) * scale)
            anchor = ANCHORS[given["text-anchor"]]
            pen.text((x, y), item.text or "", given["fill"], font, anchor=anchor)
            continue
        width, height = (float(given[side]) * scale for side in ("width", "height"))
        if kind == "rect":
            pen.rectangle((x, y, x + width, y + height), outline=given["stroke"])
        else:
            data = base64.b64decode(given[f"{XLINK}href"].partition(",")[2])
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            enlarged = picture.resize((round(width), round(height)), Image.Resampling.BOX)
            paper.paste(enlarged, (round(x), round(y)))
    return paper
