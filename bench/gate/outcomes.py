"""Outcomes of a check, and their exit codes.

0: compared, and nothing got worse. 5: something regressed, or is too good to be true. 6: the
measuring itself failed. 7: one of the gates that were asked for compared nothing, so that nobody
knows; 0 where that was for want of a baseline and was said to be expected (`--allow-no-baseline`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of the comparison of one figure.

    `REGRESSED`, `TOO_GOOD` and `HARNESS_ERROR` are red. `NO_BASELINE` and `TOO_NOISY` say that this
    figure was not compared.
    """

    OK = "ok"
    REGRESSED = "regressed"
    TOO_GOOD = "too good"
    NO_BASELINE = "no baseline"
    TOO_NOISY = "too noisy"
    HARNESS_ERROR = "harness error"
    ACCEPTED = "accepted"


EXIT_OK, EXIT_REGRESSED, EXIT_HARNESS_ERROR, EXIT_NOTHING_COMPARED = 0, 5, 6, 7
RED = (Outcome.REGRESSED, Outcome.TOO_GOOD)
NOT_COMPARED = (Outcome.NO_BASELINE, Outcome.TOO_NOISY)


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


def exit_code(findings: Sequence[Finding], *, allow_no_baseline: bool = False) -> int:
    """Return the exit code of a whole check.

    A broken harness outweighs what was found, and what was found outweighs what was not compared.

    Parameters
    ----------
    findings : sequence of Finding
        All rows.
    allow_no_baseline : bool
        Whether a gate may find no baseline for any of its figures, as on a first run.

    Returns
    -------
    int
        0, or one of the codes above 4.
    """
    outcomes = {finding.outcome for finding in findings}
    if Outcome.HARNESS_ERROR in outcomes or not outcomes:
        return EXIT_HARNESS_ERROR
    if outcomes & set(RED):
        return EXIT_REGRESSED
    blind = blind_gates(findings)
    expected = allow_no_baseline and all(
        finding.outcome is Outcome.NO_BASELINE for finding in findings if finding.gate in blind
    )
    return EXIT_NOTHING_COMPARED if blind and not expected else EXIT_OK


def blind_gates(findings: Iterable[Finding]) -> list[str]:
    """Return the gates that ran but compared no figure."""
    compared: dict[str, bool] = {}
    for finding in findings:
        seen = finding.outcome not in NOT_COMPARED
        compared[finding.gate] = compared.get(finding.gate, False) or seen
    return [gate for gate, seen in compared.items() if not seen]
