"""Run a plan: skip what is done, keep what fails, go on with the rest."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import data
from bench.config import Profile
from bench.experiments.definition import Cell
from bench.running.interrupts import catch_interrupts, raise_if_interrupted
from bench.running.plan import PlannedCell, given_settings
from bench.store import derive_seed, write_done, write_failed
from bench.store.provenance import git_state, hardware, package_versions

HEADLINES = ("accuracy", "knn_accuracy", "frechet_distance", "best_score", "reconstruction_mse")


class NeededCellError(RuntimeError):
    """A cell that this one builds on is not there."""


@dataclass(frozen=True)
class Summary:
    """How many cells were found done, were run now, and failed."""

    found: int
    ran: int
    failed: int


def execute(profile: Profile, plan: Sequence[PlannedCell], console: Console) -> Summary:
    """Run every cell of a plan that is not done yet.

    A cell that fails is kept with its reason, those that need it fail too, and the others run. An
    interrupt loses only the cell at work.
    """
    found = ran = failed = 0
    with _bars(console) as bars, catch_interrupts():
        total = bars.add_task("cells", total=len(plan), words="")
        for planned in plan:
            if planned.stored.status == "done":
                found += 1
            else:
                bars.update(total, description=planned.stored.label, words="")
                if _run_cell(profile, planned, bars, console):
                    ran += 1
                else:
                    failed += 1
            bars.advance(total)
    return Summary(found, ran, failed)


def _run_cell(profile: Profile, planned: PlannedCell, bars: Progress, console: Console) -> bool:
    stored = planned.stored
    scratch = stored.folder.with_name(f".{stored.name}.scratch")
    scratch.mkdir(parents=True, exist_ok=True)
    bar = bars.add_task(stored.variant, total=1.0, words="")

    def progress(share: float, words: str) -> None:
        raise_if_interrupted()
        bars.update(bar, completed=share, words=words)

    began = time.perf_counter()
    try:
        built_on = [*planned.needs.values(), *chain.from_iterable(planned.gathered.values())]
        missing = [cell.label for cell in built_on if cell.status != "done"]
        if missing:
            raise NeededCellError(
                f"Needs {', '.join(missing)}, which failed; mend that and run again."
            )
        cell = Cell(
            settings=given_settings(profile, planned),
            seed=planned.seed,
            precision=profile.precision,
            split=_split(profile, planned.experiment.dataset),
            needs=planned.needs,
            gathered=planned.gathered,
            scratch=scratch,
            progress=progress,
        )
        result = planned.variant.function(cell)
        provenance = _provenance(profile, planned, began)
        write_done(stored, result, planned.depends_on, provenance)
    except Exception as error:  # whatever went wrong becomes a row of the report
        write_failed(stored, error, planned.depends_on, _provenance(profile, planned, began))
        console.print(f"[red]failed[/]  {stored.label}: {type(error).__name__}: {error}")
        return False
    finally:
        bars.remove_task(bar)
    shutil.rmtree(scratch, ignore_errors=True)
    seconds = time.perf_counter() - began
    console.print(f"[green]done[/]    {stored.label}  {seconds:.1f} s  {_headline(result.metrics)}")
    return True


@cache
def _split(profile: Profile, dataset: str) -> data.Split:
    settings = profile.data
    return data.split(
        data.load(dataset),
        settings.validation,
        derive_seed(profile.root_seed, dataset),
        limit=settings.train_limit,
        test_limit=settings.test_limit,
    )


def _provenance(profile: Profile, planned: PlannedCell, began: float) -> dict[str, Any]:
    dataset = planned.experiment.dataset
    return {
        **git_state(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": time.perf_counter() - began,
        "backend": planned.depends_on["backend"],
        "versions": package_versions(),
        "hardware": hardware(),
        "dataset": {"name": dataset, "sha256": dict(data.fingerprint(dataset))},
        "root_seed": profile.root_seed,
        "seed": planned.seed,
        "profile": profile.name,
    }


def _headline(metrics: Any) -> str:
    shown = [f"{name} {metrics[name]:.4f}" for name in HEADLINES if name in metrics]
    return ", ".join(shown)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<48.48}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}"),
        console=console,
    )
