"""Functions of the command line that only read: list, forecast, grade, check, compare, export.

Each takes the parsed options and the console, and returns the exit code; None means 0.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench.errors import UserError
from bench.paths import REPORTS, run_folder, run_name
from bench.store import open_run

DIFFERS = 8
Command = Callable[..., argparse.ArgumentParser]


def register(
    command: Command, runs: argparse.ArgumentParser, which: argparse.ArgumentParser
) -> None:
    """Add these commands to the command line.

    Parameters
    ----------
    command : callable
        Takes a name, a function, a description and parent parsers; gives the new parser.
    runs, which : ArgumentParser
        Parents: with the folder of the runs; also with profile and run.
    """
    command("runs", list_runs, "list the runs with their state, date, duration and figures", runs)
    planned = command(
        "plan", plan, "show which cells would run, and how long they will take here", which
    )
    planned.add_argument(
        "--workers", type=int, help="cells at once (default: one a core; one on a GPU)"
    )
    planned.add_argument("--cells", action="store_true", help="a line for each cell")
    graded = command(
        "grade", grade, "compute the figures of a run again from what it keeps, and compare", runs
    )
    graded.add_argument("run", metavar="RUN", help="name of the run, or path of its folder")
    checked = command(
        "verify-report",
        verify_report,
        "check each number of a report's file against the results that it carries, and the run",
        runs,
    )
    checked.add_argument("file", type=Path, metavar="FILE", help="a rendered .html or .pdf")
    checked.add_argument("--run", help="also compare with this run: its name, or its path")

    compared = command(
        "compare", compare, "put two runs side by side: figures, samples, settings", runs
    )
    for name, which_run in (("first", "RUN_A"), ("second", "RUN_B")):
        compared.add_argument(name, metavar=which_run, help="name of a run, or path of its folder")
    compared.add_argument(
        "--format",
        action="append",
        choices=("html", "pdf", "md"),
        help="how it is written; may be repeated (default: html)",
    )
    compared.add_argument("--all", action="store_true", help="all figures, not the main ones alone")
    compared.add_argument("--out", type=Path, help="folder (default: in the reports)")
    exported = command(
        "export", export, "write a run's results as CSV, LaTeX, SVG and PNG files", runs
    )
    exported.add_argument("run", metavar="RUN", help="name of the run, or path of its folder")
    exported.add_argument("--out", type=Path, help="folder (default: in the reports)")
    exported.add_argument(
        "--format",
        action="append",
        choices=("csv", "tex", "svg", "png"),
        help="only this; may be repeated (default: all)",
    )
    exported.add_argument(
        "--lang", default="en", choices=("en", "es"), help="of the figures' words (default: en)"
    )


def list_runs(options: argparse.Namespace, console: Console) -> None:
    """List the runs of a folder, the newest first."""
    from bench.reading import overview

    found = overview(options.runs)
    if not found:
        raise UserError(
            f"{options.runs}: expected runs, found none. `invoke run-all` makes one; `--runs` "
            "names another folder."
        )
    for each in found:
        line = f"{each.name}: {each.state}"
        if each.created:
            line += f"; {each.created.replace('T', ' ')}; {_duration(each.seconds)} of computing"
        console.print(line, markup=False, highlight=False)
        for words in each.headline:
            console.print(f"    {words}", markup=False, highlight=False)


def plan(options: argparse.Namespace, console: Console) -> None:
    """Show which cells a run would make, and how long that will take on this machine."""
    from bench.experiments import ASSIGNED
    from bench.running import make_plan, resolve_profile, usable_workers
    from bench.running.forecast import forecast, total_seconds
    from bench.store.provenance import hardware

    profile = resolve_profile(options.profile)
    name = profile.name if options.run is None else run_name(options.run)
    workers = usable_workers() if options.workers is None else options.workers
    if workers < 1:
        raise UserError(f"Expected --workers of 1 or more, got {workers}. Nothing was planned.")
    cells = make_plan(profile, options.runs / name, ASSIGNED)
    found = forecast(profile, cells, options.runs)
    machine = hardware()
    console.print(
        f"Run {name}: profile {profile.name}, {profile.precision}, on "
        f"{machine['gpu'] or machine['cpu']}, {workers} cells at once. {len(cells) - len(found)} "
        f"of {len(cells)} cells are done.",
        markup=False,
    )
    groups: dict[tuple[str, str], list[float | None]] = {}
    for each in found:
        stored = each.planned.stored
        own = stored.label if options.cells else f"{stored.experiment}/{stored.variant}"
        groups.setdefault((own, each.basis), []).append(each.seconds)
    rows = [("would run", "cells", "seconds each", "estimated from")] if found else []
    for (label, basis), seconds in groups.items():
        known = [each for each in seconds if each is not None]
        mean = f"{sum(known) / len(known):.0f}" if known else "unknown"
        rows.append((label, str(len(seconds)), mean, basis))
    _print_columns(console, rows)
    unknown = sum(each.seconds is None for each in found)
    least = "at least " if unknown else ""
    console.print(
        f"{len(found)} cells would run, {least}{_duration(total_seconds(found, workers))} in all"
        + (f"; {unknown} of them without an estimate." if unknown else "."),
        markup=False,
    )


def _print_columns(console: Console, rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns of equal width, whatever the width of the terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = (word.ljust(width) for word, width in zip(row, widths, strict=True))
        console.print("  ".join(words).rstrip(), markup=False, highlight=False)


def _duration(seconds: float) -> str:
    """Write a duration as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"


def grade(options: argparse.Namespace, console: Console) -> int:
    """Compute the figures of a run again from what it keeps."""
    from bench.grading import grade as graded
    from bench.grading import show

    began = time.perf_counter()
    with console.status("reading") as shown:
        found = graded(
            run_folder(options.run, options.runs),
            lambda done, words: shown.update(f"{done:.0%} {words}"),
        )
    for line in show.lines(found):
        console.print(line, markup=False, highlight=False)
    console.print(f"Graded in {time.perf_counter() - began:.0f} s.")
    return show.exit_code(found)


def verify_report(options: argparse.Namespace, console: Console) -> int:
    """Check each number of a report's file against the results that it carries, and the run."""
    from bench.report.checks.recheck import recheck

    run = open_run(run_folder(options.run, options.runs, "--run")) if options.run else None
    found = recheck(options.file, run)
    for problem in found.problems:
        console.print(f"differs  {problem}", markup=False, highlight=False)
    beside = f", and {found.compared} values with the run {run.name}" if run else ""
    console.print(
        f"{found.path}: {found.marked} measured numbers computed again, {found.numbers} numbers of "
        f"the text compared with those that were printed{beside}: "
        + (f"{len(found.problems)} differ." if found.problems else "all agree."),
        markup=False,
        highlight=False,
    )
    return DIFFERS if found.problems else 0


def compare(options: argparse.Namespace, console: Console) -> None:
    """Write two runs side by side."""
    from bench.reading import Run
    from bench.reading import compare as compared
    from bench.reading.compare import write

    first, second = (Run.open(text, options.runs) for text in (options.first, options.second))
    found = compared(first, second, everything=options.all)
    head = ("system", "figure", first.name, second.name, "difference", "p", "by")
    _print_columns(console, [head, *(row.words for row in found.rows)])
    console.print(
        f"{len(found.settings)} settings and {len(found.environment)} parts of the environment "
        "differ."
    )
    folder = options.out or REPORTS / f"compare-{first.name}-{second.name}"
    for path in write(found, folder, options.format or ["html"]):
        console.print(f"wrote   {path}", markup=False)


def export(options: argparse.Namespace, console: Console) -> None:
    """Write a run's results as files for other programs."""
    from bench.reading import Run
    from bench.reading import export as exported
    from bench.reading.export import KINDS

    run = Run.open(options.run, options.runs)
    folder = options.out or REPORTS / run.name / "export"
    kinds = tuple(options.format or KINDS)
    with console.status("reading") as shown:
        written = exported(run, folder, kinds, options.lang, shown.update)
    for path in written:
        console.print(f"wrote   {path}", markup=False)
