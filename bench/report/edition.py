"""Rendering of one language: collect, draw, render, print, verify, then publish."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import cast

from bench.report.checks.evidence import Recorder, results_to_attach, with_results
from bench.report.checks.verify import check_page, check_pdf
from bench.report.explorer.gather import with_explorer
from bench.report.figures import Gallery
from bench.report.figures.drawings import Drawings
from bench.report.order import FILE_NAMES, Job, Rendered
from bench.report.page.context import Context
from bench.report.page.marks import Marks
from bench.report.page.numbering import Numbering
from bench.report.page.page import Page
from bench.report.publishing.archive import Files
from bench.report.publishing.html import render_page
from bench.report.publishing.pdf import print_pdf, write_pdf
from bench.report.values.collect import Results
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language
from bench.report.words.names import watermark_words


def render_language(job: Job) -> Rendered:
    """Render one language; its files take their places when all of them are verified."""
    run, out_dir, code, templates = job.run, job.out_dir, job.language, job.templates
    language, results = Language(code, templates), Results(run)
    constants = Constants(templates, job.order.figures, results.replaced)
    name = FILE_NAMES[job.order.edition]
    said = results.experiments.values()
    kept = Drawings(out_dir, language, templates, said, run.datasets.values(), job.order.figures)
    gallery = Gallery(results, language, constants, kept)
    build = Path(tempfile.mkdtemp(prefix=f".{name}.{code}.", dir=out_dir))
    try:
        finished, numbering = [], Numbering()
        files = [f"{name}.{each}.{kind}" for each in job.languages for kind in job.formats]
        if "html" in job.formats:
            screen = Page(
                results, language, gallery, "html", templates, job.order, numbering, files
            )
            page = render_page(screen, templates)
            marks = check_page(page, run, language, constants).marks
            page = with_explorer(page, results, language)
            page = with_results(page, run, marks, code, constants)
            finished.append(build / f"{name}.{code}.html")
            finished[-1].write_text(page, encoding="utf-8")
        if "pdf" in job.formats:
            finished.append(build / f"{name}.{code}.pdf")
            printed = Page(results, language, gallery, "pdf", templates, job.order, numbering)
            _print(printed, build, templates, finished[-1])
        finished.sort(key=lambda path: job.formats.index(path.suffix[1:]))
        paths = [path.replace(out_dir / path.name) for path in finished]
        return Rendered(paths, sorted(language.untranslated))
    finally:
        shutil.rmtree(build, ignore_errors=True)


def _print(page: Page, build: Path, templates: Path, target: Path) -> None:
    recorder = Recorder(page.marks, lambda: page.numbering.final)
    page.marks = cast(Marks, recorder)
    text = render_page(page, templates)
    folder = build / "drawings"
    folder.mkdir()
    for name, svg in page.drawings.items():
        (folder / name).write_text(svg, encoding="utf-8")
    run, language = page.results.run, page.language
    created = Context(page.results).created
    moment = datetime.fromisoformat(created) if created else None
    document = print_pdf(text, build, templates / "fonts", moment)
    watermark = run.watermark
    check_pdf(document, watermark and watermark_words(watermark, language), language)

    def to_attach(draft: bytes) -> Files:
        constants = page.gallery.constants
        return results_to_attach(draft, run, recorder.recorded, language.code, constants)

    write_pdf(document, target, moment, page.formulae, to_attach)
