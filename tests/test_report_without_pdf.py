"""Where Pango is absent, reports are HTML alone, with the remedy and an exit code of its own."""

import pytest

from bench import commands
from bench.__main__ import main
from bench.errors import UserError
from bench.report.publishing import pdf


@pytest.fixture
def rendered(monkeypatch, tmp_path):
    """The formats of each rendering; nothing is run and nothing drawn."""
    formats = []
    monkeypatch.setattr(commands, "_render", lambda options, console, each: formats.append(each))
    monkeypatch.setattr(commands, "_run", lambda *given: commands.FAILED_CELLS * len(failed))
    failed = []
    return formats, failed, ["--profile", "smoke", "--reports", str(tmp_path)]


@pytest.fixture
def no_pango(monkeypatch):
    def refuse():
        raise UserError(f"The PDF needs system libraries: Pango. {pdf.REMEDY}.")

    monkeypatch.setattr(pdf, "check_libraries", refuse)


@pytest.mark.parametrize("command", ["run-all", "report"])
def test_html_is_made_and_the_remedy_told(rendered, no_pango, capsys, command):
    formats, _, words = rendered
    assert main([command, *words]) == 10
    assert formats == [("html",)]
    output = capsys.readouterr().out
    assert "No PDF will be made" in output
    assert "bash .ci/system-libraries" in output


@pytest.mark.parametrize("command", ["run-all", "report"])
def test_with_pango_both_are_made(rendered, monkeypatch, command):
    formats, _, words = rendered
    monkeypatch.setattr(pdf, "check_libraries", lambda: None)
    assert main([command, *words]) == 0
    assert formats == [("html", "pdf")]


def test_failed_cells_are_told_before_a_missing_pdf(rendered, no_pango):
    _, failed, words = rendered
    failed.append("cell")
    assert main(["run-all", *words]) == 3


def test_html_that_is_asked_for_alone_lacks_nothing(rendered, no_pango):
    formats, _, words = rendered
    assert main(["report", "--format", "html", *words]) == 0
    assert formats == [("html",)]
