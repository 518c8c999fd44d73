"""Comparison of two runs: figures with intervals, samples, settings and environment."""

import base64
import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.metrics.intervals import Interval, mean_interval
from bench.metrics.significance import mean_test, welch_difference
from bench.paths import TEMPLATES
from bench.reading.run import Run, quantity
from bench.reading.tree import leaves
from bench.report.values.bounds import in_per_cent
from bench.report.values.collect import Variant
from bench.store import StoredRun

Format = Literal["html", "pdf", "md"]
SECONDS = "training.seconds"
SCORES = ("best_score", "default_score")  # of a search: what they are, its objective says
SAMPLES_SHOWN, COLUMNS = 20, 10
TEMPLATE = "compare.html.j2"
RECORDED = ("git_commit", "git_dirty", "backend", "protocol")
SHOWN = 60  # characters of a setting's value


@dataclass(frozen=True)
class Row:
    """One figure of one system in both runs.

    Attributes
    ----------
    system, figure : str
        Which.
    first, second : Interval
        Mean over the seeds with its 95 % interval in each run.
    difference : Interval
        Of the second over the first.
    p_value : float or None
        Two-sided; None without an interval.
    how : str
        What the interval rests on: ``paired``, ``Welch``, or ``same cells``.
    percent : bool
        Whether it is a share, which is written in per cent, as the report writes it.
    """

    system: str
    figure: str
    first: Interval
    second: Interval
    difference: Interval
    p_value: float | None
    how: str
    percent: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Entries of the row's columns, as text."""
        return (
            self.system,
            f"{self.figure} (%)" if self.percent else self.figure,
            interval_text(self.first, percent=self.percent),
            interval_text(self.second, percent=self.percent),
            interval_text(self.difference, signed=True, percent=self.percent),
            p_text(self.p_value),
            self.how,
        )


@dataclass(frozen=True)
class Change:
    """A setting, or a part of the environment, that differs."""

    name: str
    first: str
    second: str


@dataclass(frozen=True)
class Sheets:
    """Samples of one generator in both runs, as PNG; None where a run has none."""

    system: str
    first: bytes | None
    second: bytes | None


@dataclass(frozen=True)
class Comparison:
    """Two runs, compared.

    Attributes
    ----------
    first, second : StoredRun
        The runs.
    rows : list of Row
        Figures that both have.
    only_first, only_second : list of str
        Systems with finished cells in one run alone.
    settings, environment : list of Change
        What differs between them.
    sheets : list of Sheets
        Samples.
    """

    first: StoredRun
    second: StoredRun
    rows: list[Row]
    only_first: list[str]
    only_second: list[str]
    settings: list[Change]
    environment: list[Change]
    sheets: list[Sheets]

    @property
    def title(self) -> str:
        """Both names."""
        return f"{self.first.name} and {self.second.name}"


def compare(first: Run, second: Run, *, everything: bool = False) -> Comparison:
    """Compare the figures, samples, settings and environment of two runs.

    Parameters
    ----------
    first, second : Run
        The runs; differences are the second's figures minus the first's.
    everything : bool
        Whether every figure is compared; else those that an experiment names as its headline, and
        the seconds of training.

    Returns
    -------
    Comparison
        Rows whose seeds are the same in both runs are paired by seed; others are compared by
        Welch's test.
    """
    a, b = _finished(first), _finished(second)
    shared = [path for path in a if path in b]
    rows = [
        row
        for path in shared
        for figure in _figures(first, a[path], everything)
        if (row := _row(a[path], b[path], figure))
    ]
    return Comparison(
        first.stored,
        second.stored,
        rows,
        [path for path in a if path not in b],
        [path for path in b if path not in a],
        list(_changes(_flat(first.settings), _flat(second.settings))),
        list(_changes(_environment(first), _environment(second))),
        list(_samples(a, b)),
    )


def _finished(run: Run) -> dict[str, Variant]:
    variants = (run.results.variant(path) for path in run.systems)
    return {each.path: each for each in variants if each.done}


def _figures(run: Run, variant: Variant, everything: bool) -> list[str]:
    """Names of the figures of a system that are compared."""
    there = [name for name, value in leaves(variant.done[0].metrics) if _is_number(value)]
    if everything:
        return there
    said = run.results.experiments.get(variant.experiment)
    headline = said.headline if said else ()
    return [name for name in (*headline, SECONDS) if name in there]


def _row(first: Variant, second: Variant, figure: str) -> Row | None:
    a, b = (quantity(variant, figure) for variant in (first, second))
    if not (a and b):
        return None
    same = {cell.key for cell in a.cells} == {cell.key for cell in b.cells}
    paired = [
        (own, other)
        for own_cell, own in zip(a.cells, a.values, strict=True)
        for other_cell, other in zip(b.cells, b.values, strict=True)
        if own_cell.seed_index == other_cell.seed_index
        and own_cell.provenance.get("seed") == other_cell.provenance.get("seed")
    ]
    if same or len(paired) == max(len(a.values), len(b.values)):
        steps = [other - own for own, other in paired]
        how = "same cells" if same else "paired"
        difference = mean_interval(steps)
        p_value = None if difference.low is None else mean_test(steps)
    else:
        found = welch_difference(b.values, a.values)
        how, difference, p_value = "Welch", found.interval, found.p_value
    percent = in_per_cent(figure) or (
        figure in SCORES and first.get("objective") == "validation_accuracy"
    )
    return Row(first.path, figure, a.interval, b.interval, difference, p_value, how, percent)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _flat(tree: object) -> dict[str, str]:
    return {path: json.dumps(value, ensure_ascii=False) for path, value in leaves(tree)}


def _environment(run: Run) -> dict[str, str]:
    """Commit, versions and machine of the finished cells; several values are joined."""
    found: dict[str, list[str]] = {}
    for cell in run.results.done:
        provenance = cell.provenance
        parts = {name: provenance.get(name) for name in RECORDED}
        parts |= {f"hardware.{name}": v for name, v in provenance.get("hardware", {}).items()}
        parts |= {f"version of {name}": v for name, v in provenance.get("versions", {}).items()}
        for name, value in parts.items():
            seen = found.setdefault(name, [])
            if str(value) not in seen:
                seen.append(str(value))
    return {name: ", ".join(values) for name, values in found.items()}


def _changes(first: dict[str, str], second: dict[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys([*first, *second]):
        own, other = first.get(name, "not there"), second.get(name, "not there")
        if own != other:
            yield Change(name, own[:SHOWN], other[:SHOWN])


def _samples(first: dict[str, Variant], second: dict[str, Variant]) -> Iterator[Sheets]:
    for path in dict.fromkeys([*first, *second]):
        sheets = [
            _sheet(variants[path].array("samples")) if path in variants else None
            for variants in (first, second)
        ]
        if any(sheets):
            yield Sheets(path, sheets[0], sheets[1])


def _sheet(samples: np.ndarray | None) -> bytes | None:
    """Lay samples (n, size, size) out as one picture, dark ink on white."""
    from PIL import Image

    if samples is None or samples.ndim != 3 or samples.dtype != np.uint8:
        return None
    chosen = 255 - samples[:SAMPLES_SHOWN]
    size, rows = chosen.shape[1], -(-len(chosen) // COLUMNS)
    paper = np.full((rows * (size + 2), COLUMNS * (size + 2)), 255, np.uint8)
    for index, image in enumerate(chosen):
        top, left = (index // COLUMNS) * (size + 2), (index % COLUMNS) * (size + 2)
        paper[top : top + size, left : left + size] = image
    buffer = io.BytesIO()
    Image.fromarray(paper).save(buffer, format="png")
    return buffer.getvalue()


def write(found: Comparison, folder: Path, formats: Iterable[Format]) -> list[Path]:
    """Write a comparison as ``compare.<format>`` into a folder.

    Parameters
    ----------
    found : Comparison
        What is written.
    folder : Path
        Made if it is not there.
    formats : iterable of {"html", "pdf", "md"}
        The HTML is one file; Markdown has its pictures beside it.

    Returns
    -------
    list of Path
        The documents.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in formats:
        target = folder / f"compare.{kind}"
        if kind == "md":
            target.write_text(markdown(found, folder), encoding="utf-8")
        elif kind == "html":
            target.write_text(_page(found), encoding="utf-8")
        else:
            _print(found, folder, target)
        written.append(target)
    return written


def _page(found: Comparison) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["uri"] = lambda png: (
        f"data:image/png;base64,{base64.b64encode(png).decode()}"
    )
    return environment.get_template(TEMPLATE).render(found=found)


def _print(found: Comparison, folder: Path, target: Path) -> None:
    from bench.report.publishing.pdf import print_pdf, write_pdf

    moments = [c.provenance.get("created") for c in found.second.cells if c.status == "done"]
    created = max((datetime.fromisoformat(m) for m in moments if m), default=None)
    document = print_pdf(_page(found), folder, TEMPLATES / "fonts", created)
    write_pdf(document, target, created)


def markdown(found: Comparison, folder: Path | None = None) -> str:
    """Write a comparison as Markdown; samples as PNG into a folder, if one is given.

    Parameters
    ----------
    found : Comparison
        The comparison.
    folder : Path, optional
        Where the pictures are written.

    Returns
    -------
    str
        Markdown.
    """
    lines = [f"# {found.title}", ""]
    head = ("system", "figure", found.first.name, found.second.name, "difference", "p", "by")
    lines += [*_table(head, [row.words for row in found.rows]), ""]
    for title, changes in (("Settings", found.settings), ("Environment", found.environment)):
        rows = [(change.name, change.first, change.second) for change in changes]
        lines += [f"## {title}", ""]
        names = ("name", found.first.name, found.second.name)
        lines += _table(names, rows) if rows else ["The same in both runs."]
        lines += [""]
    for run, systems in ((found.first, found.only_first), (found.second, found.only_second)):
        if systems:
            lines += [f"Only {run.name} has {', '.join(systems)}.", ""]
    if folder is not None and found.sheets:
        lines += ["## Samples", ""]
        for sheet in found.sheets:
            for run, png in ((found.first, sheet.first), (found.second, sheet.second)):
                if png is not None:
                    name = f"{run.name}-{sheet.system.replace('/', '-')}.png"
                    (folder / name).write_bytes(png)
                    lines += [f"![{sheet.system}, {run.name}]({name})"]
            lines += [""]
    return "\n".join(lines)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    written = [list(head), ["---"] * len(list(head)), *map(list, rows)]
    return [f"| {' | '.join(word.replace('|', '&#124;') for word in row)} |" for row in written]


def number_text(value: float, signed: bool = False) -> str:
    """Write a number to four significant digits.

    Parameters
    ----------
    value : float
        The number.
    signed : bool
        Whether a plus sign is written.

    Returns
    -------
    str
        The text.
    """
    return f"{value:{'+' if signed else ''}.4g}"


def interval_text(found: Interval, signed: bool = False, percent: bool = False) -> str:
    """Write a mean with the limits of its interval.

    Parameters
    ----------
    found : Interval
        Mean and limits.
    signed : bool
        Whether a plus sign is written.
    percent : bool
        Whether shares are written in per cent, without its sign.

    Returns
    -------
    str
        The text.
    """
    unit = 100 if percent else 1
    mean = number_text(found.mean * unit, signed)
    if found.low is None or found.high is None:
        return mean
    low, high = (number_text(limit * unit, signed) for limit in (found.low, found.high))
    return f"{mean} ({low} to {high})"


def p_text(value: float | None) -> str:
    """Write a p-value; a dash where there is none."""
    if value is None:
        return "\N{EN DASH}"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
