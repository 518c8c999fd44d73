"""MNIST and Fashion-MNIST: find, download, verify by SHA-256, load and split.

A further data set of the same form is one file beside `mnist.py` and one line in `registry.py`.
"""

from bench.data.info import DatasetInfo
from bench.data.loading import Dataset, load
from bench.data.registry import DATASETS, fingerprint
from bench.data.splitting import Split, split

__all__ = ["DATASETS", "Dataset", "DatasetInfo", "Split", "fingerprint", "load", "split"]
