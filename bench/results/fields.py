"""Fields of the result types, by the paths that the report uses."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from bench.declarations import Declaration
from bench.results.held import Bounds, Columns, Holding

OF_LISTS = ("min", "max", "mean")
ROOM = "bench.results"


def type_of(said: Declaration, name: str) -> type[Holding] | None:
    """Type of a variant's results, as its experiment declares it; None if it declares none.

    Parameters
    ----------
    said : Declaration
        Of the experiment.
    name : str
        Of the variant.

    Returns
    -------
    type or None
        A subclass of `Holding`.
    """
    system = said.system(name)
    if system is None or system.holds is None:
        return None
    kind: type[Holding] = said.find(system.holds, ROOM)
    return kind


def fields_of(*said: Declaration) -> "Fields":
    """Fields that the variants of some experiments have together."""
    found = (type_of(each, system.name) for each in said for system in each.systems)
    return Fields(kind for kind in found if kind is not None)


class Fields:
    """The fields of several types together.

    Parameters
    ----------
    types : iterable of type
        Subclasses of `Holding`.
    """

    def __init__(self, types: Iterable[type[Holding]]) -> None:
        self._types = list(types)

    def metric(self, path: str) -> bool:
        """Whether one of the types has a metric at a dotted path, such as ``per_class.f1.3``."""
        return any(_has(each, ["metrics", *path.split(".")]) for each in self._types)

    def array(self, name: str) -> bool:
        """Whether one of the types has an array of this name."""
        return any(_has(each, ["arrays", name]) for each in self._types)

    def table(self, name: str, *columns: str) -> bool:
        """Whether one of the types has a table of this name, with all of these columns.

        Parameters
        ----------
        name : str
            The table.
        *columns : str
            Names of columns.

        Returns
        -------
        bool
            Whether one has.
        """
        return any(
            all(found.has(column) for column in columns)
            for each in self._types
            if (found := _columns(each, name)) is not None
        )

    def bounds(self) -> dict[str, Bounds]:
        """Bounds of the metrics, by the name of the field.

        Raises
        ------
        ValueError
            If a name has other bounds in one type than in another.
        """
        found: dict[str, Bounds] = {}
        for each in self._types:
            for name, bounds in _bounded(each.model_fields["metrics"].annotation):
                if found.setdefault(name, bounds) != bounds:
                    raise ValueError(
                        f"{each.__name__}: expected the bounds {found[name]} of {name}, as in "
                        f"another type, got {bounds}. Mend one of the two types."
                    )
        return found

    def near(self, path: str) -> str | None:
        """Return the name of a metric, array or table that resembles the first part of a path."""
        names = {
            name
            for each in self._types
            for part in each.model_fields.values()
            for name in getattr(part.annotation, "model_fields", ())
        }
        return next(iter(get_close_matches(path.split(".")[0], sorted(names), 1)), None)


def _has(annotation: object, steps: list[str]) -> bool:
    """Whether a type has a field at the end of these steps."""
    if not steps:
        return True
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _has(inner[0], steps)
    if origin in (Union, UnionType):
        return any(_has(each, steps) for each in inner)
    first, rest = steps[0], steps[1:]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(first)
        return field is not None and _has(field.annotation, rest)
    if origin is dict:
        return _has(inner[1], rest)
    if origin is list:
        return (first.isdigit() or first in OF_LISTS) and _has(inner[0], rest)
    return False


def _bounded(annotation: object) -> Iterator[tuple[str, Bounds]]:
    """Yield each field with bounds within a type, with its name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            about = [*field.metadata, *_about(field.annotation)]
            yield from ((name, each) for each in about if isinstance(each, Bounds))
            yield from _bounded(field.annotation)
    for inner in get_args(annotation):
        yield from _bounded(inner)


def _about(annotation: object) -> Iterator[object]:
    """Yield what stands beside the types within an annotation."""
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
    for inner in get_args(annotation):
        yield from _about(inner)


def _columns(kind: type[Holding], name: str) -> Columns | None:
    """Columns of a type's table; None where it has none of this name."""
    tables = kind.model_fields["tables"].annotation
    field = getattr(tables, "model_fields", {}).get(name)
    if field is None:
        return None
    about = [*field.metadata]
    for each in (field.annotation, *get_args(field.annotation)):
        about += get_args(each)[1:] if get_origin(each) is Annotated else []
    return next((each for each in about if isinstance(each, Columns)), None)
