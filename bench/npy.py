"""Headers of NumPy's array files."""

from typing import IO

import numpy as np

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of a ``.npy`` file.

    Parameters
    ----------
    stream : file object
        At the file's beginning; it is left at the first value.

    Returns
    -------
    tuple of (tuple of int, bool, dtype)
        Shape, whether in Fortran's order, and type.

    Raises
    ------
    ValueError
        If it is no such header, or has a negative size.
    """
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"its format has version {version}, not 1.0 or 2.0")
    shape, in_columns, dtype = HEADERS[version](stream)
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    return shape, in_columns, dtype
