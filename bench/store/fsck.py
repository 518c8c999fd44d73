"""Verification of every file of a run."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.store.cell import StoredCell
from bench.store.run import open_run
from bench.store.seal import DamagedError, OtherFormatError

_CELL = re.compile(r"(\w[\w.-]*)-s(\d+)-(\w{12})")


@dataclass(frozen=True)
class Checked:
    """Result of a check.

    Attributes
    ----------
    statuses : Counter
        How many cells are done, failed, damaged or missing.
    damage : tuple of str
        Each damaged file, with its cell and what is wrong.
    """

    statuses: Counter[str]
    damage: tuple[str, ...]


def check_run(folder: Path) -> Checked:
    """Compare every file of a run with the hash that was written beside it.

    Cells that the manifest does not name (of earlier settings) are checked as well.

    Raises
    ------
    UserError
        If there is no such run, or it has another format.
    """
    damage: list[str] = []
    cells = {cell.folder: cell for cell in _cells_on_disk(folder)}
    try:
        cells |= {cell.folder: cell for cell in open_run(folder).cells}
    except OtherFormatError:
        raise
    except DamagedError as error:
        damage.append(error.reason)
    damage += [
        f"{cell.label}: {cell.failure['message']}"
        for cell in cells.values()
        if cell.status == "damaged" and cell.failure
    ]
    return Checked(Counter(cell.status for cell in cells.values()), tuple(damage))


def _cells_on_disk(folder: Path) -> list[StoredCell]:
    """Cells by the names of their folders, which hold only the first digits of a key."""
    named = [(path, _CELL.fullmatch(path.name)) for path in sorted(folder.glob("*/*"))]
    return [
        StoredCell(folder, path.parent.name, found[1], int(found[2]), found[3])
        for path, found in named
        if found
    ]
