"""Comparison of two commits by all gates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.gate import exact_gate, quality_gate, time_gate
from bench.gate.outcomes import RED, Finding, Outcome, exit_code
from bench.gate.suite import HarnessError
from bench.gate.trees import NoBaselineError, Trees, checked_out
from bench.interfaces import Progress

GATES = ("time", "exact", "quality")


@dataclass(frozen=True)
class Check:
    """Result of a check.

    Attributes
    ----------
    base, head : str
        The commits, or the name that was asked for where there is no such commit.
    findings : sequence of Finding
        A row for each figure.
    allow_no_baseline : bool
        Whether a gate may find no baseline for any of its figures.
    """

    base: str
    head: str
    findings: Sequence[Finding]
    allow_no_baseline: bool = False

    @property
    def exit_code(self) -> int:
        """0, or what `bench.gate.outcomes` says."""
        return exit_code(self.findings, allow_no_baseline=self.allow_no_baseline)


def check(
    base: str,
    head: str = "HEAD",
    *,
    gates: Sequence[str] = GATES,
    pairs: int = 4,
    select: str = "",
    accepted: Sequence[str] = (),
    allow_no_baseline: bool = False,
    progress: Progress = lambda done, words: None,
) -> Check:
    """Compare two commits.

    Parameters
    ----------
    base, head : str
        Whatever git takes for a commit.
    gates : sequence of {'time', 'exact', 'quality'}
        Which ones look.
    pairs : int
        Pairs of processes of the time gate.
    select : str
        Benchmarks of the time gate, as pytest's -k.
    accepted : sequence of str
        Names of figures whose change is wanted: they are shown, and not red.
    allow_no_baseline : bool
        Whether a gate may find no baseline for any of its figures, as on a first run.
    progress : callable
        Called with the share that is done and a few words.

    Returns
    -------
    Check
        Findings and exit code.

    Raises
    ------
    UserError
        If one of the commits is not in this clone.
    """
    try:
        with checked_out(base, head) as trees:
            findings = examine(trees, gates, pairs, select, progress)
            found = Check(trees.base_commit, trees.head_commit, findings)
    except NoBaselineError as error:
        missing = [Finding(gate, "base", Outcome.NO_BASELINE, str(error)) for gate in gates]
        found = Check(base, head, missing)
    return replace(
        found,
        findings=[_accepted(f, accepted) for f in found.findings],
        allow_no_baseline=allow_no_baseline,
    )


def examine(
    trees: Trees, gates: Sequence[str], pairs: int, select: str, progress: Progress
) -> list[Finding]:
    """Run each gate on two trees; an error in a gate is a finding.

    Parameters
    ----------
    trees : Trees
        Both commits, checked out.
    gates : sequence of str
        Names of gates.
    pairs : int
        Pairs of processes of the time gate.
    select : str
        Benchmarks, as pytest's `-k`.
    progress : callable
        Takes the share that is done, and words.

    Returns
    -------
    list of Finding
        Of all gates.
    """
    looks: dict[str, Callable[[], list[Finding]]] = {
        "quality": lambda: quality_gate.examine(trees.head, _part(progress, 0.0, 0.2)),
        # before the exact gate, which takes base's own list of benchmarks away
        "time": lambda: time_gate.examine(trees, pairs, select, _part(progress, 0.2, 0.9)),
        "exact": lambda: exact_gate.examine(trees, _part(progress, 0.9, 1.0)),
    }
    findings: list[Finding] = []
    for gate, look in looks.items():
        if gate not in gates:
            continue
        try:
            findings += look()
        except HarnessError as error:
            findings.append(Finding(gate, "harness", Outcome.HARNESS_ERROR, str(error)))
    return findings


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda done, words: progress(start + (end - start) * done, words)


def _accepted(finding: Finding, accepted: Sequence[str]) -> Finding:
    if finding.name in accepted and finding.outcome in RED:
        return replace(finding, outcome=Outcome.ACCEPTED)
    return finding
