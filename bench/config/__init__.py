"""Profiles: typed, frozen settings, read from TOML overlays on one base."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bench.config import mistakes
from bench.config.own import own_defaults, profile_type
from bench.config.schema import Classifier, Embedding, Fit, Generation, Profile, Search, Section
from bench.errors import UserError
from bench.interfaces import JsonMapping, JsonObject
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
    "profile_type",
]

FOLDER = Path(__file__).parent
PROFILES = ("smoke", "quick", "long", "full")


def load_profile(profile: str | Path, overlay: JsonMapping | None = None) -> Profile:
    """Read a profile.

    Parameters
    ----------
    profile : str or Path
        One of `PROFILES`, or the path of a TOML file laid over the base in the same way.
    overlay : mapping, optional
        Laid over both: an assignment's budget.

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
    try:
        base = _merge(_read(FOLDER / "base.toml"), own_defaults())
        merged = _merge(_merge(base, _read(path)), overlay or {})
        loaded = profile_type().model_validate(merged)
    except FileNotFoundError as error:
        raise UserError(
            f"No profile {str(profile)!r}. Expected one of {', '.join(PROFILES)}, auto, or the "
            "path of a .toml file. Nothing was run; check the spelling."
        ) from error
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}. Nothing was run; check path and permissions."
        ) from error
    except ValidationError as error:
        raise UserError(
            f"{path} does not fit the settings. Nothing was run; mend these keys:\n"
            + mistakes.listed(error, dict(describe()))
            + "\n`python -m bench config` lists every key with its meaning."
        ) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise UserError(
            f"{path} is not valid TOML in UTF-8: {reason}. Nothing was run; mend that place."
        ) from error
    run_name(loaded.name, f"{path}, name")
    return _anchored(loaded, path.parent)


def _anchored(profile: Profile, folder: Path) -> Profile:
    """Let the path of a data set start at the profile's folder."""
    if profile.data.folder is None:
        return profile
    place = (folder / profile.data.folder.expanduser()).resolve()
    return profile.model_copy(update={"data": profile.data.model_copy(update={"folder": place})})


def describe(section: type[BaseModel] | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key as a dotted name with its description, in the order of the schema.

    Parameters
    ----------
    section : type, optional
        A part of the settings; all of them if none is given.
    prefix : str
        Put before each name.

    Yields
    ------
    tuple of str
        Dotted name and description.
    """
    for name, field in (section or profile_type()).model_fields.items():
        yield prefix + name, field.description or ""
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from describe(kind, f"{prefix}{name}.")


def _read(path: Path) -> JsonObject:
    if path.suffix != ".toml" or not path.is_file():
        raise FileNotFoundError(path)
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _merge(base: JsonMapping, overlay: JsonMapping) -> JsonObject:
    """Lay one nested table over another; tables are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        both_tables = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merge(below, value) if both_tables else value  # type: ignore[arg-type]
    return merged
