"""Metrics of two-dimensional maps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from scipy.spatial import KDTree
from sklearn.neighbors import KNeighborsClassifier

from bench.metrics import checks
from bench.metrics.distances import between_pairs
from bench.metrics.intervals import bootstrap_interval
from bench.metrics.neighbourhoods import (
    continuity,
    neighbour_ranks,
    neighbourhood_auc,
    neighbourhood_curve,
    trustworthiness,
)

__all__ = [
    "brightness_correlation",
    "continuity",
    "dead_units",
    "distance_correlation",
    "image_ranks",
    "knn_accuracy",
    "knn_correct",
    "line_share",
    "neighbour_ranks",
    "neighbourhood_auc",
    "neighbourhood_curve",
    "neighbours_among",
    "rank",
    "scorecard",
    "triplet_accuracy",
    "trustworthiness",
]

PURITY_NEIGHBOURS = 10
CURVE_POINTS = 48  # of the neighbourhood curve that a scorecard keeps


def knn_accuracy(
    train_map: np.ndarray,
    train_labels: np.ndarray,
    test_map: np.ndarray,
    test_labels: np.ndarray,
    k: int = 5,
) -> float:
    """Classify held-out positions by their neighbours in the map of the training images.

    Parameters and errors are those of `knn_correct`.

    Parameters
    ----------
    train_map : ndarray of float, shape (n, d)
        Places of training images.
    train_labels : ndarray of int, shape (n,)
        Their classes.
    test_map : ndarray of float, shape (m, d)
        Places of held-out images.
    test_labels : ndarray of int, shape (m,)
        Their classes.
    k : int
        Number of neighbours.

    Returns
    -------
    float
        Share of held-out images that get their class, 0 to 1.
    """
    return float(knn_correct(train_map, train_labels, test_map, test_labels, k).mean())


def knn_correct(
    train_map: np.ndarray,
    train_labels: np.ndarray,
    test_map: np.ndarray,
    test_labels: np.ndarray,
    k: int = 5,
) -> np.ndarray:
    """Determine which held-out positions are classified correctly by their training neighbours.

    Parameters
    ----------
    train_map : ndarray of float, shape (n, d)
        Positions of the training images.
    train_labels : ndarray of int, shape (n,)
        Their classes.
    test_map : ndarray of float, shape (m, d)
        Positions of the held-out images.
    test_labels : ndarray of int, shape (m,)
        Their classes.
    k : int
        Neighbours that vote; a draw goes to the lowest class.

    Returns
    -------
    ndarray of bool, shape (m,)
        Whether a held-out image gets its class.

    Raises
    ------
    ValueError
        If shapes do not fit, values are no finite numbers, or `k` is not from 1 to n.

    Notes
    -----
    Cover and Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information
    Theory 13, 1967. Where many positions coincide the choice among them is arbitrary, and the
    accuracy of that part of the map tends to the share of its commonest class.
    """
    train, test = checks.matrix("train_map", train_map), checks.matrix("test_map", test_map)
    checks.same_width("train_map", train, "test_map", test)
    train_labels = checks.classes("train_labels", train_labels)
    test_labels = checks.classes("test_labels", test_labels)
    checks.same_length("train_map", train, "train_labels", train_labels)
    checks.same_length("test_map", test, "test_labels", test_labels)
    checks.whole("k", k, 1, len(train))
    judge = KNeighborsClassifier(n_neighbors=k).fit(train, train_labels)
    return np.asarray(judge.predict(test) == test_labels)


def neighbours_among(
    positions: np.ndarray,
    labels: np.ndarray,
    of: Sequence[int],
    among: Sequence[int],
    k: int = PURITY_NEIGHBOURS,
) -> float:
    """Measure the share of some classes among the nearest neighbours of some classes.

    Parameters
    ----------
    positions : ndarray of float, shape (n, d)
        The map.
    labels : ndarray of int, shape (n,)
        Class of each position.
    of : sequence of int
        Classes whose positions are asked.
    among : sequence of int
        Classes that are counted among their neighbours.
    k : int
        Neighbours of each position, itself left out.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If lengths differ, there are no more than `k` positions, or none has a class of `of`.
    """
    places = checks.matrix("positions", positions, least=2)
    classes = checks.classes("labels", labels)
    checks.same_length("positions", places, "labels", classes)
    checks.whole("k", k, 1, len(places) - 1)
    asked = np.isin(classes, of)
    if not asked.any():
        raise ValueError(
            f"of: expected classes that occur among the labels, got {list(of)}; there is nothing "
            "to count."
        )
    own = np.flatnonzero(asked)
    # one more than wanted; where positions coincide the position itself may stand anywhere
    _, rows = KDTree(places.astype(float)).query(places[own].astype(float), k + 1)
    is_self = rows == own[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    others = rows[~is_self].reshape(len(own), k)
    return float(np.isin(classes[others], among).mean())


def triplet_accuracy(
    images: np.ndarray, positions: np.ndarray, seed: int, triplets: int = 20_000
) -> float:
    """Measure how often the nearer of two images is also the nearer one in the map.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        The images.
    positions : ndarray of float, shape (n, d)
        Their map.
    seed : int
        Draws the triplets.
    triplets : int
        How many; the standard error is at most 0.0036 with 20,000.

    Returns
    -------
    float
        From 0 to 1; 0.5 is chance. A tie in one of the two spaces counts one half, so that a
        map with all images in one place gets 0.5.

    Raises
    ------
    ValueError
        If there are fewer than 3 images, the numbers differ, or values are not finite.

    Notes
    -----
    Random triplet accuracy: Wang, Huang, Rudin and Shaposhnik, "Understanding how dimension
    reduction tools work", JMLR 22, 2021, arXiv 2012.04456, section on evaluation.
    """
    points, places = _pair(images, positions)
    checks.whole("triplets", triplets, 1)
    generator = np.random.default_rng(seed)
    count = len(points)
    anchor = generator.integers(count, size=triplets)
    # Steps around the ring of rows: distinct by construction, all pairs equally likely.
    step, other = generator.integers(1, count, triplets), generator.integers(1, count - 1, triplets)
    first, second = (anchor + step) % count, (anchor + other + (other >= step)) % count
    order = [
        np.sign(between_pairs(space, anchor, first) - between_pairs(space, anchor, second))
        for space in (points, places)
    ]
    return float(0.5 + 0.5 * (order[0] * order[1]).mean())


def distance_correlation(
    images: np.ndarray, positions: np.ndarray, seed: int, pairs: int = 50_000
) -> float:
    """Correlate the ranks of distances between images with those in the map.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        The images.
    positions : ndarray of float, shape (n, d)
        Their map.
    seed : int
        Draws the pairs.
    pairs : int
        How many pairs of different images.

    Returns
    -------
    float
        Spearman's rho, from -1 to 1; 0 if all distances of one space are equal.

    Raises
    ------
    ValueError
        If there are fewer than 3 images, the numbers differ, or values are not finite.

    Notes
    -----
    Spearman, "The proof and measurement of association between two things", American Journal
    of Psychology 15, 1904. This is the correlation of a Shepard diagram, not the distance
    correlation of Szekely et al. 2007.
    """
    points, places = _pair(images, positions)
    checks.whole("pairs", pairs, 2)
    generator = np.random.default_rng(seed)
    first = generator.integers(len(points), size=pairs)
    second = (first + generator.integers(1, len(points), size=pairs)) % len(points)
    ranks = [stats.rankdata(between_pairs(space, first, second)) for space in (points, places)]
    return _pearson(ranks[0], ranks[1])


def line_share(positions: np.ndarray) -> float:
    """Measure how much of the map lies along one straight line.

    Parameters
    ----------
    positions : ndarray of float, shape (n, d)
        The map.

    Returns
    -------
    float
        Share of the variance on the first principal axis, from 1/d to 1. 1: all points are on
        one line; a map whose points coincide has 1 as well.

    Raises
    ------
    ValueError
        If there are fewer than 2 points, or values that are no finite numbers.

    Notes
    -----
    Largest eigenvalue of the covariance matrix over their sum: Pearson, "On lines and planes
    of closest fit to systems of points in space", Philosophical Magazine 2, 1901.
    """
    places = checks.matrix("positions", positions, least=2).astype(np.float64, copy=False)
    if not np.ptp(places, axis=0).any():
        return 1.0
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    return float(1.0 / ((spread / spread[0]) ** 2).sum())


def brightness_correlation(images: np.ndarray, positions: np.ndarray) -> float:
    """Correlate the mean brightness of images with the axes of their map.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        The images.
    positions : ndarray of float, shape (n, d)
        Their map.

    Returns
    -------
    float
        Largest absolute Pearson r over the axes, from 0 to 1; an axis without variance
        counts 0. The axes are taken as they are: turning the map changes the figure.

    Raises
    ------
    ValueError
        If there are fewer than 3 images, the numbers differ, or values are not finite.
    """
    points, places = _pair(images, positions)
    brightness = points.mean(axis=1, dtype=np.float64)
    return max(abs(_pearson(brightness, axis)) for axis in places.T)


def dead_units(positions: np.ndarray) -> int:
    """Count the latent units that give the same value for every image.

    Parameters
    ----------
    positions : ndarray of float, shape (n, d)
        Codes, one unit a column.

    Returns
    -------
    int
        Columns without variance, from 0 to d.

    Raises
    ------
    ValueError
        If there are fewer than 2 codes, or values that are no finite numbers.
    """
    codes = checks.matrix("positions", positions, least=2)
    return int((codes.min(axis=0) == codes.max(axis=0)).sum())


def rank(positions: np.ndarray, tolerance: float = 1e-3) -> int:
    """Count the directions in which a map has any extent.

    Parameters
    ----------
    positions : ndarray of float, shape (n, d)
        The map.
    tolerance : float
        Least spread along a direction, relative to the greatest.

    Returns
    -------
    int
        0 if all points coincide, 1 if they are on one straight line, up to d.

    Raises
    ------
    ValueError
        If there are fewer than 2 points, or values that are no finite numbers.
    """
    places = checks.matrix("positions", positions, least=2).astype(np.float64, copy=False)
    if not np.ptp(places, axis=0).any():
        return 0
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    return int((spread > tolerance * spread[0]).sum())


def scorecard(
    images: np.ndarray,
    test_map: np.ndarray,
    test_labels: np.ndarray,
    train_map: np.ndarray,
    train_labels: np.ndarray,
    *,
    k: int = 5,
    sample: int = 5_000,
    seed: int = 0,
    ranks: np.ndarray | None = None,
) -> dict[str, Any]:
    """Measure a map of held-out images in every way of this module.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        The held-out images; uint8 is compared exactly.
    test_map : ndarray of float, shape (n, d)
        Their positions.
    test_labels : ndarray of int, shape (n,)
        Their classes.
    train_map : ndarray of float, shape (m, d)
        Positions of the training images.
    train_labels : ndarray of int, shape (m,)
        Their classes.
    k : int
        Neighbours, for accuracy, trustworthiness and continuity.
    sample : int
        Held-out images on which all neighbours are ranked, at most.
    seed : int
        Draws the sample, the triplets and the pairs.
    ranks : ndarray of int, optional
        What `image_ranks` gives for these images, sample and seed; it is the same for all maps.

    Returns
    -------
    dict
        `knn_accuracy`, `trustworthiness`, `continuity`, `neighbourhood_auc`,
        `triplet_accuracy`, `distance_correlation`, `line_share`, `brightness_correlation` and
        `dead_units` and `rank` (ints), each as the function of that name (or `neighbourhood_curve`)
        describes it; `neighbourhood_curve` itself at some sizes, as the lists `k` and `kept`;
        `knn_image_interval`, the 95 % interval of `knn_accuracy` over other held-out images; and
        `class_purity`, for each class its share among the ten neighbours on the map, with
        `lowest_class_purity`, the least of these.

    Raises
    ------
    ValueError
        If shapes do not fit, values are no finite numbers, or `k` is too large.
    """
    points, places = _pair(images, test_map)
    checks.whole("sample", sample, 3)
    if ranks is None:
        ranks = image_ranks(images, sample, seed)
    map_ranks = neighbour_ranks(places[_drawn(len(places), sample, seed)])
    curve = neighbourhood_curve(ranks, map_ranks)
    sizes = np.unique(np.geomspace(1, len(curve), CURVE_POINTS).astype(int))
    correct = knn_correct(train_map, train_labels, places, test_labels, k)
    interval = bootstrap_interval(correct, seed=seed)
    neighbours = min(PURITY_NEIGHBOURS, len(places) - 1)
    purity = [
        neighbours_among(places, test_labels, [label], [label], neighbours)
        for label in np.unique(test_labels)
    ]
    return {
        "knn_accuracy": float(correct.mean()),
        "knn_image_interval": {"low": interval.low, "high": interval.high},
        "class_purity": purity,
        "lowest_class_purity": min(purity),
        "trustworthiness": trustworthiness(ranks, map_ranks, k),
        "continuity": continuity(ranks, map_ranks, k),
        "neighbourhood_auc": neighbourhood_auc(curve),
        "neighbourhood_curve": {"k": sizes.tolist(), "kept": curve[sizes - 1].tolist()},
        "triplet_accuracy": triplet_accuracy(points, places, seed),
        "distance_correlation": distance_correlation(points, places, seed),
        "line_share": line_share(places),
        "brightness_correlation": brightness_correlation(points, places),
        "dead_units": dead_units(places),
        "rank": rank(places),
    }


def image_ranks(images: np.ndarray, sample: int, seed: int) -> np.ndarray:
    """Rank the neighbours among the images that a scorecard draws.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        The held-out images.
    sample : int
        How many are drawn at most.
    seed : int
        Draws them.

    Returns
    -------
    ndarray of int32
        As `neighbour_ranks`.
    """
    return neighbour_ranks(np.asarray(images)[_drawn(len(images), sample, seed)])


def _drawn(count: int, sample: int, seed: int) -> np.ndarray:
    """Rows in random order, so that no class comes first where positions coincide."""
    return np.random.default_rng(seed).permutation(count)[:sample]


def _pair(images: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = checks.matrix("images", images, least=3)
    places = checks.matrix("positions", positions, least=3)
    checks.same_length("images", points, "positions", places)
    return points, places


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Correlate two vectors; 0 if one of them is constant."""
    if a.min() == a.max() or b.min() == b.max():
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    # Scaled first: squares of very small numbers would vanish.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))
