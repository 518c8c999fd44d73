"""Access to the store for the report: variants with their numbers, tables, arrays and images."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from bench.data import DATASETS
from bench.declarations import QUIET, Declaration, Figure, System, declarations
from bench.metrics.significance import McNemar, mcnemar
from bench.report.errors import ReportError
from bench.report.values import searches
from bench.report.values.quantities import Quantity
from bench.results.fields import Fields, fields_of
from bench.store import StoredCell, StoredRun, UsedData

T = TypeVar("T")
ROWS: dict[str, Callable[[pd.Series], Any]] = {
    "first": lambda column: column.iloc[0],
    "last": lambda column: column.iloc[-1],
    "min": lambda column: column.min(),
    "max": lambda column: column.max(),
}
OF_LISTS: dict[str, Callable[[list[float]], float]] = {"min": min, "max": max, "mean": fmean}
RUNGS = re.compile(r"(rungs|pairs)\((\d+),(\d+)\)")
OF_THE_CELL = ("provenance:", "config:")  # no part of its results
INAPPLICABLE = "inapplicable"  # to the data set that took the place of the experiment's own
IMAGE_INTERVALS = {"accuracy": "image_interval", "knn_accuracy": "knn_image_interval"}


class Tables:
    """Reads each table once.

    Attributes
    ----------
    known : set of str
        Paths that results are known to have: asking the types takes longer than reading.
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self._read: dict[tuple[StoredCell, str], pd.DataFrame] = {}

    def get(self, cell: StoredCell, name: str) -> pd.DataFrame | None:
        """Return a cell's table; None if it has none of that name.

        Parameters
        ----------
        cell : StoredCell
            The cell.
        name : str
            The table.

        Returns
        -------
        DataFrame or None
            The table.
        """
        if (cell, name) not in self._read:
            if name not in cell.table_names:
                return None
            self._read[cell, name] = cell.table(name)
        return self._read[cell, name]


def lookup(cell: StoredCell, path: str, tables: Tables) -> Any:
    """Read one value of a cell.

    Parameters
    ----------
    cell : StoredCell
        A finished cell.
    path : str
        Dotted path into the metrics (``per_class.f1.3``); with a prefix, into another part:
        ``provenance:hardware.cpu``, ``config:fit.epochs``, or ``table:history.last.loss`` (row:
        a number, ``first``, ``last``, ``min``, ``max``, or ``at_min(loss)``, the row where
        another column is least; of a search, ``rungs(3,9)`` is the rank correlation of the column
        between trials of 3 epochs and those of 9 that went on from them, ``pairs(3,9)`` their
        number). Of a list, ``min``, ``max`` and ``mean`` may be asked.
    tables : Tables
        Where tables are read.

    Returns
    -------
    Any
        The value, or None if the cell holds nothing there.
    """
    part, _, rest = path.rpartition(":")
    if part == "table":
        name, row, column = rest.split(".", 2)
        return _from_table(tables.get(cell, name), row, column)
    tree: Any = {"": cell.metrics, "provenance": cell.provenance, "config": cell.config}[part]
    for step in rest.split("."):
        if isinstance(tree, list) and step.isdigit() and int(step) < len(tree):
            tree = tree[int(step)]
        elif isinstance(tree, list) and step in OF_LISTS:
            tree = OF_LISTS[step](tree) if tree else None
        elif isinstance(tree, dict):
            tree = tree.get(step)
        else:
            return None
    return tree


def _from_table(table: pd.DataFrame | None, row: str, column: str) -> Any:
    if table is None or column not in table or table.empty:
        return None
    if row.startswith("at_min("):
        value = table[column].iloc[int(table[row[7:-1]].to_numpy().argmin())]
    elif row in ROWS:
        value = ROWS[row](table[column])
    elif rungs := RUNGS.fullmatch(row):
        pairs = searches.between(table, int(rungs[2]), int(rungs[3]), column)
        value = searches.rank_correlation(pairs) if rungs[1] == "rungs" else len(pairs)
    else:
        value = table[column].iloc[int(row)]
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class SameImages:
    """Two trained classifiers, compared on the same test images.

    Attributes
    ----------
    cells : tuple of StoredCell
        The first and the second classifier.
    found : McNemar
        How many images only one of them gets right, and the exact p-value.
    """

    cells: tuple[StoredCell, StoredCell]
    found: McNemar


def same_images(first: "Variant", second: "Variant") -> SameImages | None:
    """Compare two classifiers of the lowest seed that both have; None if there is none.

    Parameters
    ----------
    first : Variant
        A classifier.
    second : Variant
        Another one.

    Returns
    -------
    SameImages or None
        The comparison.

    Raises
    ------
    ReportError
        If their test images differ.
    """
    others = {cell.seed_index: cell for cell in second.done}
    pair = next(
        ((cell, others[cell.seed_index]) for cell in first.done if cell.seed_index in others), None
    )
    if pair is None or any("probabilities" not in cell.arrays for cell in pair):
        return None
    labels, other_labels = (cell.array("labels") for cell in pair)
    if not np.array_equal(labels, other_labels):
        raise ReportError(
            f"{pair[0].label} and {pair[1].label}: expected the same test images, got other "
            "labels. They cannot be compared image by image; run both with the same data again."
        )
    predicted = (cell.array("probabilities").argmax(axis=1) for cell in pair)
    return SameImages(pair, mcnemar(labels, *predicted))


def image_limits(quantity: Quantity) -> tuple[Quantity, Quantity] | None:
    """Look up the interval over test images of a share of images: of the first cell that has one.

    For this trained network, it says what other test images would change. It is not averaged over
    seeds, and it is never mixed with the interval over seeds.

    Parameters
    ----------
    quantity : Quantity
        ``accuracy`` or ``knn_accuracy`` of a variant.

    Returns
    -------
    tuple of Quantity or None
        Both limits; None where no cell holds them.
    """
    name = IMAGE_INTERVALS[quantity.path]
    for cell in quantity.cells:
        stored = cell.metrics.get(name)
        if stored is not None:
            low, high = (
                Quantity(f"{name}.{end}", (cell,), (float(stored[end]),)) for end in ("low", "high")
            )
            return low, high
    return None


@dataclass(frozen=True)
class Variant:
    """The cells of one variant of an experiment.

    Attributes
    ----------
    experiment, name : str
        Its place.
    cells : tuple of StoredCell
        By seed, whatever their status.
    read : Tables
        Where tables are read.
    declared : System or None
        What its experiment declares of it; None where no experiment declares it.
    applies : bool
        Whether it exists for the data set of the run.
    other_data : bool
        Whether that data set took the place of the experiment's own.
    fields : Fields or None
        What may be asked for; None: anything, as of an experiment whose code is not here.
    """

    experiment: str
    name: str
    cells: tuple[StoredCell, ...]
    read: Tables = field(default_factory=Tables, compare=False, repr=False)
    declared: System | None = field(default=None, compare=False, repr=False)
    applies: bool = True
    other_data: bool = False
    fields: Fields | None = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> str:
        """Experiment and variant."""
        return f"{self.experiment}/{self.name}"

    @property
    def label(self) -> str:
        """Its name in the report: a message; the bare name where nothing is declared."""
        return self.declared.label if self.declared else self.name

    @property
    def colour(self) -> str:
        """Its colour in every figure."""
        return self.declared.colour if self.declared else QUIET

    @property
    def network(self) -> bool:
        """Whether it is a network."""
        return self.declared is not None and self.declared.network

    @cached_property
    def done(self) -> tuple[StoredCell, ...]:
        """The finished cells, by seed."""
        return tuple(cell for cell in self.cells if cell.status == "done")

    @property
    def first(self) -> StoredCell | None:
        """The finished cell of the lowest seed: images and maps are shown from it."""
        return self.done[0] if self.done else None

    @property
    def absence(self) -> str:
        """Reason for missing results: the cells' status, ``absent``, ``inapplicable`` or ``""``."""
        if self.done:
            return ""
        if not self.cells:
            return "absent" if self.applies else INAPPLICABLE
        found = {cell.status for cell in self.cells}
        return next(status for status in ("damaged", "failed", "missing") if status in found)

    def value(self, path: str) -> Quantity:
        """Collect one number over the seeds.

        Raises
        ------
        ReportError
            If no type of results has such a field: the path is misspelt.
        """
        self._known(path)
        found = [(cell, lookup(cell, path, self.read)) for cell in self.done]
        kept = [(cell, float(value)) for cell, value in found if _is_number(value)]
        return Quantity(
            path=path,
            cells=tuple(cell for cell, _ in kept),
            values=tuple(value for _, value in kept),
            absence="" if kept else (self.absence or self._lacking),
        )

    @property
    def _lacking(self) -> str:
        """Reason why a finished cell lacks a value: other data may not have it."""
        return INAPPLICABLE if self.other_data else "absent"

    def get(self, path: str) -> Any:
        """Read something other than a number from the first finished cell; see `value`."""
        self._known(path)
        return lookup(self.first, path, self.read) if self.first else None

    def tables(self, name: str) -> list[pd.DataFrame]:
        """One table of each finished cell that holds it."""
        self._known(f"table:{name}")
        found = [self.read.get(cell, name) for cell in self.done]
        return [table for table in found if table is not None]

    def array(self, name: str) -> np.ndarray | None:
        """One array of the first finished cell, if it holds it."""
        self._known(f"array:{name}")
        if self.first is None or name not in self.first.arrays:
            return None
        return self.first.array(name)

    def _known(self, path: str) -> None:
        """Refuse a path at which no type of results has a field."""
        if self.fields is None or path.startswith(OF_THE_CELL) or path in self.read.known:
            return
        part, _, rest = path.rpartition(":")
        if part == "table":
            name, *columns = rest.split(".", 2)
            known = self.fields.table(name, *columns[1:])
        elif part == "array":
            known = self.fields.array(rest)
        else:
            known = self.fields.metric(rest)
        if not known:
            near = self.fields.near(rest)
            raise ReportError(
                f"{self.path}: expected a field that results can have, got {path!r}."
                + (f" Did you mean {near!r}?" if near else "")
                + " Mend the template or figure that asks for it, or the types in bench/results."
            )
        self.read.known.add(path)


class Results:
    """Variants, values and declarations of a run."""

    def __init__(self, run: StoredRun) -> None:
        self.run = run
        self._variants: dict[str, Variant] = {}
        self._tables = Tables()

    @cached_property
    def experiments(self) -> dict[str, Declaration]:
        """What the experiments declare, by name, in the order of the report.

        As the run's manifest has it; what it lacks, as in that of an older version, comes from the
        files of this checkout.
        """
        here = declarations()
        said = {each.name: each for each in self.run.experiments}
        found = {n: d.completed_by(here[n]) if n in here else d for n, d in said.items()}
        return {**found, **{name: each for name, each in here.items() if name not in found}}

    def dataset(self, experiment: str) -> UsedData:
        """Return the data set that an experiment is about.

        As the run's manifest has it; without, as in that of an older version, the declared one.
        """
        if experiment in self.run.datasets:
            return self.run.datasets[experiment]
        name = self.experiments[experiment].dataset
        if name not in DATASETS:
            return UsedData(name=name, title=name, class_names=(), size=0)
        info = DATASETS[name]
        return UsedData(name=name, title=info.title, class_names=info.class_names, size=info.size)

    @cached_property
    def planned(self) -> set[str]:
        """Experiments of which the run has cells."""
        return {cell.experiment for cell in self.run.cells}

    @cached_property
    def replaced(self) -> dict[str, UsedData]:
        """Data sets that took the place of an experiment's own, by experiment."""
        used = {name: self.dataset(name) for name in self.experiments if name in self.planned}
        return {name: each for name, each in used.items() if each.instead_of}

    def variant(self, path: str) -> Variant:
        """Return a variant by ``experiment/variant``."""
        if path not in self._variants:
            experiment, name = path.split("/")
            cells = tuple(self.run.select(experiment, name))
            said = self.experiments.get(experiment)
            declared = said.system(name) if said else None
            self._variants[path] = Variant(
                experiment,
                name,
                cells,
                self._tables,
                declared,
                applies=path not in self.run.inapplicable,
                other_data=said is not None and bool(self.dataset(experiment).instead_of),
                fields=self._fields if experiment in declarations() else None,
            )
        return self._variants[path]

    @cached_property
    def _fields(self) -> Fields:
        """All that the variants of this checkout's experiments hold: tables loop over several."""
        return fields_of(*declarations().values())

    def of_roles(self, *roles: str, experiment: str = "") -> list[Variant]:
        """Variants that have one of these roles, in order; those of one experiment, if named.

        Parameters
        ----------
        *roles : str
            Roles of systems.
        experiment : str
            Name of an experiment.

        Returns
        -------
        list of Variant
            In the order of their declarations.
        """
        asked = [self.experiments[experiment]] if experiment else self.experiments.values()
        return [
            self.variant(f"{said.name}/{name}") for said in asked for name in said.of_roles(*roles)
        ]

    def figure(self, name: str, experiment: str = "") -> tuple[Declaration, Figure]:
        """Find a declared figure.

        Parameters
        ----------
        name : str
            The figure's name.
        experiment : str
            Whose figure; empty: that of the only experiment that has one of this name.

        Returns
        -------
        tuple of Declaration and Figure
            The experiment, and the figure.

        Raises
        ------
        ReportError
            If no experiment declares it, or several do.
        """
        asked = [self.experiments[experiment]] if experiment else self.experiments.values()
        found = [(each, figure) for each in asked if (figure := each.figure(name))]
        if len(found) != 1:
            who = experiment or "one experiment"
            raise ReportError(
                f"Figure {name!r}: expected {who} to declare it, "
                f"{', '.join(each.name for each, _ in found) or 'none'} does. Mend the template or "
                "the experiment's file."
            )
        return found[0]

    def words(self, kind: str) -> dict[str, str]:
        """Return the labels of names in the results, in order: messages.

        Parameters
        ----------
        kind : str
            Such as ``contender``; an experiment's file says which there are.
        """
        found: dict[str, str] = {}
        for each in self.experiments.values():
            found |= dict(each.words.get(kind, ()))
        return found

    def value(self, variant: str, path: str) -> Quantity:
        """Collect one number of one variant over its seeds.

        Parameters
        ----------
        variant : Variant
            The variant.
        path : str
            ``experiment/variant``, and where its cells hold the number.

        Returns
        -------
        Quantity
            The result.
        """
        return self.variant(variant).value(path)

    @cached_property
    def done(self) -> list[StoredCell]:
        """Every finished cell of the run."""
        return [cell for cell in self.run.cells if cell.status == "done"]

    @cached_property
    def unfinished(self) -> list[StoredCell]:
        """Every cell that failed or is missing."""
        return [cell for cell in self.run.cells if cell.status != "done"]

    def provenance(self, path: str) -> list[Any]:
        """Return the different values at a path of the provenance, in order of appearance."""
        return unique(lookup(cell, f"provenance:{path}", self._tables) for cell in self.done)


def unique(items: Iterable[T | None]) -> list[T]:
    """Drop repetitions and None; keep the order."""
    kept: list[T] = []
    for item in items:
        if item is not None and item not in kept:
            kept.append(item)
    return kept


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
