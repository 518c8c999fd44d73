"""The hand-in edition: short, signed, without hashes in its text; an assignment decides on it."""

import io
import re

import pytest
from PIL import Image
from pypdf import PdfReader

from bench.config.assignment import load_assignment
from bench.report import render
from bench.report.checks.verify import check_page, read_page
from bench.report.order import Order
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language
from bench.report.words.identity import load_identity
from tests.report_fixture import made_up_run

MOST_PAGES = 16  # before the references
HOSTILE = "<b>Ana</b> {{ 7 * 7 }} & file:///etc/passwd"
IDENTITY = f"""
[report]
title = {{ en = "Maps of clothes", es = "Mapas de ropa" }}
authors = [{{ name = "{HOSTILE}", number = "17", mail = "ana@example.edu" }}, {{ name = "Luis" }}]
course = "Deep learning"
teacher = "L. Gómez"
date = 2026-12-01
logo = "logo.png"
repository = "https://example.org/lab"
[report.text]
discussion = "We measured 0.123 by hand. <script>x</script>"
"""
PART = """
[assignment]
title = { en = "Only digits", es = "Solo dígitos" }
deadline = 2026-12-15
exercises = [3]
claims = [4]
[assignment.questions]
3 = { en = "Which digit is it?", es = "¿Qué dígito es?" }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_up_run(tmp_path_factory.mktemp("runs") / "made-up", seeds=2)


@pytest.fixture(scope="module")
def order(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authors")
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "navy").save(buffer, "png")
    (folder / "logo.png").write_bytes(buffer.getvalue())
    (folder / "report.toml").write_text(IDENTITY, encoding="utf-8")
    return Order(identity=load_identity(folder / "report.toml"))


@pytest.fixture(scope="module")
def signed(run, order, tmp_path_factory):
    """Both formats of both languages, by name."""
    out = tmp_path_factory.mktemp("signed")
    return {path.name: path for path in render(run, out, order=order)}


@pytest.fixture(scope="module")
def page(signed):
    return signed["lab-report.en.html"].read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "heading"), [("en", "References"), ("es", "Referencias")])
def test_the_hand_in_is_short(signed, code, heading):
    pages = [sheet.extract_text() for sheet in PdfReader(signed[f"lab-report.{code}.pdf"]).pages]
    first = next(n for n, text in enumerate(pages) if re.search(rf"^{heading}$", text, re.M))
    assert first <= MOST_PAGES


def test_authors_stand_in_byline_metadata_and_citation(page, signed):
    assert page.count("&lt;b&gt;Ana&lt;/b&gt; {{ 7 * 7 }} &amp; file:///etc/passwd") == 3
    assert "<b>Ana" not in page
    found = PdfReader(signed["lab-report.en.pdf"]).metadata
    assert HOSTILE in found.author
    assert found.title == "Maps of clothes"
    assert PdfReader(signed["lab-report.es.pdf"]).metadata.title == "Mapas de ropa"
    for words in ("Deep learning", "L. Gómez", "December 1, 2026", "data:image/png"):
        assert words in page


def test_own_paragraphs_are_marked_and_not_checked(page, run):
    assert "We measured 0.123 by hand. &lt;script&gt;x&lt;/script&gt;" in page
    assert check_page(page, run, Language("en"), Constants()).marks


def test_without_authors_one_place_says_so_and_nobody_is_compared_with(run, tmp_path):
    (path,) = render(run, tmp_path, ("en",), ("html",))
    text = path.read_text(encoding="utf-8")
    assert text.count("Author not given") == 1
    words = re.sub(r"<[^>]+>", " ", text[text.index("<header") : text.index("tab-sources")])
    assert "earlier report" not in words.lower()
    assert "handed-in report" not in words.lower()


def test_no_hash_stands_in_the_text(page, run):
    text = page[page.index("<header") : page.index('id="tab-sources"')]
    text = re.sub(r"<(script|svg|code)\b.*?</\1>|<[^>]+>", " ", text, flags=re.S)
    assert not [cell.label for cell in run.cells if cell.key[:6] in text]


def test_each_number_opens_its_source(page):
    marks = [mark for mark in read_page(page).marks if "data-cell" in mark.attributes]
    assert marks
    assert all(mark.attributes["data-values"] for mark in marks)
    assert '<div id="window" class="window" popover' in page
    assert "showPopover" in page


def test_an_assignment_decides_on_exercises_claims_and_wording(run, tmp_path):
    (tmp_path / "part.toml").write_text(PART, encoding="utf-8")
    order = Order("full", assignment=load_assignment(tmp_path / "part.toml"))
    (path,) = render(run, tmp_path, ("es",), ("html",), order=order)
    text = path.read_text(encoding="utf-8")
    assert "¿Qué dígito es?" in text
    assert "Solo dígitos" in text
    assert "15 de diciembre de 2026" in text
    assert re.findall(r'<h2 id="exercise-(\d)"', text) == ["3"]
    assert re.findall(r'<tr id="claim-(\d)"', text) == ["4"]
