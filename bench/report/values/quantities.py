"""Numbers with the cells that they come from: one type for each kind of estimate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.metrics import estimates
from bench.metrics.intervals import Interval
from bench.metrics.verdicts import Direction
from bench.store import StoredCell

# true of any network, trained or not
COSTS = (
    "training.", "architecture.", "provenance:", "config:", "test_images", "fit_", "views",
    "evaluations", "code_size", "latent_size", "probe_images",
)  # fmt: skip


@dataclass(frozen=True)
class Quantity:
    """One measured number over the seeds of a variant, estimated by its mean.

    Attributes
    ----------
    path : str
        Where each cell holds it; see `bench.report.values.collect.lookup`.
    cells : tuple of StoredCell
        The finished cells that hold a number there, by seed.
    values : tuple of float
        Its value in each of them.
    absence : str
        Why there is none: ``missing``, ``failed``, ``damaged``, ``absent`` (not planned),
        ``inapplicable`` (not for this data set) or ``""``.
    """

    path: str
    cells: tuple[StoredCell, ...]
    values: tuple[float, ...]
    absence: str = ""

    def __bool__(self) -> bool:
        return bool(self.values)

    @cached_property
    def estimate(self) -> estimates.Estimate:
        """What is asked of the values."""
        return estimates.Mean(self.values)

    @property
    def kind(self) -> str:
        """Kind of the estimate: a key of `bench.metrics.estimates.KINDS`."""
        return self.estimate.kind

    @property
    def minus(self) -> tuple[StoredCell, ...]:
        """The cells that the values are compared with; none of a number that stands alone."""
        return ()

    @property
    def minus_path(self) -> str:
        """Path of the compared number in those cells, if not `path`."""
        return ""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Number of trainings; of two groups, the number of each."""
        return (len(self.values),) if self.values else ()

    @property
    def interval(self) -> Interval:
        """The estimate and its 95 % confidence interval."""
        return self.estimate.interval

    @property
    def mean(self) -> float:
        """The estimate itself."""
        return self.interval.mean

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval; None with one seed."""
        if self.interval.low is None or self.interval.high is None:
            return None
        return (self.interval.high - self.interval.low) / 2

    def p_value(self, reference: float) -> float | None:
        """Test whether the estimate is a given number: two-sided; None without an interval."""
        return self.estimate.p_value(reference)

    def visible(
        self, direction: Direction, reference: float, level: float, likely: float
    ) -> float | None:
        """Find the smallest effect that the test would detect with a given power.

        Parameters
        ----------
        direction : {'greater', 'less'}
            Side of the reference that is asked about.
        reference : float
            Value that the estimate is compared with.
        level : float
            Level of the test.
        likely : float
            Power of the test.

        Returns
        -------
        float or None
            The value; None where there is no test.
        """
        return self.estimate.visible(direction, reference, level, likely)

    @cached_property
    def untrained(self) -> tuple[StoredCell, ...]:
        """Cells behind a result whose network does no better than the trivial answer."""
        if self.path.startswith(COSTS):
            return ()
        return tuple(cell for cell in (*self.cells, *self.minus) if is_untrained(cell))

    @property
    def labels(self) -> list[str]:
        """The cells by name."""
        return [cell.label for cell in self.cells]


@dataclass(frozen=True)
class ShareOfRuns(Quantity):
    """The share of the cells in which a number is not 0."""

    @cached_property
    def estimate(self) -> estimates.Estimate:
        """What is asked of the values."""
        return estimates.Share(self.values)


@dataclass(frozen=True)
class Total(Quantity):
    """The sum of a number over the cells."""

    @cached_property
    def estimate(self) -> estimates.Estimate:
        """What is asked of the values."""
        return estimates.Sum(self.values)


@dataclass(frozen=True)
class Against(Quantity):
    """A number compared with another.

    Attributes
    ----------
    other : Quantity
        The other; of a paired difference its cells are those of the same seeds.
    """

    other: Quantity = Quantity("", (), ())

    @property
    def minus(self) -> tuple[StoredCell, ...]:
        """The other number's cells."""
        return self.other.cells

    @property
    def minus_path(self) -> str:
        """Path of the other number, if not `path`."""
        return self.other.path if self.other.path != self.path else ""


@dataclass(frozen=True)
class PairedDifference(Against):
    """One number minus another, seed by seed; `values` are the differences."""


@dataclass(frozen=True)
class Apart(Against):
    """The mean of one number minus that of another; their seeds are not paired."""

    @cached_property
    def estimate(self) -> estimates.Estimate:
        """What is asked of both groups."""
        return estimates.MeanDifference(self.values, self.other.values)

    @property
    def seeds(self) -> tuple[int, ...]:
        """How many trainings of each."""
        return len(self.values), len(self.other.values)


@dataclass(frozen=True)
class SpreadOver(Apart):
    """How much more one number spreads over its seeds than another, in proportion."""

    @cached_property
    def estimate(self) -> estimates.Estimate:
        """What is asked of both groups."""
        return estimates.SpreadRatio(self.values, self.other.values)


@dataclass(frozen=True)
class OneCorrelation(Against):
    """A number that is one correlation; `other` is from how many pairs it is known."""

    @cached_property
    def estimate(self) -> estimates.Estimate:
        """What is asked of it."""
        return estimates.Correlation(self.values[0], int(self.other.values[0]))


def is_untrained(cell: StoredCell) -> bool:
    """Return whether a finished cell's network does no better than the trivial answer."""
    return cell.metrics.get("trained") == 0.0


def share(quantity: Quantity) -> Quantity:
    """Return the share of a quantity's cells in which it is not 0."""
    return ShareOfRuns(quantity.path, quantity.cells, quantity.values, quantity.absence)


def total(quantity: Quantity) -> Quantity:
    """Return the sum of a quantity over its cells."""
    return Total(quantity.path, quantity.cells, quantity.values, quantity.absence)


def correlation(quantity: Quantity, pairs: Quantity) -> Quantity:
    """Read a quantity as one correlation, known from so many pairs.

    Parameters
    ----------
    quantity : Quantity
        A quantity.
    pairs : Quantity
        How many pairs.

    Returns
    -------
    Quantity
        The result.
    """
    return _beside(OneCorrelation, quantity, pairs)


def spread(first: Quantity, second: Quantity) -> Quantity:
    """Compare the spreads of two quantities over their seeds, as a ratio.

    Parameters
    ----------
    first : Quantity
        A quantity.
    second : Quantity
        Another one.

    Returns
    -------
    Quantity
        The result.
    """
    return _beside(SpreadOver, first, second)


def apart(first: Quantity, second: Quantity) -> Quantity:
    """Subtract the means of two quantities; their seeds are not paired.

    Parameters
    ----------
    first : Quantity
        A quantity.
    second : Quantity
        Another one.

    Returns
    -------
    Quantity
        The result.
    """
    return _beside(Apart, first, second)


def difference(first: Quantity, second: Quantity) -> Quantity:
    """Subtract two quantities seed by seed.

    Only seeds that both have are paired; without any the difference is absent.

    Parameters
    ----------
    first : Quantity
        A quantity.
    second : Quantity
        Another one.

    Returns
    -------
    Quantity
        The result.
    """
    subtracted = {
        cell.seed_index: (cell, v) for cell, v in zip(second.cells, second.values, strict=True)
    }
    pairs = [
        (cell, value, *subtracted[cell.seed_index])
        for cell, value in zip(first.cells, first.values, strict=True)
        if cell.seed_index in subtracted
    ]
    if not pairs:
        return _absent(first, second)
    cells, values, others, taken = zip(*pairs, strict=True)
    return PairedDifference(
        first.path,
        cells,
        _minus(values, taken),
        other=Quantity(second.path, others, taken),
    )


def _minus(values: Sequence[float], others: Sequence[float]) -> tuple[float, ...]:
    return tuple(a - b for a, b in zip(values, others, strict=True))


def _beside(kind: type[Against], first: Quantity, second: Quantity) -> Quantity:
    if not (first and second):
        return _absent(first, second)
    return kind(first.path, first.cells, first.values, other=second)


def _absent(first: Quantity, second: Quantity) -> Quantity:
    return Quantity(first.path, (), (), first.absence or second.absence or "absent")
