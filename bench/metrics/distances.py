"""Squared Euclidean distances between many points, in blocks, through matrix products.

|a - b|^2 = |a|^2 + |b|^2 - 2ab loses digits when points are far from the origin, so each set is
shifted first. Grey values get a shift that keeps the result exact, the same on every machine.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

EXACT_WIDTH = 1024  # 1024 * 128^2 = 2^24: the last whole number that float32 still counts to
DIRECT_WIDTH = 8  # narrower points are subtracted axis by axis, which is exact and as fast


class Prepared(NamedTuple):
    """Points made ready for `squared_blocks`.

    Attributes
    ----------
    points : ndarray of float32 or float64, shape (n, d)
        The shifted points.
    norms : ndarray of float64, shape (n,)
        Their squared lengths.
    """

    points: np.ndarray
    norms: np.ndarray


def prepare(*sets: np.ndarray) -> list[Prepared]:
    """Shift sets of points by one common vector; no distance between them changes.

    Parameters
    ----------
    *sets : ndarray of uint8 or float64, shape (n, d)
        Sets whose points are compared with each other.

    Returns
    -------
    list of Prepared
        One for each set. If all are uint8 with d up to 1024, the points are whole numbers from
        -128 to 127 in float32, where inner products are exact; otherwise float64.
    """
    grey = all(points.dtype == np.uint8 for points in sets) and sets[0].shape[1] <= EXACT_WIDTH
    if grey:
        moved = [points.astype(np.float32) - np.float32(128.0) for points in sets]
    else:
        floats = [points.astype(np.float64, copy=False) for points in sets]
        centre = floats[0].mean(axis=0)
        moved = [points - centre for points in floats]
    return [
        Prepared(points, np.einsum("ij,ij->i", points, points).astype(np.float64))
        for points in moved
    ]


def squared_blocks(
    rows: Prepared, columns: Prepared, block: int = 1024
) -> Iterator[tuple[slice, np.ndarray]]:
    """Go through all squared distances between two sets, some rows at a time.

    Parameters
    ----------
    rows, columns : Prepared
        From one call of `prepare`.
    block : int
        Rows at a time; memory is 8 * block * len(columns) bytes.

    Yields
    ------
    part : slice
        Which rows.
    squared : ndarray of float64, shape (rows of the part, len(columns))
        Their squared distances to every column, 0 or more.
    """
    for start in range(0, len(rows.points), block):
        part = slice(start, min(start + block, len(rows.points)))
        points = rows.points[part]
        if points.shape[1] <= DIRECT_WIDTH:
            squared = np.zeros((len(points), len(columns.points)))
            for axis in range(points.shape[1]):
                squared += np.subtract.outer(points[:, axis], columns.points[:, axis]) ** 2
        else:
            squared = (points @ columns.points.T).astype(np.float64, copy=False)
            squared *= -2.0
            squared += rows.norms[part, None]
            squared += columns.norms
            np.maximum(squared, 0.0, out=squared)
        yield part, squared


def between_pairs(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Measure chosen pairs only.

    Parameters
    ----------
    points : ndarray of uint8 or float64, shape (n, d)
        The points.
    first, second : ndarray of int, shape (pairs,)
        Rows of each pair.

    Returns
    -------
    ndarray of float64, shape (pairs,)
        Squared distances.
    """
    squared = np.empty(len(first))
    for start in range(0, len(first), 1024):
        part = slice(start, start + 1024)
        step = np.subtract(points[first[part]], points[second[part]], dtype=np.float64)
        squared[part] = np.einsum("ij,ij->i", step, step)
    return squared
