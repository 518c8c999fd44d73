"""Grading of a whole run."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from bench.config import Profile, profile_type
from bench.errors import UserError
from bench.experiments import EXPERIMENTS
from bench.grading.findings import CellGrade, Difference, Gap
from bench.grading.recompute import Grader
from bench.interfaces import Progress
from bench.store import StoredCell, StoredRun, open_run
from bench.store.provenance import usable_cores

COSTLY = ("fashion_generation", "fashion_embedding")  # begun first


@dataclass(frozen=True)
class Grade:
    """Result of grading a run.

    Attributes
    ----------
    run : StoredRun
        The run.
    cells : list of CellGrade
        Its finished cells, in the run's order.
    unfinished : Counter
        How many cells are failed or missing: they state no figure.
    """

    run: StoredRun
    cells: list[CellGrade]
    unfinished: Counter[str]

    @property
    def compared(self) -> int:
        """Number of recomputed figures."""
        return sum(len(cell.compared) for cell in self.cells)

    @property
    def differences(self) -> list[Difference]:
        """Stated figures that differ from the recomputed ones."""
        return [difference for cell in self.cells for difference in cell.differences]

    @property
    def gaps(self) -> list[Gap]:
        """Figures that could not be compared."""
        return [gap for cell in self.cells for gap in cell.gaps]

    @property
    def not_recomputed(self) -> list[str]:
        """Names of figures that only a training gives, such as its seconds."""
        return sorted({name for cell in self.cells for name in cell.not_recomputed})


def grade(folder: Path, progress: Progress | None = None) -> Grade:
    """Recompute the figures of a run and compare them with the stated ones.

    Parameters
    ----------
    folder : Path
        The run. It is only read; nothing of it is executed, and none of its networks is loaded.
    progress : callable, optional
        Called with the share that is done, and the cell that was.

    Returns
    -------
    Grade
        What agrees, what differs, and what could not be compared.

    Raises
    ------
    UserError
        If there is no such run, or its settings are not those of this version.
    """
    run = open_run(folder)
    graded: dict[str, CellGrade] = {}
    cells, unfinished = [], Counter[str]()
    for cell in run.cells:
        status = cell.status
        if cell.experiment not in EXPERIMENTS:
            graded[cell.label] = _unknown(cell)
        elif status == "damaged":
            graded[cell.label] = _damaged(cell)
        elif status == "done":
            cells.append(cell)
        else:
            unfinished[status] += 1
    grader = Grader(run, _profile(run))
    if progress:
        progress(0.0, "data and judge")
    # Threads share images, ranks and the judge; NumPy computes without Python's lock.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(len(usable_cores())) as pool:
        jobs = {pool.submit(grader.grade, cell): cell for cell in _costly_first(cells)}
        for number, job in enumerate(as_completed(jobs), 1):
            found = job.result()
            graded[found.label] = found
            if progress:
                progress(number / len(jobs), found.label)
    return Grade(run, [graded[c.label] for c in run.cells if c.label in graded], unfinished)


def _profile(run: StoredRun) -> Profile:
    try:
        return profile_type().model_validate(run.profile)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise UserError(
            f"{run.folder}: expected the settings of this version in its manifest, got others "
            f"({where}). Nothing was compared; grade it with the version that made it, which each "
            "cell's provenance.json names."
        ) from error


def _costly_first(cells: Sequence[StoredCell]) -> list[StoredCell]:
    """Cells in the order of work; those of one seed together, for what they share."""
    places = {name: place for place, name in enumerate(COSTLY)}
    return sorted(cells, key=lambda c: (places.get(c.experiment, len(places)), c.seed_index))


def _unknown(cell: StoredCell) -> CellGrade:
    found = CellGrade(cell.label)
    found.lacks("the cell", "this version knows no such experiment")
    return found


def _damaged(cell: StoredCell) -> CellGrade:
    found = CellGrade(cell.label)
    reason = (cell.failure or {}).get("message", "")
    found.differs("files", "as a run wrote them", reason)
    return found
