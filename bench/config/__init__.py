"""Profiles: typed, frozen settings, read from TOML overlays on one base."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bench.config.schema import Classifier, Embedding, Fit, Generation, Profile, Search, Section
from bench.errors import UserError
from bench.paths import run_name

__all__ = [
    "PROFILES",
    "Classifier",
    "Embedding",
    "Fit",
    "Generation",
    "Profile",
    "Search",
    "Section",
    "describe",
    "load_profile",
]

FOLDER = Path(__file__).parent
PROFILES = ("smoke", "quick", "long", "full")


def load_profile(profile: str | Path) -> Profile:
    """Read a profile.

    Parameters
    ----------
    profile : str or Path
        One of `PROFILES`, or the path of a TOML file laid over the base in the same way.

    Returns
    -------
    Profile
        The frozen settings.

    Raises
    ------
    UserError
        If there is no such profile, the file is not TOML, or a key or value is not allowed.
    """
    path = FOLDER / f"{profile}.toml" if profile in PROFILES else Path(profile)
    if path.suffix != ".toml" or not path.is_file():
        raise UserError(
            f"No profile {str(profile)!r}. Expected one of {', '.join(PROFILES)}, auto, or the "
            "path of a .toml file. Nothing was run; check the spelling."
        )
    try:
        overlay = tomllib.loads(path.read_text(encoding="utf-8"))
        base = tomllib.loads((FOLDER / "base.toml").read_text(encoding="utf-8"))
        loaded = Profile.model_validate(_merge(base, overlay))
    except tomllib.TOMLDecodeError as error:
        raise UserError(
            f"{path} is not valid TOML: {error}. Mend that line and run again."
        ) from error
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})"
            for e in error.errors()
        )
        raise UserError(
            f"{path} does not fit the settings:\n{problems}\n"
            "`python -m bench config` lists every key with its meaning."
        ) from error
    run_name(loaded.name, f"{path}, name")
    return loaded


def describe(section: type[BaseModel] = Profile, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key as a dotted name with its description, in the order of the schema."""
    for name, field in section.model_fields.items():
        yield prefix + name, field.description or ""
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from describe(kind, f"{prefix}{name}.")


def _merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested table over another; tables are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        both_tables = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merge(below, value) if both_tables else value  # type: ignore[arg-type]
    return merged
