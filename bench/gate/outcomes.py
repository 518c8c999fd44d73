"""What a check can find, and what that means for the exit code."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What was found for one figure.

    Only `REGRESSED`, `TOO_GOOD` and `HARNESS_ERROR` are red.
    """

    OK = "ok"
    REGRESSED = "regressed"
    TOO_GOOD = "too good"
    NO_BASELINE = "no baseline"
    TOO_NOISY = "too noisy"
    HARNESS_ERROR = "harness error"
    ACCEPTED = "accepted"


EXIT_OK, EXIT_REGRESSED, EXIT_HARNESS_ERROR = 0, 5, 6
RED = (Outcome.REGRESSED, Outcome.TOO_GOOD)


@dataclass(frozen=True)
class Finding:
    """One row of the check's table.

    Attributes
    ----------
    gate : {'time', 'exact', 'quality'}
        Which of the three looked.
    name : str
        Benchmark, figure or probe.
    outcome : Outcome
        What it found.
    words : str
        In a few words, with the figures.
    ratio, low, high : float or None
        Head's time over base's with its interval, where it was timed.
    """

    gate: str
    name: str
    outcome: Outcome
    words: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


def exit_code(findings: Iterable[Finding]) -> int:
    """Exit code of a whole check: a broken harness outweighs what it found."""
    outcomes = {finding.outcome for finding in findings}
    if Outcome.HARNESS_ERROR in outcomes or not outcomes:
        return EXIT_HARNESS_ERROR
    return EXIT_REGRESSED if outcomes & set(RED) else EXIT_OK
