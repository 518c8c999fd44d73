"""Declarations of experiments: words, colours and figures, in a TOML file beside the code.

The file is data: reading it imports no experiment and no framework, and no content key depends on
it. A run's manifest keeps the declarations, and the report reads them there.

An experiment outside of this project is a Python package that `LATENT_LAB_EXPERIMENTS` names; it
holds the same files: ``<name>.py``, ``<name>.toml`` and what these refer to.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bench.errors import UserError
from bench.experiment_files import PACKAGE, VARIABLE, files, folder_of, own_packages, table_of
from bench.interfaces import JsonMapping, JsonObject

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Reference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$")]
Words = tuple[tuple[str, Text], ...]
QUIET = "#6b6b6b"


class _Part(BaseModel):
    """A frozen part of a declaration that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class System(_Part):
    """A variant of an experiment, as the report shows it."""

    name: Name
    label: Text = Field(description="Its name in the report: a message.")
    role: Name = Field(description="What it is compared as, such as map, generator or search.")
    network: bool = Field(default=False, description="Whether it is a network.")
    handed_in: bool = Field(default=False, description="Whether it was handed in, not made here.")
    colour: Colour = Field(default=QUIET, description="Its colour in every figure.")
    holds: Reference | None = Field(
        default=None, description="Type of its results: file of `bench.results`, and class."
    )


class Figure(_Part):
    """A figure of an experiment: which function draws it, of which systems."""

    name: Name
    draw: Reference = Field(description="File of `bench.report.figures`, and function.")
    systems: tuple[Annotated[str, Field(pattern=r"^(\w+/)?\w+$")], ...] = Field(
        default=(), description="What it shows: variants; of another experiment with its name."
    )
    roles: tuple[Name, ...] = Field(default=(), description="After these: all of these roles.")
    networks: bool = Field(default=False, description="Of the roles: whether networks alone.")
    alt: Text = Field(description="What it shows, for readers who cannot see it: a message.")
    pooled: bool = Field(
        default=False, description="Whether it shows all seeds, or only the lowest (images, maps)."
    )


class Declaration(_Part):
    """Declaration of an experiment."""

    name: Name
    title: Text = Field(description="A line for `--help`.")
    dataset: Name = Field(description="Name of its data set.")
    label: str = Field(default="", description="Its name in the report: a message.")
    exercise: str = Field(default="", description="The exercise that it answers.")
    timed: bool = Field(
        default=False,
        description="Whether its figures are times, of this machine alone: its cells' keys hold "
        "the hardware, and it runs only when it is asked for.",
    )
    headline: tuple[str, ...] = Field(
        default=(), description="Metrics that are shown when a cell is done."
    )
    section: str = Field(
        default="",
        pattern=r"^(\w+\.html\.j2)?$",
        description="File of its section in the report; empty: it has none of its own.",
    )
    systems: tuple[System, ...] = ()
    figures: tuple[Figure, ...] = ()
    words: dict[Name, Words] = Field(
        default={}, description="Names of what its results are about, by kind: messages."
    )
    module: Name | None = Field(default=None, description="Its file, if not of its own name.")
    package: str = Field(default=PACKAGE, description="Where its code stands.")
    settings: Reference | None = Field(
        default=None,
        description="Type of its settings, of an experiment that is not this project's: file and "
        "class. Their values stand in the table `defaults`.",
    )

    @field_validator("systems", "figures", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        """Take a table of tables for a list whose items have names."""
        if isinstance(value, Mapping):
            return [{"name": name, **row} for name, row in value.items()]
        return value

    @field_validator("words", mode="before")
    @classmethod
    def _ordered(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {
            kind: tuple(words.items()) if isinstance(words, Mapping) else words
            for kind, words in value.items()
        }

    @property
    def own(self) -> bool:
        """Whether it is one of this project's experiments."""
        return self.package == PACKAGE

    def system(self, name: str) -> System | None:
        """Return a system; None where it is not declared."""
        return next((each for each in self.systems if each.name == name), None)

    def figure(self, name: str) -> Figure | None:
        """Return a figure; None where it is not declared."""
        return next((each for each in self.figures if each.name == name), None)

    def of_roles(self, *roles: str, networks: bool = False) -> tuple[str, ...]:
        """Names of the systems of some roles, in their order; of networks alone if asked.

        Parameters
        ----------
        *roles : str
            Roles of systems.
        networks : bool
            Whether only networks are listed.

        Returns
        -------
        tuple of str
            Names of systems.
        """
        return tuple(
            each.name
            for role in roles
            for each in self.systems
            if each.role == role and (each.network or not networks)
        )

    def shown_in(self, figure: Figure) -> tuple[str, ...]:
        """Systems that a figure shows, as ``experiment/variant``; those that are not here left out.

        Parameters
        ----------
        figure : Figure
            One of this experiment.
        """
        listed = [name for name in figure.systems if "/" in name or self.system(name)]
        names = dict.fromkeys([*listed, *self.of_roles(*figure.roles, networks=figure.networks)])
        return tuple(name if "/" in name else f"{self.name}/{name}" for name in names)

    def messages(self) -> Iterator[str]:
        """Yield every text that the report prints."""
        yield from filter(None, [self.label])
        yield from (system.label for system in self.systems)
        yield from (figure.alt for figure in self.figures)
        for words in self.words.values():
            yield from (text for _, text in words)

    def find(self, reference: str, room: str) -> Any:
        """Import what a reference names.

        Parameters
        ----------
        reference : str
            File and name, such as ``curves.stage_curves``.
        room : str
            The package in which this project's experiments have it; any other experiment has it in
            its own package.

        Returns
        -------
        object
            What the reference names.

        Raises
        ------
        UserError
            If the experiment's package is not among those that are registered.
        """
        module, _, name = reference.partition(".")
        if not self.own and self.package not in own_packages():
            raise UserError(
                f"{self.name}: expected its package {self.package} in {VARIABLE}, which names "
                f"{', '.join(own_packages()) or 'none'}. Its code cannot be used without."
            )
        return getattr(import_module(f"{room if self.own else self.package}.{module}"), name)

    @classmethod
    def recorded(cls, row: JsonMapping) -> "Declaration":
        """Read what a run's manifest holds; what only another version knows is left out.

        Raises
        ------
        ValueError
            If it is no declaration.
        """
        known = _only(cls, row)
        for key, kind in (("systems", System), ("figures", Figure)):
            known[key] = [_only(kind, each) for each in known.get(key, ())]
        return cls.model_validate(known)

    def stored(self) -> JsonObject:
        """All of it as plain JSON, for a run's manifest."""
        return self.model_dump(mode="json")

    def completed_by(self, other: "Declaration") -> "Declaration":
        """Take words and figures from another declaration of the same experiment.

        The report's catalogue and the code that draws are those that are here, so a run's manifest
        does not decide on them. What `other` does not know keeps its words.
        """
        known, here = (
            {each.name for each in self.systems},
            {each.name: each for each in other.systems},
        )
        drawn = {each.name for each in other.figures}
        return self.model_copy(
            update={
                "label": other.label,
                "systems": (
                    *(here.get(each.name, each) for each in self.systems),
                    *(each for each in other.systems if each.name not in known),
                ),
                "figures": (*other.figures, *(f for f in self.figures if f.name not in drawn)),
                "words": {**self.words, **other.words},
            }
        )


def declarations() -> dict[str, Declaration]:
    """Every experiment of this checkout and of the registered packages, by name, in order.

    Raises
    ------
    UserError
        If a package is not there, or a file does not fit.
    """
    return dict(_declarations(own_packages()))


def declared(name: str) -> Declaration:
    """Return what an experiment declares of itself; `name` is that of its file."""
    return declarations()[name]


@cache
def _declarations(packages: tuple[str, ...]) -> Mapping[str, Declaration]:
    return {path.stem: read(path, package) for path, package in files(packages)}


def read(path: Path, package: str = PACKAGE) -> Declaration:
    """Read one file.

    Parameters
    ----------
    path : Path
        A TOML file, named after the experiment.
    package : str
        The package that holds its code.

    Returns
    -------
    Declaration
        The declaration.

    Raises
    ------
    UserError
        If it is not TOML, or a key or value is not allowed.
    """
    table = table_of(path)
    table.pop("defaults", None)  # see `defaults`
    try:
        return Declaration.model_validate({"name": path.stem, "package": package, **table})
    except (ValueError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise UserError(
            f"{path} declares no experiment: {what}. Nothing was run; mend that place."
        ) from error


def defaults(said: Declaration) -> JsonObject:
    """Return the values that an experiment gives for its settings: the table `defaults`."""
    path = folder_of(said.package) / f"{said.name}.toml"
    table: JsonObject = tomllib.loads(path.read_text(encoding="utf-8")).get("defaults", {})
    return table


def _only(kind: type[_Part], row: object) -> JsonObject:
    """Keep the keys that a part of a declaration has."""
    if not isinstance(row, Mapping):
        raise ValueError(f"expected a table, got {row!r}")  # noqa: TRY004 - as pydantic's are
    return {key: value for key, value in row.items() if key in kind.model_fields}
