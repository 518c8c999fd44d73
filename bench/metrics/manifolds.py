"""Do generated features lie where real ones do, and everywhere they do? Balls and bins."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.cluster import KMeans

from bench.metrics import checks
from bench.metrics.distances import Prepared, prepare, squared_blocks

RIM = 1e-9  # relative; two roundings of one distance must fall on the same side of a ball


class Bins(NamedTuple):
    """Which regions a generator visits more or less often than the real images do.

    Attributes
    ----------
    different : int
        Bins whose shares differ significantly (NDB).
    share : float
        `different` over the number of bins; about `significance` for a perfect generator.
    divergence : float
        Jensen-Shannon divergence of the two histograms, nats, 0 to log 2.
    """

    different: int
    share: float
    divergence: float


def precision_recall(real: np.ndarray, generated: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Measure fidelity and variety by balls around both sets.

    Parameters
    ----------
    real, generated : ndarray of float, shape (n, d) and (m, d)
        Features of real and of generated images, from the same network.
    k : int
        A ball around a feature reaches to its k-th neighbour in its own set.

    Returns
    -------
    precision : float
        Share of generated features inside a ball of a real one, 0 to 1.
    recall : float
        Share of real features inside a ball of a generated one, 0 to 1.

    Raises
    ------
    ValueError
        If the widths differ, values are no finite numbers, or a set has `k` rows or fewer.

    Notes
    -----
    Kynkaanniemi, Karras, Laine, Lehtinen and Aila, "Improved precision and recall metric for
    assessing generative models", NeurIPS 2019, arXiv 1904.06991, equations 1 and 2 (closed
    balls; the paper has k = 3). Both depend on n and m: compare only sets of the same size.
    """
    a, b = _features(real, generated, k)
    reach_a, reach_b = _squared_radii(a, k) * (1.0 + RIM), _squared_radii(b, k) * (1.0 + RIM)
    precise = np.zeros(len(b.points), dtype=bool)
    recalled = np.zeros(len(a.points), dtype=bool)
    for part, squared in squared_blocks(a, b):
        precise |= (squared <= reach_a[part, None]).any(axis=0)
        recalled[part] = (squared <= reach_b).any(axis=1)
    return float(precise.mean()), float(recalled.mean())


def density_coverage(real: np.ndarray, generated: np.ndarray, k: int = 5) -> tuple[float, float]:
    """Measure fidelity and variety by balls around the real set only.

    Parameters
    ----------
    real, generated : ndarray of float, shape (n, d) and (m, d)
        Features of real and of generated images, from the same network.
    k : int
        A ball around a real feature reaches to its k-th neighbour among the real ones.

    Returns
    -------
    density : float
        Balls that hold a generated feature, mean over these, divided by k. 0 or more; about 1
        for equal distributions, above 1 if samples crowd where real images are dense.
    coverage : float
        Share of real features whose ball holds a generated one, 0 to 1.

    Raises
    ------
    ValueError
        If the widths differ, values are no finite numbers, or the real set has `k` rows or
        fewer.

    Notes
    -----
    Naeem, Oh, Uh, Choi and Yoo, "Reliable fidelity and diversity metrics for generative
    models", ICML 2020, arXiv 2002.09797, section 3. The balls are open, as in the authors' own
    programs: two equal sets then get exactly 1 and 1.
    """
    a, b = _features(real, generated, k, both=False)
    reach = _squared_radii(a, k) * (1.0 - RIM)
    held, covered = 0, 0
    for part, squared in squared_blocks(a, b):
        inside = squared < reach[part, None]
        held += int(inside.sum())
        covered += int(inside.any(axis=1).sum())
    return held / (k * len(b.points)), covered / len(a.points)


def different_bins(
    real: np.ndarray,
    generated: np.ndarray,
    seed: int,
    bins: int = 100,
    significance: float = 0.05,
) -> Bins:
    """Count the regions that a generator visits too often or too rarely (NDB).

    Parameters
    ----------
    real, generated : ndarray of float, shape (n, d) and (m, d)
        Features of real and of generated images, from the same network.
    seed : int
        Starts the clustering that defines the bins.
    bins : int
        Clusters of the real features.
    significance : float
        Level of the test in each bin.

    Returns
    -------
    Bins
        The count, its share and the divergence of the histograms.

    Raises
    ------
    ValueError
        If the widths differ, values are no finite numbers, or there are fewer different real
        features than bins.

    Notes
    -----
    Richardson and Weiss, "On GANs and GMMs", NeurIPS 2018, arXiv 1805.12462, section 2: k-means
    on the real set, then a two-proportion z-test in each bin with pooled share p and standard
    error sqrt(p (1 - p) (1/n + 1/m)). No correction for the number of bins, as in the paper.
    """
    a = checks.matrix("real", real).astype(np.float64, copy=False)
    b = checks.matrix("generated", generated).astype(np.float64, copy=False)
    checks.same_width("real", a, "generated", b)
    checks.whole("bins", bins, 2, len(np.unique(a, axis=0)))
    if not 0.0 < significance < 1.0:
        raise ValueError(
            f"significance: expected a level between 0 and 1, got {significance}; nothing was "
            "tested. Use 0.05."
        )
    clusters = KMeans(n_clusters=bins, n_init=1, random_state=seed).fit(a)
    p = np.bincount(clusters.labels_, minlength=bins) / len(a)
    q = np.bincount(clusters.predict(b), minlength=bins) / len(b)
    pooled = (p * len(a) + q * len(b)) / (len(a) + len(b))
    error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / len(a) + 1.0 / len(b)))
    limit = stats.norm.isf(significance / 2.0)
    different = int((np.abs(p - q) > limit * error).sum())
    middle = (p + q) / 2.0
    divergence = (stats.entropy(p, middle) + stats.entropy(q, middle)) / 2.0
    return Bins(different, different / bins, float(divergence))


def _features(
    real: np.ndarray, generated: np.ndarray, k: int, both: bool = True
) -> tuple[Prepared, Prepared]:
    a, b = checks.matrix("real", real), checks.matrix("generated", generated)
    checks.same_width("real", a, "generated", b)
    checks.whole("k", k, 1, min(len(a), len(b) if both else len(a)) - 1)
    first, second = prepare(a, b)
    return first, second


def _squared_radii(prepared: Prepared, k: int) -> np.ndarray:
    """Square the distance from each point to its k-th neighbour, itself left out."""
    radii = np.empty(len(prepared.points))
    for part, squared in squared_blocks(prepared, prepared):
        squared[np.arange(len(squared)), np.arange(part.start, part.stop)] = np.inf
        radii[part] = np.partition(squared, k - 1, axis=1)[:, k - 1]
    return radii
