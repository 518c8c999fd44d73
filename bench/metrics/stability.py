"""Similarity of maps of the same images from repeated trainings."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree, procrustes

from bench.metrics import checks


class Stability(NamedTuple):
    """How alike several maps of the same images are, mean over all pairs of maps.

    Attributes
    ----------
    procrustes : float
        Share of the variance that two maps have in common after moving, turning, mirroring and
        scaling one onto the other, 0 to 1.
    neighbour_overlap : float
        Share of each image's k neighbours in one map that are its k neighbours in the other, 0
        to 1.
    """

    procrustes: float
    neighbour_overlap: float


def stability(maps: Sequence[np.ndarray], k: int = 10, sample: int = 5_000) -> Stability:
    """Compare maps of the same images.

    Parameters
    ----------
    maps : sequence of ndarray of float, shape (n, d)
        Positions of the same images, in the same order; two maps or more.
    k : int
        Neighbours.
    sample : int
        Images on which the neighbours are compared, at most: the first ones.

    Returns
    -------
    Stability
        Means over the pairs of maps. A map without variance has nothing in common with any.

    Raises
    ------
    ValueError
        If there are fewer than two maps, they differ in shape, or `k` does not fit.

    Notes
    -----
    Procrustes: Gower, "Generalized Procrustes analysis", Psychometrika 40, 1975; one minus the
    disparity of `scipy.spatial.procrustes`.
    """
    places = [checks.matrix(f"maps[{i}]", m, least=3) for i, m in enumerate(maps)]
    checks.whole("maps", len(places), 2)
    for number, other in enumerate(places[1:], start=1):
        checks.same_length("maps[0]", places[0], f"maps[{number}]", other)
        checks.same_width("maps[0]", places[0], f"maps[{number}]", other)
    count = min(sample, len(places[0]))
    checks.whole("k", k, 1, count - 1)
    near = [_neighbours(place[:count], k) for place in places]
    shapes, overlaps = [], []
    for a, b in combinations(range(len(places)), 2):
        shapes.append(_common_shape(places[a], places[b]))
        shared = [len(np.intersect1d(x, y)) for x, y in zip(near[a], near[b], strict=True)]
        overlaps.append(float(np.mean(shared)) / k)
    return Stability(float(np.mean(shapes)), float(np.mean(overlaps)))


def _neighbours(places: np.ndarray, k: int) -> np.ndarray:
    _, rows = KDTree(places).query(places, k + 1)
    # where points coincide the point itself need not come first
    own = rows == np.arange(len(places))[:, None]
    own[~own.any(axis=1), -1] = True
    return rows[~own].reshape(len(places), k)


def _common_shape(a: np.ndarray, b: np.ndarray) -> float:
    if not (np.ptp(a, axis=0).any() and np.ptp(b, axis=0).any()):
        return 0.0
    return float(1.0 - procrustes(a, b)[2])
