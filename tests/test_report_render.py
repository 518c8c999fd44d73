"""The whole report of a made-up run: whole, true, offline, tagged, and the same each time."""

import re
import subprocess
import sys

import page as page_validation
import pytest
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from bench.config.assignment import load_assignment
from bench.paths import ROOT
from bench.report import ReportError, render
from bench.report.checks.verify import check_page, read_page
from bench.report.order import DRAWINGS, Order
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language
from tests.report_fixture import made_up_run, templates_with_pseudo_spanish

WATERMARK = "smoke: do not cite"
ORDER = Order("full", assignment=load_assignment(ROOT / "bench" / "config" / "assignment.toml"))
STATED = Constants(earlier=ORDER.figures)


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    return templates_with_pseudo_spanish(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "made-up"
    return made_up_run(
        folder,
        seeds=2,
        failed=("fashion_generation/gan", "fashion_classifier/search"),
        missing=("fashion_embedding/tsne", "mnist_classifier/pretrained"),
    )


@pytest.fixture(scope="module")
def english(run, templates, tmp_path_factory):
    """HTML and PDF, by suffix."""
    out = tmp_path_factory.mktemp("english")
    paths = render(run, out, ("en",), templates=templates, order=ORDER)
    left = {path for path in out.iterdir() if path.name != DRAWINGS}
    assert left == set(paths), "something was left beside the report"
    return {path.suffix: path for path in paths}


@pytest.fixture(scope="module")
def spanish(run, templates, tmp_path_factory):
    """The hand-in edition."""
    out = tmp_path_factory.mktemp("spanish")
    return {path.suffix: path for path in render(run, out, ("es",), templates=templates)}


@pytest.fixture(scope="module")
def page(english):
    return english[".html"].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def printed(english):
    return PdfReader(english[".pdf"])


def test_files_are_named_by_language_and_format(english):
    assert english[".html"].name == "full-record.en.html"
    assert english[".pdf"].name == "full-record.en.pdf"


def test_the_exercises_stand_in_order(page):
    places = [page.index(f'id="exercise-{number}"') for number in range(1, 6)]
    later = [page.index(f'<h2 id="{name}"') for name in ("benchmarks", "methods", "provenance")]
    assert places + later == sorted(places + later)
    for number in range(1, 9):
        assert f'id="claim-{number}"' in page


def test_the_page_loads_nothing_from_outside(page):
    assert read_page(page).outside == []
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    assert {address[:5] for address in re.findall(r"url\(['\"]?([^)]+)", style)} == {"data:"}


def test_every_number_names_its_cell(page, run):
    marks = [mark for mark in read_page(page).marks if "data-cell" in mark.attributes]
    labels = {cell.label for cell in run.cells}
    assert len(marks) > 400
    for mark in marks:
        assert set(mark.attributes["data-cell"].split()) <= labels
        assert mark.attributes["data-cell"].split()[0] in mark.attributes["title"]


def test_failed_and_missing_cells_are_shown_with_their_reasons(page):
    assert "MemoryError: no room for &lt;b&gt;it&lt;/b&gt;" in page
    assert "<b>it</b>" not in page
    assert "GAN, seed 0</a>: <strong>failed" in page
    assert re.search(r"<strong>missing</strong>:[^<]*t\u2011SNE \(seeds: 1\)", page)
    assert 'id="fig-stage_curves-mnist_classifier" class="empty"' in page


def test_two_seeds_give_intervals_and_verdicts(page):
    assert 'scope="row">Ensemble of the seeds' in page
    assert "confidence interval over the seeds (2)" in page
    assert "±" in page


def test_few_labels_are_judged_count_by_count(page):
    assert page.count('<h3 id="fashion_classifier-few-labels">') == 1
    words = re.sub(r"<[^>]+>", "", page)
    judged = re.findall(
        r"With ([\d, and]+) labelled images of each class no difference is shown", words
    )
    assert judged, "two noisy seeds cannot tell the arms apart at every count"


def test_one_seed_gives_no_ensemble_and_no_verdict(templates, tmp_path):
    alone = made_up_run(tmp_path / "alone")
    (path,) = render(alone, tmp_path / "out", ("en",), ("html",), templates=templates, order=ORDER)
    text = path.read_text(encoding="utf-8")
    assert 'scope="row">Ensemble of the seeds' not in text[: text.index('id="tab-sources"')]
    assert "interval over the seeds lies" not in text
    assert text.count("too few seeds</data>") > 15
    assert "One run" not in text
    assert check_page(text, alone, Language("en"), STATED).drawings > 15


def _check(page, run, code="en"):
    return check_page(page, run, Language(code), STATED)


def test_the_page_agrees_with_the_store(page, run):
    assert _check(page, run).drawings > 15


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        (r'(data-path="accuracy"[^>]*>)\d', r"\g<1>0", "accuracy: the page says"),
        (r'(data-path="accuracy" data-values=")\d', r"\g<1>7", "the seeds' values"),
        (r"± 0\.0", "± 0.9", "the page says"),
        (r'(data-estimate="share".*?–)\d', r"\g<1>9", "on_one_line: the page says"),
        (r'(data-estimate="correlation".*?\()\d', r"\g<1>9", "correlation: the page says"),
        (r'(data-estimate="sum".*?>)\d', r"\g<1>9", "detected: the page says"),
        (r'(data-handed-in="[^"]*accuracy"[^>]*>)93', r"\g<1>99", "the page says"),
        (r'data-minus-path="cured', 'data-minus-path="handed_in', "accuracy_gap: the page says"),
        (r'(data-setting="[^>]*>)\d', r"\g<1>987", "setting"),
        (r"(<main>)", r"\1<p>It reaches 0.999.</p>", "names no cell: 'It reaches 0.999.'"),
        (r"(<main>)", r'\1<figure id="hollow"></figure>', "an empty figure: hollow"),
        (r"(<main>)", r'\1<img src="https://example.org/a.png">', "loaded from outside"),
        (r"(<main>)", r'\1<a href="#nowhere">x</a>', "leads nowhere: #nowhere"),
        (r"(<main>)", r'\1<p id="contents">x</p>', "stands twice: contents"),
        (r'class="watermark"', 'class="gone"', "no watermark"),
    ],
)
def test_a_page_that_was_tampered_with_is_refused(page, run, pattern, replacement, complaint):
    spoilt, count = re.subn(pattern, replacement, page, count=1)
    assert count == 1
    with pytest.raises(ReportError, match=re.escape(complaint)):
        _check(spoilt, run)


def test_a_page_that_names_a_cell_of_no_store_is_refused(page, run):
    label = run.cells[0].label
    spoilt = page.replace(f'data-cell="{label}', 'data-cell="nobody/knows-s0-0')
    with pytest.raises(ReportError, match="nobody/knows"):
        _check(spoilt, run)


def test_an_untranslated_word_stands_in_english_and_is_named(run, templates, tmp_path):
    path = templates / "sections" / "references.html.j2"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "{% trans %}Nobody translated this.{% endtrans %}", encoding="utf-8")
    messages = []
    try:
        (page,) = render(
            run, tmp_path, ("es",), ("html",), templates=templates, on_warning=messages.append
        )
    finally:
        path.write_text(before, encoding="utf-8")
    assert "Nobody translated this." in page.read_text(encoding="utf-8")
    (words,) = messages
    assert words.startswith("es: expected a translation")
    assert "'Nobody translated this.'" in words


def test_spanish_is_spanish_throughout(run, templates, tmp_path):
    (path,) = render(run, tmp_path, ("es",), ("html",), templates=templates, order=ORDER)
    text = path.read_text(encoding="utf-8")
    assert '<html lang="es">' in text
    assert "Figure ñ 1." in text
    assert "Ankle boot ñ" in text
    assert "Mean brightness ñ" in text, "labels inside figures"
    accuracy = run.select("mnist_classifier", "fine_tuned")
    mean = sum(cell.metrics["accuracy"] for cell in accuracy) / len(accuracy)
    assert f"{100 * mean:.2f}".replace(".", ",") in text


def test_the_watermark_stands_on_each_printed_page(printed):
    assert len(printed.pages) > 10
    for number, sheet in enumerate(printed.pages, 1):
        assert WATERMARK in sheet.extract_text(), f"page {number}"


@pytest.fixture(scope="module")
def structure(printed):
    return _elements(printed)


def _elements(document):
    """Every element of a PDF's structure, each after the one that holds it."""
    found, stack = [], [document.trailer["/Root"]["/StructTreeRoot"]["/K"]]
    while stack:
        node = stack.pop().get_object()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(node)
            if "/K" in node:
                stack.append(node["/K"])
    return found


def _of_kind(structure, kind):
    return [element for element in structure if element["/S"] == kind]


@pytest.mark.parametrize("profile", ["3a", "ua1"])
def test_the_pdf_keeps_the_rules_of_archives_and_of_readers_aloud(english, spanish, profile):
    for files in (english, spanish):
        found = page_validation.validate_pdf(files[".pdf"], profile=profile)
        assert found.rules.total > 100
        assert [f"{each.rule_id}: {each.message}" for each in found.failures] == []


def test_the_pdf_is_tagged_and_described(printed, structure):
    root = printed.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "MNIST" in printed.metadata.title
    assert printed.outline
    figures = _of_kind(structure, "/Figure")
    assert len(figures) > 15
    assert all(figure.get("/Alt") for figure in figures)


def test_each_figure_tells_its_finding_with_the_figures_of_the_run(page, structure, spanish):
    """An empty figure has no finding; a sheet of digits may have nothing but its description."""
    drawn = re.findall(r'<figure id="fig-([^"]+)"><div', page)
    assert len(drawn) > 30
    told = dict(re.findall(r'<span id="fig-([^"]+)-finding" hidden>(.*?)</span><', page))
    assert [name for name in drawn if "<data" not in told.get(name, "")] == []
    labelled = re.findall(r'aria-labelledby="\S+-title fig-(\S+)-finding"', page)
    assert sorted(labelled) == sorted(drawn)
    for figures in (structure, _elements(PdfReader(spanish[".pdf"]))):
        alts = [figure["/Alt"] for figure in _of_kind(figures, "/Figure")]
        assert [alt for alt in alts if not re.search(r"\d", alt) or "<" in alt] == []


def test_no_line_ends_within_the_name_of_a_method(page, printed):
    assert "t-SNE" not in page.partition('<script type="application/json"')[0]
    text = "".join(sheet.extract_text() for sheet in printed.pages)
    hyphen = "[-\u2010\u2011]"  # which of them is read back is for the typeface to say
    assert len(re.findall(f"t{hyphen}SNE", text)) > 5
    assert not re.search(rf"\bt{hyphen}\s*\n", text)


def test_formulas_are_read_aloud(structure, spanish):
    spoken = {element["/Alt"] for element in _of_kind(structure, "/Formula")}
    assert "beta" in spoken
    assert len(spoken) > 15
    assert not any("\\" in words for words in spoken), "LaTeX is not spoken"
    translated = _of_kind(_elements(PdfReader(spanish[".pdf"])), "/Formula")
    assert "mu phi of x ñ" in {element["/Alt"] for element in translated}


def test_each_cell_of_a_table_names_its_headers(structure):
    headers = _of_kind(structure, "/TH")
    assert {header["/A"]["/Scope"] for header in headers} == {"/Row", "/Column"}
    names = {header["/ID"] for header in headers}
    assert len(names) == len(headers)
    cells = _of_kind(structure, "/TD")
    named = [cell["/A"]["/Headers"] for cell in cells]
    assert len(named) > 500
    assert all(set(each) <= names for each in named)
    assert sum(len(each) < 2 for each in named) < len(named) / 20, "of its row and of its column"


def test_a_link_says_where_it_leads(printed, structure):
    links = [link.get_object() for sheet in printed.pages for link in sheet.get("/Annots", [])]
    assert len(links) > 100
    words = [link["/Contents"] for link in links]
    assert "Introduction and objectives" in " ".join(words)
    inside = [kid for each in _of_kind(structure, "/Link") for kid in each["/K"]]
    objects = [kid.get_object() for kid in inside if not isinstance(kid, int)]
    assert sum(each.get("/Type") == "/OBJR" for each in objects) == len(links)


def test_running_heads_and_page_numbers_are_not_read_aloud(printed):
    for sheet in list(printed.pages)[1:]:
        marked = sheet.get_contents().get_data()
        assert marked.count(b"/Pagination") >= 3, "title, section and number"


def test_attached_files_say_what_they_are_for(printed):
    files = [file.get_object() for file in printed.trailer["/Root"]["/AF"]]
    assert {file["/UF"] for file in files} == {"constraints.txt", "profile.json", "results.json"}
    assert {file["/AFRelationship"] for file in files} == {"/Data"}
    assert all(file["/Desc"] for file in files)


def test_the_contents_name_the_page_of_each_heading(printed):
    texts = [sheet.extract_text() for sheet in printed.pages]
    first = next(number for number, text in enumerate(texts) if "Contents" in text)
    line = re.search(r"method notes[ .]*(\d+)", " ".join(texts[first : first + 2]))
    assert "method notes" in printed.pages[int(line.group(1)) - 1].extract_text()


def test_the_running_head_names_the_section_that_a_page_begins_with(english, printed):
    sections = [entry.title for entry in printed.outline if not isinstance(entry, list)]
    begun = 0
    with PdfDocument(english[".pdf"]) as document:
        for sheet in document:
            box, text = sheet.get_size(), sheet.get_textpage()
            head = text.get_text_bounded(top=box[1], bottom=box[1] - 66)
            below = text.get_text_bounded(top=box[1] - 66, bottom=box[1] - 110)
            first = next((title for title in sections if below.strip().startswith(title)), None)
            if first:
                begun += 1
                assert first in head
    assert begun > 1


def test_only_bundled_typefaces_are_used(printed):
    fonts = {
        str(font.get_object()["/BaseFont"])
        for sheet in printed.pages
        for font in sheet["/Resources"].get("/Font", {}).values()
    }
    assert fonts
    assert all("Source" in name for name in fonts), fonts


def test_rendering_again_gives_the_same_bytes(english, spanish, run, templates, tmp_path):
    for language, order, files in (("en", ORDER, english), ("es", None, spanish)):
        for path in render(run, tmp_path, (language,), templates=templates, order=order):
            assert path.read_bytes() == files[path.suffix].read_bytes(), path.name


def test_a_run_without_a_single_result_is_still_a_report(templates, tmp_path):
    everything = made_up_run(tmp_path / "all")
    names = tuple({f"{cell.experiment}/{cell.variant}" for cell in everything.cells})
    empty = made_up_run(tmp_path / "none", missing=names)
    (path,) = render(empty, tmp_path / "out", ("en",), ("html",), templates=templates)
    assert "Not drawn, for want of finished cells." in path.read_text(encoding="utf-8")


def test_rendering_imports_no_deep_learning_framework():
    code = (
        "import sys, bench.report.edition, weasyprint;"
        "heavy = {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)
