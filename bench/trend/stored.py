"""Stored runs of the benchmark suite, as series that may be compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import UserError
from bench.interfaces import JsonObject
from bench.store.files import read_json


@dataclass(frozen=True)
class Point:
    """One benchmark in one stored run.

    Attributes
    ----------
    moment : str
        When, ISO 8601.
    commit : str
        Of the checkout.
    seconds : float
        Median of its rounds.
    control : float
        Geometric mean of the control kernels around it, seconds: the machine's speed.
    """

    moment: str
    commit: str
    seconds: float
    control: float


@dataclass(frozen=True)
class Series:
    """One benchmark on one machine, in order of time.

    Attributes
    ----------
    name : str
        The benchmark.
    hardware : str
        Processor, cores and backend: series of different ones are never joined.
    points : tuple of Point
        At least one.
    """

    name: str
    hardware: str
    points: tuple[Point, ...]

    @property
    def normalised(self) -> np.ndarray:
        """Seconds corrected for the machine's speed by the control benchmark; shape (n,)."""
        control = np.array([point.control for point in self.points])
        seconds = np.array([point.seconds for point in self.points])
        return np.asarray(seconds * np.median(control) / control)


def read_series(folder: Path) -> list[Series]:
    """Read every run that `invoke bench` stored.

    Parameters
    ----------
    folder : Path
        pytest-benchmark's own, `.benchmarks`.

    Raises
    ------
    UserError
        If there is none, or one cannot be read.
    """
    found: dict[tuple[str, str], list[Point]] = {}
    paths = sorted(folder.glob("*/*.json"))
    for path in paths:
        for name, hardware, point in _read(path):
            found.setdefault((hardware, name), []).append(point)
    if not paths:
        raise UserError(
            f"No stored run in {folder}: expected files written by `invoke bench`. There is no "
            "trend to show; run it at least twice, at different commits."
        )
    return [
        Series(name, hardware, tuple(sorted(points, key=lambda point: point.moment)))
        for (hardware, name), points in sorted(found.items())
    ]


def _read(path: Path) -> Iterable[tuple[str, str, Point]]:
    try:
        run = read_json(path)
        machine, control = run["machine_info"], run["control_seconds"]
        seconds = [value for side in control.values() for value in side.values()]
        if not seconds:
            raise ValueError("no control kernels were timed beside it")
        hardware, commit = _hardware(machine), run["commit_info"]["id"]
        pace = float(np.exp(np.mean(np.log(seconds))))
        return [
            (b["fullname"], hardware, Point(run["datetime"], commit, b["stats"]["median"], pace))
            for b in run["benchmarks"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is no run of this benchmark suite ({error!r}). Delete it, or move it away, "
            "and ask again."
        ) from error


def _hardware(machine: JsonObject) -> str:
    own = machine["hardware"]
    gpu = f", {own['gpu']}" if own.get("gpu") else ""
    return f"{own['cpu']}, {own['cores']} cores{gpu}, {machine['backend']}"
