"""Runs the cells of a rehearsal on one backend: `python -m bench.rehearsal.stage PROFILE OUT`."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.experiments import ASSIGNED, EXPERIMENTS
from bench.interfaces import JsonObject
from bench.paths import ROOT
from bench.rehearsal.shortened import shorten
from bench.running import make_plan, resolve_profile
from bench.running.cells import run_cell, split_of

BACKENDS = ("tensorflow", "jax")
Heard = Callable[[str], None]


@dataclass(frozen=True)
class Rehearsed:
    """Result of one variant on one backend.

    Attributes
    ----------
    name : str
        `experiment/variant`.
    failure : str
        Why it failed; empty if it did not.
    seconds : float
        It took here, two steps of each training and all that comes besides.
    trainings : list of dict
        See `counted.Counted`.
    """

    name: str
    failure: str
    seconds: float
    trainings: list[JsonObject]


def rehearse(profile: str, backend: str, hear: Heard) -> list[Rehearsed]:
    """Rehearse a profile on a backend, in a process of its own.

    Parameters
    ----------
    profile : str
        Name or path.
    backend : {'tensorflow', 'jax'}
        Which one.
    hear : callable
        Told of each variant that was run.

    Returns
    -------
    list of Rehearsed
        One for each variant.

    Raises
    ------
    RuntimeError
        If the process ends before its work is done.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "rehearsed.json")
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.rehearsal.stage", profile, str(out)],
            cwd=ROOT,
            env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            for line in process.stdout or ():
                hear(f"{backend:<10}  {line.rstrip()}")
        if process.returncode or not out.is_file():
            raise RuntimeError(f"The rehearsal on {backend} ended with code {process.returncode}.")
        return [Rehearsed(**row) for row in json.loads(out.read_text(encoding="utf-8"))]


def main(name: str, out: Path) -> None:
    """Run every variant once and write the counts.

    Parameters
    ----------
    name : str
        The profile.
    out : Path
        File of the results.
    """
    from bench.rehearsal.counted import Counted, counting

    profile = resolve_profile(name)
    maps = split_of(profile, EXPERIMENTS["fashion_embedding"].declaration.dataset)
    small, sizes = shorten(profile, len(maps.train_images))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for planned in make_plan(small, Path(folder), ASSIGNED):
            counted: list[Counted] = []
            with counting(sizes, counted):
                run_cell(small, planned, _silent)
            stored = planned.stored
            failure = stored.failure
            row = Rehearsed(
                name=f"{stored.experiment}/{stored.variant}",
                failure=f"{failure['error']}: {failure['message']}" if failure else "",
                seconds=stored.provenance["seconds"],
                trainings=[asdict(each) for each in counted],
            )
            found.append(asdict(row))
            steps = sum(each.steps for each in counted)
            print(
                f"{row.name:<42} {len(counted):>3} trainings, {steps:>9,} steps  "
                f"{row.seconds:6.1f} s  {row.failure or 'ok'}",
                flush=True,
            )
    out.write_text(json.dumps(found), encoding="utf-8")


def _silent(done: float, words: str) -> None:
    """Ignore progress."""


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
