"""Results of searches."""

from typing import Annotated, Literal

import pandas as pd

from bench.results.held import Columns, Holding, NotNegative, Part

HYPERPARAMETER = "hp_"  # how the columns of hyperparameters begin, in the table of trials
Value = float | int | str | bool
Values = dict[str, Value]


def early_epoch(epochs: int) -> int:
    """Return the epoch of a trial's `early_score`: a third of all, at least the first."""
    return max(1, epochs // 3)


class Gain(Part):
    """What the winner gained over the defaults, with fresh seeds."""

    mean: float
    low: float | None
    high: float | None
    n: int
    p_value: float | None


class Confirmed(Part):
    """Scores of defaults and winner with fresh seeds."""

    default: list[float]
    winner: list[float]


class SearchMetrics(Part):
    """What was found; see `bench.search.tuner.Outcome`."""

    best: Values
    best_score: float
    default: Values
    default_score: float | None = None
    direction: Literal["max", "min"]
    objective: str
    completed: int
    failed: int
    seconds: NotNegative
    confirmed: Confirmed | None = None
    confirmations_failed: int | None = None
    gain: Gain | None = None
    rank_correlation: float | None = None
    ranked_trials: int | None = None


class Trials(Part):
    """All trials, one row each."""

    trials: Annotated[
        pd.DataFrame,
        Columns(
            *("trial", "status", "score", "epochs", "seconds", "message", "default", "early_score"),
            allowed=("goes_on_from",),
            prefixes=(HYPERPARAMETER, "score_"),
        ),
    ]


class Search(Holding):
    """A search."""

    metrics: SearchMetrics
    tables: Trials


class SearchByArmMetrics(SearchMetrics):
    """What was found for each arm besides."""

    best_by_arm: dict[str, Values]
    confirmed_by_arm: dict[str, Confirmed] | None = None
    gain_by_arm: dict[str, Gain] | None = None


class SearchByArm(Holding):
    """A search whose trials train several arms."""

    metrics: SearchByArmMetrics
    tables: Trials
