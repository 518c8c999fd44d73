"""Figures that this project did not measure: the handed-in report's, and published ones."""

import tomllib
from pathlib import Path
from typing import Any

from bench.paths import TEMPLATES

FILES = {"handed-in": "handed_in.toml", "published": "published.toml"}


class Constants:
    """Figures from ``templates/handed_in.toml`` and ``templates/published.toml``."""

    def __init__(self, templates: Path = TEMPLATES) -> None:
        self._trees = {
            source: tomllib.loads((templates / file).read_text(encoding="utf-8"))
            for source, file in FILES.items()
        }

    def value(self, source: str, path: str) -> Any:
        """Return a figure by its dotted path; None where there is none.

        Parameters
        ----------
        source : {"handed-in", "published"}
            Whose figure.
        path : str
            Such as ``fashion_classifier.f1.3``.
        """
        tree: Any = self._trees[source]
        for step in path.split("."):
            if isinstance(tree, list) and step.isdigit() and int(step) < len(tree):
                tree = tree[int(step)]
            elif isinstance(tree, dict) and step in tree:
                tree = tree[step]
            else:
                return None
        return tree

    def handed_in(self, path: str) -> Any:
        """Return a figure of the handed-in report; None where none survives."""
        return self.value("handed-in", path)

    def published(self, path: str) -> Any:
        """Return a published figure; None where there is none."""
        return self.value("published", path)

    def published_systems(self) -> list[str]:
        """Names of the systems with published figures: messages for the catalogue."""
        rows = [row for table in self._trees["published"].values() for row in table]
        return [row["system"] for row in rows]
