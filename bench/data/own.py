"""A folder of the user's with a data set: IDX or .npz files, measured before they are read.

The folder holds either the four IDX files of MNIST (`FILES`, each raw or as ``.gz``), or one
``.npz`` file with the arrays ``train_images``, ``train_labels``, ``test_images`` and
``test_labels`` (or, as Keras names them, ``x_train``, ``y_train``, ``x_test`` and ``y_test``).
Images are uint8, shape (n, size, size); labels are integers from 0. Nothing is unpickled.
"""

import gzip
import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bench.data import idx
from bench.data.definition import (
    FILES,
    LEAST_SIZE,
    MOST_SIZE,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    DatasetInfo,
    DownloadProgress,
    RouteError,
)
from bench.data.files import GZIP_MAGIC, MOST_BYTES
from bench.errors import UserError
from bench.npy import read_header

NAME = "own"
ARRAYS = {
    TRAIN_IMAGES: ("train_images", "x_train"),
    TRAIN_LABELS: ("train_labels", "y_train"),
    TEST_IMAGES: ("test_images", "x_test"),
    TEST_LABELS: ("test_labels", "y_test"),
}
PARTS = {"training": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}


@dataclass(frozen=True)
class OwnFolder:
    """The route to a folder that a profile names.

    Attributes
    ----------
    folder : Path
        See this module.
    """

    folder: Path
    asked_for: bool = True
    remote: bool = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"folder {self.folder}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: DownloadProgress
    ) -> Iterator[tuple[str, Path]]:
        """Yield each array as an IDX file, whatever it was stored in; see `Route`.

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
        try:
            arrays = {file: _as_bytes(array) for file, array in _read(self.folder).items()}
        except (UserError, OverflowError) as error:
            raise RouteError(str(error)) from error
        for file in files:
            target = workspace / file
            target.write_bytes(idx.encode(arrays[file]))
            yield file, target


def describe(folder: Path, class_names: Sequence[str], title: str | None = None) -> DatasetInfo:
    """Read a folder once, and say what data set is in it.

    Parameters
    ----------
    folder : Path
        See this module.
    class_names : sequence of str
        The name of each label, from label 0.
    title : str, optional
        The data set's name in the report; that of the folder if None.

    Returns
    -------
    DatasetInfo
        Its SHA-256 sums are of the arrays as uint8 IDX files: the same images and labels have the
        same sums in every format.

    Raises
    ------
    UserError
        If files are missing, damaged or too large; if images are not uint8, square, of 8 to 64
        pixels, and of one size; if labels are no integers or not those of the class names; if there
        are not as many labels as images; or if a class has no image.
    """
    return _described(folder, tuple(class_names), title, _stamp(folder))


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return the sizes and times of a folder's files: they change when a file does."""
    stats = [(path.name, path.stat()) for path in sorted(folder.glob("*")) if path.is_file()]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


@lru_cache(maxsize=4)
def _described(
    folder: Path,
    class_names: tuple[str, ...],
    title: str | None,
    stamp: tuple[tuple[str, int, int], ...],
) -> DatasetInfo:
    """Describe a folder; the result is cached until a file changes."""
    del stamp
    arrays = _read(folder)
    for part, (images, labels) in PARTS.items():
        _check(folder, part, arrays[images], arrays[labels], class_names)
    size, other = arrays[TRAIN_IMAGES].shape[1], arrays[TEST_IMAGES].shape[1]
    if size != other:
        raise _refused(
            folder,
            f"expected training and test images of one size, got {size} and {other} pixels a side",
            "Scale one of them",
        )
    sums = {file: hashlib.sha256(idx.encode(_as_bytes(arrays[file]))).hexdigest() for file in FILES}
    return DatasetInfo(
        name=NAME,
        title=title or folder.name,
        class_names=class_names,
        size=size,
        files=sums,
        sources=(OwnFolder(folder),),
    )


def _as_bytes(array: np.ndarray) -> np.ndarray:
    """Convert images and labels to the type in which they are stored."""
    if array.min(initial=0) < 0 or array.max(initial=0) > 255:
        raise OverflowError("expected values from 0 to 255")
    return array.astype(np.uint8, copy=False)


def _check(
    folder: Path, part: str, images: np.ndarray, labels: np.ndarray, class_names: Sequence[str]
) -> None:
    """Check shape, type and range of images and labels."""
    given = f"{images.dtype} of shape {images.shape}"
    if images.dtype != np.uint8:
        raise _refused(
            folder,
            f"expected {part} images of type uint8, got {given}",
            "Scale grey values to 0-255",
        )
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise _refused(
            folder,
            f"expected square grey {part} images, shape (n, size, size), got {given}",
            "Crop or pad the images, and leave out an axis of channels",
        )
    if not LEAST_SIZE <= images.shape[1] <= MOST_SIZE:
        raise _refused(
            folder,
            f"expected {part} images of {LEAST_SIZE} to {MOST_SIZE} pixels a side, got {given}",
            "Scale the images",
        )
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise _refused(
            folder,
            f"expected {part} labels that are integers, shape (n,), got {labels.dtype} of shape "
            f"{labels.shape}",
            "Number the classes from 0",
        )
    if len(labels) != len(images):
        raise _refused(
            folder,
            f"expected as many {part} labels as images, got {len(labels)} and {len(images)}",
            "Store both for the same images, in the same order",
        )
    counts = _counts(folder, part, labels, class_names)
    if not counts.all():
        absent = int(counts.argmin())
        raise _refused(
            folder,
            f"expected {part} images of each class, got none of label {absent} "
            f"({class_names[absent]!r})",
            "Add some, or leave the class out of `classes` and number the others anew",
        )


def _counts(folder: Path, part: str, labels: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    last = len(class_names) - 1
    low, high = labels.min(initial=0), labels.max(initial=0)
    if low < 0 or high > last:
        raise _refused(
            folder,
            f"expected {part} labels from 0 to {last}, one a class name, got {low} to {high}",
            "Name every class in `classes`, in the order of the labels",
        )
    return np.bincount(labels.astype(np.int64), minlength=len(class_names))


def _read(folder: Path) -> dict[str, np.ndarray]:
    """Read the four arrays of a folder, by the name of their IDX file."""
    if not folder.is_dir():
        raise _refused(folder, "expected a folder, got " + _kind(folder), "Check the path")
    packed = sorted(folder.glob("*.npz"))
    plain = [path for file in FILES for path in (folder / file, folder / f"{file}.gz")]
    found = [path for path in plain if path.is_file()]
    if bool(packed) == bool(found) or len(packed) > 1:
        names = ", ".join(path.name for path in (*packed, *found)) or "none of them"
        raise _refused(
            folder,
            f"expected either the files {', '.join(FILES)} (each raw or .gz) or one .npz file, got "
            f"{names}",
            "Add what is missing, or move away what is too much",
        )
    try:
        return _from_npz(packed[0]) if packed else _from_idx(folder)
    except OSError as error:
        raise _refused(
            folder, f"a file cannot be read ({error.strerror or error})", "Check its permissions"
        ) from error


def _kind(path: Path) -> str:
    return "a file" if path.exists() else "nothing there"


def _from_idx(folder: Path) -> dict[str, np.ndarray]:
    arrays = {}
    for file in FILES:
        path = next((p for p in (folder / file, folder / f"{file}.gz") if p.is_file()), None)
        if path is None:
            raise _refused(folder, f"expected the file {file} (raw or .gz), got none", "Add it")
        try:
            arrays[file] = idx.parse(_bounded(path), path.name)
        except (idx.IdxError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _refused(path, f"expected an IDX file; {error}", "Make it anew") from error
    return arrays


def _bounded(path: Path) -> bytes:
    """Read an IDX file, raw or gzip, once its header says that it is not too large."""
    with path.open("rb") as raw:
        compressed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    with gzip.open(path) if compressed else path.open("rb") as stream:
        start = stream.read(idx.LONGEST_HEADER)
        expected = idx.length(start, path.name)
        _refuse_large(path, expected)
        # one byte more, to see what was added
        return start + stream.read(max(0, expected - len(start)) + 1)


def _from_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as packed:
            return {file: _member(path, packed, names) for file, names in ARRAYS.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refused(
            path, f"expected a whole .npz file, got a damaged or encrypted one ({error})",
            "Write it anew with numpy.savez",
        ) from error  # fmt: skip


def _member(path: Path, packed: zipfile.ZipFile, names: Sequence[str]) -> np.ndarray:
    """Read one array of an archive, once its header says what it is."""
    inside = set(packed.namelist())
    name = next((name for name in names if f"{name}.npy" in inside), None)
    if name is None:
        shown = ", ".join(sorted(inside)[:8]) or "nothing"
        raise _refused(path, f"expected the array {' or '.join(names)}, got {shown}", "Add it")
    with packed.open(f"{name}.npy") as stream:
        try:
            shape, in_columns, dtype = read_header(stream)
        except ValueError as error:
            raise _refused(
                path, f"{name}: expected a NumPy array; {error}", "Make it anew"
            ) from error
        if dtype.kind not in "biuf":
            raise _refused(
                path,
                f"{name}: expected numbers, got {dtype}; nothing is unpickled",
                "Store numbers",
            )
        expected = math.prod(shape) * dtype.itemsize
        _refuse_large(path, expected)
        payload = stream.read(expected + 1)
    if len(payload) != expected:
        raise _refused(
            path,
            f"{name}: expected {expected} bytes for shape {shape} of {dtype}, got "
            f"{'more' if len(payload) > expected else len(payload)}",
            "Make it anew",
        )
    array = np.frombuffer(payload, dtype)
    return array.reshape(shape, order="F" if in_columns else "C")


def _refuse_large(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise _refused(
            path,
            f"expected an array of at most {MOST_BYTES} bytes, got one of {size} by its header",
            "Use fewer or smaller images",
        )


def _refused(path: Path, why: str, remedy: str) -> UserError:
    return UserError(f"{path}: {why}. The data set was not loaded. {remedy}.")
