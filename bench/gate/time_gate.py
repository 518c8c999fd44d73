"""The time gate: both trees in turns in fresh processes, repeated where one seems slower."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from bench.gate import pairs, suite
from bench.gate.outcomes import Finding, Outcome
from bench.gate.trees import Trees, copy_suite
from bench.interfaces import Progress

GATE = "time"


@dataclass
class Measurements:
    """What the processes of either tree measured, in the order in which they ran."""

    base: list[suite.Measured] = field(default_factory=list)
    head: list[suite.Measured] = field(default_factory=list)

    def rounds(self, tree: str, name: str) -> list[list[float]]:
        """Rounds of one benchmark, of those processes in which it did not fail.

        Parameters
        ----------
        tree : {'base', 'head'}
            Which commit.
        name : str
            The benchmark.

        Returns
        -------
        list of list of float
            Seconds, a list a process.
        """
        return [s.rounds[name] for s in getattr(self, tree) if name in s.rounds]

    @property
    def machines_differ(self) -> bool:
        """Whether one process saw other hardware than another."""
        seen = [measured.machine for measured in (*self.base, *self.head)]
        return any(machine != seen[0] for machine in seen)


def examine(trees: Trees, count: int, select: str, progress: Progress) -> list[Finding]:
    """Time both trees and compare every benchmark.

    Parameters
    ----------
    trees : Trees
        Base's tests give way to head's.
    count : int
        Pairs of processes; at least two.
    select : str
        As pytest's -k.
    progress : callable
        Called with the share that is done and a few words.

    Returns
    -------
    list of Finding
        One for each benchmark.
    """
    findings = []
    try:
        before = suite.collected(trees.base, select)
    except suite.HarnessError as error:
        before = set()
        words = f"what it had cannot be listed, so nothing can be missed: {error}"
        findings.append(Finding(GATE, "benchmarks of base", Outcome.NO_BASELINE, words))
    wanted = suite.collected(trees.head, select)
    findings += [
        Finding(GATE, name, Outcome.HARNESS_ERROR, "base has this benchmark, head has not")
        for name in sorted(before - wanted)
    ]
    if not wanted:
        words = "head has no benchmark to measure"
        return [*findings, Finding(GATE, "benchmarks of head", Outcome.HARNESS_ERROR, words)]
    copy_suite(trees)
    seen = _measure(trees, count, wanted, lambda done, words: progress(0.8 * done, words))
    if seen.machines_differ:
        words = "the processes did not all see the same hardware: their times cannot be compared"
        return [*findings, Finding(GATE, "hardware", Outcome.NO_BASELINE, words)]
    found = {name: _finding(seen, name, count) for name in sorted(wanted)}
    suspects = [name for name, finding in found.items() if _suspicious(finding)]
    if suspects:
        again = _measure(trees, count, suspects, lambda d, words: progress(0.8 + 0.2 * d, words))
        found |= {name: _agreed(found[name], _finding(again, name, count)) for name in suspects}
    return findings + list(found.values())


def _measure(trees: Trees, count: int, names: Iterable[str], progress: Progress) -> Measurements:
    """Measure file by file: in shorter processes the machine drifts less within a pair."""
    seen, order = Measurements(), pairs.order(count)
    files = [list(group) for _, group in groupby(sorted(names), key=_file)]
    for number, group in enumerate(files):
        for position, tree in enumerate(order):
            done = (number + position / len(order)) / len(files)
            progress(done, f"{_file(group[0])}: {tree}, {position + 1}/{len(order)}")
            getattr(seen, tree).append(suite.measure(getattr(trees, tree), group))
    return seen


def _file(name: str) -> str:
    return name.partition("::")[0].rpartition("/")[2]


def _finding(seen: Measurements, name: str, count: int) -> Finding:
    base, head = seen.rounds("base", name), seen.rounds("head", name)
    if len(head) < count:
        return Finding(GATE, name, Outcome.HARNESS_ERROR, "it fails on head")
    if len(base) < count:
        return Finding(GATE, name, Outcome.NO_BASELINE, "base cannot run it")
    c = pairs.compare(base, head)
    words = f"{c.ratio:.3f}x [{c.low:.3f}, {c.high:.3f}], red from {1 + c.gate:.2f}x"
    return Finding(GATE, name, c.outcome, words, c.ratio, c.low, c.high)


def _suspicious(finding: Finding) -> bool:
    """Whether head seems slower, within the noise or not: a second measurement decides."""
    slower = finding.ratio is not None and finding.ratio > 1 + pairs.LEAST_GATE
    return slower and finding.low is not None and finding.low > 1


def _agreed(first: Finding, second: Finding) -> Finding:
    """Take the outcome of the second measurement: it must confirm the first by itself."""
    words = f"{first.words}; again: {second.words}"
    return Finding(GATE, first.name, second.outcome, words, second.ratio, second.low, second.high)
