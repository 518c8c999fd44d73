"""A run: the cells of one plan, under `runs/<run>/`, and the manifest that lists them."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from bench.errors import UserError
from bench.store.cell import SCHEMA, StoredCell
from bench.store.keys import canonical_json

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class StoredRun:
    """A run as the report sees it.

    Attributes
    ----------
    folder : Path
        `runs/<run>`.
    profile : dict
        The whole resolved configuration.
    cells : tuple of StoredCell
        The cells of the plan, in its order, whatever their status.
    """

    folder: Path
    profile: dict[str, Any]
    cells: tuple[StoredCell, ...]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def watermark(self) -> str | None:
        """What is printed across each page, if anything."""
        return self.profile.get("watermark")

    def select(self, experiment: str, variant: str) -> list[StoredCell]:
        """Cells of one variant, ordered by seed, whatever their status."""
        chosen = [c for c in self.cells if (c.experiment, c.variant) == (experiment, variant)]
        return sorted(chosen, key=lambda cell: cell.seed)


def write_manifest(folder: Path, profile: dict[str, Any], cells: Sequence[StoredCell]) -> StoredRun:
    """Record which cells make up the run; written atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"experiment": c.experiment, "variant": c.variant, "seed": c.seed, "key": c.key}
        for c in cells
    ]
    beside = folder / f".{MANIFEST}.{os.getpid()}.part"
    content = {"schema": SCHEMA, "profile": profile, "cells": rows}
    canonical_json(content)
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    beside.replace(folder / MANIFEST)
    return StoredRun(folder, profile, tuple(cells))


def is_run(folder: Path) -> bool:
    """Whether a folder, not a link to one, holds a run's manifest of whatever format."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return (
        not folder.is_symlink()
        and isinstance(content, dict)
        and {"schema", "profile", "cells"} <= set(content)
    )


def open_run(folder: Path) -> StoredRun:
    """Read a run's manifest.

    Raises
    ------
    UserError
        If there is no such run, or its manifest cannot be read or is of another schema.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema, profile, rows = content["schema"], content["profile"], content["cells"]
        cells = tuple(StoredCell(folder, **row) for row in rows)
    except FileNotFoundError as error:
        raise UserError(
            f"No run at {folder}: expected {path}. There is nothing to report yet; "
            "make it with `invoke run-all`, or name another run."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not a run's manifest ({error!r}). `invoke run-all` writes it anew; "
            "finished cells are kept."
        ) from error
    if schema != SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, expected {SCHEMA}: another version of this project "
            "wrote it. Check out that version, or run again into another run name."
        )
    return StoredRun(folder, profile, cells)


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Hold the run for writing.

    Raises
    ------
    UserError
        If another process is writing to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        with lock:
            yield
    except filelock.Timeout as error:
        raise UserError(
            f"Another process is writing to {folder}, and nothing was changed there. Wait for it, "
            "stop it, or name another run with --run."
        ) from error
