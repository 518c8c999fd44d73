"""Definition of a data set, and the interface of the routes to its files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

LEAST_SIZE, MOST_SIZE = 8, 64  # pixels a side
LEAST_CLASSES, MOST_CLASSES = 2, 100

# Called with what goes on, and the share of it that is done (0 to 1), or None if not known.
DownloadProgress = Callable[[str, float | None], None]


def silent(message: str, share: float | None) -> None:
    """Report no progress.

    Parameters
    ----------
    message : str
        What goes on.
    share : float or None
        Share that is done; None if it is not known.
    """


class RouteError(Exception):
    """Failure of a route; the message says why it gives no more files."""


class Route(Protocol):
    """A place that may have a data set's files.

    It only says where candidate files lie; whether one is accepted is decided in `loading`.
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
        self, files: Sequence[str], workspace: Path, progress: DownloadProgress
    ) -> Iterator[tuple[str, Path]]:
        """Yield candidates for the named files, fetching each only when it is asked for.

        Parameters
        ----------
        files : sequence of str
            Names of the IDX files that are still missing.
        workspace : Path
            An empty folder of its own, removed after the search.
        progress : DownloadProgress
            Called with what goes on.

        Yields
        ------
        tuple of str and Path
            The name of the IDX file and a file that should hold it, gzip or raw.

        Raises
        ------
        RouteError
            If the route does not work here, or breaks off.
        """


@dataclass(frozen=True)
class DatasetInfo:
    """A data set of square grey images in the four IDX files of MNIST.

    Attributes
    ----------
    name : str
        Its key in the registry and in settings, such as ``fashion_mnist``.
    title : str
        Its name in prose.
    class_names : tuple of str
        The name of each label, from label 0; 2 to 100 of them.
    size : int
        Pixels a side, 8 to 64.
    files : mapping of str to str
        Name of each of the four IDX files to the SHA-256 of its *decompressed* bytes, so that
        every route, compressed or not, is held to the same sum.
    sources : tuple of Route
        Where the files can be had from, in order of preference.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    size: int
    files: Mapping[str, str]
    sources: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        if set(self.files) != set(FILES):
            raise ValueError(
                f"{self.name}: expected a SHA-256 for each of {', '.join(FILES)}; got "
                f"{', '.join(self.files) or 'none'}. It could not be verified; mend its definition."
            )
        if not LEAST_CLASSES <= len(self.class_names) <= MOST_CLASSES:
            raise ValueError(
                f"{self.name}: expected {LEAST_CLASSES} to {MOST_CLASSES} class names, got "
                f"{len(self.class_names)}. No network was built; mend its definition."
            )
        if not LEAST_SIZE <= self.size <= MOST_SIZE:
            raise ValueError(
                f"{self.name}: expected images of {LEAST_SIZE} to {MOST_SIZE} pixels a side, got "
                f"{self.size}. No network was built; mend its definition."
            )

    def __hash__(self) -> int:
        return hash((self.name, self.class_names, *self.files.items()))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def local(self) -> bool:
        """Whether all its sources are on this machine: nothing is fetched or cached."""
        return bool(self.sources) and not any(source.remote for source in self.sources)
