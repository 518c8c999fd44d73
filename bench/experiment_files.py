"""Files of experiments: which there are, in which folders, and their tables.

Nothing here is checked but that the files are TOML: `declarations` does that. Listing the tasks
needs no more than this.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bench.errors import UserError
from bench.interfaces import JsonObject

# The experiments of this project, in the order of the report: a new one is a line here.
EXPERIMENTS = (
    "mnist_classifier",
    "fashion_embedding",
    "fashion_generation",
    "fashion_classifier",
    "mnist_speedrun",
    "fashion_speedrun",
    "training_speed",
)
VARIABLE = "LATENT_LAB_EXPERIMENTS"
PACKAGE = "bench.experiments"
FOLDER = Path(__file__).parent / "experiments"


def own_packages() -> tuple[str, ...]:
    """Packages with experiments of the user's own, as the environment names them."""
    names = [name.strip() for name in os.environ.get(VARIABLE, "").split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def folder_of(package: str) -> Path:
    """Folder of a package with experiments; the package itself is not imported.

    Raises
    ------
    UserError
        If there is no such package.
    """
    if package == PACKAGE:
        return FOLDER
    well_formed = re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", package)
    try:
        found = find_spec(package) if well_formed else None
    except ModuleNotFoundError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise UserError(
            f"{VARIABLE}: expected the names of Python packages that can be imported from here, "
            f"separated by commas; got {package!r}. Nothing was run; mend the name, or start from "
            "the folder that holds the package."
        )
    return Path(next(iter(found.submodule_search_locations)))


def files(packages: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Yield the file of each experiment with its package: this project's, then others in order.

    Parameters
    ----------
    packages : tuple of str
        Packages beside this project's.

    Yields
    ------
    path : Path
        A TOML file, named after the experiment.
    package : str
        The package that holds its code.

    Raises
    ------
    UserError
        If a package is not there or empty, or has an experiment of a name that is taken.
    """
    names = set(EXPERIMENTS)
    yield from ((FOLDER / f"{name}.toml", PACKAGE) for name in EXPERIMENTS)
    for package in packages:
        folder = folder_of(package)
        found = sorted(folder.glob("*.toml"))
        if not found:
            raise UserError(
                f"{folder}: expected a .toml file for each experiment of the package {package}, "
                "found none. Nothing was run; mend the package, or take it out of "
                f"{VARIABLE}."
            )
        for path in found:
            if path.stem in names:
                raise UserError(
                    f"{path}: there is an experiment {path.stem!r} already. Nothing was run; give "
                    "this one another name."
                )
            names.add(path.stem)
            yield path, package


def table_of(path: Path) -> JsonObject:
    """Read the table of a file, laid over that of the file that it extends.

    Raises
    ------
    UserError
        If a file cannot be read or is not TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if base := table.pop("extends", None):
            path = path.with_name(f"{base}.toml")
            table = _laid_over(tomllib.loads(path.read_text(encoding="utf-8")), table)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} declares no experiment: {error}. Nothing was run; mend that place."
        ) from error
    return table


def _laid_over(base: JsonObject, table: JsonObject) -> JsonObject:
    """Lay one table over another; the tables in both are joined, key by key."""
    joined = {
        key: {**base[key], **value}
        for key, value in table.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return {**base, **table, **joined}
