"""Invoke tasks: each hands over to `python -m bench`, pytest or a linter. `invoke --list`."""

import inspect
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from inspect import Parameter
from pathlib import Path

from invoke import Collection, Context, Exit, Task, task

from bench import experiment_files
from bench.errors import UserError

# Options that tasks hand on to `python -m bench`, with their help.
RUN = {
    "profile": "smoke, quick, long, full, the path of a .toml file, or auto (the default: full "
    "where there is a GPU, else quick)",
    "run": "name of the run (default: the profile's name)",
}
WORK = {
    **RUN,
    "workers": "cells and trials at once, each on a core of its own; changes no figure (default: "
    "one a core)",
    "executor": "where cells and trials run: inline, local or ray; changes no figure (default: "
    "local, in processes of this machine)",
    "address": "of the Ray cluster: auto, HOST:PORT or ray://HOST:PORT (default: one is started "
    "here)",
    "gpus_per_cell": "share of a GPU that a cell or trial has on Ray, such as 0.25",
    "tensorboard": "write the trials of the searches as TensorBoard's HParams logs to the reports",
}
ASKED = {
    "assignment": "a teacher's assignment, a TOML file (example: bench/config/assignment.toml)",
    "student": "whoever hands in: the root seed is derived from it",
}
HANDED = {
    "report": "who hands in what, a TOML file: title, authors, course, logo, own paragraphs",
    "edition": "hand-in (the default) or full, with appendices of everything that was measured",
    "lang": "language of the report; may be repeated (default: the profile's)",
}
REHEARSAL = {
    "profile": "name or path (default: full, which is for a GPU)",
    "efficiency": "share of a GPU's peak that is assumed (default: 0.05)",
}
CHECK = {
    "base": "the commit to compare with",
    "head": "the commit to judge (default: HEAD)",
    "gates": "which gates look, separated by commas (default: time,exact,quality)",
    "pairs": "pairs of processes (default: 4)",
    "select": "only these benchmarks, as pytest's -k",
    "accept": "a figure whose change is wanted, by its whole name; may be repeated",
    "allow_no_baseline": "exit with 0 where there was nothing to compare with",
    "markdown": "append the result to this file",
}
Options = str | bool | list[str] | None


def _run(*words: str) -> None:
    """Run a command in this terminal and pass its exit code on."""
    process = subprocess.Popen(words)
    code = None
    while code is None:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reaches the command too, which ends in its own way
    if code:
        raise Exit(code=code)


def _python(*arguments: str) -> None:
    """Run `python -m ...` with the interpreter that runs this."""
    _run(sys.executable, "-m", *arguments)


def _bench(command: str, *words: str, **options: Options) -> None:
    """Run a command of `python -m bench`; options that are not given keep its defaults."""
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words = (*words, option)
        elif isinstance(value, list):
            words = (*words, *(f"{option}={each}" for each in value))
        elif value is not None and value is not False:
            words = (*words, f"{option}={value}")
    _python("bench", command, *words)


def _offering(
    options: dict[str, str],
    *,
    required: Sequence[str] = (),
    switches: Sequence[str] = (),
    repeated: Sequence[str] = (),
) -> Callable[[Callable[..., None]], Task[Callable[..., None]]]:
    """Make a task of a function, which is given these options by name.

    Parameters
    ----------
    options : dict of str to str
        The help of each option, by its name.
    required : sequence of str
        Those that must be given.
    switches : sequence of str
        Those that take no value.
    repeated : sequence of str
        Those that may be given several times.

    Returns
    -------
    callable
        Takes the function, which has a parameter `**options`, and gives the task.
    """

    def default(name: str) -> object:
        if name in required:
            return Parameter.empty
        return False if name in switches else None

    def made(function: Callable[..., None]) -> Task[Callable[..., None]]:
        signature = inspect.signature(function)
        own = {n: p for n, p in signature.parameters.items() if p.kind is not p.VAR_KEYWORD}
        added = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default(name))
            for name in options
            if name not in own
        ]
        function.__signature__ = signature.replace(parameters=[*own.values(), *added])  # type: ignore[attr-defined]
        return task(help=options, iterable=list(repeated))(function)

    return made


@_offering({**WORK, **ASKED, **HANDED}, repeated=["lang"], switches=["tensorboard"])
def run_all(context: Context, **options: Options) -> None:
    """Run the four experiments and render the report: the main job."""
    _bench("run-all", **options)


def _experiment(name: str, title: str, exercise: str) -> Task[Callable[..., None]]:
    """Make the task that runs one experiment, with what it builds on."""

    def run_it(context: Context, **options: Options) -> None:
        _bench("run", name, **options)

    run_it.__name__ = name
    run_it.__doc__ = f"Exercise {exercise}: {title}." if exercise else title
    return _offering({**WORK, **ASKED}, switches=["tensorboard"])(run_it)


try:
    TABLES = {
        path.stem: experiment_files.table_of(path)
        for path, _ in experiment_files.files(experiment_files.own_packages())
    }
    EXPERIMENTS = [
        _experiment(name, str(table.get("title", name)), str(table.get("exercise", "")))
        for name, table in TABLES.items()
        if not table.get("timed")
    ]
except UserError as error:  # an experiment in a package of the user's own does not fit
    sys.stderr.write(f"error: {error}\n")
    sys.exit(2)


@_offering(
    {"experiment": "its name; `python -m bench list` shows them", **WORK, **ASKED},
    switches=["tensorboard"],
)
def search(context: Context, experiment: str, **options: Options) -> None:
    """Run only the KerasTuner search of one experiment."""
    _bench("run", experiment, variant="search", **options)


@_offering({**RUN, **ASKED})
def speed(context: Context, **options: Options) -> None:
    """Time training beside plain Keras and PyTorch, and seconds to quality, into the run."""
    _bench("speed", **options)


REPORT = {
    **RUN,
    **ASKED,
    **HANDED,
    "format": "html or pdf: only this one",
    "live": "the finished part of a run that goes on, again and again, until it ends",
    "open": "show it in the browser",
}


@_offering(REPORT, repeated=["lang"], switches=["live", "open"])
def report(context: Context, **options: Options) -> None:
    """Render the report of a run as it stands; trains nothing."""
    _bench("report", **options)


@_offering({**RUN, "markdown": "as a Markdown table"}, switches=["markdown"])
def status(context: Context, **options: Options) -> None:
    """Show which cells of a run are done, failed, missing or damaged."""
    _bench("status", **options)


@task(help={"run": "name of the run"})
def fsck(context: Context, run: str) -> None:
    """Check every file of a run against the hash that was written with it."""
    _bench("fsck", "--", run)


@task(help={"run": "name of the run, or path of its folder"})
def grade(context: Context, run: str) -> None:
    """Compute the figures of a run again from its predictions, maps and samples."""
    _bench("grade", "--", run)


@task(
    positional=["file"],
    help={
        "file": "a rendered .html or .pdf",
        "run": "also compare with this run: its name, or its path",
    },
)
def verify_report(context: Context, file: str, run: str | None = None) -> None:
    """Check each number of a report's file against the results that it carries, and the run."""
    _bench("verify-report", file, run=run)


@_offering(REHEARSAL)
def rehearse(context: Context, **options: Options) -> None:
    """Run two steps of every variant at full size, and estimate the hours of a whole run."""
    _bench("rehearse", **options)


@task
def runs(context: Context) -> None:
    """List the runs with their state, date, duration and headline figures."""
    _bench("runs")


PLAN = {
    **RUN,
    "workers": "cells at once (default: one a core; one on a GPU)",
    "cells": "a line for each cell",
}


@_offering(PLAN, switches=["cells"])
def plan(context: Context, **options: Options) -> None:
    """Show which cells would run, on what, and how long they will take; trains nothing."""
    _bench("plan", **options)


COMPARISON = {
    "first": "name of a run, or path of its folder",
    "second": "the run that is compared with the first",
    "format": "html (the default), pdf or md; may be repeated",
    "all": "all figures, not the main ones alone",
    "out": "folder (default: in the reports)",
}


@_offering(COMPARISON, switches=["all"], repeated=["format"])
def compare(context: Context, first: str, second: str, **options: Options) -> None:
    """Put two runs side by side: figures with intervals, samples, settings, environment."""
    _bench("compare", first, second, **options)


EXPORT = {
    "run": "name of the run, or path of its folder",
    "format": "csv, tex, svg or png; may be repeated (default: all)",
    "out": "folder (default: in the reports)",
    "lang": "of the figures' words: en (the default) or es",
}


@_offering(EXPORT, repeated=["format"])
def export(context: Context, run: str, **options: Options) -> None:
    """Write a run's results as CSV and LaTeX tables, SVG and PNG figures."""
    _bench("export", run, **options)


@task
def doctor(context: Context) -> None:
    """Tell what this machine has, and the remedy for each thing that is missing."""
    _bench("doctor")


@task
def data(context: Context) -> None:
    """Find, fetch and verify the data sets."""
    _bench("data")


@task(help={"save": "name under which pytest-benchmark saves the figures in .benchmarks/"})
def bench(context: Context, save: str = "latest") -> None:
    """Time the training steps, the metrics and the rendering with pytest-benchmark."""
    words = ("--benchmark-enable", "--benchmark-only", f"--benchmark-save={save}")
    _python("pytest", "tests/benchmarks", *words)


@task
def trend(context: Context) -> None:
    """Draw the figures that `invoke bench` saved over time, into reports/trend/index.html."""
    _bench("trend")


@_offering(CHECK, required=["base"], switches=["allow_no_baseline"], repeated=["accept"])
def bench_check(context: Context, **options: Options) -> None:
    """Compare two commits: time, exact figures, quality."""
    _bench("bench-check", **options)


@task(
    help={
        "fast": "leave out the end-to-end runs",
        "nightly": "add the tests that the gate has no time for",
        "options": "further words for pytest",
    }
)
def test(context: Context, fast: bool = False, nightly: bool = False, options: str = "") -> None:
    """Run the tests on all cores; without --fast that includes a smoke run on both backends."""
    parallel = ("--numprocesses", "logical", "--dist", "worksteal")
    left_out = [mark for mark, skipped in (("slow", fast), ("nightly", not nightly)) if skipped]
    marks = ("-m", " and ".join(f"not {mark}" for mark in left_out)) if left_out else ()
    _python("pytest", *parallel, *marks, *shlex.split(options))


@task(
    help={
        "inputs": "damaged inputs, for all readers together",
        "kills": "kills at random moments, of all commands together",
        "seed": "of the random numbers: the same seed makes the same damage",
    }
)
def chaos(context: Context, inputs: int = 100_000, kills: int = 100, seed: int = 1) -> None:
    """Damage files and kill commands on purpose; tell what was lost (about an hour)."""
    _python("tests.chaos", f"--inputs={inputs}", f"--kills={kills}", f"--seed={seed}")


@task
def lint(context: Context) -> None:
    """Check format, style, types and import directions."""
    _python("ruff", "format", "--check", ".")
    _python("ruff", "check", ".")
    _python("mypy")
    _run(str(Path(sys.executable).with_name("lint-imports")))


@_offering({**RUN, "yes": "do not ask"}, switches=["yes"])
def clean(context: Context, **options: Options) -> None:
    """Delete a run and its report."""
    _bench("clean", **options)


# Listed by hand: Invoke's own search would also take what is merely imported.
namespace = Collection(
    run_all,
    *EXPERIMENTS,
    search,
    speed,
    report,
    status,
    fsck,
    runs,
    plan,
    grade,
    verify_report,
    compare,
    export,
    rehearse,
    doctor,
    data,
    bench,
    trend,
    bench_check,
    test,
    chaos,
    lint,
    clean,
)
os.environ.setdefault("PYTHONUNBUFFERED", "1")
