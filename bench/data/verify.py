"""Accept a file only when its decompressed bytes have the expected SHA-256."""

import gzip
import hashlib
import io
import zlib
from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
# No file of this family is near it; a hostile mirror must not fill the memory.
MOST_BYTES = 1 << 28


class RefusedError(Exception):
    """A file that is corrupt, cut off or not the expected one; the message says which and why."""


def unpack(payload: bytes, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the bytes themselves, or what they decompress to if they are gzip.

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
    """Read a file and verify it; see `verified`. An unreadable file is refused too."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RefusedError(f"expected at most {MOST_BYTES} bytes, got {path.stat().st_size}")
        payload = path.read_bytes()
    except OSError as error:
        raise RefusedError(f"cannot be read ({error.strerror or error})") from None
    return verified(payload, sha256)
