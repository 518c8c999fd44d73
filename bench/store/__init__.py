"""The typed store of results: cells that are whole or absent, and the runs they make up."""

from bench.store.cell import Result, StoredCell, write_done, write_failed
from bench.store.files import left_overs, remove
from bench.store.fsck import check_run
from bench.store.keys import content_key, derive_seed
from bench.store.lock import is_held
from bench.store.run import (
    StoredRun,
    UsedData,
    is_run,
    lock_run,
    open_run,
    write_manifest,
)
from bench.store.seal import DamagedError

__all__ = [
    "DamagedError",
    "Result",
    "StoredCell",
    "StoredRun",
    "UsedData",
    "check_run",
    "content_key",
    "derive_seed",
    "is_held",
    "is_run",
    "left_overs",
    "lock_run",
    "open_run",
    "remove",
    "write_done",
    "write_failed",
    "write_manifest",
]
