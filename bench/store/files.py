"""Files and folders of the store: durable writes, checked reads, complete removal."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from bench.interfaces import JsonMapping, JsonObject
from bench.store.keys import canonical_json

PART, DELETED = ".part", ".deleted"  # how the names of folders end that are no cells, or no more


def read_json(path: Path) -> JsonObject:
    """Read a JSON object.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not UTF-8, not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - as for other wrong JSON
    return content


def write_json(path: Path, value: JsonMapping) -> None:
    """Write a JSON object.

    Parameters
    ----------
    path : Path
        The file.
    value : mapping
        What it holds.

    Raises
    ------
    ValueError
        If a number is not finite; then nothing is written.
    """
    canonical_json(value)
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_beside(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside `path`, and rename it to `path` once it is on the disk.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Writes to the path that it is given.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    write(beside)
    sync(beside)
    beside.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file, or a folder's list of files, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file or folder: it is renamed at once, then deleted file by file."""
    aside = path.with_name(f".{path.name}.{os.getpid()}{DELETED}")
    _delete(aside)  # an earlier process may have had this number
    path.rename(aside)
    _delete(aside)


def replace(target: Path, beside: Path) -> None:
    """Move a folder to a path, in place of what is there.

    Parameters
    ----------
    target : Path
        The place.
    beside : Path
        The new folder, on the same file system.
    """
    if os.path.lexists(target):
        remove(target)
    beside.rename(target)
    sync(target.parent)


def sweep(run_folder: Path) -> None:
    """Delete what killed processes left in a run to which no other process writes."""
    for folder in [run_folder, *run_folder.iterdir()]:
        if folder.is_dir() and not folder.is_symlink():
            for path in [*folder.glob(f".*{PART}"), *folder.glob(f".*{DELETED}")]:
                _delete(path)


def left_overs(folder: Path) -> list[Path]:
    """What a `remove` of this folder left when it was killed."""
    ours = re.compile(rf"\.{re.escape(folder.name)}\.\d+{re.escape(DELETED)}")
    beside = sorted(folder.parent.iterdir()) if folder.parent.is_dir() else []
    return [path for path in beside if ours.fullmatch(path.name)]


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
