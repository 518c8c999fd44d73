"""From a run to the finished files: the only way in."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from bench.paths import TEMPLATES
from bench.report.collect import Results
from bench.report.context import Context
from bench.report.figures import Gallery
from bench.report.handed_in import HandedIn
from bench.report.html import render_page
from bench.report.i18n import Language
from bench.report.names import watermark_words
from bench.report.page import Page
from bench.report.pdf import check_libraries, print_pdf, write_pdf
from bench.report.verify import check_page, check_pdf
from bench.store import StoredRun

Format = Literal["html", "pdf"]
Progress = Callable[[str], None]
NAME = "lab-report"


def render(
    run: StoredRun,
    out_dir: Path,
    languages: Sequence[str] = ("en", "es"),
    formats: Sequence[Format] = ("html", "pdf"),
    on_progress: Progress | None = None,
    templates: Path = TEMPLATES,
) -> list[Path]:
    """Render a run's report; files take their places only after they were verified.

    Parameters
    ----------
    run : StoredRun
        What to report on; missing and failed cells are shown as such.
    out_dir : Path
        Where ``lab-report.<language>.<format>`` is written.
    languages : sequence of str
        Of the catalogues, and ``en``.
    formats : sequence of {"html", "pdf"}
        The HTML is one file that refers to nothing outside itself.
    on_progress : callable, optional
        Told what is finished, in a few words.
    templates : Path
        The template set.

    Returns
    -------
    list of Path
        The files, languages in order, each in the formats' order.

    Raises
    ------
    UserError
        If a language has no catalogue, a cell cannot be read, or a system library is missing.
    ReportError
        If what was rendered does not agree with the store.
    """
    if "pdf" in formats:
        check_libraries()
    out_dir.mkdir(parents=True, exist_ok=True)
    tell = on_progress or (lambda words: None)
    jobs = [(run, out_dir, language, tuple(formats), templates) for language in languages]
    written: list[Path] = []
    if len(jobs) == 1:
        results = map(_render_language, jobs)
        written = [path for paths in results for path in paths]
        tell(languages[0])
        return written
    # One process a language: the work is in Python, and each needs a second or two.
    with ProcessPoolExecutor(len(jobs), mp_context=get_context("spawn")) as pool:
        for language, paths in zip(languages, pool.map(_render_language, jobs), strict=True):
            written += paths
            tell(language)
    return written


def _render_language(job: tuple[StoredRun, Path, str, tuple[Format, ...], Path]) -> list[Path]:
    run, out_dir, code, formats, templates = job
    language, handed_in = Language(code, templates), HandedIn(templates)
    results = Results(run)
    gallery = Gallery(results, language, handed_in)
    build = Path(tempfile.mkdtemp(prefix=f".{NAME}.{code}.", dir=out_dir))
    try:
        finished = []
        if "html" in formats:
            page = render_page(Page(results, language, gallery, "html", templates), templates)
            check_page(page, run, language, handed_in)
            finished.append(build / f"{NAME}.{code}.html")
            finished[-1].write_text(page, encoding="utf-8")
        if "pdf" in formats:
            finished.append(build / f"{NAME}.{code}.pdf")
            printed = Page(results, language, gallery, "pdf", templates)
            _print(render_page(printed, templates), printed, build, templates, finished[-1])
        order = {suffix: place for place, suffix in enumerate(formats)}
        finished.sort(key=lambda path: order[path.suffix[1:]])  # type: ignore[index]
        return [path.replace(out_dir / path.name) for path in finished]
    finally:
        shutil.rmtree(build, ignore_errors=True)


def _print(text: str, page: Page, build: Path, templates: Path, target: Path) -> None:
    folder = build / "drawings"
    folder.mkdir()
    for name, svg in page.drawings.items():
        (folder / name).write_text(svg, encoding="utf-8")
    created = Context(page.results, page.gallery.handed_in).created
    moment = datetime.fromisoformat(created) if created else None
    document = print_pdf(text, build, templates / "fonts", moment)
    watermark = page.results.run.watermark
    check_pdf(document, watermark and watermark_words(watermark, page.language), page.language)
    write_pdf(document, target, moment)
