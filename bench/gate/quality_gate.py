"""The quality gate: networks must be as good as the recorded ones, neither worse nor too good.

A figure that is clearly better than the reference is an alarm as well: held-out images that found
their way into the training look just like that. A true improvement is recorded as the new
reference: `python -m bench.gate.quality_gate`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.gate.outcomes import Finding, Outcome
from bench.gate.suite import OUTPUT_SHOWN, HarnessError, environment
from bench.interfaces import Progress
from bench.paths import ROOT

GATE = "quality"
SCRIPT = Path("bench/gate/probes.py")
REFERENCE = Path("bench/gate/reference.json")
REFERENCE_SEEDS, SEEDS = 12, 5
FIRST_SEED, SECOND_LOOK = 101, 50  # the reference has seeds 1 to 12
SIGNIFICANCE = 0.01  # of each look; two must agree


def examine(tree: Path, progress: Progress, first_seed: int = FIRST_SEED) -> list[Finding]:
    """Train a tree's probes and compare them with its recorded reference.

    Parameters
    ----------
    tree : Path
        The checkout, with its reference.
    progress : callable
        Called with the share that is done and a few words.
    first_seed : int
        Of the first look; a second one, where the first is alarmed, has fresh seeds.

    Returns
    -------
    list of Finding
        One for each probe.

    Raises
    ------
    HarnessError
        If a probe fails.
    """
    reference = _reference(tree)
    if isinstance(reference, str):
        return [Finding(GATE, "all probes", Outcome.NO_BASELINE, reference)]
    progress(0.0, "quality: training the probes")
    found = _compared(reference, measure(tree, first_seed, SEEDS))
    if any(finding.outcome not in (Outcome.OK, Outcome.NO_BASELINE) for finding in found.values()):
        progress(0.5, "quality: looking again, with fresh seeds")
        again = _compared(reference, measure(tree, first_seed + SECOND_LOOK, SEEDS))
        found = {name: _agreed(finding, again[name]) for name, finding in found.items()}
    return list(found.values())


def compare(name: str, reference: Sequence[float], measured: Sequence[float]) -> Finding:
    """Judge one probe, of which more is better, by two one-sided tests (Welch 1947, Biometrika 34).

    Parameters
    ----------
    name : str
        The probe.
    reference, measured : sequence of float
        One figure a seed, at least two each.

    Returns
    -------
    Finding
        The outcome.
    """
    from scipy.stats import ttest_ind

    def p_value(alternative: str) -> float:
        return float(
            ttest_ind(measured, reference, equal_var=False, alternative=alternative).pvalue
        )

    worse, better = p_value("less"), p_value("greater")
    outcome = Outcome.OK
    if worse < SIGNIFICANCE:
        outcome = Outcome.REGRESSED
    elif better < SIGNIFICANCE:
        outcome = Outcome.TOO_GOOD
    words = (
        f"{np.mean(measured):.4f} over {len(measured)} seeds against {np.mean(reference):.4f} "
        f"over {len(reference)}, p = {min(worse, better):.2g} "
        f"({'worse' if worse < better else 'better'})"
    )
    return Finding(GATE, name, outcome, words)


def measure(tree: Path, first_seed: int, seeds: int) -> dict[str, list[float]]:
    """Train the probes of a tree in a separate process.

    Parameters
    ----------
    tree : Path
        A checkout.
    first_seed : int
        The first seed.
    seeds : int
        How many, one after the other.

    Returns
    -------
    dict of str to list of float
        A figure a seed, by probe.

    Raises
    ------
    HarnessError
        If that fails.
    """
    process = subprocess.run(
        [sys.executable, str(tree / SCRIPT), str(first_seed), str(seeds)],
        capture_output=True,
        text=True,
        cwd=tree,
        env=environment(tree),
        check=False,
    )
    if process.returncode:
        raise HarnessError(f"The quality probes failed: {process.stderr.strip()[-OUTPUT_SHOWN:]}")
    measured: dict[str, list[float]] = json.loads(process.stdout.strip().splitlines()[-1])
    return measured


def record(tree: Path = ROOT) -> Path:
    """Train the probes and write what they give as the tree's new reference."""
    content = {
        "backend": _backend(),
        "seeds": REFERENCE_SEEDS,
        "probes": measure(tree, 1, REFERENCE_SEEDS),
    }
    path = tree / REFERENCE
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _reference(tree: Path) -> dict[str, list[float]] | str:
    """Return the recorded figures by probe, or why they cannot be used."""
    try:
        content: dict[str, Any] = json.loads((tree / REFERENCE).read_text(encoding="utf-8"))
        probes: dict[str, list[float]] = content["probes"]
    except (OSError, ValueError, KeyError) as error:
        return (
            f"{REFERENCE} cannot be read ({error!r}): nothing to compare with. "
            "Record it with `python -m bench.gate.quality_gate`."
        )
    if content.get("backend") != _backend():
        return (
            f"the reference was recorded with {content.get('backend')}, this machine runs "
            f"{_backend()}: not comparable. Set KERAS_BACKEND, or record a reference here."
        )
    return probes


def _compared(
    reference: dict[str, list[float]], measured: dict[str, list[float]]
) -> dict[str, Finding]:
    found = {
        name: compare(name, reference[name], measured[name]) for name in measured.keys() & reference
    }
    for name in measured.keys() - reference:
        found[name] = Finding(GATE, name, Outcome.NO_BASELINE, "the reference does not have it")
    for name in reference.keys() - measured:
        found[name] = Finding(GATE, name, Outcome.HARNESS_ERROR, "this probe has vanished")
    return dict(sorted(found.items()))


def _agreed(first: Finding, second: Finding) -> Finding:
    """Keep an alarm only if the second measurement gives the same outcome."""
    if first.outcome is Outcome.OK or second.outcome is first.outcome:
        return first
    return Finding(GATE, first.name, Outcome.OK, f"{first.words}; again: {second.words}")


def _backend() -> str:
    return os.environ.get("KERAS_BACKEND", "tensorflow")


if __name__ == "__main__":
    print(f"wrote {record()}")
