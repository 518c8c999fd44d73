"""Bounds of measured figures, which limit printed and drawn intervals."""

SHARES = {
    "accuracy",
    "accuracy_averaged",
    "accuracy_single_view",
    "active_share",
    "balanced_accuracy",
    "class_purity",
    "confidence",
    "continuity",
    "coverage",
    "expected_calibration_error",
    "explained_variance",
    "f1",
    "group_purity",
    "knn_accuracy",
    "line_share",
    "lowest_class_purity",
    "macro_f1",
    "neighbour_overlap",
    "on_one_line",
    "pixels_accuracy",
    "precision",
    "procrustes",
    "pupil_accuracy",
    "random_encoder_accuracy",
    "recall",
    "training_accuracy",
    "triplet_accuracy",
    "trustworthiness",
    "validation_accuracy",
    "weighted_f1",
}
POSITIVE = {
    "checkerboard",
    "dead_units",
    "density",
    "frechet_distance",
    "kl",
    "missing_classes",
    "nearest_distance_ratio",
    "path_smoothness",
    "rank",
    "reconstruction_mse",
    "seconds",
    "sharpness",
}
Limits = tuple[float | None, float | None]


def possible(path: str) -> Limits:
    """Return the least and the greatest value that a figure can have.

    Parameters
    ----------
    path : str
        Where the cells hold it; see `bench.report.values.collect.lookup`. The last step that is
        known decides: ``per_class.f1.3`` is a share, as ``f1`` is.

    Returns
    -------
    tuple of (float or None)
        None where there is no such limit. Differences have other limits: they are not asked here.
    """
    for step in reversed(path.replace(":", ".").split(".")):
        if step.endswith("_change"):
            return None, None
        if step in SHARES:
            return 0.0, 1.0
        if step in POSITIVE:
            return 0.0, None
    return None, None


def within(low: float, high: float, limits: Limits) -> tuple[float, float]:
    """Cut an interval off where no value can lie.

    Parameters
    ----------
    low : float
        Lower end.
    high : float
        Upper end.
    limits : Limits
        Least and greatest possible value.

    Returns
    -------
    tuple of float
        Both ends.
    """
    least, greatest = limits
    return (
        low if least is None else max(low, least),
        high if greatest is None else min(high, greatest),
    )
