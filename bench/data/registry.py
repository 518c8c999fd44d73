"""Registered data sets, by name."""

from difflib import get_close_matches

from bench.config.schema import Data
from bench.data import fashion_mnist, mnist, own
from bench.data.definition import DatasetInfo
from bench.errors import UserError

DATASETS: dict[str, DatasetInfo] = {
    "mnist": mnist.INFO,
    "fashion_mnist": fashion_mnist.INFO,
}


def look_up(name: str) -> DatasetInfo:
    """Return the definition of a data set.

    Raises
    ------
    UserError
        If no data set has this name.
    """
    if name not in DATASETS:
        near = get_close_matches(name, DATASETS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UserError(
            f"No data set {name!r}. Expected one of {', '.join(DATASETS)}. Nothing was loaded; "
            f"check the spelling.{meant}"
        )
    return DATASETS[name]


def resolve(name: str, settings: Data) -> DatasetInfo:
    """Return the data set that takes the place of an experiment's own, or its own.

    Parameters
    ----------
    name : str
        A key of `DATASETS`: what the experiment declares.
    settings : Data
        The section `data` of a profile. Its folder is read.

    Returns
    -------
    DatasetInfo
        The data set.

    Raises
    ------
    UserError
        If there is no data set of a name in the settings, or the folder does not hold one.
    """
    for replaced in settings.replaces:
        look_up(replaced)
    if settings.replaces and name not in settings.replaces:
        return look_up(name)
    if settings.folder is not None:
        return own.describe(settings.folder, settings.classes, settings.title)
    return look_up(settings.dataset or name)


def fingerprint(name: str) -> dict[str, str]:
    """Return the expected SHA-256 of each decompressed IDX file, without reading any data.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.

    Returns
    -------
    dict of str to str
        File name to hexadecimal SHA-256.

    Raises
    ------
    UserError
        If no data set has this name.
    """
    return dict(look_up(name).files)
