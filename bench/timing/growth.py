"""Growth of cost with the size of the work."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Growth:
    """A power law fitted to costs.

    Attributes
    ----------
    exponent : float
        1 where twice the work costs twice as much.
    low, high : float
        95 % interval of the exponent.
    """

    exponent: float
    low: float
    high: float


def fit_power_law(sizes: Sequence[float], costs: Sequence[float]) -> Growth:
    """Fit `cost = a * size**b` by least squares on logarithms.

    Parameters
    ----------
    sizes, costs : sequence of float
        Positive; at least three different sizes.

    Returns
    -------
    Growth
        `b` with its interval, Student's t with n - 2 degrees of freedom (Draper and Smith,
        "Applied regression analysis", section 1.4).

    Raises
    ------
    ValueError
        If there are fewer than three sizes, or a number is not positive.
    """
    from scipy.stats import t

    x, y = np.asarray(sizes, dtype=float), np.asarray(costs, dtype=float)
    if len(x) != len(y) or len(set(sizes)) < 3 or min(x.min(), y.min()) <= 0:
        raise ValueError(
            "Expected at least three different positive sizes with as many positive costs, got "
            f"{sizes} and {costs}. No exponent can be fitted."
        )
    x, y = np.log(x) - np.log(x).mean(), np.log(y) - np.log(y).mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    residual = y - slope * x
    error = float(np.sqrt(residual @ residual / (len(x) - 2) / spread))
    reach = float(t.ppf(0.975, len(x) - 2)) * error
    return Growth(slope, slope - reach, slope + reach)
