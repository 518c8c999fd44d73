"""Constants of the report: figures of an earlier report, and published ones."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bench.declarations import declarations
from bench.interfaces import JsonMapping
from bench.paths import TEMPLATES

PUBLISHED = "published.toml"
SOURCES = ("handed-in", "published")


class Constants:
    """Figures of the assignment's earlier report, and of ``templates/published.toml``.

    Parameters
    ----------
    templates : Path
        The template set.
    earlier : mapping
        The earlier report's figures by experiment; empty: there is none.
    silent : collection of str
        Experiments whose data set another took the place of: no figure can be compared with them.
    """

    def __init__(
        self,
        templates: Path = TEMPLATES,
        earlier: JsonMapping | None = None,
        silent: Collection[str] = (),
    ) -> None:
        published = tomllib.loads((templates / PUBLISHED).read_text(encoding="utf-8"))
        for table in published:
            if silent and (table in silent or table not in declarations()):
                published[table] = []  # a table of no experiment is of all data sets
        stated = {name: value for name, value in (earlier or {}).items() if name not in silent}
        self._trees = {"handed-in": stated, "published": published}

    def value(self, source: str, path: str) -> Any:
        """Return a figure by its dotted path; None where there is none.

        Parameters
        ----------
        source : {"handed-in", "published"}
            Whose figure.
        path : str
            Such as ``fashion_classifier.f1.3``.

        Returns
        -------
        object
            The figure, or None.
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
        """Return a figure of the earlier report; None where it states none."""
        return self.value("handed-in", path)

    def published(self, path: str) -> Any:
        """Return a published figure; None where there is none."""
        return self.value("published", path)

    def published_systems(self) -> list[str]:
        """Names of the systems with published figures: messages for the catalogue."""
        rows = [row for table in self._trees["published"].values() for row in table]
        return [row["system"] for row in rows]
