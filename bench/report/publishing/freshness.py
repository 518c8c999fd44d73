"""Check whether a rendered report is up to date."""

import hashlib
import json
from pathlib import Path

from bench.experiment_files import folder_of, own_packages
from bench.paths import ROOT, TEMPLATES
from bench.report.order import Order
from bench.store import StoredRun, content_key
from bench.store.files import read_json

RECORD = "rendered.json"


def report_key(run: StoredRun, order: Order) -> str:
    """Content key of everything that the report is made from.

    Parameters
    ----------
    run : StoredRun
        The run.
    order : Order
        What is asked of the report.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    code = (ROOT / "bench", *map(folder_of, own_packages()))
    made_by = [
        *sorted(TEMPLATES.rglob("*")),
        *(path for folder in code for suffix in ("*.py", "*.toml", "*.j2")
          for path in sorted(folder.rglob(suffix))),
    ]  # fmt: skip
    return content_key(
        {
            "profile": run.profile,
            "edition": order.edition,
            "identity": order.identity.model_dump(mode="json"),
            "assignment": order.assignment and order.assignment.model_dump(mode="json"),
            "student": order.student,
            "experiments": [each.stored() for each in run.experiments],
            "datasets": {name: each.model_dump() for name, each in run.datasets.items()},
            "inapplicable": run.inapplicable,
            "cells": [[cell.label, cell.status, cell.failure, cell.seal] for cell in run.cells],
            "made_by": [_digest(path) for path in made_by if path.is_file()],
        }
    )


def is_fresh(run: StoredRun, out_dir: Path, order: Order | None = None) -> bool:
    """Whether the files that were written last are there, untouched, and still right.

    Parameters
    ----------
    run : StoredRun
        The run.
    out_dir : Path
        Folder of the report.
    order : Order
        What is asked of the report.

    Returns
    -------
    bool
        Whether it is.
    """
    try:
        record = read_json(out_dir / RECORD)
        files = [(out_dir / name, digest) for name, digest in record["files"].items()]
        untouched = all(_digest(path) == digest for path, digest in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return untouched and record.get("key") == report_key(run, order or Order())


def remember(
    run: StoredRun, out_dir: Path, written: list[Path], order: Order | None = None
) -> None:
    """Record what was written, and what it was made from.

    Parameters
    ----------
    run : StoredRun
        The run.
    out_dir : Path
        Folder of the report.
    written : list of Path
        The files.
    order : Order
        What is asked of the report.
    """
    files = {path.name: _digest(path) for path in written}
    record = {"key": report_key(run, order or Order()), "files": files}
    (out_dir / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
