"""Rows for tables that a template cannot put together by itself."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from bench.report.collect import Results, Variant, unique
from bench.report.handed_in import HandedIn
from bench.store import StoredCell

TRIALS_SHOWN = 5
CLASSIFIERS = ("mnist_classifier", "fashion_classifier")
HYPERPARAMETER = "hp_"


@dataclass(frozen=True)
class Trial:
    """A row of a search: where it stands in the stored table, and its status there."""

    row: int
    status: str


@dataclass(frozen=True)
class Search:
    """A search, best trials first.

    Attributes
    ----------
    variant : Variant
        Its cell.
    hyperparameters : list of str
        Names, without the table's prefix.
    trials : list of Trial
        The best finished ones.
    """

    variant: Variant
    hyperparameters: list[str]
    trials: list[Trial]


class Context:
    """Derived rows, computed when asked for."""

    def __init__(self, results: Results, handed_in: HandedIn) -> None:
        self.results = results
        self.handed_in = handed_in

    def search(self, experiment: str) -> Search | None:
        """Return the best trials of an experiment's search; None if there is no such cell."""
        variant = self.results.variant(f"{experiment}/search")
        tables = variant.tables("trials")
        if not tables:
            return None
        trials = tables[0]
        names = [column for column in trials.columns if column.startswith(HYPERPARAMETER)]
        finished = trials[trials["score"].notna()]
        best = variant.get("best_score")
        upwards = best is None or best >= finished["score"].max()
        ranked = finished.sort_values("score", ascending=not upwards, kind="stable")
        rows = [Trial(int(row), str(trials["status"].iloc[row])) for row in ranked.index]
        return Search(
            variant,
            [name.removeprefix(HYPERPARAMETER) for name in names if _varies(trials[name])],
            rows[:TRIALS_SHOWN],
        )

    @cached_property
    def trained(self) -> list[Variant]:
        """Every variant of the plan that trains a network and was timed."""
        paths = unique(f"{cell.experiment}/{cell.variant}" for cell in self.results.run.cells)
        variants = [self.results.variant(path) for path in paths]
        return [variant for variant in variants if variant.value("training.images_per_second")]

    @cached_property
    def datasets(self) -> list[dict[str, Any]]:
        """The data sets used: name and SHA-256 of each decompressed file."""
        return self.results.provenance("dataset")

    @cached_property
    def versions(self) -> list[tuple[str, list[str]]]:
        """Packages with every version that a cell was made with."""
        found = self.results.provenance("versions")
        names = sorted({name for versions in found for name in versions}, key=str.lower)
        return [(name, unique(versions.get(name) for versions in found)) for name in names]

    @cached_property
    def created(self) -> str | None:
        """When the last cell was finished, ISO 8601."""
        moments = self.results.provenance("created")
        return max(moments) if moments else None

    @cached_property
    def seeds(self) -> int:
        """Seeds of the variant that has most."""
        return max((cell.seed + 1 for cell in self.results.run.cells), default=0)

    def failure(self, cell: StoredCell) -> str:
        """Return why a cell failed, in one line; empty if it did not."""
        if cell.failure is None:
            return ""
        message = str(cell.failure.get("message", "")).strip().splitlines()
        return f"{cell.failure.get('error', '')}: {message[0] if message else ''}".rstrip(": ")


def _varies(column: pd.Series) -> bool:
    return bool(column.nunique(dropna=False) > 1) or len(column) == 1
