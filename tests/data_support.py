"""A small data set of the same form as MNIST, for tests of everything but the real bytes."""

import gzip
import hashlib
import struct

import numpy as np

from bench.data.definition import FILES, DatasetInfo

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def encode_idx(array):
    """Write the IDX format, by its description and not by our parser."""
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(">HBB", 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def small_payloads(seed=0, classes=3, train=60, test=30):
    """Return the four raw files: name to bytes."""
    generator = np.random.default_rng(seed)

    def part(size):
        images = generator.integers(0, 256, (size, 28, 28), dtype=np.uint8)
        return images, (np.arange(size) % classes).astype(np.uint8)

    arrays = (*part(train), *part(test))
    return {file: encode_idx(array) for file, array in zip(FILES, arrays, strict=True)}


def small_info(payloads, **details):
    """Describe the data set of these files."""
    sums = {file: hashlib.sha256(payload).hexdigest() for file, payload in payloads.items()}
    return DatasetInfo("small_set", "Small set", ("a", "b", "c"), 28, sums, **details)


def put(folder, payloads, compress=False):
    """Write files into a folder, raw or as .gz, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, payload in payloads.items():
        if compress:
            (folder / f"{file}.gz").write_bytes(gzip.compress(payload, 1))
        else:
            (folder / file).write_bytes(payload)
    return folder
