"""The data sets by name: one line for each."""

from collections.abc import Mapping
from types import MappingProxyType

from bench.data import fashion_mnist, mnist
from bench.data.info import DatasetInfo
from bench.errors import UserError

DATASETS: Mapping[str, DatasetInfo] = MappingProxyType(
    {
        "mnist": mnist.INFO,
        "fashion_mnist": fashion_mnist.INFO,
    }
)


def look_up(name: str) -> DatasetInfo:
    """Return what is known of a data set.

    Raises
    ------
    UserError
        If no data set has this name.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise UserError(
            f"No data set {name!r}. Expected one of {', '.join(DATASETS)}. Nothing was loaded; "
            "check the spelling."
        ) from None


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
