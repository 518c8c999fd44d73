"""Routes to files that this machine already has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.data.route import Progress, RouteError


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
        self, files: Sequence[str], workspace: Path, progress: Progress
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files that are there; see `Route`."""
        nothing = True
        for candidate in candidates(self.folders, files):
            nothing = False
            yield candidate
        if nothing:
            places = " or ".join(str(folder) for folder in self.folders)
            raise RouteError(self.otherwise or f"none of the files is in {places}")


def candidates(folders: Sequence[Path], files: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield, for each IDX file, the raw and then the gzip files of that name in the folders."""
    for file in files:
        for folder in folders:
            for path in (folder / file, folder / f"{file}.gz"):
                if path.is_file():
                    yield file, path
