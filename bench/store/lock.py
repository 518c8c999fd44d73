"""Locks: a file that a process holds while it writes beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from bench.errors import UserError

LOCK = ".lock"


@contextmanager
def held(
    folder: Path,
    refusal: str,
    patience: float = 0.0,
    on_wait: Callable[[], object] = lambda: None,
) -> Iterator[None]:
    """Hold a folder for writing; it is made where there is none.

    Parameters
    ----------
    folder : Path
        The folder.
    refusal : str
        Message of the error.
    patience : float
        Seconds for which another process that holds it is waited for.
    on_wait : callable
        Called before such a wait.

    Yields
    ------
    None
        While it is held.

    Raises
    ------
    UserError
        If another process holds it, and for longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / LOCK)
    if patience and is_held(folder):
        on_wait()
    try:
        lock.acquire(timeout=patience)
    except filelock.Timeout as error:
        raise UserError(refusal) from error
    try:
        yield
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether another process holds a folder; nothing is made where there is no lock file."""
    path = folder / LOCK
    if not path.is_file():
        return False
    try:
        with filelock.FileLock(path, timeout=0):
            return False
    except filelock.Timeout:
        return True
    except OSError:
        return False  # what may only be read is written by nobody here
