"""Rank-based comparison of neighbourhoods in the images and in a map."""

import numpy as np

from bench.metrics import checks
from bench.metrics.distances import prepare, squared_blocks


def neighbour_ranks(points: np.ndarray, block: int = 512) -> np.ndarray:
    """Rank, for each point, all others by their distance to it.

    Parameters
    ----------
    points : ndarray, shape (n, ...)
        Images or positions; all axes but the first are joined.
    block : int
        Points handled at a time.

    Returns
    -------
    ndarray of int32, shape (n, n)
        Entry (i, j) is r(i, j): 1 if j is the nearest neighbour of i, n - 1 if it is the
        farthest, 0 on the diagonal. Of equally distant points the earlier row comes first.

    Raises
    ------
    ValueError
        If there are fewer than 3 points, or values that are no finite numbers.

    Notes
    -----
    Memory is 4 n^2 bytes: 100 MB for 5,000 points.
    """
    (prepared,) = prepare(checks.matrix("points", points, least=3))
    count = len(prepared.points)
    ranks = np.empty((count, count), dtype=np.int32)
    order = np.arange(count, dtype=np.int32)
    for part, squared in squared_blocks(prepared, prepared, block):
        # Below every distance: a point comes first in its own list even if it has duplicates.
        squared[np.arange(len(squared)), np.arange(part.start, part.stop)] = -1.0
        nearest = _stable_order(squared)
        np.put_along_axis(ranks[part], nearest, order[None, :], axis=1)
    return ranks


def _stable_order(values: np.ndarray) -> np.ndarray:
    """Sort rows as a stable sort does, at the speed of one that is not where nothing ties."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    ties = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    order[ties] = np.argsort(values[ties], axis=1, kind="stable")
    return order


def trustworthiness(ranks: np.ndarray, map_ranks: np.ndarray, k: int = 5) -> float:
    """Measure whether neighbours in the map are neighbours among the images.

    Parameters
    ----------
    ranks, map_ranks : ndarray of int, shape (n, n)
        What `neighbour_ranks` returned for the images and for their positions in the map.
    k : int
        Size of the neighbourhood, 1 or more and below n/2.

    Returns
    -------
    float
        From 0 to 1; 1 if the k neighbours of each point in the map are its k nearest images.

    Raises
    ------
    ValueError
        If the shapes differ or `k` does not fit.

    Notes
    -----
    M1(k) = 1 - 2/(nk(2n - 3k - 1)) sum over i, and over j among the k nearest in the map but
    not among the images, of (r(i, j) - k): Venna and Kaski, "Neighborhood preservation in
    nonlinear projection methods: an experimental study", ICANN 2001, M1.
    """
    count = _checked(ranks, map_ranks)
    checks.whole("k", k, 1, (count - 1) // 2)
    strangers = ranks[(map_ranks <= k) & (ranks > k)]
    penalty = int((strangers.astype(np.int64) - k).sum())
    return 1.0 - 2.0 * penalty / (count * k * (2 * count - 3 * k - 1))


def continuity(ranks: np.ndarray, map_ranks: np.ndarray, k: int = 5) -> float:
    """Measure whether neighbours among the images are neighbours in the map.

    Parameters
    ----------
    ranks, map_ranks : ndarray of int, shape (n, n)
        What `neighbour_ranks` returned for the images and for their positions in the map.
    k : int
        Size of the neighbourhood, 1 or more and below n/2.

    Returns
    -------
    float
        From 0 to 1; 1 if the k nearest images of each one are its k neighbours in the map.

    Raises
    ------
    ValueError
        If the shapes differ or `k` does not fit.

    Notes
    -----
    M2(k) of Venna and Kaski, ICANN 2001: M1 with the two spaces exchanged.
    """
    return trustworthiness(map_ranks, ranks, k)


def neighbourhood_curve(ranks: np.ndarray, map_ranks: np.ndarray, block: int = 512) -> np.ndarray:
    """Compute how many neighbours survive, for each size of neighbourhood.

    Parameters
    ----------
    ranks, map_ranks : ndarray of int, shape (n, n)
        What `neighbour_ranks` returned for the images and for their positions in the map.
    block : int
        Points handled at a time.

    Returns
    -------
    ndarray of float64, shape (n - 2,)
        R_NX(K) for K = 1 to n - 2: 1 if all K neighbours survive, 0 as in a random map.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    R_NX(K) = ((n - 1) Q_NX(K) - K) / (n - 1 - K), with Q_NX(K) the mean share of a point's K
    nearest images among its K nearest in the map: Lee, Renard, Bernard, Dupont and Verleysen,
    "Type 1 and 2 mixtures of Kullback-Leibler divergences as cost functions in dimensionality
    reduction based on similarity preservation", Neurocomputing 112, 2013 (Q_NX: Lee and
    Verleysen, "Quality assessment of dimensionality reduction: rank-based criteria",
    Neurocomputing 72, 2009).
    """
    count = _checked(ranks, map_ranks)
    # A pair is in both K-neighbourhoods from K = the larger of its two ranks on.
    pairs = np.zeros(count, dtype=np.int64)
    for start in range(0, count, block):
        part = slice(start, start + block)
        later = np.maximum(ranks[part], map_ranks[part])
        pairs += np.bincount(later.ravel(), minlength=count)
    size = np.arange(1, count - 1)
    shared = np.cumsum(pairs[1:-1]) / (size * count)
    return ((count - 1) * shared - size) / (count - 1 - size)


def neighbourhood_auc(curve: np.ndarray) -> float:
    """Average a curve of neighbourhood preservation, with equal weight for each scale.

    Parameters
    ----------
    curve : ndarray of float, shape (n - 2,)
        What `neighbourhood_curve` returned.

    Returns
    -------
    float
        Area under R_NX over log K: 1 for a perfect map, about 0 for a random one.

    Raises
    ------
    ValueError
        If it is no curve.

    Notes
    -----
    AUC = (sum over K of R_NX(K)/K) / (sum over K of 1/K): Lee, Peluffo-Ordonez and Verleysen,
    "Multi-scale similarities in stochastic neighbour embedding", Neurocomputing 169, 2015.
    """
    values = checks.matrix("curve", np.asarray(curve)[:, None])[:, 0]
    weights = 1.0 / np.arange(1, len(values) + 1)
    return float((values * weights).sum() / weights.sum())


def _checked(ranks: np.ndarray, map_ranks: np.ndarray) -> int:
    count = len(ranks)
    if ranks.shape != (count, count) or map_ranks.shape != ranks.shape or count < 3:
        raise ValueError(
            f"ranks: expected two square matrices of one size, 3 or more, got {ranks.shape} and "
            f"{map_ranks.shape}; nothing was measured. Pass neighbour_ranks of the same points."
        )
    return count
