"""Rendering of a run's report into files: the entry point."""

import gc
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from warnings import warn

from bench.errors import UserError
from bench.orphans import end_with_parent
from bench.paths import TEMPLATES
from bench.report.order import DRAWINGS, FILE_NAMES, Format, Job, Order, Rendered
from bench.report.publishing.pdf import check_libraries
from bench.store import StoredRun
from bench.store.files import PART
from bench.store.lock import held

PATIENCE = 900.0  # seconds for another process that renders into the same folder
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
        If a language has no catalogue, a cell cannot be read, a system library is missing, a
        process that renders is ended from outside, or another one renders there for too long.
    ReportError
        If what was rendered does not agree with the store.
    """
    if "pdf" in formats:
        check_libraries()
    out_dir.mkdir(parents=True, exist_ok=True)
    report = on_progress or (lambda words: None)
    asked = order or Order()
    jobs = [
        Job(run, out_dir, language, tuple(formats), templates, asked, tuple(languages))
        for language in languages
    ]
    written: list[Path] = []
    try:
        with alone(out_dir, on_warning), _pool(len(jobs)) as mapped:
            for job, rendered in zip(jobs, mapped(_work, jobs), strict=True):
                written += rendered.paths
                if rendered.untranslated:
                    on_warning(_untranslated(job.language, rendered.untranslated))
                report(job.language)
    except BrokenProcessPool as error:
        raise UserError(
            "A process that renders a language was ended before it had finished, as happens where "
            "memory runs out. What it had not finished was not written. Render one language at a "
            "time (`--lang`), which takes half the memory."
        ) from error
    return written


@contextmanager
def alone(
    out_dir: Path, on_warning: Callable[[str], None] = warn, patience: float = PATIENCE
) -> Iterator[None]:
    """Hold a report's folder for writing, and sweep what killed processes left in it.

    Parameters
    ----------
    out_dir : Path
        The folder.
    on_warning : callable
        Called where another process holds it.
    patience : float
        Seconds for which that process is waited for.

    Yields
    ------
    None
        While it is held.

    Raises
    ------
    UserError
        If the other process holds it for longer.
    """
    refusal = (
        f"{out_dir}: another process renders there, and nothing was changed. Wait for it, end it, "
        "or name another folder with --reports."
    )
    waiting = f"{out_dir}: waiting for another process that renders there"
    with held(out_dir / DRAWINGS, refusal, patience, lambda: on_warning(waiting)):
        _sweep(out_dir)
        yield


def _sweep(out_dir: Path) -> None:
    for name in FILE_NAMES.values():
        for folder in out_dir.glob(f".{name}.*"):
            shutil.rmtree(folder, ignore_errors=True)
    for part in [*out_dir.glob(f"*{PART}"), *(out_dir / DRAWINGS).glob(f".*{PART}")]:
        part.unlink(missing_ok=True)


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
    spawn = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=end_with_parent) as pool:
        yield pool.map


def _work(job: Job) -> Rendered:
    # Imported where the work is done: two seconds that the caller's process need not spend.
    from threadpoolctl import threadpool_limits

    from bench.report.edition import render_language

    gc.disable()  # the process ends with its job; collecting would cost a twentieth of its time
    # Threads of one language would wait for the other's core, and how many there are may show in
    # the last digits of a product: the same store gives the same bytes on any machine.
    with threadpool_limits(1, "blas"):
        return render_language(job)
