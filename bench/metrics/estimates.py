"""Estimates from repeated runs, each with its interval and its test."""

# ruff: noqa: D102 - `Estimate` says what the methods do

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from bench.metrics import power
from bench.metrics.intervals import (
    Interval,
    correlation_interval,
    mean_interval,
    proportion_interval,
    spread_ratio,
)
from bench.metrics.significance import (
    correlation_test,
    mean_test,
    proportion_test,
    spread_test,
    welch_difference,
)
from bench.metrics.verdicts import Direction

Values = Sequence[float]


class Estimate(ABC):
    """An estimate, its 95 % interval, and the test that the interval belongs to.

    Attributes
    ----------
    kind : str
        What it is called where it is written down; see `KINDS`.
    symmetric : bool
        Whether its interval lies evenly around it.
    """

    kind: ClassVar[str]
    symmetric: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def of(cls, values: Values, others: Values) -> "Estimate":
        """Estimate from figures.

        Parameters
        ----------
        values : sequence of float
            The figures; of a correlation the one figure.
        others : sequence of float
            Of a comparison the other group; of a correlation the number of pairs.

        Returns
        -------
        Estimate
            The estimate.
        """

    @property
    @abstractmethod
    def interval(self) -> Interval:
        """The estimate and its 95 % confidence interval."""

    @abstractmethod
    def p_value(self, reference: float) -> float | None:
        """Test whether the true value is a given number: two-sided; None without an interval."""

    @abstractmethod
    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        """Find the true value nearest to a reference that the test would detect.

        Parameters
        ----------
        direction : {"greater", "less"}
            On which side of the reference.
        reference, level : float
            As of the test.
        likely : float
            With which power.

        Returns
        -------
        float or None
            The value; None where there is no test.
        """


@dataclass(frozen=True)
class Mean(Estimate):
    """The mean of the figures, by Student's t."""

    values: tuple[float, ...]
    kind: ClassVar[str] = "mean"
    symmetric: ClassVar[bool] = True

    @classmethod
    def of(cls, values: Values, others: Values = ()) -> "Mean":
        return cls(tuple(values))

    @cached_property
    def interval(self) -> Interval:
        return mean_interval(np.asarray(self.values, dtype=float))

    def p_value(self, reference: float) -> float | None:
        return mean_test(self.values, reference)

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        return power.visible_mean(self.values, direction, reference, level, likely)


@dataclass(frozen=True)
class Share(Estimate):
    """The share of the figures that are not 0, by the exact binomial distribution."""

    values: tuple[float, ...]
    kind: ClassVar[str] = "share"

    @classmethod
    def of(cls, values: Values, others: Values = ()) -> "Share":
        return cls(tuple(values))

    @property
    def _successes(self) -> int:
        return int(np.count_nonzero(self.values))

    @cached_property
    def interval(self) -> Interval:
        return proportion_interval(self._successes, len(self.values))

    def p_value(self, reference: float) -> float | None:
        return proportion_test(self._successes, len(self.values), reference)

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        return power.visible_share(len(self.values), direction, reference, level, likely)


@dataclass(frozen=True)
class Sum(Estimate):
    """The sum of the figures; it is counted, so it has neither interval nor test."""

    values: tuple[float, ...]
    kind: ClassVar[str] = "sum"

    @classmethod
    def of(cls, values: Values, others: Values = ()) -> "Sum":
        return cls(tuple(values))

    @cached_property
    def interval(self) -> Interval:
        return Interval(sum(self.values), None, None, len(self.values))

    def p_value(self, reference: float) -> float | None:
        return None

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        return None


@dataclass(frozen=True)
class Correlation(Estimate):
    """One correlation, known from a number of pairs, by Fisher's transformation."""

    r: float
    pairs: int
    kind: ClassVar[str] = "correlation"

    @classmethod
    def of(cls, values: Values, others: Values) -> "Correlation":
        return cls(values[0], int(others[0]))

    @cached_property
    def interval(self) -> Interval:
        return correlation_interval(self.r, self.pairs)

    def p_value(self, reference: float) -> float | None:
        return correlation_test(self.r, self.pairs, reference)

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        return power.visible_correlation(self.pairs, direction, reference, level, likely)


@dataclass(frozen=True)
class SpreadRatio(Estimate):
    """The ratio of the spreads of two groups, by Fisher's F."""

    first: tuple[float, ...]
    second: tuple[float, ...]
    kind: ClassVar[str] = "spread"

    @classmethod
    def of(cls, values: Values, others: Values) -> "SpreadRatio":
        return cls(tuple(values), tuple(others))

    @cached_property
    def interval(self) -> Interval:
        return spread_ratio(np.log(self.first), np.log(self.second))

    def p_value(self, reference: float) -> float | None:
        return spread_test(np.log(self.first), np.log(self.second), reference)

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        counts = len(self.first), len(self.second)
        return power.visible_spread(*counts, direction, reference, level, likely)


@dataclass(frozen=True)
class MeanDifference(Estimate):
    """How much the mean of one group exceeds that of another, not paired, by Welch's t."""

    first: tuple[float, ...]
    second: tuple[float, ...]
    kind: ClassVar[str] = "welch"
    symmetric: ClassVar[bool] = True

    @classmethod
    def of(cls, values: Values, others: Values) -> "MeanDifference":
        return cls(tuple(values), tuple(others))

    @cached_property
    def interval(self) -> Interval:
        return welch_difference(self.first, self.second).interval

    def p_value(self, reference: float) -> float | None:
        return welch_difference(self.first, self.second, reference).p_value

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        return power.visible_difference(
            self.first, self.second, direction, reference, level, likely
        )


KINDS: dict[str, type[Estimate]] = {
    each.kind: each for each in (Mean, Share, Sum, Correlation, SpreadRatio, MeanDifference)
}
