"""Comparison of times: paired log-ratios of neighbouring processes, and the measured noise.

Processes run in the order base, head, head, base, and so on (ABBA), so that a drift of the machine
falls on both alike. Each neighbouring pair gives one log-ratio; two processes of the same tree that
stand beside each other give one of what the machine does by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.gate.outcomes import Outcome

LEAST_GATE = 0.10  # a slowdown below 10 % is never red
MOST_GATE = 0.25  # a benchmark in which 25 % could be noise decides nothing
CONFIDENCE = 0.99
DRAWS = 4000
NOISE_FACTOR = 2.0

Rounds = Sequence[float]


@dataclass(frozen=True)
class Comparison:
    """Head against base in one benchmark.

    Attributes
    ----------
    ratio, low, high : float
        Head's time over base's, with a 99 % bootstrap interval.
    gate : float
        The slowdown from which it is red, as a share: at least 0.10, more where the machine is
        noisier.
    """

    ratio: float
    low: float
    high: float
    gate: float

    @property
    def outcome(self) -> Outcome:
        """Regressed only if the whole interval is slower, and the ratio beyond the gate."""
        if self.ratio > 1 + self.gate and self.low > 1:
            return Outcome.REGRESSED
        if self.gate > MOST_GATE:
            return Outcome.TOO_NOISY
        return Outcome.OK


def order(pairs: int) -> list[str]:
    """Which tree each process runs: `base`, `head`, `head`, `base`, ..."""
    return [tree for k in range(pairs) for tree in (("base", "head"), ("head", "base"))[k % 2]]


def compare(base: Sequence[Rounds], head: Sequence[Rounds], seed: int = 1) -> Comparison:
    """Compare one benchmark's rounds, process by process.

    Parameters
    ----------
    base, head : sequence of sequence of float
        Seconds of each round, one sequence a process, in the order in which they ran.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Comparison
        Ratio of times, its interval, and the gate from the noise.

    Raises
    ------
    ValueError
        If the two do not have as many processes, or fewer than two.

    Notes
    -----
    The bootstrap draws pairs, and rounds within their processes (Kalibera and Jones, "Rigorous
    benchmarking in reasonable time", ISMM 2013: repeat at every level that varies).
    """
    if len(base) != len(head) or len(base) < 2:
        raise ValueError(
            f"Expected at least two processes of either tree, as many of both; got {len(base)} of "
            f"base and {len(head)} of head. No interval can be given."
        )
    random = np.random.default_rng(seed)
    logs = (
        np.array([_drawn_bests(b, random) for b in base], dtype=float),
        np.array([_drawn_bests(h, random) for h in head], dtype=float),
    )
    differences = logs[1] - logs[0]  # (pairs, draws)
    chosen = random.integers(0, len(base), differences.shape)
    draws = np.take_along_axis(differences, chosen, axis=0).mean(axis=0)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    measured = float(np.mean(_log_bests(head) - _log_bests(base)))
    return Comparison(
        float(np.exp(measured)), float(np.exp(low)), float(np.exp(high)), _gate(base, head)
    )


def _gate(base: Sequence[Rounds], head: Sequence[Rounds]) -> float:
    """Ratio that noise alone can reach, from neighbouring processes of the same tree."""
    alike = np.concatenate([_neighbours(head), _neighbours(base[1:])])
    if not len(alike):
        return LEAST_GATE
    # two processes differ by sqrt(2) of one's spread, as a pair of different trees does
    spread = float(np.sqrt(np.mean(np.square(alike)) / len(base)))
    return max(LEAST_GATE, float(np.expm1(NOISE_FACTOR * spread)))


def _neighbours(processes: Sequence[Rounds]) -> np.ndarray:
    """Log-ratios of the pairs that ABBA puts side by side: the 1st and 2nd, the 3rd and 4th."""
    logs = _log_bests(processes)
    whole = len(logs) // 2 * 2
    return np.asarray(logs[1:whole:2] - logs[0:whole:2])


def _log_bests(processes: Sequence[Rounds]) -> np.ndarray:
    """Logarithm of the fastest round of each process; slower rounds were disturbed."""
    return np.array([np.log(np.min(rounds)) for rounds in processes])


def _drawn_bests(rounds: Rounds, random: np.random.Generator) -> np.ndarray:
    """Logarithms of the bootstrap's fastest rounds, shape (DRAWS,)."""
    times = np.asarray(rounds, dtype=float)
    picked = random.integers(0, len(times), (DRAWS, len(times)))
    return np.asarray(np.log(np.min(times[picked], axis=1)))
