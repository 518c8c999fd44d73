"""Second evaluation of the protocol, from the stored cells, by SciPy's functions.

`claims` computes what the page says; nothing of it, of `collect`'s quantities or of the metrics is
used here. A difference between the two stops the report.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from scipy import optimize, stats

from bench.config.protocol import Measure, Protocol, protocol
from bench.report.values.collect import Tables, lookup
from bench.store import StoredCell, StoredRun

Part = str | float | None
Cells = dict[int, float]
# The values that a truth can have; any, where nothing stands.
BOUNDS = {"share": (0.0, 1.0), "correlation": (-1 + 1e-12, 1 - 1e-12), "spread": (1e-9, np.inf)}


class Recount:
    """Evaluates a run's claims again.

    Parameters
    ----------
    run : StoredRun
        The run.
    rules : Protocol, optional
        The project's own if none is given.
    """

    def __init__(self, run: StoredRun, rules: Protocol | None = None) -> None:
        self.run = run
        self.rules = rules or protocol()
        self._tables = Tables()

    def part(self, claim: int, place: int, part: str) -> Part:
        """Return a measure's ``verdict``, ``adjusted`` p-value or ``visible`` effect.

        Parameters
        ----------
        claim : int
            Number of the claim.
        place : int
            Place of the measure among the claim's, from 0.
        part : {'verdict', 'adjusted', 'visible'}
            Which part.

        Returns
        -------
        str, float or None
            The part.
        """
        return self._evaluated[claim, place][part]

    def measure(self, claim: int, place: int) -> Measure:
        """Return a measure of the protocol, by the claim's number and its place from 0.

        Parameters
        ----------
        claim : int
            Number of the claim.
        place : int
            Place of the measure among the claim's, from 0.

        Returns
        -------
        Measure
            The measure.
        """
        return self.rules.claims[claim - 1].measures[place]

    @cached_property
    def _evaluated(self) -> dict[tuple[int, int], dict[str, Part]]:
        found: dict[tuple[int, int], dict[str, Part]] = {}
        for claim in self.rules.claims:
            tests = [_Test.of(measure, self._groups(measure)) for measure in claim.measures]
            for place, (test, p) in enumerate(zip(tests, _holm(tests), strict=True)):
                found[claim.number, place] = test.parts(p, self.rules, len(tests))
        return found

    def _groups(self, measure: Measure) -> list[Cells]:
        paths = [(system, measure.metric) for system in measure.systems]
        if measure.pairs:
            paths.append((measure.systems[0], measure.pairs))
        groups = []
        for system, path in paths:
            experiment, variant = system.split("/")
            cells = [c for c in self.run.select(experiment, variant) if c.status == "done"]
            groups.append(
                {c.seed_index: v for c in cells if (v := self._value(c, path)) is not None}
            )
        return groups

    def _value(self, cell: StoredCell, path: str) -> float | None:
        value = lookup(cell, path, self._tables)
        return None if value is None or isinstance(value, bool) else float(value)


class _Test:
    """A statistical test: number of seeds, p-value, estimate and power."""

    def __init__(
        self,
        measure: Measure,
        counts: Sequence[int],
        estimate: float = 0.0,
        p: float | None = None,
        finds: Callable[[float, float], float] | None = None,
    ) -> None:
        self.measure, self.counts, self.estimate = measure, counts, estimate
        self.enough = min(counts) >= measure.seeds
        self.p = p if self.enough else None
        self.finds = finds

    @classmethod
    def of(cls, measure: Measure, groups: list[Cells]) -> "_Test":
        first = list(groups[0].values())
        if measure.kind == "paired":
            shared = [seed for seed in groups[0] if seed in groups[1]]
            first = [groups[0][seed] - groups[1][seed] for seed in shared]
        if not first or not groups[-1]:
            return cls(measure, [0])
        if measure.kind == "share":
            return cls._share(measure, first)
        if measure.kind == "correlation":
            return cls._correlation(measure, first, next(iter(groups[1].values())))
        if measure.kind == "welch":
            return cls._welch(measure, np.array(first), np.array(list(groups[1].values())))
        if measure.kind == "spread":
            return cls._spread(measure, np.log(first), np.log(list(groups[1].values())))
        return cls._mean(measure, np.array(first))

    @classmethod
    def _mean(cls, measure: Measure, values: np.ndarray) -> "_Test":
        n = len(values)
        if n < 2 or np.allclose(values, values[0], rtol=1e-14, atol=0.0):
            return cls(measure, [n], float(values.mean()))
        error = stats.sem(values)
        t = (values.mean() - measure.reference) / error
        return cls(
            measure,
            [n],
            float(values.mean()),
            float(2 * stats.t.sf(abs(t), n - 1)),
            _of_t(measure, error, n - 1),
        )

    @classmethod
    def _welch(cls, measure: Measure, first: np.ndarray, second: np.ndarray) -> "_Test":
        counts = [len(first), len(second)]
        estimate = float(first.mean() - second.mean())
        flat = [np.allclose(group, group[0], rtol=1e-14, atol=0.0) for group in (first, second)]
        if min(counts) < 2 or all(flat):
            return cls(measure, counts, estimate)
        parts = [
            0.0 if even else group.var(ddof=1) / len(group)
            for group, even in zip((first, second), flat, strict=True)
        ]
        freedom = sum(parts) ** 2 / sum(p**2 / (n - 1) for p, n in zip(parts, counts, strict=True))
        error = float(np.sqrt(sum(parts)))
        p = 2 * stats.t.sf(abs(estimate - measure.reference) / error, freedom)
        return cls(measure, counts, estimate, float(p), _of_t(measure, error, freedom))

    @classmethod
    def _share(cls, measure: Measure, values: list[float]) -> "_Test":
        n, reference = len(values), measure.reference
        hits = sum(value != 0 for value in values)

        def p_of(successes: int) -> float:
            tails = (
                stats.binomtest(successes, n, reference, alternative=side).pvalue
                for side in ("less", "greater")
            )
            return float(min(1.0, 2 * min(tails)))

        def finds(truth: float, level: float) -> float:
            side = [
                k for k in range(n + 1) if p_of(k) < level and _beyond(measure, k / n, reference)
            ]
            return float(stats.binom.pmf(side, n, truth).sum()) if side else 0.0

        return cls(measure, [n], hits / n, p_of(hits), finds)

    @classmethod
    def _correlation(cls, measure: Measure, values: list[float], pairs: float) -> "_Test":
        width = 1 / np.sqrt(pairs - 3)
        fixed = np.arctanh(measure.reference)
        z = (np.arctanh(values[0]) - fixed) / width
        sign = 1 if measure.direction == "greater" else -1

        def finds(truth: float, level: float) -> float:
            critical = stats.norm.isf(level / 2)
            return float(stats.norm.sf(critical - sign * (np.arctanh(truth) - fixed) / width))

        return cls(measure, [len(values)], values[0], float(2 * stats.norm.sf(abs(z))), finds)

    @classmethod
    def _spread(cls, measure: Measure, first: np.ndarray, second: np.ndarray) -> "_Test":
        counts = [len(first), len(second)]
        if min(counts) < 2 or not (np.ptp(first) and np.ptp(second)):
            return cls(measure, counts)
        law = stats.f(counts[0] - 1, counts[1] - 1)
        ratio = float(first.std(ddof=1) / second.std(ddof=1))
        f = (ratio / measure.reference) ** 2

        def finds(truth: float, level: float) -> float:
            scale = (truth / measure.reference) ** 2
            if measure.direction == "greater":
                return float(law.sf(law.isf(level / 2) / scale))
            return float(law.cdf(law.ppf(level / 2) / scale))

        return cls(measure, counts, ratio, float(2 * min(law.cdf(f), law.sf(f))), finds)

    def parts(self, adjusted: float, rules: Protocol, family: int) -> dict[str, Part]:
        """Return verdict, adjusted p-value and visible effect, given the adjusted p-value."""
        measure = self.measure
        parts: dict[str, Part] = {"adjusted": None, "visible": None}
        if not any(self.counts):
            return parts | {"verdict": "not measured"}
        if not self.enough:
            return parts | {"verdict": "too few seeds"}
        parts["adjusted"] = None if self.p is None else adjusted
        if self.p is not None and adjusted < rules.level:
            right = _beyond(measure, self.estimate, measure.reference)
            return parts | {"verdict": "supported" if right else "not supported"}
        parts["visible"] = self._visible(rules.level / family, rules.power)
        return parts | {"verdict": "not distinguishable"}

    def _visible(self, level: float, power: float) -> float | None:
        """Find the smallest effect that is detected with the given power."""
        if self.finds is None or self.p is None:
            return None
        measure, finds = self.measure, self.finds
        sign = 1.0 if measure.direction == "greater" else -1.0
        ends = BOUNDS.get(measure.kind, (-np.inf, np.inf))
        far, step = ends[int(sign > 0)], 1e-9
        while not np.isfinite(far):
            step *= 2
            if finds(measure.reference + sign * step, level) >= power:
                far = measure.reference + sign * step
        if finds(far, level) < power:
            return None
        return float(
            optimize.brentq(lambda x: finds(x, level) - power, measure.reference, far, xtol=1e-12)
        )


def _of_t(measure: Measure, error: float, freedom: float) -> Callable[[float, float], float]:
    def finds(truth: float, level: float) -> float:
        away = abs(truth - measure.reference) / error
        return float(stats.nct.sf(stats.t.isf(level / 2, freedom), freedom, away))

    return finds


def _beyond(measure: Measure, value: float, reference: float) -> bool:
    return value > reference if measure.direction == "greater" else value < reference


def _holm(tests: Sequence[_Test]) -> list[float]:
    """Adjust p-values, from the definition: the largest of what the smaller ones were given."""
    p_values = [1.0 if test.p is None else test.p for test in tests]
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    reached: dict[int, float] = {}
    for rank, index in enumerate(order):
        before = [reached[earlier] for earlier in order[:rank]]
        reached[index] = min(1.0, max([*before, (len(order) - rank) * p_values[index]]))
    return [reached[index] for index in range(len(p_values))]
