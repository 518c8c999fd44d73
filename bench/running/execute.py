"""Run a plan: skip what is done, keep what fails, go on with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

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
        Cells at once, each on a core of its own; 1: in this process, on all cores.
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

        if workers > 1:
            run_at_once(profile, todo, workers, show)
        else:
            run_one_by_one(profile, todo, show)
    return Summary(found, len(todo) - failed, failed)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<48.48}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}"),
        console=console,
    )
