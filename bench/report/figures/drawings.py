"""Cache of drawings, beside the report: drawing is a quarter of the work.

A figure is drawn again when a cell that it shows, the code that draws, or the words have changed,
or when what is kept is not as it was written: each file begins with the hash of the rest.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from bench.declarations import Declaration
from bench.experiment_files import folder_of, own_packages
from bench.interfaces import JsonMapping
from bench.paths import ROOT
from bench.report.figures import equations
from bench.report.figures.equations import Outlines
from bench.report.order import DRAWINGS
from bench.report.words.i18n import Language, catalogue_path
from bench.store import StoredCell, UsedData, content_key
from bench.store.files import PART

DRAWN_BY = ("matplotlib", "seaborn", "pillow")
ROOMS = ("report", "metrics", "store", "data")


class Drawings:
    """Cache of the drawings of one language.

    Parameters
    ----------
    out_dir : Path
        Where the report is written.
    language : Language
        Whose words the figures hold; nothing is kept while it lacks a translation.
    templates : Path
        Holds the catalogues and the published figures.
    experiments : iterable of Declaration
        What the figures' names and colours come from.
    datasets : iterable of UsedData
        What the names of classes and data sets come from.
    earlier : mapping
        Figures of an earlier report that are drawn beside the run's.
    """

    def __init__(
        self,
        out_dir: Path,
        language: Language,
        templates: Path,
        experiments: Iterable[Declaration] = (),
        datasets: Iterable[UsedData] = (),
        earlier: JsonMapping | None = None,
    ) -> None:
        self._folder = out_dir / DRAWINGS
        self._language = language
        words = [catalogue_path(language.code, templates), *sorted(templates.glob("*.toml"))]
        code = [path for room in ROOMS for path in sorted((ROOT / "bench" / room).rglob("*.py"))]
        said = list(experiments)
        for package in {each.package for each in said if not each.own} & set(own_packages()):
            code += sorted(folder_of(package).rglob("*.py"))
        self._made_by = [_digest(path) for path in (*code, *words) if path.is_file()]
        self._made_by.append(content_key([each.stored() for each in said]))
        self._made_by.append(content_key([each.model_dump(mode="json") for each in datasets]))
        self._made_by.append(content_key(dict(earlier or {})))
        self._made_by += [version(name) for name in DRAWN_BY]
        self._formulae_by = [version("matplotlib"), _digest(Path(equations.__file__))]

    def find(self, name: str, cells: Iterable[StoredCell]) -> str | None:
        """Return the SVG of a figure as it was last drawn; None if it must be drawn.

        Parameters
        ----------
        name : str
            The figure.
        cells : iterable of StoredCell
            The cells that it shows.

        Returns
        -------
        str or None
            The SVG.
        """
        return _read(self._path(name, cells))

    def keep(self, name: str, cells: Iterable[StoredCell], svg: str) -> None:
        """Keep a drawn figure in place of what was kept of it.

        Parameters
        ----------
        name : str
            The figure.
        cells : iterable of StoredCell
            The cells that it shows.
        svg : str
            Its drawing.
        """
        if self._language.untranslated:
            return
        path = self._path(name, cells)
        for old in self._folder.glob(f"{path.name.partition('~')[0]}~*"):
            old.unlink(missing_ok=True)
        self._write(path, svg)

    def outlines(self, latex: str) -> Outlines:
        """Return a formula's outlines, drawn now if they are not kept."""
        path = self._folder / f"formula~{content_key([latex, *self._formulae_by])[:16]}.json"
        kept = _read(path)
        if kept is not None:
            return Outlines(**json.loads(kept))
        drawn = equations.to_outlines(latex)
        self._write(path, json.dumps(asdict(drawn)))
        return drawn

    def _write(self, path: Path, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        content = text.encode()
        beside = path.with_name(f".{path.name}.{os.getpid()}{PART}")
        beside.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        beside.replace(path)

    def _path(self, name: str, cells: Iterable[StoredCell]) -> Path:
        # a cell that ran again under the same key has another seal: it holds its times
        shown = [[cell.label, cell.seal] for cell in cells]
        key = content_key([self._made_by, shown])
        return self._folder / f"{name}.{self._language.code}~{key[:16]}.svg"


def _read(path: Path) -> str | None:
    """Text of a kept drawing; None if there is none, or not as it was written."""
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content.decode() if hashlib.sha256(content).hexdigest().encode() == digest else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
