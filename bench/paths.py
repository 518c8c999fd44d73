"""Folders of a checkout, and the names that a run may have."""

import os
import re
from pathlib import Path

from bench.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
RUNS = ROOT / "runs"
REPORTS = ROOT / "reports"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_SHOWN = 60  # characters of a wrong name that a message repeats


def is_name(text: object) -> bool:
    """Whether a text may name a folder of the store: no path, hidden file or empty text."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def run_name(text: str, origin: str = "--run") -> str:
    """Check the name of a run: its folder in `runs/` and in `reports/`.

    Parameters
    ----------
    text : str
        The name.
    origin : str
        Where it was written, for the message.

    Returns
    -------
    str
        The name as given.

    Raises
    ------
    UserError
        If it is not one path component of at most 100 letters, digits, dots, `_` and `-`, or if it
        begins with a dot.
    """
    if not is_name(text):
        shown = repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}... ({len(text)} long)"
        raise UserError(
            f"{origin}: expected the name of a run, got {shown}. A name has 1 to 100 characters: "
            "letters a to z, digits, '.', '_' and '-', the first not a dot. Nothing was run, "
            "written or deleted; choose another name."
        )
    return text


def run_folder(text: str, runs: Path = RUNS, origin: str = "RUN") -> Path:
    """Find the folder of a run that is given by its name or by its path.

    Parameters
    ----------
    text : str
        A name in `runs`, or a path with a separator in it, such as ``handed-in/quick``.
    runs : Path
        Folder of the runs.
    origin : str
        Where it was written, for the message.

    Returns
    -------
    Path
        The folder, whether it is there or not.

    Raises
    ------
    UserError
        If the text is neither.
    """
    if os.sep in text and "\0" not in text:
        return Path(text)
    return runs / run_name(text, origin)
