"""Who hands in and what was asked, from TOML: mistakes are told, hostile text stays text."""

import io
import re
from types import SimpleNamespace

import pytest
from markupsafe import Markup
from PIL import Image

from bench import commands
from bench.config.assignment import EXERCISES, load_assignment, overlay, student_seed
from bench.config.protocol import protocol
from bench.errors import UserError
from bench.paths import ROOT
from bench.report.order import Order
from bench.report.page.page import Page
from bench.report.words.identity import Identity, load_identity
from bench.report.words.markdown import to_html

EXAMPLE = ROOT / "bench" / "config" / "assignment.toml"


def _write(folder, text, name="report.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_authors_texts_and_languages_are_read(tmp_path):
    found = load_identity(
        _write(
            tmp_path,
            """
            [report]
            title = { en = "Maps", es = "Mapas" }
            authors = [{ name = "Ana", number = "1", mail = "ana@example.edu" }, { name = "Luis" }]
            university = "Universidad"
            date = 2026-12-01
            language = "es"
            [report.text]
            discussion = "More *data*."
            """,
        )
    )
    assert found.said("title", "es") == "Mapas"
    assert found.said("university", "en") == "Universidad"
    assert [author.name for author in found.authors] == ["Ana", "Luis"]
    assert found.languages == ("es",)
    assert found.paragraphs("discussion", "en") == "More *data*."
    assert found.paragraphs("claims", "en") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel = 'x'", r"report\.titel: is no key\. Did you mean report\.title\?"),
        ("authors = [{ nmae = 'x', name = 'y' }]", r"Did you mean report\.authors\.name\?"),
        ("[report.text]\ndiscusion = 'x'", r"Did you mean report\.text\.discussion\?"),
        ("authors = [{ name = 'x', mail = 'nobody' }]", r"authors\.0\.mail"),
        ("repository = 'file:///etc/passwd'", r"report\.repository"),
        ("repository = 'javascript:alert(1)'", r"report\.repository"),
        ('title = "a\\u202eb"', r"report\.title"),
        ('title = "a\\u0000b"', r"report\.title"),
        (f"teacher = '{'x' * 201}'", r"at most 200 characters"),
        ("logo = 'nowhere.png'", r"report\.logo: there is no file"),
        ("logo = 'report.toml'", r"report\.logo: expected a whole PNG or JPEG"),
        ("date = 'soon'", r"report\.date"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        load_identity(_write(tmp_path, f"[report]\n{text}\n"))


def test_a_megabyte_and_what_is_no_toml_are_refused(tmp_path):
    with pytest.raises(UserError, match="at most 200,000 bytes"):
        load_identity(_write(tmp_path, "[report]\ntitle = '" + "x" * 10**6 + "'"))
    with pytest.raises(UserError, match="not valid TOML"):
        load_identity(_write(tmp_path, "[report"))
    with pytest.raises(UserError, match="cannot be read"):
        load_identity(tmp_path / "none.toml")


def test_a_logo_is_kept_with_the_report(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2)).save(buffer, "png")
    (tmp_path / "logo.png").write_bytes(buffer.getvalue())
    path = _write(tmp_path, "[report]\nlogo = 'logo.png'")
    assert load_identity(path).logo.startswith("data:image/png;base64,")
    (tmp_path / "logo.png").write_bytes(buffer.getvalue()[:-20])
    with pytest.raises(UserError, match="whole PNG or JPEG"):
        load_identity(path)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](file:///etc/passwd)",
        "[x](javascript:alert(1))",
        "[x](file:///etc/passwd)",
        "<figcaption>Figure 99</figcaption>",
        "# a heading\n\n<h2 id=x>another</h2>",
        "{{ 7 * 7 }} {% include '/etc/passwd' %}",
    ],
)
def test_own_paragraphs_stay_text(hostile):
    html = to_html(hostile)
    assert isinstance(html, Markup)
    assert set(re.findall(r"<(\w+)", html)) <= {"p"}, html
    assert "{{ 7 * 7 }}" in html or "{{" not in hostile


def test_own_paragraphs_have_emphasis_lists_and_links():
    html = to_html("One **two** `three`\n\n- a\n- [b](https://example.org/)\n")
    assert "<strong>two</strong>" in html
    assert "<code>three</code>" in html
    assert '<a href="https://example.org/">b</a>' in html


def test_the_shipped_assignment_asks_all_exercises_and_claims():
    found = load_assignment(EXAMPLE)
    assert found.exercises == EXERCISES
    assert set(found.claims) == {claim.number for claim in protocol().claims}
    assert set(found.questions) == {str(number) for number in EXERCISES}
    figures = found.earlier.figures["fashion_classifier"]
    assert figures["accuracy"] == 0.93
    assert all(len(figures[name]) == 10 for name in ("precision", "recall", "f1"))
    assert overlay(found) == overlay(None) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exercises = [6]", r"assignment\.exercises"),
        ("exercices = [1]", r"Did you mean assignment\.exercises\?"),
        ("claims = [99]", r"assignment\.claims: expected numbers among 1, 2"),
        ("[assignment.questions]\n9 = { en = 'a', es = 'b' }", r"assignment\.questions"),
        ("[assignment.questions]\n1 = { en = 'a' }", r"assignment\.questions\.1\.es: is missing"),
        ("deadline = 'x'", r"assignment\.deadline"),
    ],
)
def test_a_mistake_in_an_assignment_is_told(tmp_path, text, message):
    head = "[assignment]\ntitle = { en = 'a', es = 'b' }\n"
    with pytest.raises(UserError, match=message):
        load_assignment(_write(tmp_path, head + text, "assignment.toml"))


def test_budget_and_data_are_laid_over_the_profile(tmp_path):
    text = (
        "[assignment]\ntitle = { en = 'a', es = 'b' }\ndata = { validation = 100 }\n"
        "[assignment.budget.mnist_classifier.fine_tune]\nepochs = 1\n"
    )
    found = load_assignment(_write(tmp_path, text, "assignment.toml"))
    assert overlay(found) == {
        "mnist_classifier": {"fine_tune": {"epochs": 1}},
        "data": {"validation": 100},
    }


def test_a_students_seed_is_their_own():
    seeds = {student_seed(20261126, name) for name in ("A1", "A2", "B1")}
    assert len(seeds) == 3
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert student_seed(1, " a1 ") == student_seed(1, "A1")
    assert student_seed(1, "A1") != student_seed(2, "A1")
    with pytest.raises(UserError, match="--student"):
        student_seed(1, "  ")


def test_a_report_names_no_student_whose_run_it_is_not():
    options = SimpleNamespace(student="A1", assignment=None, profile="smoke")
    own = SimpleNamespace(name="a", profile={"root_seed": commands._profile(options).root_seed})
    commands._check_student(options, own)
    with pytest.raises(UserError, match="another student's"):
        commands._check_student(options, SimpleNamespace(name="b", profile={"root_seed": 1}))


def test_the_commands_of_a_report_repeat_its_run():
    run = SimpleNamespace(name="quick", profile={"name": "quick"})
    results = SimpleNamespace(run=run, provenance=lambda _: ["c0ffee"])
    identity = Identity(repository="https://example.org/lab;id")
    page = SimpleNamespace(results=results, order=Order(identity=identity, student="Ana; id"))
    assert Page.commands(page) == [
        "git clone 'https://example.org/lab;id' lab && cd lab",
        "git checkout c0ffee",
        "bash .ci/setup",
        ".venv/bin/invoke run-all --profile quick --run quick --student 'Ana; id'",
        ".venv/bin/invoke report --profile quick --run quick --student 'Ana; id'",
    ]
