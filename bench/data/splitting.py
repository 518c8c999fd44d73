"""Stratified, repeatable splits of a data set."""

from dataclasses import dataclass

import numpy as np

from bench.data.loading import Dataset
from bench.errors import UserError


@dataclass(frozen=True, eq=False)
class Split:
    """The parts that an experiment trains on, tunes on and is measured on.

    Attributes
    ----------
    dataset : str
        Name of the data set.
    class_names : tuple of str
        The name of each label, from label 0.
    train_images, validation_images, test_images : ndarray of uint8, shape (n, size, size)
        Grey values 0 to 255. Training and validation images are disjoint parts of the data
        set's training set.
    train_labels, validation_labels, test_labels : ndarray of uint8, shape (n,)
        Class of each image.
    train_index, validation_index, test_index : ndarray of int64, shape (n,)
        Row of each image in the data set's own training (or test) set, ascending.
    """

    dataset: str
    class_names: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_index: np.ndarray
    validation_index: np.ndarray
    test_index: np.ndarray

    @property
    def size(self) -> int:
        """Pixels a side of an image."""
        return int(self.train_images.shape[1])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


def split(
    dataset: Dataset,
    validation: int,
    seed: int,
    limit: int | None = None,
    test_limit: int | None = None,
) -> Split:
    """Hold out a validation set, and cap the other two if asked; every part is stratified.

    Parameters
    ----------
    dataset : Dataset
        What `load` returned.
    validation : int
        Number of training images held out, 0 or more. `limit` does not change which.
    seed : int
        Chooses the validation and the capped training images.
    limit : int, optional
        Most training images to keep. All that are left if None.
    test_limit : int, optional
        Most test images to keep. All if None. The choice does not depend on `seed`, so that
        every seed is measured on the same images.

    Returns
    -------
    Split
        The parts, each in the order of the data set.

    Raises
    ------
    UserError
        If a number does not fit the data set, or a part would leave out a class.
    """
    training, classes = len(dataset.train_labels), len(np.unique(dataset.train_labels))
    if validation != 0:
        _check("validation", validation, classes, training - classes)
    for key, cap in (("train_limit", limit), ("test_limit", test_limit)):
        if cap is not None:
            _check(key, cap, classes, None)

    generator = np.random.default_rng(seed)
    everything = np.arange(training)
    held_out = _draw(dataset.train_labels, everything, validation, generator)
    rest = np.setdiff1d(everything, held_out, assume_unique=True)
    train = rest if limit is None else _draw(dataset.train_labels, rest, limit, generator)

    test = np.arange(len(dataset.test_labels))
    if test_limit is not None:
        test = _draw(dataset.test_labels, test, test_limit, np.random.default_rng(0))
    return Split(
        dataset=dataset.name,
        class_names=dataset.class_names,
        train_images=dataset.train_images[train],
        train_labels=dataset.train_labels[train],
        validation_images=dataset.train_images[held_out],
        validation_labels=dataset.train_labels[held_out],
        test_images=dataset.test_images[test],
        test_labels=dataset.test_labels[test],
        train_index=train,
        validation_index=held_out,
        test_index=test,
    )


def apportion(total: int, counts: np.ndarray) -> np.ndarray:
    """Share out places in proportion to counts, by largest remainder (Hamilton's method).

    Parameters
    ----------
    total : int
        Places to share out, from 0 to the sum of `counts`.
    counts : ndarray of int, shape (classes,)
        Members of each class.

    Returns
    -------
    ndarray of int, shape (classes,)
        Places of each class: they add up to `total`, and none is above its count. Equal
        remainders go to the lower class first.
    """
    # In integers: rounding must not depend on the platform.
    places, remainders = np.divmod(total * counts.astype(np.int64), max(int(counts.sum()), 1))
    first = np.argsort(-remainders, kind="stable")[: total - int(places.sum())]
    places[first] += 1
    return places


def _draw(
    labels: np.ndarray, rows: np.ndarray, size: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw `size` of the rows, stratified by class; all of them if there are no more."""
    if size >= len(rows):
        return rows
    _, inverse, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    drawn = [
        generator.permutation(rows[inverse == index])[:places]
        for index, places in enumerate(apportion(size, counts))
    ]
    return np.sort(np.concatenate(drawn))


def _check(key: str, size: int, least: int, most: int | None) -> None:
    """Refuse a size that leaves a class out of a part."""
    if size < least or (most is not None and size > most):
        bound = f"at least {least}" if most is None else f"0, or from {least} to {most}"
        raise UserError(
            f"{key}: expected {bound} images, got {size}. A class would be missing from a part "
            f"of the data, so nothing was split; change {key}."
        )
