"""Cells that travel between machines: the bytes of a whole cell, checked on arrival."""

import hashlib
import io
import os
import shutil
import zipfile
import zlib
from dataclasses import replace

from bench.paths import is_name
from bench.store.cell import StoredCell
from bench.store.files import PART, sync
from bench.store.files import replace as put_in_place
from bench.store.seal import DamagedError

# What `zipfile` raises for bytes that are no archive of its own making.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)


def pack(cell: StoredCell) -> bytes:
    """All files of a done or failed cell, as one ZIP archive without compression.

    Raises
    ------
    DamagedError
        If the cell is neither.
    """
    if cell.seal is None:
        raise DamagedError(cell.folder, "cannot travel: it is not whole")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(cell.folder.iterdir()):
            archive.write(path, path.name)
    return file.getvalue()


def digest(content: bytes) -> str:
    """SHA-256 of a packed cell."""
    return hashlib.sha256(content).hexdigest()


def unpack(cell: StoredCell, content: bytes, sha256: str) -> None:
    """Put a packed cell in its place, whole or not at all.

    Parameters
    ----------
    cell : StoredCell
        What it must be: every file is compared with the hash that the cell itself lists.
    content : bytes
        From `pack`.
    sha256 : str
        From `digest`, where it was packed.

    Raises
    ------
    DamagedError
        If the bytes are not those that were packed, or no such cell.
    """
    if digest(content) != sha256:
        raise DamagedError(cell.folder, "arrived with other bytes than were sent")
    beside = cell.folder.with_name(f".{cell.name}.{os.getpid()}{PART}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        # checked in a run of its own, where it has the place that it will have
        arrived = replace(cell, run_folder=beside)
        arrived.folder.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > len(content):
                raise DamagedError(cell.folder, "arrived with more in it than was sent")
            for name in archive.namelist():
                if not is_name(name):
                    raise DamagedError(cell.folder, f"arrived with a file named {name!r}")
                (arrived.folder / name).write_bytes(archive.read(name))
                sync(arrived.folder / name)
        if arrived.seal is None:
            raise DamagedError(cell.folder, "arrived damaged")
        put_in_place(cell.folder, arrived.folder)
    except BROKEN as error:
        raise DamagedError(cell.folder, f"arrived as no archive ({error})") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
