"""The typed store of results: cells that are whole or absent, and the runs they make up."""

from bench.store.cell import Result, StoredCell, write_done, write_failed
from bench.store.keys import content_key, derive_seed
from bench.store.run import StoredRun, lock_run, open_run, write_manifest

__all__ = [
    "Result",
    "StoredCell",
    "StoredRun",
    "content_key",
    "derive_seed",
    "lock_run",
    "open_run",
    "write_done",
    "write_failed",
    "write_manifest",
]
