"""Experiments and data that take moments, in the place of those that take hours."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.data import DATASETS
from bench.data.definition import FILES
from bench.declarations import declarations
from bench.errors import UserError
from bench.experiments import EXPERIMENTS
from bench.experiments.definition import Experiment
from bench.experiments.methods import searched
from bench.report.publishing import pdf
from bench.running import plan
from bench.store import Result
from tests.data_support import put, small_info, small_payloads

NAME = "fashion_generation"
toy, searching = Experiment(declarations()[NAME]), Experiment(declarations()[NAME])
PAUSE = 0.02  # seconds: so that kills come in between, too


@toy.variant("toy_first", settings=("samples",), repeated="handed_in_seeds")
def first(cell):
    random = np.random.default_rng(cell.seed)
    curve = []
    for step in range(5):
        time.sleep(PAUSE)
        cell.progress(step / 5, f"step {step}")
        curve.append({"epoch": step + 1, "loss": float(random.random())})
    arrays = {"codes": random.random((200, 20))}
    return Result({"accuracy": float(random.random())}, {"history": pd.DataFrame(curve)}, arrays)


@toy.variant("toy_second", needs=("toy_first",), repeated="handed_in_seeds")
def second(cell):
    time.sleep(PAUSE)
    before = cell.needs["toy_first"]
    codes = before.array("codes")
    return Result({"mean": float(codes.mean())}, {}, {"doubled": 2 * codes})


@toy.variant("toy_together", gathers=("toy_second",))
def together(cell):
    return Result({"means": [member.metrics["mean"] for member in cell.gathered["toy_second"]]})


@searching.variant("toy_search", settings=("search",))
def search(cell):
    def trial(values, epochs, seed):
        random = np.random.default_rng(seed)
        scores = []
        for _ in range(epochs):
            time.sleep(PAUSE)
            scores.append(-((values["x"] - 1) ** 2) + float(random.normal(scale=0.1)))
        return scores

    return searched(
        cell,
        lambda hyperparameters: hyperparameters.Float("x", -4.0, 4.0),
        trial,
        default={"x": -1.0},
        objective="quality",
        direction="max",
    )


@dataclass(frozen=True)
class Shelf:
    """A route that offers files one by one, as if from far away."""

    folder: Path
    name: str = "shelf"
    asked_for: bool = False
    remote: bool = True

    def gather(self, files, workspace, progress):
        for file in files:
            time.sleep(PAUSE)
            yield file, self.folder / file


def install(folder, chosen):
    """Put the toys in the place of experiments, data and printing."""
    for name in list(EXPERIMENTS):
        EXPERIMENTS[name] = Experiment(declarations()[name])
    EXPERIMENTS[NAME] = {"cells": toy, "searches": searching}[chosen]
    # the functions of a module of tests are no project source
    plan.source_hash = lambda module, functions, root: functions[0]
    payloads = small_payloads(train=2000, test=500)
    shelf = Shelf(folder / "shelf")
    if not all((shelf.folder / file).is_file() for file in FILES):
        put(shelf.folder, payloads)
    info = small_info(payloads, sources=(shelf,))
    for name in list(DATASETS):
        DATASETS[name] = info
    pdf.check_libraries = _none  # printing takes most of a report's time, and HTML shows the same


def _none():
    raise UserError("Not printed here.")
