"""Experiments that other processes can import: cells that work, sleep, or end their process."""

import os
import signal
import time

from bench.declarations import Declaration
from bench.experiments.definition import Experiment
from bench.running import limits
from bench.store import Result

experiment = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="toy"))
deaths = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="deaths"))


@experiment.variant(settings=("samples",), repeated="handed_in_seeds")
def solid(cell):
    cell.progress(0.5, "half way")
    return Result({"samples": cell.settings.samples, "process": os.getpid()})


@experiment.variant()
def deadly(cell):
    os._exit(9)


@experiment.variant(needs=("deadly",))
def on_top(cell):
    return Result({})


@experiment.variant(gathers=("solid",))
def together(cell):
    return Result({"members": [member.metrics["process"] for member in cell.gathered["solid"]]})


@deaths.variant(repeated="handed_in_seeds")
def first(cell):
    return Result({"process": os.getpid()})


@deaths.variant(gathers=("first",), repeated="handed_in_seeds")
def second(cell):
    return Result({"process": os.getpid()})


@deaths.variant()
def killed_once(cell):
    """Killed as `kill -9` does it, the first time."""
    mark = cell.scratch / "tried"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Result({"process": os.getpid()})


@deaths.variant()
def killed_always(cell):
    os.kill(os.getpid(), signal.SIGKILL)


@deaths.variant()
def asleep(cell):
    """Silent for ever; says first which process it is in."""
    cell.progress(0.0, str(os.getpid()))
    time.sleep(3600)
    return Result({})


@deaths.variant()
def deaf(cell):
    """As code that never returns to Python: its limit cannot be told to it."""
    limits.GRACE = 0.1
    signal.pthread_sigmask(signal.SIG_BLOCK, {limits.SIGNAL})
    time.sleep(3600)


@deaths.variant()
def chatty(cell):
    """Never ends, and says so all the time."""
    while True:
        cell.progress(0.5, "at it")
