"""The page: one small chart for each benchmark, machines apart."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.paths import TEMPLATES
from bench.trend.steps import Step, find_steps
from bench.trend.stored import Series, read_series

TEMPLATE = "trend.html.j2"
WIDTH, HEIGHT, BORDER = 280.0, 64.0, 5.0  # of a chart, in its own units
UNITS = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs"))


@dataclass(frozen=True)
class Chart:
    """Chart as the template draws it.

    Attributes
    ----------
    series : Series
        Its points.
    places : list of (float, float)
        Of the points, x to the right and y down.
    steps : list of (Step, float)
        Jumps with their x.
    """

    series: Series
    places: list[tuple[float, float]]
    steps: list[tuple[Step, float]]

    @property
    def title(self) -> str:
        """The benchmark in words: file, test, case."""
        file, _, test = self.series.name.rpartition("/")[2].partition(".py::test_")
        words = f"{file.removeprefix('test_bench_')}: {test.rstrip(']').replace('[', ', ')}"
        return words.replace("_", " ")

    @property
    def latest(self) -> str:
        """The last figure, normalised, with its unit."""
        seconds = float(self.series.normalised[-1])
        factor, unit = next((f, u) for least, f, u in UNITS if seconds >= least)
        return f"{seconds * factor:.3g} {unit}"


def chart(series: Series) -> Chart:
    """Lay a series out; height is time, on a logarithmic scale of at least a factor of 2."""
    values = series.normalised
    logs = np.log(values)
    middle, reach = (logs.max() + logs.min()) / 2, max(np.ptp(logs) / 2, np.log(2) / 2)
    across = np.linspace(BORDER, WIDTH - BORDER, len(values)) if len(values) > 1 else [WIDTH / 2]
    down = BORDER + (HEIGHT - 2 * BORDER) * (0.5 - (logs - middle) / (2 * reach))
    places = [(round(float(x), 1), round(float(y), 1)) for x, y in zip(across, down, strict=True)]
    steps = [
        (step, (places[step.position - 1][0] + places[step.position][0]) / 2)
        for step in find_steps(values)
    ]
    return Chart(series, places, steps)


def write_page(stored: Path, folder: Path) -> Path:
    """Write `index.html` over every stored run.

    Parameters
    ----------
    stored : Path
        pytest-benchmark's folder.
    folder : Path
        Where the page is written.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UserError
        If there is no stored run, or one cannot be read.
    """
    charts = [chart(series) for series in read_series(stored)]
    machines = {
        hardware: list(own) for hardware, own in groupby(charts, key=lambda c: c.series.hardware)
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template(TEMPLATE).render(machines=machines, width=WIDTH, height=HEIGHT)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path
