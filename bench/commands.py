"""Functions of the command line that run, render and delete.

Each takes the parsed options and the console, and returns the exit code; None means 0.
"""

import argparse
import time
import webbrowser
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from bench.config import Profile, describe
from bench.config.assignment import Assignment, load_assignment, overlay, student_seed
from bench.data import DATASETS, DownloadProgress, load
from bench.errors import UserError
from bench.experiments import ASSIGNED, EXPERIMENTS
from bench.paths import REPORTS, ROOT, run_name
from bench.report.order import Format, Order
from bench.report.render import alone
from bench.report.words.identity import Identity, load_identity
from bench.running import (
    Executor,
    WholeMachine,
    choose_executor,
    execute,
    inapplicable,
    listed,
    make_plan,
    prepare_data,
    resolve_profile,
    unused_gpu,
    usable_workers,
    used_data,
)
from bench.store import (
    StoredRun,
    check_run,
    is_run,
    left_overs,
    lock_run,
    open_run,
    remove,
    write_manifest,
)

FAILED_CELLS = DAMAGED = 3
NO_PDF = 10
MISSING = 2


def run_all(options: argparse.Namespace, console: Console) -> int:
    """Run the experiments of the assignment, then render the report whatever failed."""
    formats = _formats(console)  # a missing library is reported before training
    _check_tensorboard(options)
    code = _run(options, console, _assigned(options), None, _executor(options))
    if _report_is_fresh(options, formats):
        console.print("The report is up to date; `invoke report` renders it anew.")
    else:
        _render(options, console, formats)
    _write_tensorboard(options, console)
    return code or _without_pdf(formats)


def _formats(console: Console) -> tuple[Format, ...]:
    """Return the formats that this machine can render: without Pango only HTML, with a message."""
    from bench.report.publishing.pdf import check_libraries

    try:
        check_libraries()
    except UserError as error:
        console.print(f"No PDF will be made. {error}", style="yellow", markup=False)
        return ("html",)
    return ("html", "pdf")


def _without_pdf(formats: tuple[Format, ...]) -> int:
    return 0 if "pdf" in formats else NO_PDF


def _report_is_fresh(options: argparse.Namespace, formats: tuple[Format, ...]) -> bool:
    from bench.report.publishing.freshness import is_fresh

    folder = options.reports / _name(options)
    there = all(any(folder.glob(f"*.{each}")) for each in formats)
    return there and is_fresh(open_run(options.runs / folder.name), folder, _order(options))


def run_one(options: argparse.Namespace, console: Console) -> int:
    """Run one experiment, with what it builds on."""
    _check_tensorboard(options)
    executor = _executor(options)
    code = _run(options, console, [options.experiment], options.variant, executor)
    _write_tensorboard(options, console)
    return code


def _check_tensorboard(options: argparse.Namespace) -> None:
    from bench.reading.tensorboard import check_installed

    if options.tensorboard:
        check_installed()


def _write_tensorboard(options: argparse.Namespace, console: Console) -> None:
    """Write what the searches tried for TensorBoard, where that is asked for."""
    from bench.reading.tensorboard import FOLDER, write_logs

    if options.tensorboard:
        name = _name(options)
        target = options.reports / name / FOLDER
        written = write_logs(open_run(options.runs / name), target)
        console.print(f"wrote   {target}: {len(written)} searches", markup=False)


def speed(options: argparse.Namespace, console: Console) -> int:
    """Run the timed experiments, one after the other."""
    timed = [name for name, experiment in EXPERIMENTS.items() if experiment.timed]
    return _run(options, console, timed, None, WholeMachine())


def _name(options: argparse.Namespace) -> str:
    """Name of the run that a command is about: as given, or the profile's."""
    if options.run is None:
        return resolve_profile(options.profile).name
    return run_name(options.run)


def _asked(options: argparse.Namespace) -> Assignment | None:
    """Assignment that a command is given."""
    return load_assignment(options.assignment) if options.assignment else None


def _assigned(options: argparse.Namespace) -> list[str]:
    """Experiments of the assignment: those of the exercises that it asks."""
    asked = _asked(options)
    wanted = {str(number) for number in asked.exercises} if asked else None
    return [n for n in ASSIGNED if not wanted or EXPERIMENTS[n].declaration.exercise in wanted]


def _profile(options: argparse.Namespace) -> Profile:
    """Profile, with the assignment's budget and the student's root seed."""
    profile = resolve_profile(options.profile, overlay(_asked(options)))
    if options.student is None:
        return profile
    seed = student_seed(profile.root_seed, options.student)
    return profile.model_copy(update={"root_seed": seed})


def _order(options: argparse.Namespace) -> Order:
    """What is asked of the report."""
    identity = load_identity(options.identity) if options.identity else Identity()
    return Order(options.edition, identity, _asked(options), options.student)


def _executor(options: argparse.Namespace) -> Executor:
    workers = usable_workers() if options.workers is None else options.workers
    return choose_executor(options.executor, workers, options.address, options.gpus_per_cell)


def _run(
    options: argparse.Namespace,
    console: Console,
    experiments: list[str],
    variant: str | None,
    executor: Executor,
) -> int:
    if (warning := unused_gpu()) is not None:
        console.print(warning, style="yellow", markup=False)
    profile = _profile(options)
    folder = options.runs / _name(options)
    began = time.perf_counter()
    with lock_run(folder):
        plan = make_plan(profile, folder, experiments, variant)
        whole = listed(profile, folder, experiments, _assigned(options))
        console.print(
            f"Run {folder.name}: profile {profile.name}, {profile.precision}, {len(plan)} cells, "
            f"{executor}",
            markup=False,
        )
        said = [experiment.declaration for experiment in EXPERIMENTS.values()]
        write_manifest(
            folder,
            profile.model_dump(mode="json"),
            whole,
            said,
            used_data(profile, EXPERIMENTS),
            inapplicable(profile, EXPERIMENTS),
        )
        with _data_progress(console) as progress:
            todo = [planned for planned in plan if planned.stored.status != "done"]
            prepare_data(profile, todo, progress)
        summary = execute(profile, plan, console, executor)
    console.print(
        f"{summary.found} cells were done, {summary.ran} ran now, {summary.failed} failed "
        f"({time.perf_counter() - began:.0f} s)."
    )
    return FAILED_CELLS if summary.failed else 0


def report(options: argparse.Namespace, console: Console) -> int:
    """Render the report of a run as it stands."""
    if options.live:
        return _live(options, console)
    formats = ("html",) if options.format == "html" else _formats(console)
    wanted = tuple(each for each in formats if options.format in (None, each))
    paths = _render(options, console, wanted)
    if options.open:
        webbrowser.open(paths[0].resolve().as_uri())
    return 0 if options.format == "html" else _without_pdf(formats)


def _live(options: argparse.Namespace, console: Console) -> int:
    """Render the finished part of a run repeatedly, until no process writes to it."""
    from bench.report.live import follow

    name, order = _name(options), _order(options)
    languages = tuple(dict.fromkeys(options.lang or order.identity.languages or ()))
    shown = False
    for paths in follow(
        options.runs / name,
        options.reports / name,
        languages,
        order,
        lambda words: console.print(words, markup=False),
    ):
        for path in () if shown else paths:
            console.print(f"wrote   {path}", markup=False)
        if options.open and not shown:
            webbrowser.open(paths[0].resolve().as_uri())
        shown = True
    return 0


def _render(
    options: argparse.Namespace, console: Console, formats: tuple[Format, ...]
) -> list[Path]:
    from bench.report.publishing.freshness import remember
    from bench.report.render import render

    name = _name(options)
    run = open_run(options.runs / name)
    began = time.perf_counter()
    order = _order(options)
    _check_student(options, run)
    paths = render(
        run,
        options.reports / name,
        tuple(dict.fromkeys(options.lang or order.identity.languages or run.languages)),
        formats,
        order=order,
        on_warning=lambda words: console.print(f"warning {words}", markup=False),
    )
    remember(run, options.reports / name, paths, order)
    for path in paths:
        console.print(f"wrote   {path}", markup=False)
    console.print(f"Rendered in {time.perf_counter() - began:.1f} s.")
    return paths


def _check_student(options: argparse.Namespace, run: StoredRun) -> None:
    """Refuse to name a student whose run this is not: the report says how it is repeated."""
    if options.student is None:
        return
    made, derived = run.profile.get("root_seed"), _profile(options).root_seed
    if made != derived:
        raise UserError(
            f"--student {options.student}: expected the root seed {derived}, found {made} in the "
            f"run {run.name}. Nothing was rendered: the run is another student's, or was made "
            "with another profile or assignment; give those that it was made with."
        )


def list_experiments(_: argparse.Namespace, console: Console) -> None:
    """List experiments and variants."""
    table = Table("experiment", "exercise", "variants", "title")
    for each in EXPERIMENTS.values():
        said = each.declaration
        table.add_row(each.name, said.exercise, ", ".join(each.variants), said.title)
    console.print(table)


def status(options: argparse.Namespace, console: Console) -> None:
    """Show the cells of a run, and how many there are of each status."""
    run = open_run(options.runs / _name(options))
    rows = []
    for cell in run.cells:
        state = cell.status
        rows.append((cell.label, str(state), "" if state == "done" else _first_line(cell.failure)))
    totals = _totals(Counter(state for _, state, _ in rows))
    if options.markdown:
        rows = [("cell", "status", "reason"), ("---", "---", "---"), *rows]
        lines = [f"| {' | '.join(word.replace('|', '&#124;') for word in row)} |" for row in rows]
        about = [line for words in _about_data(run) for line in ("", words)]
        console.print("\n".join([*lines, "", totals, *about]), markup=False, highlight=False)
        return
    width = max([len(label) for label, _, _ in rows], default=0)
    lines = [f"{label:<{width}}  {state:<7}  {reason}".rstrip() for label, state, reason in rows]
    lines.append(f"{len(rows)} cells: {totals}")
    lines += _about_data(run)
    console.print("\n".join(lines), markup=False, highlight=False)


def _about_data(run: StoredRun) -> list[str]:
    """Say which data sets took the place of others, and what does not apply to them."""
    replaced = dict.fromkeys((d.title, d.instead_of) for d in run.datasets.values() if d.instead_of)
    lines = [f"data: {title} in place of {other}" for title, other in replaced]
    if run.inapplicable:
        lines.append(f"not applicable to the data: {', '.join(run.inapplicable)}")
    return lines


def _totals(statuses: Counter[str]) -> str:
    return ", ".join(f"{statuses[s]} {s}" for s in ("done", "failed", "missing", "damaged"))


def _first_line(failure: Mapping[str, str] | None) -> str:
    lines = failure["message"].strip().splitlines() if failure else []
    return lines[0] if lines else ""


def fsck(options: argparse.Namespace, console: Console) -> int:
    """Check every file of a run against the hash that was written with it."""
    folder = options.runs / run_name(options.run, "RUN")
    found = check_run(folder)
    for words in found.damage:
        console.print(f"damaged  {words}", markup=False)
    console.print(f"{folder}: {_totals(found.statuses)}", markup=False)
    if not found.damage:
        console.print("Every file is as it was written.")
        return 0
    console.print("Nothing damaged is shown as a result; the next run makes it anew.")
    return DAMAGED


def rehearse(options: argparse.Namespace, console: Console) -> int:
    """Build every variant of a profile at full size and estimate what the whole run takes."""
    from bench.rehearsal import estimate, show, stage

    if not 0 < options.efficiency <= 1:
        raise UserError(
            f"--efficiency: expected a share of a GPU's peak, above 0 and at most 1, got "
            f"{options.efficiency:g}. Nothing was run."
        )
    profile = resolve_profile(options.profile)
    rehearsed = {
        backend: stage.rehearse(options.profile, backend, lambda line: _say(console, line))
        for backend in stage.BACKENDS
    }
    expected = estimate.expect(profile, rehearsed, options.efficiency)
    show.print_expected(expected, options.efficiency, console)
    return FAILED_CELLS if show.print_failures(rehearsed, console) else 0


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False)


def doctor(_: argparse.Namespace, console: Console) -> int:
    """Report what this machine has, with the remedy for each missing part."""
    from bench.doctor import examine

    table = Table("what", "found", "remedy", title="This machine")
    needed = False
    for finding in examine():
        needed |= finding.needed
        style = "red" if finding.needed else "yellow" if finding.remedy else ""
        table.add_row(finding.subject, finding.words, finding.remedy, style=style)
    console.print(table)
    return MISSING if needed else 0


def data(_: argparse.Namespace, console: Console) -> None:
    """Find, fetch and verify every data set."""
    for name in DATASETS:
        began = time.perf_counter()
        with _data_progress(console) as progress:
            loaded = load(name, on_progress=progress)
        console.print(
            f"{name}: {len(loaded.train_images)} training and {len(loaded.test_images)} test "
            f"images, verified, from {loaded.route} ({time.perf_counter() - began:.1f} s)"
        )


@contextmanager
def _data_progress(console: Console) -> Iterator[DownloadProgress]:
    """Show the progress of downloads: as a bar, or as lines if the output is no terminal."""
    if not console.is_terminal:
        last = ""

        def show(words: str, share: float | None) -> None:
            nonlocal last
            if words != last:
                console.print(words, markup=False, highlight=False)
                last = words

        yield show
        return
    columns = (BarColumn(bar_width=24), TaskProgressColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("", total=None)

        def show(words: str, share: float | None) -> None:
            total = None if share is None else 1.0
            bars.update(bar, description=escape(words), total=total, completed=share or 0.0)

        yield show


def bench_check(options: argparse.Namespace, console: Console) -> int:
    """Compare two commits; report the result as a table, a file and the exit code."""
    from bench.gate import show
    from bench.gate.check import GATES, check

    unknown = set(options.gates) - set(GATES)
    if unknown or options.pairs < 2:
        raise UserError(
            f"Expected --gates among {', '.join(GATES)} and at least two --pairs; got "
            f"{', '.join(options.gates)} and {options.pairs}. Nothing was measured."
        )
    with _bars(console) as bars:
        bar = bars.add_task("checking out both commits", total=1.0)
        found = check(
            options.base,
            options.head,
            gates=options.gates,
            pairs=options.pairs,
            select=options.select,
            accepted=options.accept,
            allow_no_baseline=options.allow_no_baseline,
            progress=lambda done, words: bars.update(bar, completed=done, description=words),
        )
        bars.update(bar, completed=1.0, description="done")
    show.print_table(found, console)
    console.print(f"wrote   {show.write_json(found, REPORTS / 'bench-check')}", markup=False)
    if options.markdown:
        with options.markdown.open("a", encoding="utf-8") as file:
            file.write(show.markdown(found))
    return found.exit_code


def _bars(console: Console) -> Progress:
    return Progress(
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    )


def trend(options: argparse.Namespace, console: Console) -> None:
    """Draw the stored runs of the benchmarks over time."""
    from bench.trend.page import write_page

    page = write_page(ROOT / ".benchmarks", options.reports / "trend")
    console.print(f"wrote   {page}", markup=False)


def config(options: argparse.Namespace, console: Console) -> None:
    """Print every setting with its value and meaning."""
    _name(options)  # a wrong name is reported here too
    profile = _profile(options)
    table = Table("key", "value", "meaning", title=f"profile {profile.name}")
    for key, meaning in describe():
        value: object = profile
        for part in key.split("."):
            value = getattr(value, part)
        table.add_row(key, "" if hasattr(value, "model_fields_set") else str(value), meaning)
    console.print(table)


def clean(options: argparse.Namespace, console: Console) -> None:
    """Delete a run and its report, and nothing else."""
    name = _name(options)
    run, rendered = options.runs / name, options.reports / name
    with (
        lock_run(run) if is_run(run) else nullcontext(),
        alone(rendered, patience=0.0) if _is_report(rendered) else nullcontext(),
    ):
        _delete(options, console, [run, rendered])


def _delete(options: argparse.Namespace, console: Console, folders: list[Path]) -> None:
    doomed = [folder for folder in folders if is_run(folder) or _is_report(folder)]
    doomed += [old for folder in folders for old in left_overs(folder)]
    if not doomed:
        raise UserError(
            f"There is no run or report named {_name(options)} in {options.runs} and "
            f"{options.reports}: expected a folder there, not a link, with a run's manifest or a "
            "rendered report. Nothing was deleted; `ls` shows the names."
        )
    listed = " and ".join(map(str, doomed))
    if not options.yes and not _agrees(console, f"Delete {listed}? [y/N] "):
        console.print("Nothing was deleted.")
        return
    for folder in doomed:
        remove(folder)
    console.print(f"Deleted {listed}.", markup=False)


def _agrees(console: Console, question: str) -> bool:
    try:
        return console.input(question, markup=False).strip().lower() == "y"
    except EOFError:
        return False


def _is_report(folder: Path) -> bool:
    """Whether a folder is one that `report` or `--tensorboard` wrote."""
    from bench.reading.tensorboard import FOLDER as LOGS
    from bench.report.publishing.freshness import RECORD

    written = (folder / RECORD).is_file() or any(folder.glob("lab-report.*.html"))
    written |= (folder / LOGS).is_dir()
    return written and not folder.is_symlink()
