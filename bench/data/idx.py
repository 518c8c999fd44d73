"""The IDX format: big-endian arrays behind a short header (LeCun's MNIST page, "file formats").

Two zero bytes, one byte for the type, one for the number of dimensions, then each dimension as
a 4-byte integer, then the values in C order.
"""

import math
import struct
from typing import Any

import numpy as np

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


LONGEST_HEADER = 4 + 4 * 255  # bytes


class IdxError(ValueError):
    """Bytes that are not one whole IDX array."""


def parse(payload: bytes, source: str = "IDX data") -> np.ndarray:
    """Read the one array of an IDX file.

    Parameters
    ----------
    payload : bytes
        The decompressed file.
    source : str
        What to call it in errors.

    Returns
    -------
    ndarray
        Of the header's shape, in native byte order. Single-byte types share memory with
        `payload`, so the array is read-only.

    Raises
    ------
    IdxError
        If the magic number, the dimensions or the length do not fit the format.
    """
    dtype, shape, start = _header(payload, source)
    expected = start + math.prod(shape) * dtype.itemsize
    if len(payload) != expected:
        raise IdxError(
            f"{source}: expected {expected} bytes for shape {shape} of {dtype.name}, got "
            f"{len(payload)}; it was not read. The file is cut off or has been added to: "
            "fetch it again."
        )
    array = np.frombuffer(payload, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def length(start: bytes, source: str = "IDX data") -> int:
    """Tell how many bytes a whole IDX file has.

    Parameters
    ----------
    start : bytes
        The header, or more: `LONGEST_HEADER` bytes are enough.
    source : str
        What to call it in errors.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    IdxError
        If the header does not fit the format.
    """
    dtype, shape, begin = _header(start, source)
    return begin + math.prod(shape) * dtype.itemsize


def encode(array: np.ndarray) -> bytes:
    """Write an array of one of the types in `TYPES` as an IDX file."""
    code = next(code for code, dtype in TYPES.items() if dtype == array.dtype.newbyteorder(">"))
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(TYPES[code], copy=False).tobytes()


def _header(payload: bytes, source: str) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Read type, shape, and where the values start."""
    if len(payload) < 4:
        raise IdxError(
            f"{source}: expected at least the 4 bytes of a magic number, got {len(payload)}; "
            "it cannot be read. The file is empty or cut off: fetch it again."
        )
    zeros, code, rank = struct.unpack(">HBB", payload[:4])
    if zeros != 0 or code not in TYPES:
        raise IdxError(
            f"{source}: expected the magic number 00 00, a type of {_codes()}, and a rank; got "
            f"{payload[:4].hex(' ')}; it cannot be read. This is no IDX file, or still compressed."
        )
    start = 4 + 4 * rank
    if rank == 0 or len(payload) < start:
        raise IdxError(
            f"{source}: expected 1 to 255 dimensions of 4 bytes each, got rank {rank} and "
            f"{len(payload) - 4} bytes after the magic number; it cannot be read. Fetch it again."
        )
    return TYPES[code], struct.unpack(f">{rank}I", payload[4:start]), start


def _codes() -> str:
    return ", ".join(f"{code:02x}" for code in TYPES)
