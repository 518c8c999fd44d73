"""Every section and appendix is rendered from the made-up run, in the edition that has it."""

import re
from types import SimpleNamespace

import pytest

from bench.declarations import Declaration
from bench.paths import TEMPLATES
from bench.report.order import Order
from bench.report.page.page import Page
from bench.report.render import render
from tests.report_fixture import made_up_run

HEADING = re.compile(r'<h[23] id="([a-z0-9-]+)"')
FOLDERS = {"hand-in": ("sections",), "full": ("sections", "appendices")}


@pytest.mark.parametrize("edition", FOLDERS)
def test_every_section_is_rendered(tmp_path, edition):
    run = made_up_run(tmp_path / "run", seeds=2)
    (path,) = render(run, tmp_path, ("en",), ("html",), order=Order(edition=edition))
    page = set(HEADING.findall(path.read_text(encoding="utf-8")))
    for folder in FOLDERS[edition]:
        for template in sorted((TEMPLATES / folder).glob("*.j2")):
            headings = set(HEADING.findall(template.read_text(encoding="utf-8")))
            assert headings <= page, template.name


@pytest.mark.parametrize(
    ("exercise", "has_cells", "shown"),
    [("3", False, True), ("9", True, False), ("", True, True), ("", False, False)],
)
def test_a_section_answers_an_exercise_or_is_of_cells_that_the_run_has(exercise, has_cells, shown):
    said = Declaration(
        name="mine", title="x", dataset="mnist", exercise=exercise, section="mine.html.j2"
    )
    page = SimpleNamespace(
        order=Order(),
        results=SimpleNamespace(experiments={"mine": said}),
        _has=lambda said: has_cells,
        _template=lambda said: said.section,
    )
    assert Page.sections(page) == ([[("mine.html.j2", "mine")]] if shown else [])
