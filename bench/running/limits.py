"""The time that a cell may take: `cell_seconds` of the profile; and what ends a deaf trial."""

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench.config import Profile
from bench.interfaces import JsonMapping, Progress
from bench.running.cells import Outcome, keep_failure, run_cell, run_trial
from bench.running.plan import PlannedCell
from bench.search.trials import Ended, Request, TrialExecutor

GRACE = 60.0  # seconds in which compiled code must return to Python, where it can be left
SIGNAL = signal.SIGUSR2  # the limit of a trial has SIGALRM
EXIT = 3  # some cells failed
STUCK = 2.0  # times its limit: a trial in whose compiled code no error can be raised is ended then


class CellLimitError(RuntimeError):
    """A cell took more time than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"It took more than {seconds:g} s, the limit of a cell, and was stopped. If it needs "
            "longer, raise `cell_seconds` in the profile."
        )


class OverLimit(BaseException):
    """Leaves a cell that took too long; what catches errors (`Exception`) lets it pass."""


def run_within_limit(
    profile: Profile,
    planned: PlannedCell,
    progress: Progress,
    trials: TrialExecutor | None = None,
    scratch: Path | None = None,
    git: JsonMapping | None = None,
    before_the_end: Callable[[], object] = lambda: None,
) -> Outcome:
    """Run a cell in this process; one that takes too long is left, and kept as failed.

    Where compiled code does not return, this process ends.

    Parameters
    ----------
    profile, planned, progress, trials, scratch, git
        See `cells.run_cell`.
    before_the_end : callable
        Called before this process ends so.

    Returns
    -------
    Outcome
        How it ended.
    """
    began = time.perf_counter()

    def fail() -> Outcome:
        error = CellLimitError(profile.cell_seconds)
        return keep_failure(profile, planned, error, began, git)

    def give_up() -> None:
        fail()
        before_the_end()

    try:
        with limited(profile.cell_seconds, give_up):
            return run_cell(profile, planned, progress, trials, scratch, git)
    except OverLimit:
        if planned.stored.status == "done":
            return Outcome(True, "finished as its limit was reached")
        return fail()


def run_trial_or_end(profile: Profile, planned: PlannedCell, request: Request) -> Ended:
    """Run a trial in this process, which ends where compiled code does not return at its limit.

    Parameters
    ----------
    profile, planned, request
        See `cells.run_trial`.

    Returns
    -------
    Ended
        How it ended.
    """
    faulthandler.dump_traceback_later(STUCK * request.seconds, exit=True)
    try:
        return run_trial(profile, planned, request)
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextmanager
def limited(seconds: float, give_up: Callable[[], object]) -> Iterator[None]:
    """Leave the block by `OverLimit` when it takes too long.

    Parameters
    ----------
    seconds : float
        Time that the block may take.
    give_up : callable
        Called before this process ends, where the block could not be left within `GRACE`.

    Yields
    ------
    None
        While the limit holds.

    Raises
    ------
    OverLimit
        Inside the block.
    """
    over = threading.Event()
    main = threading.get_ident()

    def handle(signum: int, frame: FrameType | None) -> None:
        if not over.is_set():
            raise OverLimit

    def watch() -> None:
        if over.wait(seconds):
            return
        signal.pthread_kill(main, SIGNAL)
        if over.wait(GRACE):
            return
        try:
            give_up()
            sys.stderr.write("error: A cell over its limit cannot be left: this process ends.\n")
        finally:
            os._exit(EXIT)

    before = signal.signal(SIGNAL, handle)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        try:
            over.set()
        except OverLimit:  # it came when the block had ended
            over.set()
        watcher.join()
        signal.signal(SIGNAL, before)
