"""Files and folders of the store: taken out of the way whole, then deleted."""

import os
import re
import shutil
from pathlib import Path


def remove(folder: Path) -> None:
    """Delete a folder: it is out of its place at once, then deleted file by file."""
    if not folder.name.startswith("."):  # else an earlier `remove` was killed
        folder = folder.rename(folder.with_name(f".{folder.name}.{os.getpid()}.deleted"))
    shutil.rmtree(folder)


def left_overs(folder: Path) -> list[Path]:
    """What a `remove` of this folder left when it was killed."""
    ours = re.compile(rf"\.{re.escape(folder.name)}\.\d+\.deleted")
    beside = sorted(folder.parent.iterdir()) if folder.parent.is_dir() else []
    return [path for path in beside if ours.fullmatch(path.name) and not path.is_symlink()]
