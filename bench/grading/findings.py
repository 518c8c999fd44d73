"""Findings of grading in one cell: figures that agree, differ, or cannot be compared."""

import math
from dataclasses import dataclass, field

from bench.interfaces import JsonMapping
from bench.reading.tree import find, leaves

SHOWN = 80  # characters of a stated value that a message repeats


@dataclass(frozen=True)
class Tolerance:
    """Tolerance between a stated figure and the recomputed one.

    Attributes
    ----------
    relative, absolute : float
        The larger of the two allowances counts.
    """

    relative: float
    absolute: float

    def allows(self, expected: float, got: float) -> bool:
        """Whether two finite numbers agree.

        Parameters
        ----------
        expected : float
            The stated figure.
        got : float
            The recomputed one.

        Returns
        -------
        bool
            Whether they do.
        """
        return math.isclose(expected, got, rel_tol=self.relative, abs_tol=self.absolute)


# Sums of the same numbers in another order.
ROUNDING = Tolerance(relative=1e-5, absolute=1e-6)
# The judge's features differ in their last digits from processor to processor, and with them who
# is whose neighbour in a few of thousands of pairs.
FEATURES = Tolerance(relative=2e-3, absolute=2e-3)


@dataclass(frozen=True)
class Difference:
    """A stated figure that differs from the recomputed one.

    Attributes
    ----------
    cell, figure : str
        The cell's label, and the figure's dotted path.
    expected, got : str
        The recomputed value and the stated one, in words.
    """

    cell: str
    figure: str
    expected: str
    got: str


@dataclass(frozen=True)
class Gap:
    """A figure that could not be compared, with the reason."""

    cell: str
    what: str
    reason: str


@dataclass
class CellGrade:
    """Result of grading one cell.

    Attributes
    ----------
    label : str
        The cell.
    compared : set of str
        Dotted paths of the figures that were recomputed.
    differences : list of Difference
        Those that differ.
    gaps : list of Gap
        What should have been recomputed and could not.
    not_recomputed : list of str
        Names of figures that only a training gives, such as its seconds.
    """

    label: str
    compared: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    not_recomputed: list[str] = field(default_factory=list)

    def compare(
        self, stated: JsonMapping, recomputed: JsonMapping, tolerance: Tolerance = ROUNDING
    ) -> None:
        """Compare figures leaf by leaf.

        Parameters
        ----------
        stated : mapping
            The cell's metrics, of whatever content.
        recomputed : mapping
            Figures under the same names.
        tolerance : Tolerance
            For numbers that are not whole.
        """
        for path, expected in leaves(recomputed):
            got = find(stated, path)
            self.compared.add(path)
            if not _agree(expected, got, tolerance):
                self.differs(path, repr(expected), "nothing" if got is None else repr(got))

    def differs(self, figure: str, expected: str, got: str) -> None:
        """Record a difference.

        Parameters
        ----------
        figure : str
            Its dotted path.
        expected : str
            What is stated.
        got : str
            What was recomputed.
        """
        short = got if len(got) <= SHOWN else f"{got[:SHOWN]}..."
        self.differences.append(Difference(self.label, figure, expected, short))

    def holds(self, figure: str, right: bool, expected: str, got: str) -> None:
        """Record whether something other than a number is as expected.

        Parameters
        ----------
        figure : str
            Its dotted path.
        right : bool
            Whether it is.
        expected : str
            What must be there.
        got : str
            What is there.
        """
        self.compared.add(figure)
        if not right:
            self.differs(figure, expected, got)

    def lacks(self, what: str, reason: str) -> None:
        """Record what could not be compared.

        Parameters
        ----------
        what : str
            The figures.
        reason : str
            Why.
        """
        self.gaps.append(Gap(self.label, what, reason))


def _agree(expected: object, got: object, tolerance: Tolerance) -> bool:
    if not isinstance(expected, float):
        return type(got) in (type(expected), float) and bool(got == expected)
    if not isinstance(got, int | float) or isinstance(got, bool):
        return False
    return tolerance.allows(expected, float(got))
