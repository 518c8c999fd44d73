"""Checkpoints of trainings: an interrupted cell goes on from the last epoch that was kept.

A cell is run again from its start, so its trainings come in the same order. Each finds its file by
its number and takes over weights, optimiser, averages, random generators and history; the order of
the images follows from the seed. The figures are those of an undisturbed training.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.store import files

if TYPE_CHECKING:
    import keras

    from bench.interfaces import Figures
    from bench.training.objective import Objective


@dataclass
class Trained:
    """The part of a training that is done.

    Attributes
    ----------
    rows : list of dict
        The history, one row an epoch.
    calls : list of float
        Seconds of each call of the compiled steps.
    compiling : list of int
        Which of the calls compiled: the first one of each process.
    """

    rows: list[Figures] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    compiling: list[int] = field(default_factory=list)


class Checkpoint:
    """Checkpoint of one training.

    Parameters
    ----------
    path : Path
        The file.
    seconds : float
        Least time between two writes.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self._written = time.monotonic()

    def restore(self, objectives: Sequence[Objective]) -> Trained:
        """Give networks and optimisers the values that were kept, once the optimisers are built.

        A file that cannot be read, or is of other networks, is removed: the training then starts
        from its beginning.

        Parameters
        ----------
        objectives : sequence of Objective
            Objectives of the training.

        Returns
        -------
        Trained
            What is done already.
        """
        now = _variables(objectives)
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as archive:
                done = Trained(**json.loads(archive["trained"].tobytes()))
                values = [archive[str(number)] for number in range(len(now))]
        except FileNotFoundError:
            return Trained()
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            self.path.unlink(missing_ok=True)
            return Trained()
        if [value.shape for value in values] != [tuple(v.shape) for v in now]:
            self.path.unlink()
            return Trained()
        for variable, value in zip(now, values, strict=True):
            variable.assign(value)
        return done

    def keep(self, objectives: Sequence[Objective], done: Trained, *, last: bool) -> None:
        """Write the state after an epoch, unless the last write was a short time ago.

        Parameters
        ----------
        objectives : sequence of Objective
            Objectives of the training.
        done : Trained
            What is done.
        last : bool
            Whether the training is finished. Its end is always written, so that it is not trained
            again where a later training of the same cell is interrupted.
        """
        if not last and time.monotonic() - self._written < self.seconds:
            return
        from bench.training import backend

        state = {str(k): backend.to_numpy(v) for k, v in enumerate(_variables(objectives))}
        state["trained"] = np.frombuffer(json.dumps(vars(done)).encode(), dtype=np.uint8)

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **state)  # type: ignore[arg-type]

        self.path.parent.mkdir(parents=True, exist_ok=True)
        files.write_beside(self.path, write)
        self._written = time.monotonic()


class Checkpoints:
    """Checkpoints of the trainings of one cell, in the order in which they run.

    Parameters
    ----------
    folder : Path
        Where they are; it is made when the first one is written.
    seconds : float
        Least time between two writes of one training.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self._trainings = 0

    def next(self) -> Checkpoint:
        """Return the checkpoint of the training that begins."""
        self._trainings += 1
        return Checkpoint(self.folder / f"training-{self._trainings}.npz", self.seconds)


_checkpoints: ContextVar[Checkpoints | None] = ContextVar("checkpoints", default=None)


@contextmanager
def kept_in(folder: Path, seconds: float | None) -> Iterator[None]:
    """Keep checkpoints of the trainings of a block.

    Parameters
    ----------
    folder : Path
        Where they are kept.
    seconds : float or None
        Least time between two writes of one training; None: none are kept.

    Yields
    ------
    None
        While they are kept.
    """
    token = _checkpoints.set(None if seconds is None else Checkpoints(folder, seconds))
    try:
        yield
    finally:
        _checkpoints.reset(token)


def next_training() -> Checkpoint | None:
    """Return the checkpoint of the training that begins, where checkpoints are kept."""
    checkpoints = _checkpoints.get()
    return checkpoints.next() if checkpoints is not None else None


def _variables(objectives: Sequence[Objective]) -> list[keras.Variable]:
    # imported here: a cell that trains no network needs no framework
    from bench.training.objective import variables

    return variables(objectives)
