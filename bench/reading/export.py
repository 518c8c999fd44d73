"""A run's results as files for other programs: CSV and LaTeX tables, SVG and PNG figures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from bench.errors import UserError
from bench.reading.run import Run

KINDS = ("csv", "tex", "svg", "png")
SUMMARY = ["system", "figure", "mean", "low", "high", "seeds"]


def export(
    run: Run,
    folder: Path,
    kinds: tuple[str, ...] = KINDS,
    language: str = "en",
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write a run's results into a folder.

    Parameters
    ----------
    run : Run
        The run.
    folder : Path
        Where ``cells.csv``, ``tables/`` (a file of figures for each system, ``.history`` for its
        curves, a summary for each experiment) and ``figures/`` are written; files of the same
        names are replaced.
    kinds : tuple of str
        Some of `KINDS`.
    language : str
        Of the figures' words.
    progress : callable, optional
        Called with what is being written.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UserError
        If a kind is unknown, or the run has no finished cell.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise UserError(
            f"Expected some of {', '.join(KINDS)}, got {', '.join(unknown)}. Nothing was written."
        )
    if not run.results.done:
        raise UserError(f"Run {run.name} has no finished cell. Nothing was written.")
    report = progress or (lambda words: None)
    written: list[Path] = []

    def put(name: str, table: pd.DataFrame) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".csv":
            table.to_csv(target, index=False)
        else:
            text = table.to_latex(index=False, escape=True, float_format="%.4g", na_rep="--")
            target.write_text(text, encoding="utf-8")
        written.append(target)

    report("tables")
    if "csv" in kinds:
        put("cells.csv", run.cells)
        for name, table in _tables(run):
            put(f"tables/{name}.csv", table)
    for experiment, table in _summaries(run):
        for kind in ("csv", "tex"):
            if kind in kinds:
                put(f"tables/{experiment}.{kind}", table)
    pictures = [kind for kind in ("svg", "png") if kind in kinds]
    for name in run.pictures if pictures else ():
        report(name)
        try:
            picture = run.picture(name, language)
        except UserError:
            continue  # the run has nothing to draw there
        for kind in pictures:
            target = folder / "figures" / f"{name.replace('/', '-')}.{kind}"
            target.parent.mkdir(parents=True, exist_ok=True)
            written.append(picture.save(target))
    return written


def _tables(run: Run) -> Iterator[tuple[str, pd.DataFrame]]:
    """Figures and tables of each system, one row a seed, or an epoch."""
    for system in run.systems:
        done = run.results.variant(system).done
        if not done:
            continue
        name = system.replace("/", ".")
        yield name, run.metrics(system).reset_index()
        for table in done[0].table_names:
            yield f"{name}.{table}", run.table(system, table)


def _summaries(run: Run) -> Iterator[tuple[str, pd.DataFrame]]:
    """Headline figures of each experiment's systems: mean and interval over the seeds."""
    for name, said in run.results.experiments.items():
        systems = [system for system in run.systems if system.startswith(f"{name}/")]
        rows = []
        for figure in said.headline:
            try:
                found = run.summary(figure, systems) if systems else None
            except UserError:
                continue  # no system of the experiment has it
            if found is not None:
                rows.append(found.assign(figure=figure).reset_index())
        if rows:
            yield name, pd.concat(rows, ignore_index=True)[SUMMARY]
