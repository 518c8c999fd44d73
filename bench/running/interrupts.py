"""Deferred handling of Ctrl-C, which compiled code of libraries may swallow."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_pressed = threading.Event()


@contextmanager
def catch_interrupts() -> Iterator[None]:
    """Remember each Ctrl-C, beside raising `KeyboardInterrupt` as Python does."""
    _pressed.clear()
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGINT, _handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _pressed.clear()


def raise_if_interrupted() -> None:
    """Raise `KeyboardInterrupt` once more if an earlier one was lost on its way up."""
    if _pressed.is_set():
        raise KeyboardInterrupt


def _handle(signum: int, frame: FrameType | None) -> None:
    _pressed.set()
    raise KeyboardInterrupt
