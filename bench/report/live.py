"""Report of the finished part of a run, for reading while the run goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from bench.report.order import Order
from bench.report.render import render
from bench.report.words.i18n import Language
from bench.report.words.names import N_
from bench.store import StoredCell, StoredRun, is_held, open_run

FOLDER = "live"
REFRESH = 20  # seconds after which a browser loads the page again
PATIENCE = 3.0  # seconds between two looks at the run
GOES_ON = N_(
    "This run goes on. What is not there yet is marked as missing; the page loads itself again."
)


@dataclass(frozen=True)
class _NotYet(StoredCell):
    """A cell that was missing when the run was read; it stays missing."""

    def _closing(self) -> None:
        return None


def as_seen(run: StoredRun) -> StoredRun:
    """Freeze a run: cells that are missing now stay missing while it is rendered."""
    cells = tuple(cell if cell.status != "missing" else _not_yet(cell) for cell in run.cells)
    return replace(run, cells=cells)


def _not_yet(cell: StoredCell) -> StoredCell:
    return _NotYet(cell.run_folder, cell.experiment, cell.variant, cell.seed_index, cell.key)


def render_live(
    run: StoredRun, out_dir: Path, languages: Sequence[str], order: Order | None = None
) -> list[Path]:
    """Render the finished part of a run for the screen, into a folder of its own.

    Parameters
    ----------
    run : StoredRun
        A run that may still go on.
    out_dir : Path
        Where its report is written; the pages stand in ``live`` there.
    languages : sequence of str
        Of the pages.
    order : Order, optional
        Edition, authors and assignment.

    Returns
    -------
    list of Path
        The pages. They say that the run goes on, and load themselves again.
    """
    pages = render(as_seen(run), out_dir / FOLDER, languages, ("html",), order=order)
    for path, language in zip(pages, languages, strict=True):
        page = path.read_text(encoding="utf-8")
        words = Markup('<p role="status" class="live"><strong>{}</strong></p>').format(
            Language(language).gettext(GOES_ON)
        )
        head, found, body = page.partition("<main>")
        again = f'<meta http-equiv="refresh" content="{REFRESH}">'
        page = f"{head.replace('</head>', again + '</head>', 1)}{found}{words}{body}"
        beside = path.with_suffix(".part")
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    return pages


def follow(
    folder: Path,
    out_dir: Path,
    languages: Sequence[str],
    order: Order | None = None,
    on_progress: Callable[[str], None] = lambda words: None,
) -> Iterator[list[Path]]:
    """Render a run again whenever more of it is finished, until no process writes to it.

    Parameters
    ----------
    folder : Path
        The run.
    out_dir, languages, order
        See `render_live`; without languages, those of the run.
    on_progress : callable
        Called with a text that says how much is finished.

    Yields
    ------
    list of Path
        The pages, each time that they were written.
    """
    before: list[str | None] | None = None
    while True:
        goes_on = is_held(folder)
        run = open_run(folder)
        seals = [cell.seal for cell in run.cells]
        if seals != before:
            before = seals
            done = sum(cell.status == "done" for cell in run.cells)
            on_progress(f"{done} of {len(run.cells)} cells are done")
            yield render_live(run, out_dir, languages or run.languages, order)
        if not goes_on:
            return
        time.sleep(PATIENCE)
