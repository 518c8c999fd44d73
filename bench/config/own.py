"""Settings of experiments that are not this project's: a section of the profile for each."""

from functools import cache

from pydantic import Field, create_model

from bench.config.schema import Profile, Section
from bench.declarations import declarations, defaults
from bench.errors import UserError
from bench.experiment_files import own_packages
from bench.interfaces import JsonObject

NAME = "ExtendedProfile"


def profile_type() -> type[Profile]:
    """Type of the whole settings: this project's, and those of the registered experiments."""
    return _extended(own_packages())


def own_defaults() -> dict[str, JsonObject]:
    """Default settings of the registered experiments, by experiment."""
    return {name: defaults(said) for name, said in declarations().items() if not said.own}


@cache
def _extended(packages: tuple[str, ...]) -> type[Profile]:
    del packages  # what the declarations depend on
    sections: JsonObject = {}
    for name, said in declarations().items():
        if said.own:
            continue
        if name in Profile.model_fields:
            raise UserError(
                f"{said.package}: an experiment cannot be called {name!r}, which is a key of the "
                "settings. Nothing was run; give it another name."
            )
        kind = said.find(said.settings, said.package) if said.settings else Section
        sections[name] = (kind, Field(description=said.title))
    if not sections:
        return Profile
    return create_model(NAME, __base__=Profile, __module__=__name__, **sections)


def __getattr__(name: str) -> type[Profile]:
    """Find the type by its name, as a process does that is given settings."""
    if name == NAME:
        return profile_type()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
