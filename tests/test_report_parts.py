"""Parts of the report: equations, numbering, drawings, printing."""

import ctypes
import ctypes.util
import re
import tomllib
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure

from bench.errors import UserError
from bench.paths import TEMPLATES
from bench.report import PrintingError
from bench.report.figures.curves import label_ends
from bench.report.figures.equations import load_equations, to_mathml, to_outlines, to_svg
from bench.report.figures.maps import free_height
from bench.report.figures.scores import label_box
from bench.report.figures.style import settings
from bench.report.figures.svg import to_svg as drawing_to_svg
from bench.report.page.numbering import Numbering, UnknownReferenceError
from bench.report.page.outline import number_captions, read_outline
from bench.report.publishing import pdf

EQUATIONS = load_equations()
INLINE = sorted(
    {
        latex.replace("\\\\", "\\")
        for path in (TEMPLATES / "sections").glob("*.j2")
        for latex in re.findall(r"math\('([^']+)'\)", path.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize("latex", [*(e.latex for e in EQUATIONS.values()), *INLINE])
def test_every_formula_is_read_by_both_renderers(latex):
    drawing = ET.fromstring(to_svg(to_outlines(latex), "aloud"))  # noqa: S314 - our own
    assert drawing.find("{*}title").text == "aloud"
    assert len(drawing.find("{*}path").get("d")) > 50
    mathml = to_mathml(latex, 'a "quoted" <alt>')
    assert ET.fromstring(mathml).get("alttext") == 'a "quoted" <alt>'  # noqa: S314
    assert "\\" not in re.sub(r'alttext="[^"]*"', "", mathml), "a command that was not understood"


def test_every_equation_is_said_in_words():
    assert all(len(entry.alt) > 20 for entry in EQUATIONS.values())


def test_published_figures_name_references_that_exist():
    references = tomllib.loads((TEMPLATES / "references.toml").read_text(encoding="utf-8"))
    tables = tomllib.loads((TEMPLATES / "published.toml").read_text(encoding="utf-8"))
    assert {row["reference"] for rows in tables.values() for row in rows} <= set(references)
    for rows in tables.values():
        names = [row["system"] for row in rows]
        assert all(
            names.count(name) == 1 or len({r["reference"] for r in rows}) > 1 for name in names
        )
        figures = [v for row in rows for k, v in row.items() if k not in ("system", "reference")]
        assert all(0 < figure < 1 for figure in figures)


def test_captions_are_numbered_in_order_and_anchors_found():
    page = (
        '<h2 id="a">One <i>two</i></h2><figure id="f"><p>x</p><figcaption>F</figcaption></figure>'
        '<table><tr><td>layout</td></tr></table><table id="t"><caption>T</caption></table>'
        '<figure id="g"><figcaption>G</figcaption></figure>'
    )
    outline = read_outline(page)
    assert [heading.title for heading in outline.headings] == ["One two"]
    assert outline.numbers == {"f": ("figure", 1), "t": ("table", 1), "g": ("figure", 2)}
    numbered = number_captions(page, {"figure": "Figura", "table": "Tabla"})
    assert '<figcaption><span class="label">Figura 2.</span> G' in numbered
    assert '<caption><span class="label">Tabla 1.</span> T' in numbered


def test_a_reference_to_nothing_is_refused_in_the_second_pass():
    numbering = Numbering()
    assert numbering.caption_number("fig-x") == ("figure", "")
    numbering.finish_first_pass(read_outline(""))
    with pytest.raises(UnknownReferenceError, match="fig-x"):
        numbering.caption_number("fig-x")


def test_a_drawing_is_the_same_each_time_and_its_identifiers_its_own():
    def draw(name):
        with settings():
            figure = Figure(figsize=(2, 2))
            figure.subplots().plot([1, 2], [3, 4], marker="o")
            figure.suptitle("Bold", fontweight=600)
            return drawing_to_svg(figure, name, "A <line>")

    first = draw("one")
    assert first == draw("one")
    root = ET.fromstring(first)  # noqa: S314 - our own
    assert root.find("{*}title").text == "A <line>"
    names = set(re.findall(r' id="([^"]+)"', first))
    assert len(names) > 2
    assert all(name.startswith("one") for name in names)
    assert not names & set(re.findall(r' id="([^"]+)"', draw("two")))
    assert 'font-weight="600"' in first
    assert "<metadata" not in first


def test_labels_at_line_ends_are_pushed_apart():
    axes = Figure().subplots()
    axes.set_ylim(0, 1)
    label_ends(axes, [(0.5, "a", "k", "o"), (0.5, "b", "k", "s"), (0.51, "c", "k", "")], gap=0.1)
    heights = sorted(text.xy[1] for text in axes.texts)
    assert [line.get_marker() for line in axes.lines] == ["o", "s"]
    assert all(b - a >= 0.0999 for a, b in pairwise(heights))


def test_names_of_spots_cover_neither_spots_nor_each_other():
    spots = [(100.0, 50.0), (104.0, 50.0), (102.0, 53.0), (5.0, 50.0), (195.0, 50.0)]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in spots]
    for x, y in spots:
        left, bottom, right, top = label_box(x, y, 60.0, 8.0, taken, 200.0)
        assert left >= 0
        assert bottom >= 0
        assert right <= 200
        assert not any(a < right and left < c and b < top and bottom < d for a, b, c, d in taken)
        taken.append((left, bottom, right, top))


def test_class_names_on_a_map_do_not_cover_each_other():
    taken = [(0.5, 0.5)]
    assert abs(free_height(0.5, 0.5, taken) - 0.5) > 0.04
    assert free_height(0.9, 0.5, taken) == 0.5


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    def refuse(name, *args, **kwargs):
        if "harfbuzz" in str(name):
            raise OSError(name)
        return real(name, *args, **kwargs)

    real = ctypes.CDLL
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(UserError, match=r"lacks: HarfBuzz\..*apt install") as caught:
        pdf.check_libraries()
    assert "brew install" in str(caught.value)
    assert "Pango," not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["https://example.org/x.png", "file:///etc/hostname", "absent.png"]
)
def test_what_printing_would_only_log_fails_the_report(tmp_path, address):
    page = f'<html lang="en"><title>t</title><p>text</p><img src="{address}" alt="x"></html>'
    with pytest.raises(PrintingError, match="WeasyPrint reported"):
        pdf.print_pdf(page, tmp_path, TEMPLATES / "fonts", None)
