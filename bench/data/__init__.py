"""MNIST, Fashion-MNIST and data sets in their place: find, download, verify, load and split.

A further data set is one file beside `mnist.py` and one line in `registry.py`; a folder of the
user's needs neither (`own.py`).
"""

from bench.data.definition import DatasetInfo, DownloadProgress, silent
from bench.data.loading import Dataset, load
from bench.data.registry import DATASETS, fingerprint, resolve
from bench.data.splitting import Split, split

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetInfo",
    "DownloadProgress",
    "Split",
    "fingerprint",
    "load",
    "resolve",
    "silent",
    "split",
]
