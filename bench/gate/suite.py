"""Running of a tree's benchmark suite in a separate process."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.interfaces import JsonObject

SUITE = Path("tests/benchmarks")
OUTPUT_SHOWN = 1500
NO_TESTS_COLLECTED, SOME_FAILED = 5, 1


class HarnessError(RuntimeError):
    """The measurement itself failed; its figures are not valid."""


@dataclass(frozen=True)
class Measured:
    """What one process measured.

    Attributes
    ----------
    rounds : dict of str to list of float
        Seconds of each round, by benchmark.
    machine : dict
        Hardware and backend.
    """

    rounds: dict[str, list[float]]
    machine: JsonObject


def measure(tree: Path, names: Sequence[str]) -> Measured:
    """Run benchmarks of a tree once, on one core: twice the cores are more than twice the noise.

    Parameters
    ----------
    tree : Path
        The checkout; its package is the one that is measured.
    names : sequence of str
        Which benchmarks.

    Returns
    -------
    Measured
        Times by benchmark.

    Raises
    ------
    HarnessError
        If pytest itself failed, measured nothing, or measured another tree's package. A benchmark
        that fails is merely not there.
    """
    with tempfile.TemporaryDirectory(prefix="latent-lab-gate-") as folder:
        written = Path(folder) / "figures.json"
        words = (
            *names,
            *("-q", "--benchmark-enable", "--benchmark-only", f"--benchmark-json={written}"),
            *("-p", "no:cacheprovider"),
        )
        process = _pytest(tree, *words, one_core=True)
        if process.returncode not in (0, SOME_FAILED) or not written.is_file():
            raise HarnessError(
                f"pytest ended with code {process.returncode} in {tree.name} and left no figures. "
                f"Nothing can be compared. Its output ended with: {_end_of_output(process)}"
            )
        figures = json.loads(written.read_text(encoding="utf-8"))
    if Path(figures["package"]).resolve() != tree.resolve():
        raise HarnessError(
            f"Expected to measure the package in {tree}, but {figures['package']} was imported. "
            "The figures would be those of another commit; check PYTHONPATH and the environment."
        )
    rounds = {b["fullname"]: b["stats"]["data"] for b in figures["benchmarks"]}
    if not rounds:
        raise HarnessError(
            f"Not one benchmark was measured in {tree.name}: {_end_of_output(process)}"
        )
    machine = figures["machine_info"]
    return Measured(rounds, {"hardware": machine["hardware"], "backend": machine["backend"]})


def collected(tree: Path, select: str = "") -> set[str]:
    """List the benchmarks of a tree, those marked slow apart, without running them.

    Parameters
    ----------
    tree : Path
        The checkout.
    select : str
        As pytest's -k.

    Returns
    -------
    set of str
        Names of benchmarks.

    Raises
    ------
    HarnessError
        If they cannot be listed.
    """
    if not (tree / SUITE).is_dir():
        return set()
    words = ("--collect-only", "-q", "-p", "no:cacheprovider", "-m", "not slow")
    process = _pytest(tree, str(SUITE), *words, *(("-k", select) if select else ()))
    if process.returncode not in (0, NO_TESTS_COLLECTED):
        raise HarnessError(
            f"The benchmarks of {tree.name} cannot be listed: {_end_of_output(process)}"
        )
    return set(re.findall(r"^(\S+::\S.*)$", process.stdout, re.MULTILINE))


def _pytest(tree: Path, *words: str, one_core: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        capture_output=True,
        text=True,
        cwd=tree,
        env=environment(tree),
        check=False,
        preexec_fn=_stay_on_one_core if one_core else None,
    )


def _stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):  # Linux only
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def environment(tree: Path) -> dict[str, str]:
    """Environment in which `import bench` finds a tree's package before the installed one."""
    # a pytest that this one runs in must not hand its own state on
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return {
        **inherited,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def _end_of_output(process: subprocess.CompletedProcess[str]) -> str:
    return (process.stdout + process.stderr).strip()[-OUTPUT_SHOWN:]
