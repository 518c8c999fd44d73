"""A run's results as DataFrames, arrays, pictures and trained networks."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import UserError
from bench.interfaces import JsonObject
from bench.paths import RUNS, run_folder
from bench.reading.pictures import Picture, draw
from bench.report.values.collect import Results, Variant
from bench.report.values.quantities import Quantity
from bench.store import StoredCell, StoredRun, open_run


class Run:
    """The results of a run.

    Systems are named ``experiment/variant``, such as ``fashion_generation/vae``; each has a cell
    for every seed, numbered from 0. Only finished cells are read, and each file is compared with
    its hash before.

    Parameters
    ----------
    stored : StoredRun
        What `bench.store.open_run` gives.
    """

    def __init__(self, stored: StoredRun) -> None:
        self.stored = stored
        self.results = Results(stored)

    @classmethod
    def open(cls, run: str | Path, runs: Path = RUNS) -> "Run":
        """Open a run by its name or its folder; see `bench.open_run`.

        Parameters
        ----------
        run : str or Path
            Name, or folder.
        runs : Path
            Folder of the runs.

        Returns
        -------
        Run
            The run.
        """
        path = run if isinstance(run, Path) else run_folder(run, runs)
        return cls(open_run(path))

    @property
    def name(self) -> str:
        """The run's name."""
        return self.stored.name

    @property
    def settings(self) -> JsonObject:
        """The profile that the run was made with."""
        return self.stored.profile

    def __repr__(self) -> str:
        done = len(self.results.done)
        return f"<Run {self.name}: {done} of {len(self.stored.cells)} cells are done>"

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row a cell: system, seed, status, when it was made, its seconds, and its key."""
        rows = []
        for cell in self.stored.cells:
            status = cell.status
            provenance = cell.provenance if status == "done" else {}
            rows.append(
                {
                    "system": f"{cell.experiment}/{cell.variant}",
                    "seed": cell.seed_index,
                    "status": status,
                    "created": pd.to_datetime(provenance.get("created", pd.NaT)),
                    "seconds": provenance.get("seconds", np.nan),
                    "key": cell.key,
                }
            )
        columns = ["system", "seed", "status", "created", "seconds", "key"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def systems(self) -> list[str]:
        """Names of the systems of the run, in its order."""
        return list(dict.fromkeys(f"{c.experiment}/{c.variant}" for c in self.stored.cells))

    def metrics(self, system: str) -> pd.DataFrame:
        """Return a system's figures: one row a seed, one column a figure by its dotted path.

        Parameters
        ----------
        system : str
            Such as ``fashion_classifier/fine_tuned``.

        Returns
        -------
        DataFrame
            Lists, such as those of the per-class report, stay lists.

        Raises
        ------
        UserError
            If the run has no such system, or no finished cell of it.
        """
        cells = self._done(system)
        table = pd.json_normalize([cell.metrics for cell in cells])
        return table.set_index(pd.Index([cell.seed_index for cell in cells], name="seed"))

    def summary(self, figure: str, systems: Iterable[str] | None = None) -> pd.DataFrame:
        """Compare systems by one figure: mean over the seeds with its 95 % interval.

        Parameters
        ----------
        figure : str
            Dotted path, such as ``accuracy`` or ``per_class.f1.3``.
        systems : iterable of str, optional
            Which; all that have it if none are given.

        Returns
        -------
        DataFrame
            Columns ``mean``, ``low``, ``high`` and ``seeds``, one row a system. Without limits
            where there is one seed.

        Raises
        ------
        UserError
            If no system has such a figure.
        """
        asked = [self._system(name) for name in systems] if systems else self._variants()
        found = {each.path: quantity(each, figure) for each in asked}
        rows = {
            path: (*value.interval[:3], len(value.values)) for path, value in found.items() if value
        }
        if not rows:
            raise UserError(
                f"Run {self.name}: expected a figure of a system, got {figure!r}, which none has. "
                "`metrics(system).columns` lists those of a system."
            )
        columns = ["mean", "low", "high", "seeds"]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        return table.astype({"mean": float, "low": float, "high": float}).rename_axis("system")

    def table(self, system: str, name: str = "history") -> pd.DataFrame:
        """Return a table of a system, such as the history of its training, with a column `seed`.

        Parameters
        ----------
        system : str
            ``experiment/variant``.
        name : str
            The table.

        Returns
        -------
        DataFrame
            Rows of all seeds.

        Raises
        ------
        UserError
            If there is no such system or table.
        """
        cells = self._done(system)
        chosen(cells[0].table_names, name, f"table of {system}")
        parts = [c.table(name).assign(seed=c.seed_index) for c in cells if name in c.table_names]
        return pd.concat(parts, ignore_index=True)

    def arrays(self, system: str, seed: int = 0) -> dict[str, np.ndarray]:
        """Return the arrays of one cell by name: predictions, maps, samples, images.

        Parameters
        ----------
        system : str
            ``experiment/variant``.
        seed : int
            Seed index.

        Returns
        -------
        dict of str to ndarray
            The arrays.

        Raises
        ------
        UserError
            If there is no such system or finished seed.
        """
        return dict(self._cell(system, seed).arrays)

    @cached_property
    def pictures(self) -> list[str]:
        """Names of the figures that can be drawn; those of several experiments with a slash."""
        found = []
        for said in self.results.experiments.values():
            for figure in said.figures:
                shared = sum(bool(e.figure(figure.name)) for e in self.results.experiments.values())
                found.append(f"{said.name}/{figure.name}" if shared > 1 else figure.name)
        return found

    def picture(self, name: str, language: str = "en") -> Picture:
        """Draw a figure of the report; a notebook shows it, and `save` writes it.

        Parameters
        ----------
        name : str
            One of `pictures`.
        language : str
            Of its words: ``en`` or ``es``.

        Returns
        -------
        Picture
            The figure.

        Raises
        ------
        UserError
            If there is no such figure, or nothing to draw.
        """
        chosen(self.pictures, name, "figure")
        experiment, _, figure = name.rpartition("/")
        drawn = draw(self.results, figure, experiment, language)
        if drawn is None:
            raise UserError(f"Run {self.name} has no finished cell that {name} shows.")
        return drawn

    def network(self, system: str, part: str | None = None, seed: int = 0) -> Any:
        """Load a trained network.

        Parameters
        ----------
        system : str
            Such as ``fashion_generation/vae``.
        part : str, optional
            Such as ``decoder``; may be left out where there is one network.
        seed : int
            Of which training.

        Returns
        -------
        keras.Model
            Loaded in safe mode: no code that a file may hold is run.

        Raises
        ------
        UserError
            If there is no such network.
        """
        import bench.models.neighbour  # this and the next register layers that networks name
        import bench.models.pixel_flow  # noqa: F401
        from bench.training import predict

        cell = self._cell(system, seed)
        there = sorted(path.stem for path in cell.folder.glob("*.keras"))
        if not there:
            raise UserError(f"{cell.label} keeps no network.")
        if part is None and len(there) > 1:
            raise UserError(f"{cell.label} keeps several networks: name one of {', '.join(there)}.")
        name = chosen(there, part or there[0], f"network of {system}")
        return cell.model(name, predict.load)

    def _variants(self) -> list[Variant]:
        return [self.results.variant(path) for path in self.systems]

    def _system(self, name: str) -> Variant:
        return self.results.variant(chosen(self.systems, name, f"system of run {self.name}"))

    def _done(self, name: str) -> tuple[StoredCell, ...]:
        variant = self._system(name)
        if not variant.done:
            raise UserError(
                f"Run {self.name}: {name} has no finished cell; it is {variant.absence}."
            )
        return variant.done

    def _cell(self, name: str, seed: int) -> StoredCell:
        cells = {cell.seed_index: cell for cell in self._done(name)}
        if seed not in cells:
            there = ", ".join(map(str, cells))
            raise UserError(f"{name}: expected a finished seed among {there}, got {seed}.")
        return cells[seed]


def chosen(names: Iterable[str], name: str, what: str) -> str:
    """Check that a name is among the known ones.

    Parameters
    ----------
    names : iterable of str
        The names that there are.
    name : str
        The one that is asked for.
    what : str
        What is named, for the message.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UserError
        If it is none of them; the message names what may have been meant.
    """
    known = list(names)
    if name in known:
        return name
    meant = get_close_matches(name, known, 1) or get_close_matches(
        name, [each.rpartition("/")[2] for each in known], 1
    )
    guess = f" Did you mean {meant[0]}?" if meant else ""
    raise UserError(f"No {what} {name!r}: expected one of {', '.join(known) or 'none'}.{guess}")


def quantity(variant: Variant, path: str) -> Quantity:
    """Collect a figure over the seeds; unlike in the report, no type needs to have it.

    Parameters
    ----------
    variant : Variant
        The variant.
    path : str
        Where the cells hold the figure.

    Returns
    -------
    Quantity
        The figure, seed by seed.
    """
    plain = Variant(variant.experiment, variant.name, variant.cells, variant.read)
    return plain.value(path)
