"""A run: the cells of one plan, under `runs/<run>/`, and the manifest that lists them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.declarations import Declaration
from bench.errors import UserError
from bench.interfaces import JsonObject
from bench.paths import is_name
from bench.store.cell import StoredCell
from bench.store.files import read_json, sweep, write_beside
from bench.store.lock import held
from bench.store.seal import DamagedError, OtherFormatError, read_sealed, write_sealed

MANIFEST = "manifest.json"


class UsedData(BaseModel):
    """The data set that an experiment of a run is about.

    Attributes
    ----------
    name, title : str
        Its name in settings, and in prose.
    class_names : tuple of str
        The name of each label, from label 0.
    size : int
        Pixels a side of an image.
    instead_of : str
        Title of the experiment's own data set, whose place it takes; empty if it is its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    class_names: tuple[str, ...]
    size: int
    instead_of: str = ""


@dataclass(frozen=True)
class StoredRun:
    """A stored run: its profile, its experiments and its cells.

    Attributes
    ----------
    folder : Path
        `runs/<run>`.
    profile : dict
        The whole resolved configuration.
    cells : tuple of StoredCell
        The cells of the plan, in its order, whatever their status.
    experiments : tuple of Declaration
        What the experiments declared when the run was made, in the order of the report; none in
        the manifest of an older version.
    datasets : mapping of str to UsedData
        By the experiment that used it; empty in the manifest of an older version.
    inapplicable : tuple of str
        Variants that do not exist for these data sets, as ``experiment/variant``.
    """

    folder: Path
    profile: JsonObject
    cells: tuple[StoredCell, ...]
    experiments: tuple[Declaration, ...] = ()
    datasets: Mapping[str, UsedData] = field(default_factory=dict)
    inapplicable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def watermark(self) -> str | None:
        """Text of the watermark; None without one."""
        return self.profile.get("watermark")

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of its report."""
        try:
            return tuple(self.profile["report"]["languages"])
        except (KeyError, TypeError) as error:
            raise DamagedError(self.folder / MANIFEST, "names no languages of a report") from error

    def select(self, experiment: str, variant: str) -> list[StoredCell]:
        """Cells of one variant, ordered by seed, whatever their status.

        Parameters
        ----------
        experiment : str
            Name of an experiment.
        variant : str
            Name of a variant.

        Returns
        -------
        list of StoredCell
            The cells.
        """
        chosen = [c for c in self.cells if (c.experiment, c.variant) == (experiment, variant)]
        return sorted(chosen, key=lambda cell: cell.seed_index)


def write_manifest(
    folder: Path,
    profile: JsonObject,
    cells: Sequence[StoredCell],
    experiments: Sequence[Declaration] = (),
    datasets: Mapping[str, UsedData] | None = None,
    inapplicable: Sequence[str] = (),
) -> StoredRun:
    """Record which cells make up the run, and what its experiments declare; written atomically.

    Parameters
    ----------
    folder : Path
        `runs/<run>`.
    profile : dict
        The whole resolved configuration.
    cells : sequence of StoredCell
        The cells of the plan.
    experiments : sequence of Declaration
        In the order of the report.
    datasets : mapping of str to UsedData, optional
        By experiment.
    inapplicable : sequence of str
        Variants that do not exist for these data sets, as ``experiment/variant``.

    Returns
    -------
    StoredRun
        As `open_run` reads it.

    Raises
    ------
    OtherFormatError
        If the run that is there has another format: nothing of it is changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    try:
        read_sealed(path)
    except OtherFormatError:
        raise
    except DamagedError:
        pass  # is not there, or damaged: it is written anew
    said = [each.stored() for each in experiments]
    used = dict(datasets or {})
    about_data = {
        "datasets": {name: each.model_dump(mode="json") for name, each in used.items()},
        "inapplicable": list(inapplicable),
    }
    rows = [
        {"experiment": c.experiment, "variant": c.variant, "seed": c.seed_index, "key": c.key}
        for c in cells
    ]
    write_beside(
        path,
        lambda beside: write_sealed(
            beside, {"profile": profile, "cells": rows, "experiments": said, **about_data}
        ),
    )
    return StoredRun(folder, profile, tuple(cells), tuple(experiments), used, tuple(inapplicable))


def is_run(folder: Path) -> bool:
    """Whether a folder, not a link to one, holds a run's manifest of whatever format."""
    try:
        content = read_json(folder / MANIFEST)
    except (OSError, ValueError, RecursionError):
        return False
    return not folder.is_symlink() and {"schema", "profile", "cells"} <= set(content)


def open_run(folder: Path) -> StoredRun:
    """Read a run's manifest.

    Raises
    ------
    UserError
        If there is no such run.
    DamagedError
        If its manifest is not as it was written, or of another format (`OtherFormatError`).
    """
    path = folder / MANIFEST
    if not os.path.lexists(path):
        others = [each.name for each in sorted(folder.parent.glob("*")) if is_run(each)]
        meant = get_close_matches(folder.name, others, 1)
        raise UserError(
            f"No run at {folder}: expected {path}. There is nothing to report yet; make it with "
            "`invoke run-all`, or name another run."
            + (f" Did you mean {meant[0]}?" if meant else "")
        )
    content = read_sealed(path)
    try:
        cells = tuple(_listed_cell(folder, **row) for row in content["cells"])
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(path, f"does not list cells ({error!r})") from error
    profile = content.get("profile")
    if not isinstance(profile, dict):
        raise DamagedError(path, "does not hold the run's settings")
    try:
        said = tuple(Declaration.recorded(row) for row in content.get("experiments", ()))
    except (ValueError, TypeError) as error:
        raise DamagedError(path, f"does not hold what its experiments declare ({error})") from error
    try:
        used = {
            str(name): UsedData.model_validate(row)
            for name, row in content.get("datasets", {}).items()
        }
        missing = tuple(str(path) for path in content.get("inapplicable", ()))
    except (ValidationError, TypeError, AttributeError) as error:
        raise DamagedError(path, f"does not hold its data sets ({error})") from error
    return StoredRun(folder, profile, cells, said, used, missing)


def _listed_cell(
    folder: Path, experiment: object, variant: object, seed: object, key: object
) -> StoredCell:
    if not (is_name(experiment) and is_name(variant) and is_name(key) and type(seed) is int):
        raise ValueError(f"{experiment}/{variant}, seed {seed}, key {key}")
    return StoredCell(folder, str(experiment), str(variant), seed, str(key))


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Hold the run for writing, and sweep what killed processes left in it.

    Raises
    ------
    UserError
        If another process is writing to it.
    """
    refusal = (
        f"Another process is writing to {folder}, and nothing was changed there. Wait for it, stop "
        "it, or name another run with --run."
    )
    with held(folder, refusal):
        sweep(folder)
        yield
