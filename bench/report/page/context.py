"""Rows of tables for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import pandas as pd

from bench.config import protocol as fixed
from bench.interfaces import JsonObject
from bench.report.claims import Claim, claims
from bench.report.values import searches
from bench.report.values.clinic import Finding, Kind, diverged, examine
from bench.report.values.collect import Results, Variant, unique
from bench.report.values.quantities import is_untrained
from bench.results.searches import HYPERPARAMETER
from bench.store import StoredCell

TRIALS_SHOWN = 5
CONFUSIONS_SHOWN = 3
UNLISTED = ("Activation", "Dropout", "InputLayer", "LeakyReLU", "ReLU")


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
    by_epochs : bool
        Whether trials were given different numbers of epochs (Hyperband).
    """

    variant: Variant
    hyperparameters: list[str]
    trials: list[Trial]
    by_epochs: bool


@dataclass(frozen=True)
class Layer:
    """A row of an architecture table: where it stands in the stored list, and what it is."""

    index: int
    part: str
    type: str
    output_shape: list[int]
    starts_part: bool
    changes_shape: bool


@dataclass(frozen=True)
class Fixed:
    """The protocol, beside the run that is evaluated by it.

    Attributes
    ----------
    rules : bench.config.protocol.Protocol
        What was fixed, with its changes.
    sha256 : str
        Of its file.
    others : list of StoredCell
        Finished cells that were made under another protocol, or under none.
    """

    rules: fixed.Protocol
    sha256: str
    others: list[StoredCell]


class Context:
    """Derived rows, computed on first use.

    Parameters
    ----------
    results : Results
        The run.
    asked : sequence of int
        Numbers of the claims that the assignment names; empty: all.
    """

    def __init__(self, results: Results, asked: Sequence[int] = ()) -> None:
        self.results = results
        self.asked = asked

    def search(self, experiment: str) -> Search | None:
        """Return the best trials of an experiment's search; None if there is no such cell."""
        variant = self.results.variant(f"{experiment}/search")
        tables = variant.tables("trials")
        if not tables:
            return None
        trials = tables[0]
        scores = pd.to_numeric(trials["score"])
        falling = variant.get("direction") != "min"
        ranked = scores.dropna().sort_values(ascending=not falling, kind="stable")
        rows = [Trial(int(row), str(trials["status"].iloc[row])) for row in ranked.index]
        return Search(
            variant,
            [name.removeprefix(HYPERPARAMETER) for name in searches.varied(trials)],
            rows[:TRIALS_SHOWN],
            bool(trials["epochs"].notna().any()),
        )

    def rungs(self, path: str) -> list[tuple[int, int]]:
        """Lengths between which a search's trials were promoted: epochs before and after."""
        tables = self.results.variant(path).tables("trials")
        return searches.rungs(tables[0]) if tables else []

    def too_few_trials(self, path: str) -> tuple[int, int] | None:
        """How many trials of a search can be compared, and how many importances need.

        None where there are enough, or no search.
        """
        for trials in self.results.variant(path).tables("trials"):
            has, needs = len(searches.comparable(trials)), searches.trials_needed(trials)
            return (has, needs) if has < needs else None
        return None

    @cached_property
    def trained(self) -> list[Variant]:
        """Every variant of the plan that trains a network and was timed."""
        paths = unique(f"{cell.experiment}/{cell.variant}" for cell in self.results.run.cells)
        variants = [self.results.variant(path) for path in paths]
        return [variant for variant in variants if variant.value("training.images_per_second")]

    def confusions(self, path: str) -> list[tuple[int, int]]:
        """Return the commonest confusions of a classifier: true class, predicted class."""
        cells = self.results.variant(path).done
        if not cells:
            return []
        counts = np.sum([np.array(cell.metrics["confusion"]) for cell in cells], axis=0)
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:CONFUSIONS_SHOWN]
        pairs = [divmod(int(place), counts.shape[1]) for place in order]
        return [(true, predicted) for true, predicted in pairs if counts[true, predicted]]

    def classes_kept(self, path: str, stated: list[float]) -> tuple[int, int] | None:
        """Compare a classifier's F1 with stated figures, class by class.

        Parameters
        ----------
        path : str
            The classifier, as ``experiment/variant``.
        stated : list of float
            F1 of each class, to two decimals.

        Returns
        -------
        tuple of int or None
            In how many classes the mean F1, to two decimals, is at least the stated one; and the
            class that gains least. None without results.
        """
        own = [self.results.value(path, f"per_class.f1.{k}") for k in range(len(stated))]
        if not all(own):
            return None
        gains = [q.mean - figure for q, figure in zip(own, stated, strict=True)]
        pairs = zip(own, stated, strict=True)
        kept = sum(round(q.mean, 2) - figure > -0.005 for q, figure in pairs)
        return kept, int(np.argmin(gains))

    @staticmethod
    def layers(rows: list[JsonObject]) -> list[Layer]:
        """Return the layers worth a row: those that hold parameters or change the shape."""
        kept: list[Layer] = []
        part = None
        for index, row in enumerate(rows):
            if row["type"] in UNLISTED and not row["parameters"]:
                continue
            own = row.get("part", "")
            shape = row["output_shape"]
            changes = not kept or own != part or shape != kept[-1].output_shape
            kept.append(Layer(index, own, row["type"], shape, own != part, changes))
            part = own
        return kept

    def parts(self, rows: list[JsonObject]) -> list[tuple[str, list[Layer]]]:
        """Return the same layers, part by part."""
        layers = self.layers(rows)
        return [(part, list(own)) for part, own in groupby(layers, key=lambda each: each.part)]

    def stage_epochs(self, experiment: str) -> int:
        """Number of epochs of each greedy stage of a classifier; 0 if unknown."""
        tables = self.results.variant(f"{experiment}/pretrained").tables("history")
        return int(tables[0]["epoch"].max()) if tables and "stage" in tables[0] else 0

    def stages(self, experiment: str) -> int:
        """Number of greedy stages of a classifier; 0 if unknown."""
        tables = self.results.variant(f"{experiment}/pretrained").tables("history")
        return int(tables[0]["stage"].nunique()) if tables and "stage" in tables[0] else 0

    @cached_property
    def claims(self) -> dict[int, Claim]:
        """The protocol's claims that are asked, measured, by number."""
        measured = {claim.number: claim for claim in claims(self.results)}
        return {n: claim for n, claim in measured.items() if not self.asked or n in self.asked}

    @cached_property
    def protocol(self) -> Fixed:
        """The protocol, and the cells of this run that were not made under it."""
        known = fixed.sha256()
        others = [c for c in self.results.done if c.provenance.get("protocol") != known]
        return Fixed(fixed.protocol(), known, others)

    @cached_property
    def untrained(self) -> list[StoredCell]:
        """Finished cells whose network does no better than the trivial answer."""
        return [cell for cell in self.results.done if is_untrained(cell)]

    @cached_property
    def best_generator(self) -> str | None:
        """The generator of least mean Fréchet distance, the handed-in decoders apart."""
        made_here = [
            variant
            for variant in self.results.of_roles("generator")
            if variant.declared and not variant.declared.handed_in
        ]
        values = [(variant.value("frechet_distance"), variant.path) for variant in made_here]
        return min(((q.mean, path) for q, path in values if q), default=(0.0, None))[1]

    @cached_property
    def clinic(self) -> list[tuple[Kind, list[Finding]]]:
        """Failures that were looked for in the generators."""
        return examine(self.results)

    @cached_property
    def diverged(self) -> list[StoredCell]:
        """Cells whose training diverged."""
        return diverged(self.results)

    @cached_property
    def precisions(self) -> list[str]:
        """Arithmetics that the networks of this run were trained in."""
        return unique(variant.get("training.precision") for variant in self.trained)

    @cached_property
    def cores(self) -> list[int]:
        """Numbers of processor cores that the trainings of this run used."""
        return unique(variant.get("training.cores") for variant in self.trained)

    @cached_property
    def experiments(self) -> list[str]:
        """The run's experiments, in the order of the exercises."""
        planned = {cell.experiment for cell in self.results.run.cells}
        known = self.results.experiments
        return [name for name in known if name in planned] + sorted(planned - set(known))

    @cached_property
    def datasets(self) -> list[JsonObject]:
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

    def failure(self, cell: StoredCell) -> str:
        """Return why a cell failed, in one line; empty if it did not."""
        if cell.failure is None:
            return ""
        message = str(cell.failure.get("message", "")).strip().splitlines()
        return f"{cell.failure.get('error', '')}: {message[0] if message else ''}".rstrip(": ")
