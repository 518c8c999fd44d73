"""What every route to a data set's files has in common."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

# Called with what goes on, and the share of it that is done (0 to 1), or None if not known.
Progress = Callable[[str, float | None], None]


class RouteError(Exception):
    """Why a route gives nothing, or nothing more."""


class Route(Protocol):
    """A place that may have a data set's files.

    It only says where candidate files lie; whether one is accepted is decided in `finding`.
    """

    @property
    def name(self) -> str:
        """What messages and provenance call it."""

    @property
    def remote(self) -> bool:
        """Whether its files are worth keeping in the cache."""

    @property
    def asked_for(self) -> bool:
        """Whether the user named it, so that passing it over needs a warning."""

    def gather(
        self, files: Sequence[str], workspace: Path, progress: Progress
    ) -> Iterator[tuple[str, Path]]:
        """Yield candidates for the named files, fetching each only when it is asked for.

        Parameters
        ----------
        files : sequence of str
            Names of the IDX files that are still missing.
        workspace : Path
            An empty folder of its own, removed after the search.
        progress : Progress
            Told what goes on.

        Yields
        ------
        tuple of str and Path
            The name of the IDX file and a file that should hold it, gzip or raw.

        Raises
        ------
        RouteError
            If the route does not work here, or breaks off.
        """


def silent(message: str, share: float | None) -> None:
    """Tell nobody of the progress."""
