"""Single files: read within a limit, accepted by their SHA-256, kept in the cache.

The cache holds verified, decompressed IDX files: its writes are atomic, with one writer at a time.
"""

import contextlib
import gzip
import hashlib
import io
import logging
import os
import uuid
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.data.definition import DownloadProgress
from bench.errors import UserError

GZIP_MAGIC = b"\x1f\x8b"
# No file of this family is near it; a hostile mirror must not fill the memory.
MOST_BYTES = 1 << 28
LOCK_SECONDS = 900.0

logger = logging.getLogger(__name__)


class RefusedError(Exception):
    """A file that is corrupt, cut off or not the expected one; the message says which and why."""


def unpack(payload: bytes, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the bytes themselves, or what they decompress to if they are gzip.

    Parameters
    ----------
    payload : bytes
        Raw or gzip data.
    most_bytes : int
        Most bytes that are accepted.

    Returns
    -------
    bytes
        The raw data.

    Raises
    ------
    RefusedError
        If the gzip stream is broken or cut off, or longer than `most_bytes` when decompressed.
    """
    if not payload.startswith(GZIP_MAGIC):
        return payload
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(payload)) as stream:
            unpacked = stream.read(most_bytes + 1)
    except EOFError:
        raise RefusedError(f"gzip stream cut off after {len(payload)} bytes") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RefusedError(f"broken gzip stream ({error})") from None
    if len(unpacked) > most_bytes:
        raise RefusedError(f"expected at most {most_bytes} bytes when decompressed, got more")
    return unpacked


def verified(payload: bytes, sha256: str) -> bytes:
    """Return the decompressed bytes if they have the expected SHA-256.

    Parameters
    ----------
    payload : bytes
        A file's content, gzip or raw.
    sha256 : str
        Expected sum of the decompressed bytes, hexadecimal.

    Returns
    -------
    bytes
        The decompressed content.

    Raises
    ------
    RefusedError
        If the content is broken, cut off, or has another sum.
    """
    unpacked = unpack(payload)
    actual = hashlib.sha256(unpacked).hexdigest()
    if actual != sha256:
        raise RefusedError(
            f"expected SHA-256 {sha256} when decompressed, got {actual} ({len(unpacked)} bytes): "
            "cut off, damaged, or another file"
        )
    return unpacked


def read_verified(path: Path, sha256: str) -> bytes:
    """Read a file and verify it; see `verified`. An unreadable file is refused too.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        The hash that its content must have.

    Returns
    -------
    bytes
        The raw data.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RefusedError(f"expected at most {MOST_BYTES} bytes, got {path.stat().st_size}")
        payload = path.read_bytes()
    except OSError as error:
        raise RefusedError(f"cannot be read ({error.strerror or error})") from None
    return verified(payload, sha256)


@contextlib.contextmanager
def locked(
    folder: Path, progress: DownloadProgress, seconds: float = LOCK_SECONDS
) -> Iterator[None]:
    """Keep other processes from fetching into the same cache folder meanwhile.

    A cache that cannot be locked (read-only, or a file system without locks) is used without:
    writes are atomic all the same, so the worst is that two processes fetch the same files.

    Parameters
    ----------
    folder : Path
        The data set's folder in the cache.
    progress : DownloadProgress
        Called while another process has the lock.
    seconds : float
        How long to wait for it.

    Yields
    ------
    None
        While the lock is held.

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
