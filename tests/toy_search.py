"""Searches that other processes can import; their trials train nothing, and some are killed."""

import os
import signal
import time
from contextlib import contextmanager
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
DOOMED = "doomed"  # there: names a node
GATE = 4
FOREVER = 600.0  # seconds: many times what a busy machine takes to start a process


def score(values, epochs, seed):
    noise = np.random.default_rng(seed).normal(scale=0.1)
    return [-((values["x"] - 1) ** 2) + 0.01 * epoch + noise for epoch in range(epochs)]


def note(word):
    """Note something that happened; how often it did before."""
    before = len(list(_notes().glob(f"{word} *")))
    (_notes() / f"{word} {time.monotonic_ns()} {os.getpid()}").touch()
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


@experiment.variant("endless", settings=("search",))
def endless(cell):
    """No trial ends."""

    def trial(values, epochs, seed):
        note(f"began {os.getpid()}")
        time.sleep(FOREVER)
        raise RuntimeError("nobody ended the trial")

    return _searched(cell, trial)


@experiment.variant("gated", settings=("search",))
def gated(cell):
    """After `GATE` trials the others wait for a note `go`."""

    def trial(values, epochs, seed):
        until = time.monotonic() + FOREVER
        while len(noted("ended")) >= GATE and not noted("go"):
            if time.monotonic() > until:
                raise RuntimeError("nobody opened the gate")
            time.sleep(0.1)
        note(f"ended {values['x']:.6f} {seed}")
        return score(values, epochs, seed)

    return _searched(cell, trial)


@experiment.variant("held", settings=("search",))
def held(cell):
    """Trials that end on no doomed node."""

    def trial(values, epochs, seed):
        with _ends_on_no_doomed_node(f"{values['x']:.6f} {seed}"):
            return score(values, epochs, seed)

    return _searched(cell, trial)


@experiment.variant("held_cell", repeated="handed_in_seeds")
def held_cell(cell):
    """Cells that end on no doomed node."""
    with _ends_on_no_doomed_node(str(cell.seed_index)):
        return Result({"seed": cell.seed})


def doom(node):
    """Let nothing end on a node; elsewhere one task ends, and the others wait for one there."""
    (_notes() / DOOMED).write_text(node)


@contextmanager
def _ends_on_no_doomed_node(name):
    note(f"began {name}")
    doomed = _notes() / DOOMED
    node = doomed.read_text() if doomed.is_file() else None
    if node is not None and node == _node():
        note(f"stuck {name}")
        time.sleep(FOREVER)
        raise RuntimeError("the doomed node lives on")
    until = time.monotonic() + FOREVER
    while node is not None and noted("ended") and not noted("stuck"):
        if time.monotonic() > until:
            raise RuntimeError("nothing began on the doomed node")
        time.sleep(0.1)
    yield
    note(f"ended {name}")


def _node():
    import ray

    return ray.get_runtime_context().get_node_id()


def noted(word):
    """Which tasks noted a word, once for each time."""
    return [path.name.split(" ")[1:-2] for path in _notes().glob(f"{word} *")]


def _notes():
    return Path(os.environ[NOTES])
