"""Limits of time and memory of a trial."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

LOOK = 0.2  # seconds between two looks
AGAIN = 5.0  # seconds until a limit is told once more: compiled code of libraries may swallow it
GIBIBYTE = 2**30


class TrialLimitError(RuntimeError):
    """A trial exceeded its limit of time or memory."""


@contextmanager
def limited(seconds: float, gibibytes: float) -> Iterator[None]:
    """Raise an error when the block takes too long or too much memory.

    Parameters
    ----------
    seconds : float
        Time that the block may take.
    gibibytes : float
        Resident memory that this process may have meanwhile.

    Yields
    ------
    None
        While the limits hold.

    Raises
    ------
    TrialLimitError
        Inside the block, as soon as compiled code returns to Python.
    RuntimeError
        If this is not the main thread, which alone can be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A trial runs in the main thread of its process: no other can be ended.")
    over, reason = threading.Event(), ""
    main, process = threading.get_ident(), psutil.Process()
    began = time.monotonic()

    def handle(signum: int, frame: FrameType | None) -> None:
        if not over.is_set():
            raise TrialLimitError(reason)

    def watch() -> None:
        nonlocal reason
        while not over.wait(AGAIN if reason else LOOK):
            took, has = time.monotonic() - began, process.memory_info().rss / GIBIBYTE
            if took > seconds:
                reason = f"It took more than {seconds:g} s, the limit of a trial."
            elif has > gibibytes:
                reason = f"Its process has {has:.1f} GiB; the limit of a trial is {gibibytes:g}."
            if reason:
                signal.pthread_kill(main, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, handle)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.signal(signal.SIGALRM, before)
