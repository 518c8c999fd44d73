"""Nearest training images of samples, which show whether a sample is new or a copy.

Pixel by pixel, in tiles, so that 10,000 samples and 60,000 training images fit in memory.
"""

import numpy as np
from scipy.spatial import KDTree

from bench.metrics import checks
from bench.metrics.distances import prepare

TILE = 4096  # training images compared at a time: the tile stays in the cache


def nearest_neighbours(
    samples: np.ndarray,
    training: np.ndarray,
    block: int = 1024,
    limit: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest training image of each sample, pixel by pixel.

    Parameters
    ----------
    samples : ndarray, shape (n, ...)
        Generated images.
    training : ndarray, shape (m, ...)
        Training images, in the same units; uint8 is compared exactly.
    block : int
        Samples compared at a time.
    limit : int, optional
        Look at the first `limit` samples only.

    Returns
    -------
    distances : ndarray of float64, shape (n,)
        Euclidean distance to the nearest one, in grey levels (units of the images); 0 is a copy.
    indices : ndarray of int64, shape (n,)
        Its row; the first among equals.

    Raises
    ------
    ValueError
        If shapes do not fit, values are no finite numbers, or `block` or `limit` is below 1.
    """
    a, b = checks.matrix("samples", samples), checks.matrix("training", training)
    checks.same_width("samples", a, "training", b)
    checks.whole("block", block, 1)
    if limit is not None:
        checks.whole("limit", limit, 1)
        a = a[:limit]
    queries, targets = prepare(a, b)
    # |s - t|^2 = |s|^2 + 2 (|t|^2 / 2 - st), and |s|^2 does not change the order.
    half = (targets.norms / 2.0).astype(targets.points.dtype)
    indices = np.empty(len(a), dtype=np.int64)
    for start in range(0, len(a), block):
        part = queries.points[start : start + block]
        best = np.full(len(part), np.inf)
        found = np.zeros(len(part), dtype=np.int64)
        for first in range(0, len(b), TILE):
            last = first + TILE
            score = half[first:last] - part @ targets.points[first:last].T
            place = score.argmin(axis=1)
            value = score[np.arange(len(part)), place]
            better = value < best
            best[better], found[better] = value[better], place[better] + first
        indices[start : start + block] = found
    steps = np.subtract(a, b[indices], dtype=np.float64)
    return np.sqrt(np.einsum("ij,ij->i", steps, steps)), indices


def nearest_distance_ratio(
    samples: np.ndarray,
    held_out: np.ndarray,
    training: np.ndarray,
    block: int = 1024,
    limit: int | None = None,
) -> float:
    """Compare how near samples and held-out images come to the training images.

    Parameters
    ----------
    samples, held_out, training : ndarray, shape (n, ...), (h, ...) and (m, ...)
        Generated images, real ones that were not trained on, and those that were.
    block : int
        Images compared at a time.
    limit : int, optional
        Look at the first `limit` samples and held-out images only.

    Returns
    -------
    float
        Median distance of a sample to its nearest training image, over that of a held-out
        image. About 1 is right; well below 1 hints at copies (or at blurred, average images);
        above 1, samples are far from all real ones.

    Raises
    ------
    ValueError
        If shapes do not fit, values are no finite numbers, or most held-out images are
        training images.

    Notes
    -----
    The three sets are those of the data-copying test of Meehan, Chaudhuri and Dasgupta, "A
    non-parametric test to detect data-copying in generative models", AISTATS 2020, arXiv
    2004.05675; a ratio of medians is easier to read than their rank statistic.
    """
    expected = held_out_distance(held_out, training, block, limit)
    return distance_ratio(samples, training, expected, block, limit)


def held_out_distance(
    held_out: np.ndarray, training: np.ndarray, block: int = 1024, limit: int | None = None
) -> float:
    """Measure the denominator of `nearest_distance_ratio`: the distance of held-out images.

    Parameters and errors are those of `nearest_distance_ratio`.

    Parameters
    ----------
    held_out : ndarray of uint8, shape (m, size, size)
        Real images that were not trained on.
    training : ndarray of uint8, shape (n, size, size)
        Training images.
    block : int
        Rows that are compared at once.
    limit : int, optional
        Most rows that are looked at.

    Returns
    -------
    float
        Median distance of a held-out image to its nearest training image, above 0.
    """
    expected = float(np.median(nearest_neighbours(held_out, training, block, limit)[0]))
    if expected == 0.0:
        raise ValueError(
            "held_out: expected images that were not trained on, got copies of training images; "
            "the ratio has no meaning. Pass the test set."
        )
    return expected


def distance_ratio(
    samples: np.ndarray,
    training: np.ndarray,
    expected: float,
    block: int = 1024,
    limit: int | None = None,
) -> float:
    """Compute `nearest_distance_ratio` where the held-out images' distance is known.

    Parameters and errors are those of `nearest_distance_ratio`; `expected` is what
    `held_out_distance` returned.

    Parameters
    ----------
    samples : ndarray of uint8, shape (m, size, size)
        Generated images.
    training : ndarray of uint8, shape (n, size, size)
        Training images.
    expected : float
        See `held_out_distance`.
    block : int
        Rows that are compared at once.
    limit : int, optional
        Most rows that are looked at.

    Returns
    -------
    float
        The ratio; below 1, samples are closer to training images than real images are.
    """
    found = nearest_neighbours(samples, training, block, limit)[0]
    return float(np.median(found) / expected)


def nearest_other(points: np.ndarray) -> np.ndarray:
    """Measure how far each point is from the nearest of the others.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
        Two points or more.

    Returns
    -------
    ndarray of float64, shape (n,)
        Euclidean distances; 0 where a point stands twice.

    Raises
    ------
    ValueError
        If there are fewer than 2 points, or values that are no finite numbers.
    """
    places = checks.matrix("points", points, least=2)
    distances, _ = KDTree(places).query(places, 2)
    return np.asarray(distances[:, 1])
