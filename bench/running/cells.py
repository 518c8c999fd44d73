"""Execution of one cell."""

import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path

from bench import data, training
from bench.config import Profile, protocol
from bench.experiments.definition import Cell
from bench.interfaces import JsonMapping, JsonObject, Progress
from bench.results.fields import type_of
from bench.running.plan import PlannedCell, given_settings
from bench.search.trials import Ended, Request, TrialEndedError, TrialExecutor, failed
from bench.store import StoredCell, derive_seed, write_done, write_failed
from bench.store.provenance import git_state, hardware, package_versions


class NeededCellError(RuntimeError):
    """A cell that this one builds on is not there."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of running a cell.

    Attributes
    ----------
    done : bool
        Whether it is finished; else it is kept as failed.
    words : str
        Its headline figures, or the reason.
    """

    done: bool
    words: str


def run_cell(
    profile: Profile,
    planned: PlannedCell,
    progress: Progress,
    trials: TrialExecutor | None = None,
    scratch: Path | None = None,
    git: JsonMapping | None = None,
) -> Outcome:
    """Run a cell and store its result or its failure.

    Parameters
    ----------
    profile : Profile
        Resolved settings.
    planned : PlannedCell
        The cell.
    progress : callable
        Called with the share that is done and a few words.
    trials : TrialExecutor, optional
        Where the trials of its search run; if absent, in this process.
    scratch : Path, optional
        A folder that outlives an interrupt; if absent, beside the cell. It is removed at the end.
    git : mapping, optional
        State of the checkout from which the code is; if absent, that of this one.

    Returns
    -------
    Outcome
        How it ended.
    """
    began = time.perf_counter()
    stored = planned.stored
    scratch = scratch or scratch_of(stored)
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        built_on = [*planned.needs.values(), *chain.from_iterable(planned.gathered.values())]
        missing = [cell.label for cell in built_on if cell.status != "done"]
        if missing:
            raise NeededCellError(
                f"Needs {', '.join(missing)}, which failed or is damaged; mend that and run again."
            )
        cell = replace(_given(profile, planned, scratch, progress), trials=trials)
        with training.checkpoints.kept_in(scratch / "checkpoints", profile.checkpoint_seconds):
            result = planned.variant.function(cell)
        if kind := type_of(planned.experiment.declaration, planned.variant.name):
            kind.of(result)
        write_done(stored, result, planned.depends_on, _provenance(profile, planned, began, git))
    except Exception as error:  # whatever went wrong becomes a row of the report
        return keep_failure(profile, planned, error, began, git)
    shutil.rmtree(scratch, ignore_errors=True)
    headline, figures = planned.experiment.declaration.headline, result.metrics
    shown = [f"{name} {figures[name]:.4f}" for name in headline if name in figures]
    return Outcome(True, f"{time.perf_counter() - began:.1f} s  {', '.join(shown)}")


def scratch_of(stored: StoredCell) -> Path:
    """Folder beside a cell in which its function may keep what outlives an interrupt."""
    return stored.folder.with_name(f".{stored.name}.scratch")


def run_trial(profile: Profile, planned: PlannedCell, request: Request) -> Ended:
    """Run one trial of a cell's search: the cell's function runs up to it and is stopped there.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    planned : PlannedCell
        The cell.
    request : Request
        The trial.

    Returns
    -------
    Ended
        How it ended.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        cell = replace(_given(profile, planned, Path(scratch), _silent), asked=request)
        try:
            planned.variant.function(cell)
        except TrialEndedError as end:
            return end.ended
        except Exception as error:  # before the trial: it is kept as the trial's failure
            return Ended(failed(f"{type(error).__name__}: {error}", time.perf_counter() - began))
    raise RuntimeError(f"{planned.stored.label} was asked for a trial and has no search")


def _given(profile: Profile, planned: PlannedCell, scratch: Path, progress: Progress) -> Cell:
    return Cell(
        settings=given_settings(profile, planned),
        seed=planned.seed,
        seed_index=planned.stored.seed_index,
        precision=profile.precision,
        split=_split(profile, planned.dataset),
        needs=planned.needs,
        gathered=planned.gathered,
        scratch=scratch,
        progress=progress,
    )


def _silent(done: float, words: str) -> None:
    """Ignore progress."""


def keep_failure(
    profile: Profile,
    planned: PlannedCell,
    error: Exception,
    began: float,
    git: JsonMapping | None = None,
) -> Outcome:
    """Store a failed cell with its reason.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    planned : PlannedCell
        The cell.
    error : Exception
        Why it failed.
    began : float
        When it began, by `time.perf_counter`.
    git : mapping, optional
        State of the repository; read anew if absent.

    Returns
    -------
    Outcome
        How it ended.
    """
    provenance = _provenance(profile, planned, began, git)
    write_failed(planned.stored, error, planned.depends_on, provenance)
    return Outcome(False, f"{type(error).__name__}: {error}")


def split_of(profile: Profile, dataset: str) -> data.Split:
    """Load an experiment's data set, or what takes its place, and split it as a profile says.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    dataset : str
        Name of the experiment's data set.

    Returns
    -------
    Split
        Training, validation and test images.
    """
    return _split(profile, data.resolve(dataset, profile.data))


def prepare_data(
    profile: Profile, plan: Iterable[PlannedCell], progress: data.DownloadProgress = data.silent
) -> None:
    """Fetch the data sets of some cells before any of them runs.

    Parameters
    ----------
    profile : Profile
        Resolved settings.
    plan : iterable of PlannedCell
        Cells that are to run.
    progress : callable
        Called with what goes on (str) and the share of it that is done, or None if not known.

    Raises
    ------
    UserError
        If a data set cannot be had, or the sizes in the profile do not fit one of the user's own.
    """
    for info in dict.fromkeys(planned.dataset for planned in plan):
        data.load(info, on_progress=progress)
        if info.local:
            _split(profile, info)


@cache
def _split(profile: Profile, info: data.DatasetInfo) -> data.Split:
    settings = profile.data
    return data.split(
        data.load(info),
        settings.validation,
        derive_seed(profile.root_seed, info.name),
        limit=settings.train_limit,
        test_limit=settings.test_limit,
    )


def _provenance(
    profile: Profile, planned: PlannedCell, began: float, git: JsonMapping | None
) -> JsonObject:
    info = planned.dataset
    return {
        **(git_state() if git is None else git),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": time.perf_counter() - began,
        "backend": planned.depends_on["backend"],
        "versions": package_versions(),
        "hardware": hardware(),
        "dataset": {"name": info.name, "title": info.title, "sha256": dict(info.files)},
        "root_seed": profile.root_seed,
        "seed": planned.seed,
        "profile": profile.name,
        "protocol": protocol.sha256(),
    }
