"""Input checks for metrics."""

from collections.abc import Sequence

import numpy as np


def matrix(name: str, values: np.ndarray, least: int = 1) -> np.ndarray:
    """Flatten the items of an array to rows.

    Parameters
    ----------
    name : str
        What to call the array in errors.
    values : array_like, shape (n, ...)
        Numbers; all axes but the first are joined.
    least : int
        Fewest items that make sense.

    Returns
    -------
    ndarray, shape (n, d)
        A view where possible. uint8 stays uint8, everything else becomes float64.

    Raises
    ------
    ValueError
        If there are too few items, items without values, or values that are no finite numbers.
    """
    array = np.asarray(values)
    if array.ndim < 2 or len(array) < least or array[0].size == 0:
        raise ValueError(
            f"{name}: expected shape (n, ...) with n at least {least}, got {array.shape}; "
            "nothing was measured. Pass one item a row."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name}: expected real numbers, got {array.dtype}; nothing was measured. "
            "Convert them first."
        )
    array = array.reshape(len(array), -1)
    if array.dtype == np.uint8:
        return array
    array = array.astype(np.float64, copy=False)
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity in {int((~finite).sum())} of "
            f"{len(array)} rows, the first is {int(np.argmin(finite))}; nothing was measured. "
            "Has the training diverged?"
        )
    return array


def same_width(first: str, a: np.ndarray, second: str, b: np.ndarray) -> None:
    """Refuse two matrices whose rows do not have the same length.

    Parameters
    ----------
    first, second : str
        What to call them.
    a, b : ndarray, shape (n, d)
        The matrices.

    Raises
    ------
    ValueError
        If their columns differ in number.
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"{first} and {second}: expected rows of one length, got {a.shape[1]} and "
            f"{b.shape[1]} values; no distance was taken. Do they come from the same network?"
        )


def same_length(first: str, a: np.ndarray, second: str, b: np.ndarray) -> None:
    """Refuse two arrays that do not describe the same items.

    Parameters
    ----------
    first, second : str
        What to call them.
    a, b : ndarray, shape (n, ...)
        The arrays.

    Raises
    ------
    ValueError
        If they have different numbers of items.
    """
    if len(a) != len(b):
        raise ValueError(
            f"{first} and {second}: expected the same items, got {len(a)} and {len(b)}; "
            "nothing was measured. Pass both for the same images, in the same order."
        )


def classes(name: str, values: np.ndarray, count: int | None = None) -> np.ndarray:
    """Check a vector of class numbers.

    Parameters
    ----------
    name : str
        What to call it in errors.
    values : array_like of int, shape (n,)
        Class numbers, from 0.
    count : int, optional
        Number of classes there are; unbounded if None.

    Returns
    -------
    ndarray of int64, shape (n,)
        The same numbers.

    Raises
    ------
    ValueError
        If it is not one non-empty row of integers in range.
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: expected integers of shape (n,) with n at least 1, got {array.dtype} of "
            f"shape {array.shape}; nothing was measured. One-hot labels need argmax(axis=1)."
        )
    array = array.astype(np.int64)
    if array.min() < 0 or (count is not None and array.max() >= count):
        bound = "0 or more" if count is None else f"from 0 to {count - 1}"
        raise ValueError(
            f"{name}: expected classes {bound}, got {array.min()} to {array.max()}; "
            "nothing was measured. Are these the labels of another data set?"
        )
    return array


def probabilities(values: np.ndarray, tolerance: float = 1e-3) -> np.ndarray:
    """Check the predictions of a classifier.

    Parameters
    ----------
    values : array_like of float, shape (n, classes)
        Probabilities; each row sums to 1.
    tolerance : float
        Largest accepted difference of a row's sum from 1.

    Returns
    -------
    ndarray of float64, shape (n, classes)
        The same numbers.

    Raises
    ------
    ValueError
        If the shape is another, or a row is no probability distribution.
    """
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2:
        raise ValueError(
            f"probabilities: expected shape (n, classes) with n at least 1 and 2 classes or more, "
            f"got {array.shape}; nothing was measured. Pass one row an image."
        )
    array = matrix("probabilities", array).astype(np.float64, copy=False)
    off = np.abs(array.sum(axis=1) - 1.0)
    if array.min() < -tolerance or off.max() > tolerance:
        raise ValueError(
            f"probabilities: expected rows of values from 0 to 1 that sum to 1, got values from "
            f"{array.min():.6g} to {array.max():.6g} and a sum that is {off.max():.2g} off (row "
            f"{int(off.argmax())}); nothing was measured. Apply softmax, in float32."
        )
    return array


def whole(name: str, value: int, least: int, most: int | None = None) -> None:
    """Refuse a number that is out of its range.

    Parameters
    ----------
    name : str
        What to call it.
    value : int
        The number.
    least, most : int
        The range, ends included; no upper end if `most` is None.

    Raises
    ------
    ValueError
        If it is out of range.
    """
    if value < least or (most is not None and value > most):
        bound = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(
            f"{name}: expected {bound}, got {value}; nothing was measured. "
            f"Change {name}, or pass more items."
        )


def vector(name: str, values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Check figures of several runs or images.

    Parameters
    ----------
    name : str
        What to call them in errors.
    values : sequence of float, length n
        One or more finite numbers.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If there is none, or one is no finite number.
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name}: expected one or more numbers in a row, got shape {array.shape}; nothing "
            "was computed. Have all runs of the variant failed?"
        )
    return matrix(name, array[:, None])[:, 0].astype(np.float64, copy=False)


def correlation(name: str, r: float) -> None:
    """Check a correlation; raises ValueError if it is not from -1 to 1.

    Parameters
    ----------
    name : str
        Name of the argument.
    r : float
        Its value.
    """
    if not -1.0 <= r <= 1.0:
        raise ValueError(
            f"{name}: expected a correlation from -1 to 1, got {r}; nothing was computed."
        )


def confidence(value: float) -> None:
    """Check a level of confidence; raises ValueError if it is not between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise ValueError(
            f"confidence: expected a number between 0 and 1, got {value}; nothing was "
            "computed. Give a share, not a percentage."
        )
