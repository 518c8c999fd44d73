"""Rendering of a run's report into files: the entry point."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from warnings import warn

from bench.paths import TEMPLATES
from bench.report.order import Format, Job, Order, Rendered
from bench.report.publishing.pdf import check_libraries
from bench.store import StoredRun

WIDTH = 60  # characters of a message that a warning repeats


def render(
    run: StoredRun,
    out_dir: Path,
    languages: Sequence[str] = ("en", "es"),
    formats: Sequence[Format] = ("html", "pdf"),
    on_progress: Callable[[str], None] | None = None,
    templates: Path = TEMPLATES,
    order: Order | None = None,
    on_warning: Callable[[str], None] = warn,
) -> list[Path]:
    """Render a run's report; files take their places only after they were verified.

    Parameters
    ----------
    run : StoredRun
        What to report on; missing and failed cells are shown as such.
    out_dir : Path
        Where ``lab-report.<language>.<format>`` is written, or ``full-record...``.
    languages : sequence of str
        Of the catalogues, and ``en``.
    formats : sequence of {"html", "pdf"}
        The HTML is one file that refers to nothing outside itself.
    on_progress : callable, optional
        Called with what is finished, in a few words.
    templates : Path
        The template set.
    order : Order, optional
        Edition, authors and assignment; the hand-in edition of nobody in particular if none is
        given.
    on_warning : callable, optional
        Called with the words that have no translation; a `UserWarning` if none is given.

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
    asked = order or Order()
    jobs = [Job(run, out_dir, language, tuple(formats), templates, asked) for language in languages]
    written: list[Path] = []
    with _pool(len(jobs)) as mapped:
        for job, rendered in zip(jobs, mapped(_work, jobs), strict=True):
            written += rendered.paths
            if rendered.untranslated:
                on_warning(_untranslated(job.language, rendered.untranslated))
            tell(job.language)
    return written


def _untranslated(language: str, words: Sequence[str]) -> str:
    shown = "; ".join(repr(text if len(text) <= WIDTH else f"{text[:WIDTH]}...") for text in words)
    return (
        f"{language}: expected a translation of every word, found none of {len(words)}, which "
        f"stand in English: {shown}. Add them to the catalogue: `python -m bench.report.catalogue "
        f"{language}` lists what is missing."
    )


@contextmanager
def _pool(jobs: int) -> Iterator[Callable[..., Iterable[Rendered]]]:
    """Yield a function that runs one job in this process, several in a process each."""
    if jobs == 1:
        yield map
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield pool.map


def _work(job: Job) -> Rendered:
    # Imported where the work is done: two seconds that the caller's process need not spend.
    from bench.report.edition import render_language

    gc.disable()  # the process ends with its job; collecting would cost a twentieth of its time
    return render_language(job)
