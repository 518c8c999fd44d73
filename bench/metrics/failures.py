"""Known ways in which generative models fail, each with a measure and a limit.

A failure is a finding about one trained network, not about a kind of model: the report counts in
how many of the seeds it was seen.
"""

from typing import NamedTuple

import numpy as np

from bench.metrics import checks
from bench.metrics.embedding import dead_units
from bench.metrics.generation import missing_classes

LEAST_ACTIVE = 0.5  # share of the latent units
MOST_WINS = 0.95  # share of the pairs
LEAST_NOVELTY = 0.5  # distance to the nearest training image, relative to held-out images'


class Failure(NamedTuple):
    """One way to fail, looked for.

    Attributes
    ----------
    measure : float
        What was measured.
    limit : float
        Where the failure begins.
    detected : bool
        Whether the measure is past the limit.
    """

    measure: float
    limit: float
    detected: bool


def posterior_collapse(active_units: int, latent_size: int) -> Failure:
    """Look for latent units that say nothing about the image.

    Parameters
    ----------
    active_units : int
        Units whose mean varies over the images.
    latent_size : int
        All units.

    Returns
    -------
    Failure
        The share of active units; detected below one half.

    Raises
    ------
    ValueError
        If there is no unit, or more active ones than there are.

    Notes
    -----
    Active units: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016,
    arXiv 1509.00519, section 5.2.
    """
    checks.whole("latent_size", latent_size, 1)
    checks.whole("active_units", active_units, 0, latent_size)
    share = active_units / latent_size
    return Failure(share, LEAST_ACTIVE, share < LEAST_ACTIVE)


def discriminator_saturation(wins: float) -> Failure:
    """Look for a discriminator that always wins: the generator then learns nothing from it.

    Parameters
    ----------
    wins : float
        Share of pairs in which the real image gets the higher logit, 0.5 for a draw.

    Returns
    -------
    Failure
        That share; detected above 0.95.

    Notes
    -----
    Arjovsky and Bottou, "Towards principled methods for training generative adversarial
    networks", ICLR 2017, arXiv 1701.04862: gradients vanish for a perfect discriminator.
    """
    return Failure(float(wins), MOST_WINS, bool(wins > MOST_WINS))


def mode_collapse(histogram: np.ndarray, threshold: float | None = None) -> Failure:
    """Look for classes that hardly occur among the samples.

    Parameters
    ----------
    histogram : ndarray of float, shape (classes,)
        Share of each class.
    threshold : float, optional
        A class is missing if its share is below; a tenth of an even share if None.

    Returns
    -------
    Failure
        The number of missing classes; detected from one.

    Raises
    ------
    ValueError
        If the histogram does not sum to 1.
    """
    missing = len(missing_classes(histogram, threshold))
    return Failure(float(missing), 0.0, missing > 0)


def dead_codes(codes: np.ndarray) -> Failure:
    """Look for code units that give the same value for every image.

    Parameters
    ----------
    codes : ndarray of float, shape (n, d)
        Codes of n images.

    Returns
    -------
    Failure
        The number of units without variance; detected from one.

    Raises
    ------
    ValueError
        If there are fewer than 2 codes, or values that are no finite numbers.
    """
    dead = dead_units(codes)
    return Failure(float(dead), 0.0, dead > 0)


def memorisation(nearest_distance_ratio: float) -> Failure:
    """Look for samples that are copies of training images.

    Parameters
    ----------
    nearest_distance_ratio : float
        Median distance of the samples to their nearest training image, over that of held-out
        images: about 1 for a perfect generator.

    Returns
    -------
    Failure
        That ratio; detected below one half.
    """
    ratio = float(nearest_distance_ratio)
    return Failure(ratio, LEAST_NOVELTY, ratio < LEAST_NOVELTY)
