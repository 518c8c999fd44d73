"""Simulation of a run's duration for different numbers of workers.

`python -m bench.rehearsal.workers RUN FIGURE` takes the graph of a finished run with the seconds
that its cells and trials took; each task costs an overhead besides. A search is a task for each of
its trials, in waves, and a cell waits for what it needs, as in `bench.running`.
"""

import argparse
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from bench.errors import UserError
from bench.store import StoredCell, StoredRun, open_run

COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
OVERHEADS = {"processes": 0.05, "Ray": 0.5}  # seconds a task, assumed where none are given
KINDS = (".svg", ".png", ".pdf")


@dataclass(frozen=True)
class Task:
    """A cell, or a trial of a search.

    Attributes
    ----------
    name : str
        Among all tasks.
    seconds : float
        It takes.
    after : tuple of str
        Tasks that must have ended before.
    """

    name: str
    seconds: float
    after: tuple[str, ...] = ()


def tasks_of(run: StoredRun) -> list[Task]:
    """Tasks of a finished run, each after those that it waits for."""
    by_key = {cell.key: cell for cell in run.cells}
    found: list[Task] = []
    for cell in run.cells:
        if cell.status != "done":
            continue
        config = cell.config
        keys = [*config["needs"].values(), *(k for ks in config["gathered"].values() for k in ks)]
        needed = tuple(by_key[key].label for key in keys if key in by_key)
        found += _tasks(cell, needed)
    return found


def _tasks(cell: StoredCell, needed: tuple[str, ...]) -> list[Task]:
    whole = float(cell.provenance["seconds"])
    if "trials" not in cell.table_names:
        return [Task(cell.label, whole, needed)]
    trials = cell.table("trials")
    rungs = trials["epochs"].where(trials.get("goes_on_from", trials["trial"] * 0).notna(), 0)
    tasks, before = [], needed
    seconds = trials["seconds"].fillna(0.0)
    for rung in sorted(rungs.unique()):
        wave = [
            Task(f"{cell.label}, trial {number}", float(seconds[number]), before)
            for number in trials.index[rungs == rung]
        ]
        tasks += wave
        before = tuple(task.name for task in wave)
    confirmed = cell.metrics.get("confirmed", {})
    times = sum(map(len, confirmed.values()))
    rest = max(0.0, float(cell.metrics["seconds"]) - float(seconds.sum()))
    wave = [Task(f"{cell.label}, confirmation {k}", rest / times, before) for k in range(times)]
    tasks += wave
    before = tuple(task.name for task in wave) or before
    own = max(0.0, whole - float(cell.metrics["seconds"]))
    return [*tasks, Task(cell.label, own, before)]


def seconds_with(tasks: Sequence[Task], workers: int, overhead: float) -> float:
    """Simulate workers that take, whenever one is free, the first task that is ready.

    Parameters
    ----------
    tasks : sequence of Task
        Each after those that it waits for.
    workers : int
        How many tasks run at once.
    overhead : float
        Seconds that each task costs besides.

    Returns
    -------
    float
        Seconds until the last task has ended.
    """
    waits = {task.name: len(task.after) for task in tasks}
    followers: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        for name in task.after:
            followers.setdefault(name, []).append(number)
    ready = [number for number, task in enumerate(tasks) if not task.after]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            number = heapq.heappop(ready)
            heapq.heappush(running, (now + tasks[number].seconds + overhead, number))
        now, number = heapq.heappop(running)
        for follower in followers.get(tasks[number].name, ()):
            name = tasks[follower].name
            waits[name] -= 1
            if not waits[name]:
                heapq.heappush(ready, follower)
    return now


def longest_chain(tasks: Sequence[Task], overhead: float) -> float:
    """Seconds that no number of workers can undercut: the longest chain of tasks that wait.

    Parameters
    ----------
    tasks : sequence of Task
        The tasks.
    overhead : float
        Seconds that each takes in addition.

    Returns
    -------
    float
        Seconds.
    """
    ends: dict[str, float] = {}
    for task in tasks:
        began = max((ends[name] for name in task.after), default=0.0)
        ends[task.name] = began + task.seconds + overhead
    return max(ends.values(), default=0.0)


def draw(tasks: Sequence[Task], path: Path, overheads: Mapping[str, float] = OVERHEADS) -> None:
    """Draw hours against workers for each overhead, with the ideal and the longest chain.

    Parameters
    ----------
    tasks : sequence of Task
        The tasks.
    path : Path
        The image.
    overheads : mapping of str to float
        Seconds that each task costs besides, by where the tasks run.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    alone = seconds_with(tasks, 1, 0.0)
    for name, overhead in overheads.items():
        hours = [seconds_with(tasks, count, overhead) / 3600 for count in COUNTS]
        axes.plot(COUNTS, hours, marker="o", label=f"{name}, {overhead:g} s a task")
    axes.plot(COUNTS, [alone / count / 3600 for count in COUNTS], ":", color="grey", label="ideal")
    axes.axhline(
        longest_chain(tasks, 0.0) / 3600, ls="--", color="grey", label="longest chain of tasks"
    )
    axes.set(xscale="log", yscale="log", xlabel="workers", ylabel="hours")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("run", type=Path, help="folder of a finished run, such as runs/quick")
    parser.add_argument("figure", type=Path, help="where to draw: a .svg, .png or .pdf file")
    for name, seconds in OVERHEADS.items():
        parser.add_argument(
            f"--{name.lower()}",
            type=float,
            default=seconds,
            metavar="SECONDS",
            help=f"that each task costs besides, on {name} (default: {seconds:g})",
        )
    options = parser.parse_args(arguments)
    overheads = {name: getattr(options, name.lower()) for name in OVERHEADS}
    wrong = [each for each in overheads.values() if not 0 <= each < inf]
    if options.figure.suffix not in KINDS or wrong:
        parser.error(
            f"expected a figure of {', '.join(KINDS)} and overheads of 0 s or more, got "
            f"{options.figure.name} and {', '.join(map(str, overheads.values()))}. Nothing was "
            "drawn."
        )
    try:
        tasks = tasks_of(open_run(options.run))
    except UserError as error:
        parser.exit(2, f"error: {error}\n")
    if not tasks:
        parser.error(f"{options.run} has no finished cell, and so no times. Nothing was drawn.")
    print(f"{len(tasks)} tasks, longest chain {longest_chain(tasks, 0.0) / 60:.1f} minutes")
    print("workers", *(f"{name} (h)" for name in overheads), sep="\t")
    for count in COUNTS:
        hours = (seconds_with(tasks, count, each) / 3600 for each in overheads.values())
        print(count, *(f"{each:.3f}" for each in hours), sep="\t")
    draw(tasks, options.figure, overheads)


if __name__ == "__main__":
    main()
