"""Evaluation of the protocol's claims: a verdict on each measure, and on each claim.

What is measured, and where it must lie, stands in ``bench/config/protocol.toml``; nothing here
knows a claim.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from bench.config import protocol as fixed
from bench.metrics.significance import holm
from bench.report.values.bounds import in_per_cent, possible
from bench.report.values.collect import INAPPLICABLE, Results
from bench.report.values.quantities import (
    Quantity,
    apart,
    correlation,
    difference,
    share,
    spread,
)

SUPPORTED, REFUTED = "supported", "not supported"
OPEN, TOO_FEW, NOT_MEASURED = "not distinguishable", "too few seeds", "not measured"
NOT_APPLICABLE = "not applicable"  # the claim is about other data
# What decides over a claim of several measures: the first of these that one of them says.
ORDER = (REFUTED, NOT_APPLICABLE, NOT_MEASURED, TOO_FEW, OPEN, SUPPORTED)


@dataclass(frozen=True)
class Measure:
    """One figure that decides on a claim.

    Attributes
    ----------
    asked : bench.config.protocol.Measure
        What the protocol asks.
    figure : Quantity
        What was measured, with its 95 % interval.
    adjusted : float or None
        Two-sided p-value of the figure against the reference, corrected by Holm for the claim's
        measures; None without enough seeds, or without spread.
    verdict : str
        One of `ORDER`.
    visible : float or None
        For ``not distinguishable``: the smallest true value on the claim's side, or beyond, that
        would have been distinguished from the reference, with the protocol's power and at its
        level divided by the number of the claim's measures; None if there is no such value.
    possible : bool
        Whether the systems can differ by `visible` at all: precision ends at 1, a distance at 0.
    """

    asked: fixed.Measure
    figure: Quantity
    adjusted: float | None
    verdict: str
    visible: float | None
    possible: bool = True

    @property
    def description(self) -> str:
        """Description of what was measured: a message for the catalogue."""
        return self.asked.measure

    @property
    def direction(self) -> fixed.Direction:
        """Side of the reference on which the figure lies if the claim holds."""
        return self.asked.direction

    @property
    def reference(self) -> float:
        """Number that the figure is compared with."""
        return self.asked.reference

    @property
    def systems(self) -> tuple[str, ...]:
        """For a comparison: the two variants, the second taken from the first (or its divisor)."""
        return self.asked.systems if len(self.asked.systems) > 1 else ()

    @property
    def spec(self) -> str:
        """Number format of the figure: shares in per cent, differences in percentage points."""
        return spec_of(self.asked)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Number of trainings; of two groups, the number of each."""
        return self.figure.seeds


@dataclass(frozen=True)
class Claim:
    """A claim of the handed-in report.

    Attributes
    ----------
    asked : bench.config.protocol.Claim
        What the protocol asks.
    measures : tuple of Measure
        In its order.
    """

    asked: fixed.Claim
    measures: tuple[Measure, ...]

    @property
    def number(self) -> int:
        """Its number in the handed-in report."""
        return self.asked.number

    @property
    def text(self) -> str:
        """The claim: a message for the catalogue."""
        return self.asked.text

    @property
    def conditions(self) -> str:
        """Conditions that the protocol sets: a message for the catalogue."""
        return self.asked.conditions

    @cached_property
    def verdict(self) -> str:
        """Verdict of all its measures together."""
        return overall(measure.verdict for measure in self.measures)


def spec_of(asked: fixed.Measure) -> str:
    """Return the number format of a measure; see `bench.report.words.i18n.Language.number`."""
    is_share = asked.kind == "share" or in_per_cent(asked.metric)
    if asked.kind not in ("spread", "correlation") and is_share:
        return f".{max(asked.decimals - 2, 0)}p"
    return f".{asked.decimals}f"


def overall(verdicts: Iterable[str]) -> str:
    """Combine the verdicts of a claim's measures.

    Parameters
    ----------
    verdicts : iterable of str
        At least one.

    Returns
    -------
    str
        ``supported`` if all are; else, in this order, ``not supported``, ``not measured``,
        ``too few seeds`` or ``not distinguishable`` if any is.
    """
    return min(verdicts, key=ORDER.index)


def claims(results: Results, protocol: fixed.Protocol | None = None) -> list[Claim]:
    """Evaluate a protocol on a run.

    Parameters
    ----------
    results : Results
        The run.
    protocol : bench.config.protocol.Protocol, optional
        The project's own if none is given.

    Returns
    -------
    list of Claim
        In the protocol's order.
    """
    rules = protocol or fixed.protocol()
    return [_claim(results, claim, rules) for claim in rules.claims]


def _claim(results: Results, claim: fixed.Claim, rules: fixed.Protocol) -> Claim:
    figures = [_figure(results, measure) for measure in claim.measures]
    pairs = list(zip(claim.measures, figures, strict=True))
    p_values = [_p_value(measure, figure) for measure, figure in pairs]
    # a measure without a p-value still counts as one of the family
    adjusted = holm([1.0 if p is None else p for p in p_values])
    measures = []
    for (measure, figure), p, own in zip(pairs, p_values, adjusted, strict=True):
        corrected = None if p is None else own
        verdict = _verdict(measure, figure, corrected, rules.level)
        visible = None
        if verdict == OPEN:
            level = rules.level / len(pairs)
            visible = figure.visible(measure.direction, measure.reference, level, rules.power)
        reachable = visible is None or _possible(measure, results, visible)
        measures.append(Measure(measure, figure, corrected, verdict, visible, reachable))
    return Claim(claim, tuple(measures))


def _possible(measure: fixed.Measure, results: Results, visible: float) -> bool:
    """Whether a difference can be as large: no system can lie outside its figure's bounds."""
    if measure.kind not in ("paired", "welch"):
        return True
    reached = results.value(measure.systems[1], measure.metric).mean + visible
    least, greatest = possible(measure.metric)
    return (least is None or reached >= least) and (greatest is None or reached <= greatest)


def _figure(results: Results, measure: fixed.Measure) -> Quantity:
    if any(system.split("/")[0] in results.replaced for system in measure.systems):
        return Quantity(measure.metric, (), (), INAPPLICABLE)
    first, *more = (results.value(system, measure.metric) for system in measure.systems)
    if measure.kind == "share":
        return share(first)
    if measure.kind == "correlation":
        return correlation(first, results.value(measure.systems[0], str(measure.pairs)))
    if measure.kind == "mean":
        return first
    return {"paired": difference, "welch": apart, "spread": spread}[measure.kind](first, more[0])


def _p_value(measure: fixed.Measure, figure: Quantity) -> float | None:
    if not figure or min(figure.seeds) < measure.seeds:
        return None
    return figure.p_value(measure.reference)


def _verdict(measure: fixed.Measure, figure: Quantity, adjusted: float | None, level: float) -> str:
    if not figure:
        return NOT_APPLICABLE if figure.absence == INAPPLICABLE else NOT_MEASURED
    if min(figure.seeds) < measure.seeds:
        return TOO_FEW
    if adjusted is None or adjusted >= level:
        return OPEN
    above = figure.interval.mean > measure.reference
    return SUPPORTED if above == (measure.direction == "greater") else REFUTED
