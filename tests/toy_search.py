"""Searches that other processes can import; their trials train nothing, and some are killed."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from bench.declarations import Declaration
from bench.experiments.definition import Experiment
from bench.experiments.methods import searched
from bench.store import Result

experiment = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="searches"))
DEFAULT = {"x": -1.0}
DEADLY = -2.5
NOTES = "LATENT_LAB_TEST_NOTES"  # names a folder in which each trial notes that it ran


def score(values, epochs, seed):
    noise = np.random.default_rng(seed).normal(scale=0.1)
    return [-((values["x"] - 1) ** 2) + 0.01 * epoch + noise for epoch in range(epochs)]


def note(word):
    """Note something that happened; how often it did before."""
    folder = Path(os.environ[NOTES])
    before = len(list(folder.glob(f"{word} *")))
    (folder / f"{word} {time.monotonic_ns()} {os.getpid()}").touch()
    return before


def _searched(cell, trial):
    return searched(
        cell,
        lambda hyperparameters: hyperparameters.Float("x", -4.0, 4.0),
        trial,
        default=DEFAULT,
        objective="quality",
        direction="max",
    )


@experiment.variant("search", settings=("search",))
def calm(cell):
    """All trials end."""

    def trial(values, epochs, seed):
        note("trial")
        return score(values, epochs, seed)

    return _searched(cell, trial)


@experiment.variant("on_top", needs=("search",))
def on_top(cell):
    return Result({"best": cell.needs["search"].metrics["best_score"]})


@experiment.variant("killed", settings=("search",))
def killed(cell):
    """As `kill -9` does it: some trials once, one kind of trials always."""

    def trial(values, epochs, seed):
        before = note(f"trial {values['x']:.6f} {seed}")
        if values["x"] < DEADLY or (values["x"] > 0 and not before):
            os.kill(os.getpid(), signal.SIGKILL)
        return score(values, epochs, seed)

    return _searched(cell, trial)


@experiment.variant("slow", settings=("search",))
def slow(cell):
    """Trials that last for a while, and say where they run."""

    def trial(values, epochs, seed):
        note(f"began {values['x']:.6f} {seed} {os.environ.get('RAY_NODE_ID', '')}")
        time.sleep(2)
        note(f"ended {values['x']:.6f} {seed}")
        return score(values, epochs, seed)

    return _searched(cell, trial)


@experiment.variant("lasting", repeated="handed_in_seeds")
def lasting(cell):
    """Cells that last for a while."""
    note(f"began {cell.seed_index}")
    time.sleep(2)
    return Result({"seed": cell.seed})
