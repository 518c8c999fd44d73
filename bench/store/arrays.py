"""Arrays and tables of a cell: read once what they say that they take is known to be little enough.

Hashes show damage, not malice: a cell that is made up as a whole may hold small files that say they
are huge.
"""

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from bench.npy import read_header

LARGEST = 2**31  # bytes that the arrays of a cell may take, or one of its tables, or a network
# what numpy writes; others ask for memory before a byte is read
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an ``.npz`` file; nothing is unpickled.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray
        The arrays, by name.

    Raises
    ------
    ValueError
        If they would take more than `LARGEST` bytes, or if the header of one says another size
        than it has.
    """
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        refuse_large(archive)
        for member in archive.infolist():
            with archive.open(member) as stream:
                _check_header(stream, member)
            with archive.open(member) as stream:
                name = member.filename.removesuffix(".npy")
                arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def refuse_large(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that would unpack to more than `LARGEST` bytes.

    Parameters
    ----------
    archive : ZipFile
        Of which only the list of its members is read. `zipfile` reads no more of a member than
        that list says.

    Raises
    ------
    ValueError
        If it would, or is compressed in an unusual way.
    """
    members = archive.infolist()
    refuse_bytes(sum(member.file_size for member in members))
    if any(member.compress_type not in COMPRESSIONS for member in members):
        raise ValueError("compressed in another way than a run does")


def refuse_bytes(size: int) -> None:
    """Refuse what would take more than `LARGEST` bytes.

    Parameters
    ----------
    size : int
        What it would take.

    Raises
    ------
    ValueError
        If that is more.
    """
    if size > LARGEST:
        raise ValueError(f"would take {size} bytes, more than {LARGEST}")


def _check_header(stream: IO[bytes], member: zipfile.ZipInfo) -> None:
    shape, _, dtype = read_header(stream)
    stated, held = math.prod(shape) * dtype.itemsize, member.file_size - stream.tell()
    if stated != held and not dtype.hasobject:  # objects are refused by `read_array`
        raise ValueError(f"{member.filename} says that it has {stated} bytes, and has {held}")
    if not dtype.itemsize:
        raise ValueError(f"{member.filename} holds nothing, {math.prod(shape)} times")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table from a Parquet file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    DataFrame
        The table.

    Raises
    ------
    ValueError
        If its values would take more than `LARGEST` bytes.
    """
    from pyarrow import parquet

    # half the time of `pandas.read_parquet`; a cell's tables are too small for threads
    with parquet.ParquetFile(path) as file:
        refuse_bytes(file.metadata.num_rows * file.metadata.num_columns * 8)
        return file.read(use_threads=False).to_pandas(use_threads=False)
