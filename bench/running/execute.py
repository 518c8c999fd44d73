"""Run a plan: skip what is done, keep what fails, go on with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
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
from bench.errors import UserError
from bench.running.executors import (
    CellEvent,
    Executor,
    Inline,
    WholeMachine,
    restart_with_one_thread,
)
from bench.running.interrupts import catch_interrupts, raise_if_interrupted
from bench.running.plan import PlannedCell
from bench.running.profiles import backend_sees_gpu
from bench.running.workers import Local

EXECUTORS = ("inline", "local", "ray")


@dataclass(frozen=True)
class Summary:
    """How many cells were found done, were run now, and failed."""

    found: int
    ran: int
    failed: int


def execute(
    profile: Profile, plan: Sequence[PlannedCell], console: Console, executor: Executor
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
    executor : Executor
        Where the cells run; it changes no figure. Timed cells have the whole machine all the same:
        they run in this process, one by one, on all cores.

    Returns
    -------
    Summary
        How many cells were done, ran and failed.
    """
    todo = [planned for planned in plan if planned.stored.status != "done"]
    found, failed = len(plan) - len(todo), 0
    with _bars(console) as bars, catch_interrupts():
        total = bars.add_task("cells", total=len(plan), completed=found, words="")
        own: dict[str, TaskID] = {}

        def show(event: CellEvent) -> None:
            nonlocal failed
            raise_if_interrupted()
            label = event.planned.stored.label
            if event.again:
                console.print(f"[yellow]again[/]   {escape(label)}  {escape(event.words)}")
                return
            if label not in own:
                own[label] = bars.add_task(label, total=1.0, words="")
            bars.update(own[label], completed=event.share, words=event.words)
            if event.outcome is None:
                return
            bars.remove_task(own.pop(label))
            bars.advance(total)
            failed += not event.outcome.done
            mark = "[green]done[/]   " if event.outcome.done else "[red]failed[/] "
            console.print(f"{mark} {escape(label)}  {escape(event.outcome.words)}")

        for has_the_machine, cells in groupby(todo, _has_the_machine):
            chosen = WholeMachine() if has_the_machine else executor
            chosen.run(profile, list(cells), show)
    return Summary(found, len(todo) - failed, failed)


def choose_executor(
    name: str, workers: int, address: str | None = None, gpus_per_cell: float | None = None
) -> Executor:
    """Make the executor of that name.

    Parameters
    ----------
    name : {'inline', 'local', 'ray'}
        On this machine's GPU, `inline` and `local` are the same: cells run one by one.
    workers : int
        Cells at once, of `local`.
    address : str, optional
        Of the cluster, of `ray`; if absent, one is started on this machine.
    gpus_per_cell : float, optional
        Share of a GPU that a cell has, of `ray`.

    Returns
    -------
    Executor
        The executor.

    Raises
    ------
    UserError
        If Ray is not installed, the cluster cannot be reached or has too little, or the options do
        not go together.
    """
    if name not in EXECUTORS:
        meant = get_close_matches(name, EXECUTORS, 1)
        raise UserError(
            f"--executor: expected one of {', '.join(EXECUTORS)}, got {name!r}. Nothing was run."
            + (f" Did you mean {meant[0]}?" if meant else "")
        )
    if workers < 1:
        raise UserError(f"--workers: expected 1 or more, got {workers}. Nothing was run.")
    if gpus_per_cell is not None and not 0 < gpus_per_cell <= 1:
        raise UserError(
            f"--gpus-per-cell: expected a share of one GPU, above 0 and at most 1, got "
            f"{gpus_per_cell:g}. Nothing was run; a cell uses one GPU at most."
        )
    if name != "ray" and (address is not None or gpus_per_cell is not None):
        raise UserError(
            f"--address and --gpus-per-cell are for --executor ray, not for {name}. Nothing was "
            "run; add --executor ray, or leave them out."
        )
    if name == "ray":
        from bench.running.cluster import Cluster

        return Cluster(address, gpus_per_cell)
    if backend_sees_gpu():
        return WholeMachine()
    if name == "inline":
        restart_with_one_thread()
        return Inline()
    return Local(workers)


def _has_the_machine(planned: PlannedCell) -> bool:
    """Whether a cell is given the whole machine, and this process."""
    return planned.experiment.timed


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<48.48}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}"),
        console=console,
    )
