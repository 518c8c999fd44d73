"""A finished report is checked by itself: one changed digit is found and named."""

import io
import json
import re
import shutil

import pytest
from pypdf import PdfReader, PdfWriter
from pypdfium2 import PdfTextPage

from bench.__main__ import main
from bench.errors import UserError
from bench.report import render
from bench.report.checks.evidence import ELEMENT, LOCK_FILE, numbers_of_html
from bench.report.checks.recheck import recheck
from bench.store import Result, open_run, write_done
from tests.report_fixture import made_up_run, templates_with_pseudo_spanish


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "made-up"
    return made_up_run(folder, seeds=2, missing=("fashion_embedding/tsne",))


@pytest.fixture(scope="module")
def files(run, tmp_path_factory):
    """HTML and PDF, by suffix."""
    templates = templates_with_pseudo_spanish(tmp_path_factory.mktemp("report"))
    paths = render(run, tmp_path_factory.mktemp("out"), ("en",), templates=templates)
    return {path.suffix: path for path in paths}


@pytest.fixture
def page(files):
    return files[".html"].read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", [".html", ".pdf"])
def test_an_honest_report_agrees_with_itself_and_its_run(files, run, suffix):
    found = recheck(files[suffix], run)
    assert found.problems == []
    assert found.marked > 300
    assert found.numbers > found.marked
    assert found.compared > 300
    assert recheck(files[suffix]).compared == 0


def _rewritten(tmp_path, page, pattern, replacement):
    spoilt, count = re.subn(pattern, replacement, page, count=1)
    assert count == 1
    (tmp_path / "r.html").write_text(spoilt, encoding="utf-8")
    return "\n".join(recheck(tmp_path / "r.html").problems)


def test_one_changed_digit_on_the_screen_is_named(tmp_path, page):
    message = _rewritten(tmp_path, page, r'(data-path="accuracy"[^>]*>\d+\.\d)\d', r"\g<1>x")
    assert "accuracy" in message
    message = _rewritten(
        tmp_path,
        page,
        r'(data-path="accuracy"[^>]*>\d+\.)(\d)',
        lambda found: found[1] + str((int(found[2]) + 1) % 10),
    )
    assert "accuracy: the page says" in message
    assert "stands where" in message


def test_a_changed_number_without_a_mark_is_named(tmp_path, page):
    message = _rewritten(tmp_path, page, r"<figcaption>", "<figcaption>Of 987654 images. ")
    assert "987654 stands where nothing was printed" in message
    assert "Of 987654 images" in message


def test_numbers_and_results_that_were_changed_alike_do_not_fit_the_run(tmp_path, page, run):
    value = next(
        value
        for held in json.loads(_block(page))["values"].values()
        for path, value in held.items()
        if path == "accuracy"
    )
    (tmp_path / "r.html").write_text(page.replace(repr(value), "0.123456"), encoding="utf-8")
    assert "SHA-256" in recheck(tmp_path / "r.html").problems[0]
    message = "\n".join(recheck(tmp_path / "r.html", run).problems)
    assert f"accuracy: expected {value!r} as in the run, got 0.123456" in message


def _block(page):
    return page.split(f'id="{ELEMENT}">')[1].split("</script>")[0]


def test_one_changed_digit_on_paper_is_named(files, monkeypatch):
    """The text of one page is read with another digit, as if the page had been set so."""
    sheets = PdfReader(files[".pdf"]).pages
    place, text = next(
        (k, found)
        for k, sheet in enumerate(sheets, 1)
        if re.search(r"0\.\d{4}", found := " ".join(sheet.extract_text().split()))
    )
    number = re.search(r"0\.\d{4}", text).group()
    changed = number[:-1] + str((int(number[-1]) + 1) % 10)
    extract, pages = PdfTextPage.get_text_range, iter(range(1, len(sheets) + 1))

    def read(sheet):
        text = extract(sheet)
        return text.replace(number, changed, 1) if next(pages) == place else text

    monkeypatch.setattr(PdfTextPage, "get_text_range", read)
    message = "\n".join(recheck(files[".pdf"]).problems)
    assert f"page {place}: {changed} stands where {number} was printed" in message


def test_the_pdf_carries_results_settings_and_the_lock_file(files, run):
    attached = PdfReader(files[".pdf"]).attachments
    assert set(attached) == {"results.json", "profile.json", "constraints.txt"}
    assert json.loads(attached["profile.json"][0]) == run.profile
    assert attached["constraints.txt"][0].decode() == LOCK_FILE.read_text(encoding="utf-8")


def test_a_file_without_results_is_a_mistake(tmp_path, page):
    (tmp_path / "r.html").write_text(page.replace(ELEMENT, "gone"), encoding="utf-8")
    with pytest.raises(UserError, match="carries its results"):
        recheck(tmp_path / "r.html")
    writer, empty = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(empty)
    (tmp_path / "r.pdf").write_bytes(empty.getvalue())
    with pytest.raises(UserError, match="carries its results"):
        recheck(tmp_path / "r.pdf")


@pytest.mark.parametrize(
    "block",
    ["[" * 100_000, '{"schema": 1}', '{"schema": 99}', "null", '{"schema": 1, "values": 3}'],
)
def test_hostile_results_are_a_mistake(tmp_path, page, block):
    spoilt = page.replace(_block(page), block)
    (tmp_path / "r.html").write_text(spoilt, encoding="utf-8")
    with pytest.raises(UserError, match="Nothing was checked"):
        recheck(tmp_path / "r.html")


def test_a_torn_pdf_is_a_mistake(tmp_path, files):
    (tmp_path / "r.pdf").write_bytes(files[".pdf"].read_bytes()[:3000])
    with pytest.raises(UserError, match="cannot be read"):
        recheck(tmp_path / "r.pdf")


def test_the_command_names_what_differs(tmp_path, files, page, run, capsys):
    words = ["--run", run.name, "--runs", str(run.folder.parent)]
    assert main(["verify-report", str(files[".html"]), *words]) == 0
    assert "agree" in capsys.readouterr().out
    (tmp_path / "r.html").write_text(page.replace("<h1", "<p>77</p><h1", 1), encoding="utf-8")
    assert main(["verify-report", str(tmp_path / "r.html")]) == 8
    assert "77 stands where nothing was printed" in capsys.readouterr().out
    assert main(["verify-report", str(tmp_path / "nothing.pdf")]) == 2
    assert "expected a report there" in capsys.readouterr().err


def test_another_run_is_told(files, run, tmp_path):
    other = shutil.copytree(run.folder, tmp_path / "other")
    cell = open_run(other).select("mnist_classifier", "fine_tuned")[0]
    metrics = {**cell.metrics, "accuracy": 0.5}
    write_done(cell, Result(metrics, {}, dict(cell.arrays)), {}, cell.provenance)
    message = "\n".join(recheck(files[".html"], open_run(other)).problems)
    assert f"{cell.label}: the run holds another cell of this name" in message
    assert "accuracy: expected 0.5 as in the run" in message


def test_numbers_are_read_with_what_stands_around_them():
    page = "<style>p{margin:3px}</style><p>Of 10,000 images 94.3 % are right.</p><script>4</script>"
    found = numbers_of_html(page)
    assert [number.text for number in found] == ["10,000", "94.3"]
    assert found[1].words == "Of 10,000 images 94.3 % are right."
