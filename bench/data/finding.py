"""Walk the routes until every file is found and verified, and tell why when it is not."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.data.info import DatasetInfo
from bench.data.route import Progress, Route, RouteError
from bench.data.routes import OWN_FOLDER
from bench.data.verify import RefusedError, read_verified

logger = logging.getLogger(__name__)


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
    told : set of str
        Messages logged so far.
    """

    info: DatasetInfo
    payloads: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, Route] = field(default_factory=dict)
    shortfalls: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

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
        """Names of the files that came from far away."""
        return tuple(file for file, route in self.sources.items() if route.remote)


def walk(findings: Findings, routes: Sequence[Route], workspace: Path, progress: Progress) -> None:
    """Ask one route after the other for what is missing; stop when nothing is.

    Parameters
    ----------
    findings : Findings
        Filled in. Every payload in it has been verified by its SHA-256.
    routes : sequence of Route
        In order of preference.
    workspace : Path
        Folder for what routes fetch.
    progress : Progress
        Told which route is tried.
    """
    for route in routes:
        if findings.missing:
            _ask(findings, route, workspace, progress)


def _ask(findings: Findings, route: Route, workspace: Path, progress: Progress) -> None:
    """Take every verified file that one route offers, and note what it fell short of."""
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
    if message not in findings.told:
        findings.told.add(message)
        logger.log(level, "%s: %s", findings.info.title, message)


def explain(findings: Findings) -> str:
    """Say what is missing, every route that was tried and why it failed, and the remedy."""
    info = findings.info
    missing = ", ".join(findings.missing) if findings.payloads else "any of them"
    tried = "\n".join(f"  - {name}: {why}" for name, why in findings.shortfalls.items())
    return (
        f"{info.title}: expected the four files {', '.join(info.files)}, each verified by its "
        f"SHA-256; no route gave {missing}. Nothing was loaded, and nothing "
        f"else takes its place. Routes tried, in order:\n{tried}\n"
        f"Remedy: run once with a network, or put the four files (raw or .gz) into a folder "
        f"named {info.name} and set {OWN_FOLDER} to the folder above it."
    )
