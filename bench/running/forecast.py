"""How long a plan will take on this machine: from the times of stored cells, or from arithmetic."""

import heapq
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.config import Profile
from bench.errors import UserError
from bench.interfaces import JsonMapping
from bench.running.plan import PlannedCell
from bench.store import StoredCell, is_run, open_run
from bench.store.provenance import hardware

UTILISATION = 0.3  # of what a dense convolution reaches, in the trainings of small networks
SAME_MACHINE = ("cpu", "gpu")  # parts of the hardware that must agree
ALL_IMAGES = 60_000
# Whose arithmetic stands for an experiment's: names in `bench.timing.networks`.
TYPICAL = {"classifier": "classifier", "speedrun": "classifier"}


@dataclass(frozen=True)
class Forecast:
    """How long a cell will take.

    Attributes
    ----------
    planned : PlannedCell
        The cell.
    seconds : float or None
        The estimate; None where nothing is known.
    basis : str
        What it rests on.
    """

    planned: PlannedCell
    seconds: float | None
    basis: str


def forecast(profile: Profile, plan: Iterable[PlannedCell], runs: Path) -> list[Forecast]:
    """Estimate the seconds of every cell of a plan that is not done.

    Parameters
    ----------
    profile : Profile
        Resolved settings.
    plan : iterable of PlannedCell
        The cells.
    runs : Path
        Folder of the runs, whose finished cells give the times on this machine.
        Where its settings were others, the time goes with the images that the training sees.

    Returns
    -------
    list of Forecast
        In the plan's order.
    """
    todo = [planned for planned in plan if planned.stored.status != "done"]
    known = _stored_times(runs)
    return [_of(profile, planned, known) for planned in todo]


def total_seconds(found: Sequence[Forecast], workers: int) -> float:
    """Seconds until the last cell ends, each beginning when what it needs has ended.

    Parameters
    ----------
    found : sequence of Forecast
        The cells; one without an estimate counts as nothing.
    workers : int
        How many run at once. Timed cells run alone.

    Returns
    -------
    float
        Seconds.
    """
    ended: dict[str, float] = {}
    free = [0.0] * max(1, workers)
    alone = 0.0
    for each in found:
        seconds = each.seconds or 0.0
        if each.planned.experiment.timed:
            alone += seconds
            continue
        needed = [cell.label for cell in each.planned.needs.values()]
        needed += [cell.label for cells in each.planned.gathered.values() for cell in cells]
        ready = max((ended.get(label, 0.0) for label in needed), default=0.0)
        began = max(heapq.heappop(free), ready)
        ended[each.planned.stored.label] = began + seconds
        heapq.heappush(free, began + seconds)
    return max(free) + alone


def _of(profile: Profile, planned: PlannedCell, known: Mapping[str, list[StoredCell]]) -> Forecast:
    path = f"{planned.stored.experiment}/{planned.stored.variant}"
    own = visits(planned.depends_on)
    cells = [cell for cell in known.get(path, ()) if _same_way(cell, planned)]
    if cells:
        scaled = [(float(c.provenance["seconds"]), visits(c.config)) for c in cells]
        times = [seconds * own / old if own and old else seconds for seconds, old in scaled]
        basis = f"{len(cells)} stored"
        if any(old != own for _, old in scaled):
            basis += ", scaled by the images seen"
        return Forecast(planned, statistics.median(times), basis)
    if not own:
        return Forecast(planned, None, "no stored cell, and no training to count")
    operations = own * _operations(planned.stored.experiment)
    return Forecast(planned, operations / _rate(profile.precision), "counted operations, rough")


def _same_way(cell: StoredCell, planned: PlannedCell) -> bool:
    """Whether a stored cell ran on such a machine, in the same arithmetic and backend."""
    there, here = cell.provenance.get("hardware", {}), hardware()
    if any(there.get(part) != here[part] for part in SAME_MACHINE):
        return False
    names = ("precision", "backend", "device")
    return all(cell.config.get(name) == planned.depends_on[name] for name in names)


@cache
def _stored_times(runs: Path) -> Mapping[str, list[StoredCell]]:
    """Finished cells of all runs of a folder, by experiment and variant."""
    found: dict[str, list[StoredCell]] = {}
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        if not is_run(folder):
            continue
        try:
            cells = open_run(folder).cells
        except UserError:
            continue  # `invoke fsck` reports its damage
        for cell in cells:
            if cell.status == "done":
                found.setdefault(f"{cell.experiment}/{cell.variant}", []).append(cell)
    return found


def visits(depends_on: JsonMapping) -> int:
    """How many times a cell's trainings look at an image, as its settings say.

    Parameters
    ----------
    depends_on : mapping
        Settings and data of a cell, as its `config.json` has them.
    """
    data = depends_on.get("data", {})
    left = ALL_IMAGES - int(data.get("validation") or 0)
    images = min(int(data.get("train_limit") or left), left)
    return _visits(depends_on.get("settings", {}), images)


def _visits(settings: object, images: int) -> int:
    if not isinstance(settings, Mapping):
        return 0
    seen = int(settings.get("images") or settings.get("unlabelled") or images)
    total = 0
    if "trials" in settings:
        trials = int(settings["trials"]) + 1 + 2 * int(settings.get("confirmations", 0))
        total += trials * int(settings["max_epochs"]) * seen
    elif "epochs" in settings:
        total += int(settings["epochs"]) * seen
    elif "perplexity" in settings or "neighbours" in settings:
        total += seen
    return total + sum(_visits(value, seen) for value in settings.values())


@cache
def _operations(experiment: str) -> int:
    """Count the operations of one image's training step, in a network typical of an experiment."""
    from bench.timing.flops import training_flops
    from bench.timing.networks import build

    kind = next((name for word, name in TYPICAL.items() if word in experiment), "autoencoder")
    return training_flops(build(kind).whole())


@cache
def _rate(precision: str) -> float:
    """Operations a second of a training on this machine: measured now, in about a second."""
    from bench.timing.ceilings import convolution

    return UTILISATION * 1e9 * convolution(precision)()
