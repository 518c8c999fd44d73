"""Run a plan: skip what is done, keep what fails, go on with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from bench.config import Profile
from bench.running.interrupts import catch_interrupts, raise_if_interrupted
from bench.running.plan import PlannedCell
from bench.running.profiles import backend_sees_gpu
from bench.running.workers import Told, run_at_once, run_one_by_one


@dataclass(frozen=True)
class Summary:
    """How many cells were found done, were run now, and failed."""

    found: int
    ran: int
    failed: int


def execute(
    profile: Profile, plan: Sequence[PlannedCell], console: Console, workers: int = 1
) -> Summary:
    """Run every cell of a plan that is not done yet.

    A cell that fails is kept with its reason, those that need it fail too, and the others run. An
    interrupt loses only the cells at work.

    Parameters
    ----------
    profile : Profile
        Resolved settings.
    plan : sequence of PlannedCell
        Each cell after what it needs.
    console : Console
        Where progress is shown.
    workers : int
        Cells at once. It changes no figure: on a processor each cell runs in a process on one core,
        be it one at a time. Timed cells run in this process, one by one, on all cores; so do all
        cells on a GPU.
    """
    todo = [planned for planned in plan if planned.stored.status != "done"]
    found, failed = len(plan) - len(todo), 0
    with _bars(console) as bars, catch_interrupts():
        total = bars.add_task("cells", total=len(plan), completed=found, words="")
        own: dict[str, TaskID] = {}

        def show(told: Told) -> None:
            nonlocal failed
            raise_if_interrupted()
            label = told.planned.stored.label
            if told.again:
                console.print(f"[yellow]again[/]   {escape(label)}  {escape(told.words)}")
                return
            if label not in own:
                own[label] = bars.add_task(label, total=1.0, words="")
            bars.update(own[label], completed=told.share, words=told.words)
            if told.outcome is None:
                return
            bars.remove_task(own.pop(label))
            bars.advance(total)
            failed += not told.outcome.done
            mark = "[green]done[/]   " if told.outcome.done else "[red]failed[/] "
            console.print(f"{mark} {escape(label)}  {escape(told.outcome.words)}")

        for has_the_machine, cells in groupby(todo, _has_the_machine):
            if has_the_machine:
                run_one_by_one(profile, list(cells), show)
            else:
                run_at_once(profile, list(cells), max(1, workers), show)
    return Summary(found, len(todo) - failed, failed)


def _has_the_machine(planned: PlannedCell) -> bool:
    """Whether a cell is given the whole machine, and this process."""
    return planned.experiment.timed or backend_sees_gpu()


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<48.48}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}"),
        console=console,
    )
