"""Precision, recall, density and coverage of generated features."""

import numpy as np

from bench.metrics import checks
from bench.metrics.distances import Prepared, prepare, squared_blocks

RIM = 1e-9  # relative; two roundings of one distance must fall on the same side of a ball


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
