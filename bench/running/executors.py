"""Executors of cells: their protocol, and execution in this process.

`workers.Local` runs them in processes of this machine, `cluster.Cluster` on Ray. An executor runs
tasks and reports each; the same shape has `search.trials.TrialExecutor`, for the trials of a
search. Each executor gives a cell such a one in which the trials run where the cells do.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bench.config import Profile
from bench.running.cells import Outcome
from bench.running.limits import run_within_limit
from bench.running.plan import PlannedCell
from bench.store.provenance import hardware, usable_cores

# How many threads a library starts, in the words of each. Sums of floating-point numbers depend on
# it. They are read when a library is first imported, so they are set before a process starts.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "OMP_DYNAMIC": "FALSE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",  # XLA's, for JAX
}


@dataclass(frozen=True)
class CellEvent:
    """Event of a cell: its progress, its end (`outcome`), or that it runs `again`."""

    planned: PlannedCell
    share: float
    words: str
    outcome: Outcome | None = None
    again: bool = False


Show = Callable[[CellEvent], None]


class Executor(Protocol):
    """Protocol of what runs cells: it changes no figure, and stops a cell at its limit of time."""

    def run(self, profile: Profile, plan: Sequence[PlannedCell], show: Show) -> None:
        """Run cells, each as soon as what it builds on has ended.

        Parameters
        ----------
        profile : Profile
            Resolved settings.
        plan : sequence of PlannedCell
            What is to run, each after what it needs.
        show : callable
            Takes each `CellEvent`: how far a cell is, or how it ended. If it raises, the run ends.
        """


class WholeMachine:
    """Runs cells one by one in this process, on all its cores, or on the GPU."""

    def __str__(self) -> str:
        """Say how many run at once."""
        return "one at a time"

    def run(self, profile: Profile, plan: Sequence[PlannedCell], show: Show) -> None:
        """See `Executor`.

        Parameters
        ----------
        profile : Profile
            The run's settings.
        plan : sequence of PlannedCell
            The cells, each after what it needs.
        show : callable
            Takes what happens to each cell.
        """
        for planned in plan:
            show(CellEvent(planned, 0.0, ""))
            outcome = run_within_limit(profile, planned, partial(_show_progress, show, planned))
            show(CellEvent(planned, 1.0, "", outcome))


class Inline(WholeMachine):
    """Runs cells one by one in this process, on one core with one thread: for debugging.

    Raises
    ------
    RuntimeError
        If this process was started with more threads; see `restart_with_one_thread`.
    """

    def run(self, profile: Profile, plan: Sequence[PlannedCell], show: Show) -> None:
        """See `Executor`.

        Parameters
        ----------
        profile : Profile
            The run's settings.
        plan : sequence of PlannedCell
            The cells, each after what it needs.
        show : callable
            Takes what happens to each cell.
        """
        if not has_one_thread():
            raise RuntimeError("This process may start several threads, on which figures depend.")
        with on_one_core(usable_cores()[0]):
            super().run(profile, plan, show)


def has_one_thread() -> bool:
    """Whether libraries of this process start one thread each."""
    return ONE_THREAD.items() <= os.environ.items()


def restart_with_one_thread() -> None:
    """Start this program anew with one thread, if it has more: its libraries may be loaded."""
    if not has_one_thread():
        sys.stdout.flush()
        words = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, words, {**os.environ, **ONE_THREAD})  # noqa: S606


@contextmanager
def on_one_core(core: int) -> Iterator[None]:
    """Keep this process, and the threads that it starts meanwhile, on one core."""
    hardware()  # looked at, and remembered, while the whole machine can be seen
    before, count = usable_cores(), os.cpu_count
    if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere threads are merely asked to be one
        os.sched_setaffinity(0, {core})
    os.cpu_count = _one  # some libraries start as many threads as it says (openTSNE)
    try:
        yield
    finally:
        os.cpu_count = count
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, before)


def _one() -> int:
    return 1


def _show_progress(show: Show, planned: PlannedCell, share: float, words: str) -> None:
    show(CellEvent(planned, share, words))
