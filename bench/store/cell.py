"""One run cell: a folder that is either whole or absent.

Everything is written into a folder beside the final one, `done.json` last, and renamed into place.
A failed cell keeps its reason in `failed.json` and is never taken for a finished one.
"""

import json
import os
import shutil
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from bench.errors import UserError
from bench.store.keys import canonical_json

SCHEMA = 1
KEY_DIGITS = 12


class SavesItself(Protocol):
    """A model: `keras.Model`, which this room does not import."""

    def save(self, filepath: Path) -> None:
        """Write the model as a `.keras` file."""


@dataclass(frozen=True)
class Result:
    """What a cell hands over.

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

    metrics: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    models: Mapping[str, SavesItself] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredCell:
    """A cell as the report sees it: done, failed or missing."""

    run_folder: Path
    experiment: str
    variant: str
    seed: int
    key: str

    @property
    def name(self) -> str:
        """The folder's name: variant, seed index and the key's first digits."""
        return f"{self.variant}-s{self.seed}-{self.key[:KEY_DIGITS]}"

    @property
    def label(self) -> str:
        """How the report names this cell."""
        return f"{self.experiment}/{self.name}"

    @property
    def folder(self) -> Path:
        """Where the cell stands."""
        return self.run_folder / self.experiment / self.name

    @property
    def status(self) -> Literal["done", "failed", "missing"]:
        """Whether the cell is whole, failed with a reason, or not there."""
        if (self.folder / "done.json").is_file():
            return "done"
        return "failed" if (self.folder / "failed.json").is_file() else "missing"

    @cached_property
    def failure(self) -> dict[str, Any] | None:
        """Why the cell failed: `error`, `message`, `traceback`; None if it did not."""
        return self._json("failed.json") if self.status == "failed" else None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The cell's figures."""
        return self._json("metrics.json")

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Commit, versions, hardware, data hashes, seeds and times."""
        return self._json("provenance.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings that the cell depends on."""
        return self._json("config.json")

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays, by name."""
        path = self.folder / "arrays.npz"
        if not path.is_file():
            return {}
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    @property
    def array_names(self) -> list[str]:
        """Names of the arrays."""
        return sorted(self.arrays)

    def array(self, name: str) -> np.ndarray:
        """Return one array."""
        return self.arrays[name]

    @property
    def table_names(self) -> list[str]:
        """Names of the tables."""
        return sorted(path.stem for path in self.folder.glob("*.parquet"))

    def table(self, name: str) -> pd.DataFrame:
        """Read one table."""
        return pd.read_parquet(self.folder / f"{name}.parquet")

    def model_path(self, name: str) -> Path:
        """Path of a saved network."""
        return self.folder / f"{name}.keras"

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"Cannot read {path}: {error}. Expected a JSON file written by a run. The cell "
                f"{self.label} cannot be shown; delete its folder and run again to make it anew."
            ) from error
        if not isinstance(content, dict):
            raise UserError(f"{path} does not hold a JSON object. Delete its folder and run again.")
        return content


def write_done(
    cell: StoredCell, result: Result, config: Mapping[str, Any], provenance: Mapping[str, Any]
) -> None:
    """Write a finished cell, whole or not at all.

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
        _write_json(folder / "metrics.json", result.metrics)
        _write_json(folder / "config.json", config)
        _write_json(folder / "provenance.json", provenance)
        for path in sorted(folder.iterdir()):
            _sync(path)
        _write_json(folder / "done.json", {"schema": SCHEMA, "key": cell.key})
        _sync(folder / "done.json")


def write_failed(
    cell: StoredCell,
    error: BaseException,
    config: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Keep the reason why a cell failed."""
    with _replacing(cell) as folder:
        _write_json(folder / "config.json", config)
        _write_json(folder / "provenance.json", provenance)
        reason = {
            "error": type(error).__name__,
            "message": str(error),
            "traceback": "".join(traceback.format_exception(error)),
        }
        _write_json(folder / "failed.json", reason)


class _replacing:  # noqa: N801 - reads as a verb in `with`
    """A folder beside the cell's that takes its place if the block ends well."""

    def __init__(self, cell: StoredCell) -> None:
        self.target = cell.folder
        self.beside = cell.folder.with_name(f".{cell.name}.{os.getpid()}.part")

    def __enter__(self) -> Path:
        shutil.rmtree(self.beside, ignore_errors=True)
        self.beside.mkdir(parents=True)
        return self.beside

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            shutil.rmtree(self.target, ignore_errors=True)
            self.beside.replace(self.target)
            _sync(self.target.parent)
        else:
            shutil.rmtree(self.beside, ignore_errors=True)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    canonical_json(value)  # refuses what is not finite, before anything is written
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
