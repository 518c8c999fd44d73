"""Gate of exact figures, which are counted and free of noise."""

import json
import subprocess
import sys
from pathlib import Path

from bench.gate.outcomes import Finding, Outcome
from bench.gate.suite import OUTPUT_SHOWN, HarnessError, environment
from bench.gate.trees import Trees, copy_suite
from bench.interfaces import Progress

GATE = "exact"
SCRIPT = Path("bench/gate/counts.py")
# Share that a figure may grow by; whatever is not named here: nothing at all.
TOLERANCE = {"peak_memory_mib": 0.10, "bytes": 0.05}


def examine(trees: Trees, progress: Progress) -> list[Finding]:
    """Count in both trees, with the code of head, and compare.

    Parameters
    ----------
    trees : Trees
        Both commits, checked out.
    progress : callable
        Takes the share that is done, and words.

    Returns
    -------
    list of Finding
        One for each figure.

    Raises
    ------
    HarnessError
        If head cannot be counted.
    """
    copy_suite(trees)
    progress(0.0, "exact figures of head")
    head = _count(trees.head, trees.head)
    progress(0.5, "exact figures of base")
    try:
        base = _count(trees.base, trees.head)
    except HarnessError as error:
        words = f"base cannot be counted: {error}"
        return [Finding(GATE, "all figures", Outcome.NO_BASELINE, words)]
    return [
        *(compare(name, base.get(name), figure) for name, figure in head.items()),
        *(
            Finding(GATE, name, Outcome.HARNESS_ERROR, "base has this figure, head has not")
            for name in base
            if name not in head
        ),
    ]


def compare(name: str, base: float | None, head: float) -> Finding:
    """Compare one figure.

    Parameters
    ----------
    name : str
        The figure.
    base : float or None
        Its value at base; None if base does not have it.
    head : float
        Its value at head.

    Returns
    -------
    Finding
        The outcome.
    """
    if base is None:
        return Finding(GATE, name, Outcome.NO_BASELINE, f"{head:,.0f}; base does not have it")
    allowed = TOLERANCE.get(name.rpartition(".")[2], 0.0)
    grown = head > base * (1 + allowed)
    words = f"{head:,.0f} against {base:,.0f}"
    words += f", {allowed:.0%} allowed" if allowed else ""
    return Finding(GATE, name, Outcome.REGRESSED if grown else Outcome.OK, words)


def _count(tree: Path, head: Path) -> dict[str, float]:
    process = subprocess.run(
        [sys.executable, str(head / SCRIPT)],
        capture_output=True,
        text=True,
        cwd=tree,
        env=environment(tree),
        check=False,
    )
    if process.returncode:
        raise HarnessError(process.stderr.strip()[-OUTPUT_SHOWN:])
    counted: dict[str, float] = json.loads(process.stdout.strip().splitlines()[-1])
    return counted
