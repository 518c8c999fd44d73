"""An experiment that other processes can import: one cell works, one kills its process."""

import os

from bench.experiments.definition import Experiment
from bench.store import Result

experiment = Experiment("fashion_generation", "mnist", "4", "toy")


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
