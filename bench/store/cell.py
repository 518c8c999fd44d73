"""One run cell: a folder that is either whole or absent.

Everything is written into a folder beside the final one, `done.json` last, and renamed into place.
A failed cell keeps its reason in `failed.json` and is never taken for a finished one. Both list
every other file with its hash: a cell that does not match is damaged, and nothing of it is read.
"""

import os
import shutil
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np
import pandas as pd

from bench.interfaces import JsonMapping, JsonObject
from bench.store.arrays import read_arrays, read_table, refuse_large
from bench.store.files import PART, read_json, replace, sync, write_json
from bench.store.seal import DamagedError, check_files, list_files, read_sealed, write_sealed

KEY_DIGITS = 12
DONE, FAILED = "done.json", "failed.json"
LOOKS = 3  # until what differs is taken for damage
T = TypeVar("T")


class SavesItself(Protocol):
    """A model: `keras.Model`, which this room does not import."""

    def save(self, filepath: Path) -> None:
        """Write the model as a `.keras` file."""


@dataclass(frozen=True)
class Result:
    """Result of a cell.

    Attributes
    ----------
    metrics : mapping
        Plain JSON values; every number finite.
    tables : mapping of str to DataFrame
        Such as `history`, one row an epoch.
    arrays : mapping of str to ndarray
        Numbers and images; never objects.
    models : mapping of str to keras.Model
        Trained networks, saved as `.keras`.
    """

    metrics: JsonMapping
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    models: Mapping[str, SavesItself] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredCell:
    """A cell as the report sees it: done, failed, damaged or missing.

    Whatever is read of it was compared with its hash before, in this process and for this state of
    the file; what differs raises `DamagedError`.
    """

    run_folder: Path
    experiment: str
    variant: str
    seed_index: int
    key: str

    @property
    def name(self) -> str:
        """The folder's name: variant, seed index and the key's first digits."""
        return f"{self.variant}-s{self.seed_index}-{self.key[:KEY_DIGITS]}"

    @property
    def label(self) -> str:
        """How the report names this cell."""
        return f"{self.experiment}/{self.name}"

    @cached_property
    def folder(self) -> Path:
        """Where the cell stands."""
        return self.run_folder / self.experiment / self.name

    @property
    def status(self) -> Literal["done", "failed", "damaged", "missing"]:
        """Status of the cell: done, failed, damaged or missing."""
        try:
            closing = self._closing()
        except DamagedError:
            return "damaged"
        if closing is None:
            return "missing"
        return "failed" if "error" in closing else "done"

    @property
    def failure(self) -> dict[str, str] | None:
        """Why the cell failed or is damaged: `error`, `message`, `traceback`; None if neither."""
        try:
            closing = self._closing()
        except DamagedError as error:
            return {"error": "DamagedError", "message": error.reason, "traceback": ""}
        if closing is None or "error" not in closing:
            return None
        texts = {name: str(closing.get(name, "")) for name in ("error", "message", "traceback")}
        # half a surrogate pair can stand in JSON, but cannot be printed
        return {name: text.encode(errors="replace").decode() for name, text in texts.items()}

    @property
    def seal(self) -> str | None:
        """One hash over all that a done or failed cell holds; None for any other."""
        try:
            closing = self._closing()
        except DamagedError:
            return None
        return closing["sha256"] if closing else None

    @cached_property
    def metrics(self) -> JsonObject:
        """The cell's figures."""
        return self._json("metrics.json")

    @cached_property
    def provenance(self) -> JsonObject:
        """Commit, versions, hardware, data hashes, seeds and times."""
        return self._json("provenance.json")

    @cached_property
    def config(self) -> JsonObject:
        """The settings that the cell depends on."""
        return self._json("config.json")

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays, by name."""
        if "arrays.npz" not in self._files():
            return {}
        with self._reading("arrays.npz") as path:
            return read_arrays(path)

    def array(self, name: str) -> np.ndarray:
        """Return one array."""
        return self.arrays[name]

    @property
    def table_names(self) -> list[str]:
        """Names of the tables."""
        return sorted(Path(name).stem for name in self._files() if name.endswith(".parquet"))

    def table(self, name: str) -> pd.DataFrame:
        """Read one table."""
        with self._reading(f"{name}.parquet") as path:
            return read_table(path)

    def model_path(self, name: str) -> Path:
        """Path of a saved network."""
        with self._reading(f"{name}.keras") as path:
            return path

    def model(self, name: str, load: Callable[[Path], T]) -> T:
        """Load a saved network.

        Parameters
        ----------
        name : str
            The network.
        load : callable
            Reads a `.keras` file.

        Returns
        -------
        object
            What `load` returns.

        Raises
        ------
        DamagedError
            If the file would unpack to too much, or `load` raises whatever error.
        """
        with self._reading(f"{name}.keras") as path:
            with zipfile.ZipFile(path) as archive:
                refuse_large(archive)
            return load(path)

    def _closing(self) -> JsonMapping | None:
        """Return what `_closed` gives; a run may put another cell in this place meanwhile."""
        for _ in range(LOOKS - 1):
            try:
                return self._closed()
            except DamagedError:
                continue
        return self._closed()

    def _closed(self) -> JsonMapping | None:
        """Content of the file that was written last, all others compared; None without a cell."""
        paths = (self.folder / name for name in (DONE, FAILED))
        path = next((each for each in paths if os.path.lexists(each)), None)
        if path is None:
            if os.path.lexists(self.folder):
                raise DamagedError(self.folder / DONE, "is not there, nor is failed.json")
            return None
        closing = read_sealed(path)
        key = closing.get("key")
        # fsck knows first digits alone
        if not isinstance(key, str) or not key.startswith(self.key):
            raise DamagedError(path, f"is of another cell, whose key is {key!r}")
        if ("error" in closing) != (path.name == FAILED):
            raise DamagedError(path, "is not what its name says")
        check_files(self.folder, closing, path.name)
        return closing

    def _files(self) -> JsonMapping:
        return (self._closing() or {}).get("files", {})

    @contextmanager
    def _reading(self, name: str) -> Iterator[Path]:
        """Yield the path of one of the files; any error while it is read counts as damage."""
        path = self.folder / name
        if name not in self._files():
            raise DamagedError(path, "is not among the cell's files")
        try:
            yield path
        except MemoryError:
            raise
        except Exception as error:
            raise DamagedError(
                path, f"cannot be read ({type(error).__name__}: {shortened(str(error))})"
            ) from error

    def _json(self, name: str) -> JsonObject:
        with self._reading(name) as path:
            return read_json(path)


def write_done(
    cell: StoredCell, result: Result, config: JsonMapping, provenance: JsonMapping
) -> None:
    """Write a finished cell, whole or not at all.

    Parameters
    ----------
    cell : StoredCell
        Where it stands.
    result : Result
        What the cell's function gave.
    config : mapping
        Everything that the key is the hash of.
    provenance : mapping
        Machine, versions, times and seed.

    Raises
    ------
    ValueError
        If a metric is not finite or an array holds objects.
    """
    with _replacing(cell) as folder:
        for name, array in result.arrays.items():
            if array.dtype.hasobject:
                raise ValueError(f"Array {name!r} of {cell.label} holds objects, not numbers.")
        if result.arrays:
            np.savez_compressed(folder / "arrays.npz", **result.arrays)  # type: ignore[arg-type]
        for name, table in result.tables.items():
            table.to_parquet(folder / f"{name}.parquet", index=False)
        for name, model in result.models.items():
            model.save(folder / f"{name}.keras")
        write_json(folder / "metrics.json", result.metrics)
        write_json(folder / "config.json", config)
        write_json(folder / "provenance.json", provenance)
        _close(folder / DONE, cell, {})


def write_failed(
    cell: StoredCell,
    error: BaseException,
    config: JsonMapping,
    provenance: JsonMapping,
) -> None:
    """Keep the reason why a cell failed; never in place of a finished one.

    Parameters
    ----------
    cell : StoredCell
        Where it stands.
    error : BaseException
        Why it failed.
    config : mapping
        Everything that the key is the hash of.
    provenance : mapping
        Machine, versions, times and seed.
    """
    if cell.status == "done":
        return
    with _replacing(cell) as folder:
        write_json(folder / "config.json", config)
        write_json(folder / "provenance.json", provenance)
        message = shortened(str(error))
        whole = "".join(traceback.format_exception(error))
        if str(error):
            whole = whole.replace(str(error), message)
        reason = {
            "error": type(error).__name__,
            "message": message,
            "traceback": shortened(whole, lines=30),
        }
        _close(folder / FAILED, cell, reason)


def shortened(text: str, lines: int = 5, width: int = 300) -> str:
    """Shorten the words of an error to their beginning and end; a framework may make thousands.

    Parameters
    ----------
    text : str
        The words.
    lines : int
        How many lines at the beginning, and at the end, stay.
    width : int
        How many characters at the beginning, and at the end, of a line stay.

    Returns
    -------
    str
        The text, in which marks stand for what was left out.
    """
    every = text.splitlines()
    between = len(every) - 2 * lines
    if between > 1:
        every[lines:-lines] = [f"[{between} lines]"]
    return "\n".join(
        line if len(line) <= 2 * width else f"{line[:width]} [...] {line[-width:]}"
        for line in every
    )


def _close(path: Path, cell: StoredCell, content: JsonMapping) -> None:
    """Write the last file of a cell, once all others are on the disk."""
    for other in sorted(path.parent.iterdir()):
        sync(other)
    write_sealed(path, {"key": cell.key, "files": list_files(path.parent), **content})


class _replacing:  # noqa: N801 - reads as a verb in `with`
    """A folder beside the cell's that takes its place if the block ends well."""

    def __init__(self, cell: StoredCell) -> None:
        self.target = cell.folder
        self.beside = cell.folder.with_name(f".{cell.name}.{os.getpid()}{PART}")

    def __enter__(self) -> Path:
        shutil.rmtree(self.beside, ignore_errors=True)
        self.beside.mkdir(parents=True)
        return self.beside

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            replace(self.target, self.beside)
        else:
            shutil.rmtree(self.beside, ignore_errors=True)
