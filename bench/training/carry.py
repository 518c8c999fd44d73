"""Continuation of trainings, with their weights and optimiser state.

A search promotes trials: what trains them is called once more, and finds here what it left. The
learning rate's schedule starts anew, as long as the new part; the optimiser's moments, its count of
steps, random generators and the order of the images go on.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from bench.training import backend
from bench.training.objective import Objective, variables
from bench.training.schedule import OneCycle

EPOCHS = "epochs"


class States:
    """Start and end states of the trainings of a block, in the order in which they run.

    Parameters
    ----------
    start : bytes or None
        What `to_bytes` of an earlier block gave; None: all start as they are built.
    wanted : bool
        Whether the ends are noted.
    """

    def __init__(self, start: bytes | None, wanted: bool) -> None:
        self.wanted = wanted
        self._start: dict[str, np.ndarray] = {}
        if start is not None:
            with np.load(io.BytesIO(start), allow_pickle=False) as archive:
                self._start = {name: archive[name] for name in archive.files}
        self._ends: dict[str, np.ndarray] = {}
        self._trainings = 0

    def restore(self, objectives: Sequence[Objective]) -> int:
        """Give networks and optimisers their earlier values, once the optimisers are built.

        Returns
        -------
        int
            Epochs that were trained before.

        Raises
        ------
        ValueError
            If these are not the networks and optimisers that were stored.
        """
        if not self._start:
            return 0
        prefix = f"{self._trainings}/"
        stored = {n: v for n, v in self._start.items() if n.startswith(prefix)}
        now = variables(objectives)
        expected = {f"{prefix}{k}": tuple(v.shape) for k, v in enumerate(now)}
        found = {name: array.shape for name, array in stored.items() if name != prefix + EPOCHS}
        if expected != found:
            raise ValueError(
                f"Training {self._trainings} goes on from one with {len(found)} variables; "
                f"expected {len(expected)}, of the same shapes. Nothing was trained."
            )
        for number, variable in enumerate(now):
            variable.assign(stored[f"{prefix}{number}"])
        for objective in objectives:
            schedule = objective.optimizer._learning_rate
            if isinstance(schedule, OneCycle):
                schedule.first = int(backend.to_numpy(objective.optimizer.iterations))
        return int(stored[prefix + EPOCHS])

    def keep(self, objectives: Sequence[Objective], epochs: int) -> None:
        """Keep the end state of a training, before averaged weights replace the trained ones.

        Parameters
        ----------
        objectives : sequence of Objective
            Objectives of the training.
        epochs : int
            Epochs that they have trained.
        """
        prefix = f"{self._trainings}/"
        self._trainings += 1
        if self.wanted:
            for number, variable in enumerate(variables(objectives)):
                self._ends[f"{prefix}{number}"] = backend.to_numpy(variable)
            self._ends[prefix + EPOCHS] = np.asarray(epochs)

    def to_bytes(self) -> bytes:
        """All ends, as an `.npz` file."""
        file = io.BytesIO()
        np.savez(file, **self._ends)  # type: ignore[arg-type]
        return file.getvalue()


_states: ContextVar[States | None] = ContextVar("states", default=None)


@contextmanager
def carrying(start: bytes | None, wanted: bool) -> Iterator[States]:
    """Continue the trainings of a block from those of an earlier one, and keep their end states.

    See `States` for the parameters.

    Parameters
    ----------
    start : bytes or None
        What an earlier training kept; None to start anew.
    wanted : bool
        Whether the end is to be kept.

    Yields
    ------
    States
        Holds where the trainings end.
    """
    states = States(start, wanted)
    token = _states.set(states)
    try:
        yield states
    finally:
        _states.reset(token)


def current() -> States | None:
    """States of the block that runs, if one does."""
    return _states.get()
