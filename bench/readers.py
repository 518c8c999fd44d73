"""Commands that only read runs and reports: grade them, check them, compare them, export them."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench.paths import run_folder
from bench.store import open_run

DIFFERS = 8
Command = Callable[..., argparse.ArgumentParser]


def register(command: Command, runs: argparse.ArgumentParser) -> None:
    """Add these commands to the command line.

    Parameters
    ----------
    command : callable
        Takes a name, a function, a description and parent parsers; gives the new parser.
    runs : ArgumentParser
        The parent with the folder of the runs.
    """
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
    from bench.report.recheck import recheck

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
