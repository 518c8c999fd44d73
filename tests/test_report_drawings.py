"""Kept drawings are used again when, and only when, nothing that they are made from has changed."""

import pytest

from bench.report.figures import drawings, equations
from bench.report.figures.drawings import Drawings
from bench.report.words.i18n import Language
from bench.store import Result, write_done


@pytest.fixture
def done(cell):
    write_done(cell, Result({"accuracy": 0.5}), {}, {"created": "once"})
    return cell


def _kept(folder, language=None):
    return Drawings(folder, language or Language("en"), drawings.ROOT / "templates")


def test_a_drawing_is_found_again(tmp_path, done):
    _kept(tmp_path).keep("maps", [done], "<svg/>")
    assert _kept(tmp_path).find("maps", [done]) == "<svg/>"
    assert _kept(tmp_path).find("curves", [done]) is None
    assert _kept(tmp_path, Language("es")).find("maps", [done]) is None


def test_a_cell_that_ran_again_is_drawn_again(tmp_path, done):
    _kept(tmp_path).keep("maps", [done], "<svg/>")
    (done.folder / "provenance.json").write_text('{"created": "again"}')
    assert _kept(tmp_path).find("maps", [done]) is None
    _kept(tmp_path).keep("maps", [done], "<svg>2</svg>")
    assert len(list((tmp_path / drawings.DRAWINGS).glob("maps*"))) == 1


def test_nothing_is_kept_while_a_translation_is_missing(tmp_path, done):
    language = Language("es")
    language.untranslated.add("a word")
    _kept(tmp_path, language).keep("maps", [done], "<svg/>")
    assert _kept(tmp_path, language).find("maps", [done]) is None


def test_a_formula_is_drawn_once(tmp_path, monkeypatch):
    first = _kept(tmp_path).outlines("x^2")
    monkeypatch.setattr(equations, "to_outlines", None)
    assert _kept(tmp_path).outlines("x^2") == first


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"<svg", b"<svg><script/>")),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text("<svg/>"),
    ],
    ids=["empty", "torn", "script", "bytes", "plain"],
)
def test_what_is_not_as_it_was_written_is_drawn_again(tmp_path, done, damage):
    kept = _kept(tmp_path)
    kept.keep("maps", [done], "<svg/>")
    formula = kept.outlines("x^2")
    for path in (tmp_path / drawings.DRAWINGS).iterdir():
        damage(path)
    assert kept.find("maps", [done]) is None
    assert kept.outlines("x^2") == formula
    kept.keep("maps", [done], "<svg/>")
    assert kept.find("maps", [done]) == "<svg/>"
