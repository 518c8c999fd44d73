"""How much of a score each of several settings explains, from few trials."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FOLDS, REPEATS = 4, 2  # of the cross-validation
SHUFFLES = 4  # of a setting, for each held-out part
TREES = 50


@dataclass(frozen=True)
class Importance:
    """What settings explain of a score.

    Attributes
    ----------
    explained : float
        Share of the variance of held-out scores that the settings explain together; 0 or below:
        they explain nothing that carries over to other trials.
    by_setting : dict of str to float
        By how much of the variance the squared error on held-out trials grows when the values of
        one setting are shuffled.
    """

    explained: float
    by_setting: dict[str, float]


def permutation_importance(settings: pd.DataFrame, scores: np.ndarray) -> Importance:
    """Shuffle one setting after the other among held-out trials, and see how predictions suffer.

    Parameters
    ----------
    settings : DataFrame
        A column for each setting, numbers or words; a row for each trial.
    scores : ndarray of float, shape (n,)
        Score of each trial; not all equal.

    Returns
    -------
    Importance
        By a forest of extremely randomised trees, in repeated cross-validation.

    Notes
    -----
    Breiman, "Random forests", Machine Learning 45, 2001; Geurts et al., "Extremely randomized
    trees", Machine Learning 63, 2006.
    """
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.inspection import permutation_importance as shuffled
    from sklearn.model_selection import RepeatedKFold

    features = np.column_stack([_numbers(settings[name]) for name in settings])
    variance = float(np.var(scores))
    errors, grown = [], []
    parts = RepeatedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=0)
    for number, (seen, held) in enumerate(parts.split(features)):
        forest = ExtraTreesRegressor(TREES, random_state=number).fit(features[seen], scores[seen])
        errors.append(np.square(forest.predict(features[held]) - scores[held]).mean())
        found = shuffled(
            forest, features[held], scores[held], scoring="neg_mean_squared_error",
            n_repeats=SHUFFLES, random_state=number,
        )  # fmt: skip
        grown.append(found.importances_mean)
    mean = np.mean(grown, axis=0) / variance
    return Importance(
        1 - float(np.mean(errors)) / variance,
        dict(zip(map(str, settings), map(float, mean), strict=True)),
    )


def _numbers(column: pd.Series) -> np.ndarray:
    """Put a setting's values in an order that does not depend on their scale."""
    numeric = pd.api.types.is_numeric_dtype(column)
    ranks = column.rank() if numeric else column.astype(str).rank(method="dense")
    return ranks.to_numpy(dtype=float)
