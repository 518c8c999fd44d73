"""What a trial is and what it scores; scores are kept in a file that outlives an interrupt."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Values = Mapping[str, Any]
# (values, epochs, seed): trains, and gives the score of each epoch, or of the last one alone
Trial = Callable[[Values, int, int], Sequence[float]]


@dataclass(frozen=True)
class Tried:
    """How a trial ended.

    Attributes
    ----------
    score : float or None
        After the last epoch, the mean of the arms; None if the trial failed.
    early : float or None
        After a third of the epochs (at least one); None where there is no score before the last.
    arms : dict of str to float
        The last score of each arm.
    seconds : float
        It took.
    message : str
        Why it failed; empty if it did not.
    """

    score: float | None
    early: float | None = None
    arms: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""


def attempt(
    arms: Mapping[str, Trial], values: Mapping[str, Values], epochs: int, seed: int
) -> Tried:
    """Train each arm with its values; a failure is told in the result, with its reason."""
    began = time.perf_counter()
    try:
        curves = [list(trial(values[arm], epochs, seed)) for arm, trial in arms.items()]
        last = [float(curve[-1]) for curve in curves]
        score = float(np.mean(last))
        if not math.isfinite(score):
            raise ArithmeticError(f"the score is {score}")
    except Exception as error:  # a failed trial is a row of the table, with its reason
        seconds = time.perf_counter() - began
        return Tried(None, seconds=seconds, message=f"{type(error).__name__}: {error}")
    early = None
    if min(len(curve) for curve in curves) > 1:
        early = float(np.mean([curve[max(1, len(curve) // 3) - 1] for curve in curves]))
    return Tried(score, early, dict(zip(arms, last, strict=True)), time.perf_counter() - began)


class Kept:
    """Finished trials by name, in a JSON file that is replaced whole at each change.

    Parameters
    ----------
    path : Path
        The file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self._tried = {name: Tried(**entry) for name, entry in told.items()}

    def __getitem__(self, name: str) -> Tried:
        """How the trial of this name ended."""
        return self._tried[name]

    def keep(self, name: str, tried: Tried) -> Tried:
        """Write down how a trial ended."""
        self._tried[name] = tried
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".part")
        told = {name: asdict(each) for name, each in self._tried.items()}
        beside.write_text(json.dumps(told), encoding="utf-8")
        beside.replace(self.path)
        return tried

    def once(self, name: str, run: Callable[[], Tried]) -> Tried:
        """Run a trial unless it is kept already."""
        return self._tried[name] if name in self._tried else self.keep(name, run())
