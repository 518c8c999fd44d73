"""Verdicts on claims, from confidence intervals."""

from typing import Literal

from bench.metrics.intervals import Interval

Verdict = Literal["supported", "not supported", "not distinguishable", "too few seeds"]
Direction = Literal["greater", "less"]


def verdict(interval: Interval, direction: Direction, reference: float = 0.0) -> Verdict:
    """Say whether an interval supports a claim.

    Parameters
    ----------
    interval : Interval
        Of a mean or of a difference.
    direction : {"greater", "less"}
        The claim: the true value is greater, or less, than `reference`.
    reference : float
        0 for differences.

    Returns
    -------
    str
        "supported" if the whole interval is on the claimed side, "not supported" if it is all
        on the other, "not distinguishable" if it holds the reference or has no limits,
        "too few seeds" if it rests on one value.

    Raises
    ------
    ValueError
        If `direction` is another word.
    """
    if direction not in ("greater", "less"):
        raise ValueError(
            f"direction: expected 'greater' or 'less', got {direction!r}; no verdict was given. "
            "Say which way the claim goes."
        )
    if interval.n < 2:
        return "too few seeds"
    if interval.low is None or interval.high is None:
        return "not distinguishable"
    above, below = interval.low > reference, interval.high < reference
    if not (above or below):
        return "not distinguishable"
    return "supported" if above == (direction == "greater") else "not supported"
