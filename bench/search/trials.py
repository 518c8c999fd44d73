"""Trials of searches: requests, results, executors, and the files that survive an interrupt.

Loads no framework: planning and running need this file.
"""

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from bench.interfaces import JsonObject, Values
from bench.results.searches import early_epoch
from bench.search.limits import limited
from bench.store import content_key
from bench.store.files import write_beside
from bench.store.seal import DamagedError, read_sealed, write_sealed

# (values, epochs, seed): trains, and gives the score of each epoch, or of the last one alone
Trial = Callable[[Values, int, int], Sequence[float]]
KEY_DIGITS = 16


@dataclass(frozen=True)
class Request:
    """A training that a search asks for: all that its scores depend on, beside the experiment.

    Attributes
    ----------
    values : mapping of str to mapping
        Hyperparameters of each arm.
    epochs : int
        How long it is, the epochs of `after` among them.
    seed : int
        Its seed.
    after : Request or None
        The trial with whose weights and optimiser state it goes on.
    goes_on : bool
        Whether another trial may go on with it, so that its state must be kept.
    seconds, gibibytes : float
        Time and memory that it may take.
    start : bytes or None
        The state of `after`.
    """

    values: Mapping[str, Values]
    epochs: int
    seed: int
    seconds: float
    gibibytes: float
    after: "Request | None" = None
    goes_on: bool = False
    start: bytes | None = field(default=None, repr=False)

    @cached_property
    def key(self) -> str:
        """The first digits of a hash of what its scores depend on."""
        depends_on = {
            "values": {arm: dict(values) for arm, values in self.values.items()},
            "epochs": self.epochs,
            "seed": self.seed,
            "after": self.after.key if self.after else None,
        }
        return content_key(depends_on)[:KEY_DIGITS]


@dataclass(frozen=True)
class Tried:
    """How a trial ended.

    Attributes
    ----------
    curves : dict of str to list of float
        Scores of each arm, one an epoch, or that of the last epoch alone; empty if it failed.
    seconds : float
        It took, without those of the trial with which it went on.
    message : str
        Why it failed; empty if it did not.
    """

    curves: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""

    @property
    def arms(self) -> dict[str, float]:
        """The last score of each arm."""
        return {arm: curve[-1] for arm, curve in self.curves.items()}

    @property
    def score(self) -> float | None:
        """After the last epoch, the mean of the arms; None if the trial failed."""
        return float(np.mean(list(self.arms.values()))) if self.curves else None

    @property
    def early(self) -> float | None:
        """After a third of the epochs (at least one); None where there is no score before the last.

        The mean of the arms.
        """
        if min(map(len, self.curves.values()), default=0) < 2:
            return None
        return float(np.mean([c[early_epoch(len(c)) - 1] for c in self.curves.values()]))

    def after(self, earlier: "Tried") -> "Tried":
        """Put the curves of the trial with which this one went on before its own."""
        if not self.curves:
            return self
        curves = {arm: [*earlier.curves[arm], *curve] for arm, curve in self.curves.items()}
        return Tried(curves, self.seconds, self.message)


@dataclass(frozen=True)
class Ended:
    """How a trial ended, and the state with which another can go on.

    Attributes
    ----------
    tried : Tried
        Its scores, or why it failed.
    state : bytes or None
        See `bench.training.carry`; None where it was not asked for.
    """

    tried: Tried
    state: bytes | None = field(default=None, repr=False)


Tell = Callable[[Request, Ended], None]


class TrialExecutor(Protocol):
    """Where trials run: in this process, in several, or on a cluster. It changes no score."""

    def run(self, requests: Sequence[Request], tell: Tell) -> None:
        """Run trials that do not wait for each other; `tell` of each as soon as it has ended.

        Parameters
        ----------
        requests : sequence of Request
            The trials.
        tell : callable
            Takes each as it ends.
        """


class TrialEndedError(Exception):
    """Leaves an experiment's function once the one trial that was asked of it has ended."""

    def __init__(self, ended: Ended) -> None:
        super().__init__("The trial has ended.")
        self.ended = ended


class Inline:
    """Runs trials one by one in this process.

    Parameters
    ----------
    arms : mapping of str to Trial
        What a trial trains, one after the other.
    """

    def __init__(self, arms: Mapping[str, Trial]) -> None:
        self.arms = arms

    def run(self, requests: Sequence[Request], tell: Tell) -> None:
        """Run them in their order.

        Parameters
        ----------
        requests : sequence of Request
            The trials.
        tell : callable
            Takes each as it ends.
        """
        for request in requests:
            tell(request, attempt(self.arms, request))


def attempt(arms: Mapping[str, Trial], request: Request) -> Ended:
    """Train each arm with its values; a failure is told in the result, with its reason.

    Parameters
    ----------
    arms : mapping of str to callable
        A function that trains, for each arm.
    request : Request
        Values, epochs and seed.

    Returns
    -------
    Ended
        Scores, or the reason why there are none.
    """
    from bench.training import carry  # here, since planning needs no framework

    began = time.perf_counter()
    epochs = request.epochs - (request.after.epochs if request.after else 0)
    try:
        with (
            limited(request.seconds, request.gibibytes),
            carry.carrying(request.start, request.goes_on) as states,
        ):
            curves = {
                arm: [float(score) for score in trial(request.values[arm], epochs, request.seed)]
                for arm, trial in arms.items()
            }
        tried = Tried(curves)
        if not math.isfinite(tried.score or 0.0):
            raise ArithmeticError(f"the score is {tried.score}")
        state = states.to_bytes() if request.goes_on else None
    except Exception as error:  # a failed trial is a row of the table, with its reason
        return Ended(failed(f"{type(error).__name__}: {error}", time.perf_counter() - began))
    return Ended(Tried(curves, time.perf_counter() - began), state)


def failed(message: str, seconds: float = 0.0) -> Tried:
    """Make the row of a trial that failed.

    Parameters
    ----------
    message : str
        Why.
    seconds : float
        How long it ran.

    Returns
    -------
    Tried
        The row.
    """
    return Tried(seconds=seconds, message=message)


class Kept:
    """Trials that ended, each in a file of its own that proves its content.

    A trial whose files are damaged, or were written by another version, is run again.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, request: Request) -> Tried | None:
        """Return the result of a trial; None if it has not ended."""
        try:
            content = read_sealed(self.folder / f"{request.key}.json")
            tried = Tried(**content["tried"])
        except (DamagedError, KeyError, TypeError):
            return None
        if request.goes_on and tried.curves:
            state = self._state(request)
            if state is None or hashlib.sha256(state).hexdigest() != content.get("state"):
                return None
        return tried

    def start(self, request: Request) -> bytes | None:
        """The state with which a trial goes on from the one before; None where there is none."""
        return self._state(request.after) if request.after else None

    def _state(self, request: Request) -> bytes | None:
        path = self.folder / f"{request.key}.state"
        return path.read_bytes() if path.is_file() else None

    def keep(self, request: Request, ended: Ended) -> Tried:
        """Store the result of a trial, its state first.

        Parameters
        ----------
        request : Request
            Which trial.
        ended : Ended
            How it ended.

        Returns
        -------
        Tried
            Its row of the table.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        content: JsonObject = {"tried": asdict(ended.tried)}
        if ended.state is not None:
            state = ended.state
            content["state"] = hashlib.sha256(state).hexdigest()
            write_beside(self.folder / f"{request.key}.state", lambda path: path.write_bytes(state))
        write_beside(self.folder / f"{request.key}.json", lambda path: write_sealed(path, content))
        return ended.tried
