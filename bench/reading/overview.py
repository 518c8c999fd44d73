"""Overview of the runs in a folder."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError
from bench.reading.run import quantity
from bench.report.values.bounds import in_per_cent
from bench.report.values.collect import Results
from bench.store import StoredRun, is_held, is_run, open_run

DISTANCES = ("frechet_distance", "reconstruction_mse")  # the lower, the better
HEADLINES = ("accuracy", "knn_accuracy", "frechet_distance")
CONTENDERS = ("classifier", "map", "generator")  # roles whose best is named


@dataclass(frozen=True)
class Overview:
    """Summary of one run.

    Attributes
    ----------
    name : str
        Its name.
    state : str
        ``complete``, ``running``, or what is not done.
    created : str
        When its last cell was finished, ISO 8601 to the minute; empty without one.
    seconds : float
        Of all its finished cells together.
    headline : tuple of str
        The best of its systems, by experiment.
    """

    name: str
    state: str
    created: str
    seconds: float
    headline: tuple[str, ...]


def overview(runs: Path) -> list[Overview]:
    """Summarise every run of a folder, the newest first.

    Parameters
    ----------
    runs : Path
        Folder of the runs; a run that cannot be read is named with its damage.
    """
    folders = sorted(runs.iterdir()) if runs.is_dir() else []
    found = [_overview(folder) for folder in folders if is_run(folder)]
    return sorted(found, key=lambda each: each.created, reverse=True)


def _overview(folder: Path) -> Overview:
    try:
        run = open_run(folder)
    except UserError as error:
        return Overview(folder.name, f"cannot be read: {error}", "", 0.0, ())
    results = Results(run)
    provenances = [cell.provenance for cell in results.done]
    created = max((str(each.get("created", ""))[:16] for each in provenances), default="")
    seconds = sum(float(each.get("seconds", 0.0)) for each in provenances)
    return Overview(run.name, _state(run), created, seconds, tuple(_headline(results)))


def _state(run: StoredRun) -> str:
    counts = Counter(cell.status for cell in run.cells)
    whole = len(run.cells)
    if counts["done"] == whole:
        state = f"complete, {whole} cells"
    else:
        others = [f"{counts[s]} {s}" for s in ("failed", "damaged", "missing") if counts[s]]
        state = f"{counts['done']} of {whole} cells, {', '.join(others)}"
    return f"running, {state}" if is_held(run.folder) else state


def _headline(results: Results) -> list[str]:
    found = []
    for name, said in results.experiments.items():
        figure = next((each for each in said.headline if each in HEADLINES), None)
        if figure is None:
            continue
        systems = [s for s in said.systems if not s.handed_in and s.role in CONTENDERS]
        values = [
            (value.mean, results.variant(f"{name}/{system.name}").label)
            for system in systems
            if (value := quantity(results.variant(f"{name}/{system.name}"), figure))
        ]
        if values:
            best = min(values) if figure in DISTANCES else max(values)
            words = figure.replace("_", " ")
            share = in_per_cent(figure)
            mean = f"{best[0] * 100:.4g}%" if share else f"{best[0]:.4g}"
            found.append(f"{name}: {words} {mean} ({best[1]})")
    return found
