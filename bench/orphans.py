"""Processes that end with the one that started them."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.connection import wait

KILL_AT_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)


def end_with_parent() -> None:
    """End this process when its parent has ended, however silent its work is."""
    if sys.platform == "linux":  # also where compiled code lets no other thread run
        ctypes.CDLL(None).prctl(KILL_AT_PARENTS_DEATH, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])  # also one that ended before the lines above
    os._exit(1)
