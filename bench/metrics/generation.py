"""Fidelity and variety of generated images.

Distances between distributions and counts of classes stand here; `manifolds` holds the figures
that work with balls, `neighbours` those that look for the nearest training image.
"""

import numpy as np
from scipy import linalg

from bench.metrics import checks
from bench.metrics.manifolds import density_coverage, precision_recall
from bench.metrics.neighbours import nearest_distance_ratio, nearest_neighbours

__all__ = [
    "checkerboard",
    "class_histogram",
    "density_coverage",
    "frechet_distance",
    "has_periods",
    "kernel_distance",
    "missing_classes",
    "nearest_distance_ratio",
    "nearest_neighbours",
    "path_smoothness",
    "precision_recall",
    "sharpness",
    "spherical_interpolation",
]

LEAST_PERIODIC = 12  # pixels a side from which a spectrum shows periods of 2 and 4 pixels


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Measure the distance between two sets of features as if both were Gaussian.

    Parameters
    ----------
    real, generated : ndarray of float, shape (n, d) and (m, d)
        Features of real and of generated images, from the same network.

    Returns
    -------
    float
        0 or more, in squared units of the features; 0 for equal means and covariances.

    Raises
    ------
    ValueError
        If a set has fewer than 2 rows, the widths differ, or values are no finite numbers.

    Notes
    -----
    d^2 = |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)): Heusel, Ramsauer, Unterthiner, Nessler
    and Hochreiter, "GANs trained by a two time-scale update rule converge to a local Nash
    equilibrium", NIPS 2017, arXiv 1706.08500, equation 6. Tr (C1 C2)^(1/2) is the sum of the
    singular values of C1^(1/2) C2^(1/2): real also when a covariance is singular. The estimate
    is biased upwards by an amount that falls with n (Chong and Forsyth, CVPR 2020, arXiv
    1911.07023), so compare only sets of the same size; and the scale is that of the network,
    so no figure from other features belongs beside it.
    """
    a, b = _features(real, generated)
    centre_a, centre_b = a.mean(axis=0), b.mean(axis=0)
    root_a, root_b = _covariance_root(a - centre_a), _covariance_root(b - centre_b)
    cross = linalg.svdvals(root_a @ root_b).sum()
    means = ((centre_a - centre_b) ** 2).sum()
    return float(max(means + (root_a**2).sum() + (root_b**2).sum() - 2.0 * cross, 0.0))


def kernel_distance(
    real: np.ndarray,
    generated: np.ndarray,
    seed: int,
    subsets: int = 50,
    subset_size: int = 1_000,
) -> float:
    """Measure the squared maximum mean discrepancy with a cubic kernel (KID).

    Parameters
    ----------
    real, generated : ndarray of float, shape (n, d) and (m, d)
        Features of real and of generated images, from the same network.
    seed : int
        Draws the subsets.
    subsets : int
        How many are averaged.
    subset_size : int
        Rows drawn from each set without replacement, at most all.

    Returns
    -------
    float
        About 0 for equal distributions, and a little below by chance: it is unbiased at any n.

    Raises
    ------
    ValueError
        If a set has fewer than 2 rows, the widths differ, or values are no finite numbers.

    Notes
    -----
    Kernel (xy/d + 1)^3 and averaging over subsets: Binkowski, Sutherland, Arbel and Gretton,
    "Demystifying MMD GANs", ICLR 2018, arXiv 1801.01401, section 4. Unbiased estimator:
    Gretton, Borgwardt, Rasch, Scholkopf and Smola, "A kernel two-sample test", JMLR 13, 2012,
    equation 3.
    """
    a, b = _features(real, generated)
    checks.whole("subsets", subsets, 1)
    checks.whole("subset_size", subset_size, 2)
    size = min(subset_size, len(a), len(b))
    if size == len(a) == len(b):
        subsets = 1  # each subset would be the whole
    generator = np.random.default_rng(seed)
    estimates = np.empty(subsets)
    for index in range(subsets):
        x = a[generator.choice(len(a), size, replace=False)]
        y = b[generator.choice(len(b), size, replace=False)]
        within = [
            (kernel.sum() - kernel.trace()) / (size * (size - 1))
            for kernel in (_cubic(x, x), _cubic(y, y))
        ]
        estimates[index] = within[0] + within[1] - 2.0 * _cubic(x, y).mean()
    return float(estimates.mean())


def class_histogram(probabilities: np.ndarray) -> np.ndarray:
    """Count which classes a judge sees in generated images.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, classes)
        The judge's predictions.

    Returns
    -------
    ndarray of float64, shape (classes,)
        Share of the images whose most probable class this is; sums to 1.

    Raises
    ------
    ValueError
        If the shape is another, or a row is no probability distribution.
    """
    scores = checks.probabilities(probabilities)
    counts = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    return counts / len(scores)


def missing_classes(histogram: np.ndarray, threshold: float | None = None) -> list[int]:
    """List the classes that a generator hardly makes.

    Parameters
    ----------
    histogram : ndarray of float, shape (classes,)
        What `class_histogram` returned.
    threshold : float, optional
        A class is missing if its share is below; a tenth of an even share if None.

    Returns
    -------
    list of int
        The missing classes, ascending.

    Raises
    ------
    ValueError
        If the histogram does not sum to 1, or the threshold is not from 0 to 1.
    """
    if threshold is None:
        threshold = 0.1 / np.size(histogram)
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(
            f"threshold: expected a share from 0 to 1, got {threshold}; nothing was counted. "
            "Give a share, not a percentage."
        )
    (shares,) = checks.probabilities(np.atleast_2d(histogram))
    return np.flatnonzero(shares < threshold).tolist()


def sharpness(images: np.ndarray, real: np.ndarray) -> float:
    """Compare the fine detail of images with that of real ones.

    Parameters
    ----------
    images, real : ndarray, shape (n, height, width) and (m, height, width)
        Generated (or reconstructed) and real images, in the same units.

    Returns
    -------
    float
        Mean variance of the Laplacian over the images, divided by that of the real ones: 1 is
        as sharp as real, below 1 blurred, above 1 sharper or noisy.

    Raises
    ------
    ValueError
        If shapes do not fit, values are no finite numbers, or the real images are flat.

    Notes
    -----
    The Laplacian rather than the gradient, because blur takes the highest frequencies first
    and they weigh most in it; the gradient mostly measures contrast. Focus measure: Pech-Pacheco
    et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000; for generated images:
    Tolstikhin, Bousquet, Gelly and Scholkopf, "Wasserstein auto-encoders", ICLR 2018, arXiv
    1711.01558, section 4. Pixel noise counts as detail: read it beside a distance.
    """
    return _detail("images", images) / _positive("real", _detail("real", real))


def checkerboard(images: np.ndarray, real: np.ndarray) -> float:
    """Look for the regular patterns that transposed convolutions of stride 2 leave in images.

    Parameters
    ----------
    images, real : ndarray, shape (n, height, width) and (m, height, width)
        Generated and real images; height and width are divisible by 4.

    Returns
    -------
    float
        Energy at periods of 2 and 4 pixels relative to neighbouring frequencies, divided by that
        of the real images: 1 as real images, above 1 where there is a pattern. Blur and noise
        leave it about 1.

    Raises
    ------
    ValueError
        If a shape does not fit, values are no finite numbers, or images have no energy at the
        frequencies that are compared.

    Notes
    -----
    Odena, Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill, 2016,
    doi 10.23915/distill.00003: each transposed convolution of stride 2 repeats its kernel every 2
    pixels, and the one before it every 4 pixels of the image. Durall, Keuper and Keuper, "Watch
    your up-convolution", CVPR 2020, arXiv 2003.01826, section 3: it shows in the spectrum. Here
    the power spectra of all images are averaged and summed over one axis; the energy at a period
    is divided by the geometric mean of the two frequencies on each side, where a smooth spectrum
    has about the same; the mean is over both periods and both axes. It is a ratio of energies at
    neighbouring frequencies, so that sharpness alone changes it little.
    """
    shown, expected = _pattern("images", images), _pattern("real", real)
    return shown / expected


def has_periods(images: np.ndarray) -> bool:
    """Return whether `checkerboard` can be measured on images (n, height, width) of this size."""
    return all(size % 4 == 0 and size >= LEAST_PERIODIC for size in images.shape[1:])


def spherical_interpolation(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Go from one code to another along a great circle.

    Parameters
    ----------
    start, end : ndarray of float, shape (n, d)
        Codes drawn from a Gaussian prior; not 0.
    shares : ndarray of float, shape (steps,)
        Shares of the way, 0 to 1.

    Returns
    -------
    ndarray, shape (n, steps, d)
        Codes on the way. Between independent codes they keep about the length that codes of
        the prior have; on the straight line the middle is shorter by the square root of 2, where
        in many dimensions the prior has hardly any mass.

    Notes
    -----
    White, "Sampling generative networks", 2016, arXiv 1609.04468, section 2.1, after Shoemake,
    "Animating rotation with quaternion curves", SIGGRAPH 1985. Codes in (nearly) the same or
    opposite directions have no one great circle: between them the line is straight.
    """
    a, b = (np.asarray(codes, dtype=np.float64) for codes in (start, end))
    part = np.asarray(shares, dtype=np.float64)[None, :, None]
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.clip((a * b).sum(axis=1) / lengths, -1.0, 1.0)
    angle = np.arccos(cosine)[:, None, None]
    curved = np.sin(angle) > 1e-4
    safe = np.where(curved, angle, 1.0)
    from_start = np.where(curved, np.sin((1.0 - part) * safe) / np.sin(safe), 1.0 - part)
    from_end = np.where(curved, np.sin(part * safe) / np.sin(safe), part)
    between = from_start * a[:, None, :] + from_end * b[:, None, :]
    return between.astype(np.result_type(start, end), copy=False)


def path_smoothness(frames: np.ndarray) -> float | None:
    """Measure how evenly images change along interpolations.

    Parameters
    ----------
    frames : ndarray, shape (paths, steps + 1, ...)
        Images (or features of them) decoded at equal steps between two codes.

    Returns
    -------
    float or None
        The largest change of a path over its mean change, averaged over the paths: 1 if each
        step changes the image as much as any other, `steps` if all changes in one jump. Paths
        on which nothing changes are left out; None if there is no other.

    Raises
    ------
    ValueError
        If there are fewer than 3 frames a path, or values are no finite numbers.

    Notes
    -----
    A change is the Euclidean distance between consecutive frames. A relative of the perceptual
    path length (Karras, Laine and Aila, "A style-based generator architecture", CVPR 2019, arXiv
    1812.04948, section 4.1), which averages squared steps; the ratio does not reward a
    generator for changing little. It says nothing on how real the images between are.
    """
    array = np.asarray(frames)
    if array.ndim < 3 or array.shape[1] < 3:
        raise ValueError(
            f"frames: expected shape (paths, frames, ...) with 3 frames or more, got "
            f"{array.shape}; nothing was measured. Pass one path a row."
        )
    points = checks.matrix("frames", array).astype(np.float64, copy=False)
    steps = np.diff(points.reshape(len(array), array.shape[1], -1), axis=1)
    change = np.linalg.norm(steps, axis=2)
    moving = change[change.max(axis=1) > 0]
    if not len(moving):
        return None
    # Divided by the largest first: the mean of very small steps would vanish.
    return float((1.0 / (moving / moving.max(axis=1, keepdims=True)).mean(axis=1)).mean())


def _features(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = checks.matrix("real", real, least=2).astype(np.float64, copy=False)
    b = checks.matrix("generated", generated, least=2).astype(np.float64, copy=False)
    checks.same_width("real", a, "generated", b)
    return a, b


def _covariance_root(centred: np.ndarray) -> np.ndarray:
    """Take the symmetric square root of a covariance matrix, through its eigenvalues."""
    covariance = centred.T @ centred / (len(centred) - 1)
    values, vectors = linalg.eigh(covariance)
    # Rounding makes zero eigenvalues slightly negative.
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _cubic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = x @ y.T
    base /= x.shape[1]
    base += 1.0
    cube = base * base
    cube *= base
    return cube


def _detail(name: str, images: np.ndarray) -> float:
    array = np.asarray(images)
    if array.ndim != 3 or min(array.shape[1:]) < 3:
        raise ValueError(
            f"{name}: expected shape (n, height, width) of 3 pixels or more, got {array.shape}; "
            "nothing was measured. Drop the channel axis."
        )
    pixels = checks.matrix(name, array).reshape(array.shape)
    # Some at a time, for memory; only where all four neighbours exist, as a border is no edge.
    detail = [
        _laplacian(pixels[start : start + 4096].astype(np.float64)).var(axis=(1, 2))
        for start in range(0, len(pixels), 4096)
    ]
    return float(np.concatenate(detail).mean())


def _pattern(name: str, images: np.ndarray) -> float:
    """Measure energy at periods of 2 and 4 pixels relative to the frequencies beside them."""
    array = np.asarray(images)
    if array.ndim != 3 or not has_periods(array):
        raise ValueError(
            f"{name}: expected shape (n, height, width), both divisible by 4 and "
            f"{LEAST_PERIODIC} or more, got "
            f"{array.shape}; nothing was measured. Drop the channel axis."
        )
    pixels = checks.matrix(name, array).reshape(array.shape)
    power = np.zeros(array.shape[1:])
    for first in range(0, len(pixels), 4096):  # some at a time, for memory
        spectra = np.fft.fft2(pixels[first : first + 4096].astype(np.float64))
        power += np.square(np.abs(spectra)).sum(axis=0)
    ratios = []
    for axis in range(2):
        energy = power.sum(axis=1 - axis)
        for period in (2, 4):
            place = len(energy) // period
            beside = energy[[place - 2, place - 1, (place + 1) % len(energy), place + 2]]
            level = float(np.exp(np.log(beside).mean())) if (beside > 0.0).all() else 0.0
            ratios.append(energy[place] / _positive(name, level))
    return float(np.mean(ratios))


def _laplacian(pixels: np.ndarray) -> np.ndarray:
    across = pixels[:, 1:-1, :-2] + pixels[:, 1:-1, 2:]
    along = pixels[:, :-2, 1:-1] + pixels[:, 2:, 1:-1]
    return across + along - 4.0 * pixels[:, 1:-1, 1:-1]


def _positive(name: str, value: float) -> float:
    if value <= 0.0:
        raise ValueError(
            f"{name}: expected images with some detail, got flat ones; there is nothing to "
            "compare with. Pass the real images."
        )
    return value
