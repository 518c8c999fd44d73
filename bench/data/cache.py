"""The cache of verified, decompressed IDX files: atomic writes, one writer at a time."""

import contextlib
import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.data.route import Progress
from bench.errors import UserError

LOCK_SECONDS = 900.0

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: Path, progress: Progress, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep other processes from fetching into the same cache folder meanwhile.

    A cache that cannot be locked (read-only, or a file system without locks) is used without:
    writes are atomic all the same, so the worst is that two processes fetch the same files.

    Parameters
    ----------
    folder : Path
        The data set's folder in the cache.
    progress : Progress
        Told when another process has the lock.
    seconds : float
        How long to wait for it.

    Raises
    ------
    UserError
        If another process keeps the lock for longer.
    """
    import filelock

    path = folder.with_name(f"{folder.name}.lock")
    lock = filelock.FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            progress("waiting for another process that is fetching the same data", None)
            lock.acquire(timeout=seconds)
    except filelock.Timeout:
        raise UserError(
            f"Expected the lock {path} to be free within {seconds:.0f} s, but another process "
            "still has it. The data were not loaded; end that process, or set LATENT_LAB_CACHE "
            "to another folder."
        ) from None
    except (OSError, NotImplementedError) as error:
        logger.warning("%s cannot be locked (%s); going on without a lock.", path, error)
    try:
        yield
    finally:
        lock.release()


def store(folder: Path, payloads: Mapping[str, bytes]) -> None:
    """Put verified files into the cache; readers see each one whole or not at all.

    A cache that cannot be written to is named in a warning: the data in hand are good without it.

    Parameters
    ----------
    folder : Path
        The data set's folder in the cache; made if it is absent.
    payloads : mapping of str to bytes
        Name of each IDX file to its decompressed, verified content.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in folder.glob(".*.part"):
            left_by_a_kill.unlink(missing_ok=True)
        for file, payload in payloads.items():
            _write_atomically(folder / file, payload)
    except OSError as error:
        logger.warning(
            "%s could not be kept in the cache (%s) and will be fetched again next time. Free "
            "some space there, or set LATENT_LAB_CACHE to a folder that can be written to.",
            folder, error,
        )  # fmt: skip


def _write_atomically(path: Path, payload: bytes) -> None:
    """Write beside, then rename into place."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with beside.open("xb") as output:
            output.write(payload)
            output.flush()
            os.fsync(output.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
