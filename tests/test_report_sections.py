"""Every section and appendix is rendered from the made-up run, in the edition that has it."""

import re

import pytest

from bench.paths import TEMPLATES
from bench.report.order import Order
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
