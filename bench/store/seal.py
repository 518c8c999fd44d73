"""Sealed JSON files: they hold their own hash and those of the files beside them.

The last file of a cell (`done.json` or `failed.json`) and the manifest of a run are sealed: each
holds the format of the store and the hash of its own content. The former also lists size and
SHA-256 of every other file of the cell. A process hashes a file once for each state of it.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from bench.errors import UserError
from bench.interfaces import JsonMapping, JsonObject
from bench.paths import is_name
from bench.store.files import read_json, sync, write_json
from bench.store.keys import content_key

SCHEMA = 2  # the format of the store; 1 had no hashes
REMEMBERED = 2**17  # files of which a process keeps the hash
SETTLED = 100_000_000  # nanoseconds
BLOCK = 2**16  # bytes that are read at once
T = TypeVar("T")


class DamagedError(UserError):
    """A file of the store that is not as it was written.

    Attributes
    ----------
    path : Path
        The file, or the first of several.
    what : str
        What is wrong with it, and with which others.
    reason : str
        The same, beginning with the file's name.
    """

    remedy = (
        "Expected it as a run wrote it; nothing of it is shown. `invoke run-all` makes anew what "
        "is damaged and keeps the rest."
    )

    def __init__(self, path: Path | str, what: str) -> None:
        super().__init__(f"{path} {what}. {self.remedy}")
        self.path, self.what = Path(path), what
        self.reason = f"{self.path.name} {what}"

    def __reduce__(self) -> tuple[type["DamagedError"], tuple[Path, str]]:
        return type(self), (self.path, self.what)  # it crosses from process to process


class OtherFormatError(DamagedError):
    """A file that another version of this project wrote."""

    remedy = (
        "Another version of this project wrote it. Read it with that version, make a new run "
        "beside it with `--run NAME`, or delete it with `invoke clean --run` and its name."
    )


def write_sealed(path: Path, content: JsonMapping) -> None:
    """Write a JSON file that holds the hash of its content, and flush it to the disk.

    Parameters
    ----------
    path : Path
        The file.
    content : mapping
        What it holds.
    """
    whole = {"schema": SCHEMA, **content}
    write_json(path, {**whole, "sha256": content_key(whole)})
    sync(path)


def read_sealed(path: Path) -> JsonMapping:
    """Read a sealed file; see `write_sealed`.

    Raises
    ------
    DamagedError
        If its content is not what was written, or of another format (`OtherFormatError`).
    """
    return _content(str(path), _state(str(path)))


def list_files(folder: Path) -> dict[str, JsonObject]:
    """Size (`bytes`) and `sha256` of each file of a folder, by name."""
    listed = {}
    for path in sorted(folder.iterdir()):
        state = _state(str(path))
        listed[path.name] = {"bytes": state.size, "sha256": _sha256(str(path), state)}
    return listed


def check_files(folder: Path, closing: JsonMapping, name: str) -> None:
    """Compare files with what the sealed file `name` beside them lists.

    Parameters
    ----------
    folder : Path
        The folder of the files.
    closing : mapping
        What the sealed file holds.
    name : str
        Its name.

    Raises
    ------
    DamagedError
        Names each file that is missing or differs. Files that are not listed are no damage:
        nothing reads them.
    """
    try:
        listed = [(each, row["bytes"], row["sha256"]) for each, row in closing["files"].items()]
    except (AttributeError, KeyError, TypeError) as error:
        raise DamagedError(folder / name, "does not list the cell's files") from error
    wrong: list[DamagedError] = []
    for each, size, digest in listed:
        if not is_name(each):
            raise DamagedError(folder / name, f"lists {each!r}, which is no file's name")
        try:
            # a quarter of the time of `/`
            _check_file(os.path.join(folder, each), size, digest)  # noqa: PTH118
        except DamagedError as error:
            wrong.append(error)
    if wrong:
        first, *others = wrong
        what = "; ".join([first.what, *(error.reason for error in others)])
        raise DamagedError(first.path, what) from first


def _check_file(path: str, size: object, digest: object) -> None:
    state = _state(path)
    if state.size != size:
        raise DamagedError(path, f"has {state.size} bytes where {size} were written")
    if _sha256(path, state) != digest:
        raise DamagedError(path, "holds other bytes than were written (SHA-256 differs)")


class State(NamedTuple):
    """State of a file: what the file system changes whenever the file changes."""

    inode: int
    size: int
    modified: int
    changed: int

    @property
    def settled(self) -> bool:
        """Whether another change would show: file systems count time in steps of milliseconds."""
        return time.time_ns() - self.changed > SETTLED


def _state(path: str) -> State:
    try:
        found = os.lstat(path)
    except OSError as error:
        raise DamagedError(path, f"cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(found.st_mode):
        raise DamagedError(path, "is no plain file")
    return State(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _remembered(function: Callable[[str], T]) -> Callable[[str, State], T]:
    """Call a function of a file once for each state of the file; only the last is remembered."""
    known: dict[str, tuple[State, T]] = {}

    def once(path: str, state: State) -> T:
        if not state.settled:
            return function(path)
        found = known.get(path)
        if found is None or found[0] != state:
            if len(known) >= REMEMBERED:
                known.clear()
            found = known[path] = (state, function(path))
        return found[1]

    return once


@_remembered
def _content(path: str) -> JsonMapping:
    """Content of a sealed file, if it is what was written."""
    try:
        content = read_json(Path(path))
        seal = content.pop("sha256", None)
        own = content_key(content)
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(path, f"cannot be read ({error})") from error
    schema = content.get("schema")
    if isinstance(schema, int) and schema != SCHEMA:
        raise OtherFormatError(path, f"has format {schema}, not {SCHEMA}")
    if own != seal:
        raise DamagedError(path, "holds another text than was written (SHA-256 differs)")
    return content | {"sha256": seal}


@_remembered
def _sha256(path: str) -> str:
    found = hashlib.sha256()
    try:
        # most files are small: half the time of `hashlib.file_digest`
        descriptor = os.open(path, os.O_RDONLY)
        try:
            while block := os.read(descriptor, BLOCK):
                found.update(block)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise DamagedError(path, f"cannot be read ({error.strerror})") from error
    return found.hexdigest()
