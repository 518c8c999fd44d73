"""The handed-in report's own figures, from ``templates/handed_in.toml``."""

import tomllib
from pathlib import Path
from typing import Any

from bench.paths import TEMPLATES

FILE = "handed_in.toml"


class HandedIn:
    """Constants of the handed-in report: the reference rows."""

    def __init__(self, templates: Path = TEMPLATES) -> None:
        self._tree = tomllib.loads((templates / FILE).read_text(encoding="utf-8"))

    def value(self, path: str) -> Any:
        """Return a figure by its dotted path; None where none was handed in.

        Parameters
        ----------
        path : str
            Such as ``fashion_classifier.f1.3``.
        """
        tree: Any = self._tree
        for step in path.split("."):
            if isinstance(tree, list):
                tree = tree[int(step)]
            elif isinstance(tree, dict) and step in tree:
                tree = tree[step]
            else:
                return None
        return tree

    def f1(self, experiment: str) -> tuple[float, ...] | None:
        """F1 score of each class; None where none was handed in."""
        scores = self.value(f"{experiment}.f1")
        return tuple(scores) if scores else None
