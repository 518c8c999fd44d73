"""Detection of jumps in a series: hints for a reader, no verdicts."""

from dataclasses import dataclass

import numpy as np

LEAST_ON_A_SIDE = 3
LEAST_CHANGE = 0.10
LEAST_NOISE = 0.01
PRICE = 6.0


@dataclass(frozen=True)
class Step:
    """A jump.

    Attributes
    ----------
    position : int
        Index of the first point after it.
    ratio : float
        Typical value after it, over the one before it.
    """

    position: int
    ratio: float


def find_steps(values: np.ndarray) -> list[Step]:
    """Find jumps of at least 10 %: the cheapest partition into levels.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        Positive, in order of time.

    Returns
    -------
    list of Step
        In order; every level has at least three points.

    Notes
    -----
    Optimal partitioning (Jackson et al., "An algorithm for optimal partitioning of data on an
    interval", IEEE Signal Processing Letters 12, 2005) of the logarithms: squared error, and a
    price for each level of 6 s^2 log n, with the noise s from neighbouring differences.
    """
    logs = np.log(values)
    borders = _partition(logs, PRICE * _noise(logs) ** 2 * np.log(max(len(logs), 2)))
    levels = [float(np.median(level)) for level in np.split(logs, borders)]
    ratios = np.exp(np.diff(levels))
    return [
        Step(border, float(ratio))
        for border, ratio in zip(borders, ratios, strict=True)
        if abs(np.log(ratio)) >= np.log1p(LEAST_CHANGE)
    ]


def _partition(logs: np.ndarray, price: float) -> list[int]:
    """First positions of every level but the first."""
    count = len(logs)
    sums, squares = (np.concatenate([[0.0], np.cumsum(logs**power)]) for power in (1, 2))
    best = np.full(count + 1, np.inf)
    best[0], before = -price, np.zeros(count + 1, dtype=int)
    for end in range(LEAST_ON_A_SIDE, count + 1):
        starts = np.arange(0, end - LEAST_ON_A_SIDE + 1)
        error = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        costs = best[starts] + error + price
        before[end] = starts[int(np.argmin(costs))]
        best[end] = costs.min()
    borders: list[int] = []
    end = count
    while before[end] > 0:
        end = int(before[end])
        borders.insert(0, end)
    return borders


def _noise(logs: np.ndarray) -> float:
    """Spread of the points about their level: jumps are too rare to move this median."""
    if len(logs) < 2:
        return 0.0
    return float(1.4826 * np.median(np.abs(np.diff(logs))) / np.sqrt(2)) + LEAST_NOISE
