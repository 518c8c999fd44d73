"""Cells in processes of their own, each on one core.

Training small networks on one core each uses a processor better than one training on all cores
(1.3 times as many images a second on two). What runs on one core, with one thread, gives the same
figures whatever the number of workers and of cores. A worker that dies takes only its cell with it.
"""

import contextlib
import importlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from bench.config import Profile
from bench.running.cells import Outcome, keep_failure, run_cell
from bench.running.plan import PlannedCell
from bench.store.provenance import hardware, usable_cores

SPAWN = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
PATIENCE = 0.2  # seconds for which Ctrl-C may have to wait
# How many threads a library starts, in the words of each. Sums of floating-point numbers depend on
# it. They are read when a library is first imported, so they are set before a worker starts.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "OMP_DYNAMIC": "FALSE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",  # XLA's, for JAX
}


class WorkerDiedError(RuntimeError):
    """A process ended before its cell did."""


@dataclass(frozen=True)
class Told:
    """News of a cell: how far it is, or (`outcome`) how it ended."""

    planned: PlannedCell
    share: float
    words: str
    outcome: Outcome | None = None


Show = Callable[[Told], None]


@dataclass
class Worker:
    """A process, the line to it, and the cell at which it works."""

    process: BaseProcess
    line: Connection
    core: int
    planned: PlannedCell | None = None
    began: float = field(default=0.0)


def run_at_once(profile: Profile, plan: Sequence[PlannedCell], workers: int, show: Show) -> None:
    """Run cells in processes of one core each, every cell as soon as what it builds on has ended.

    Parameters
    ----------
    profile : Profile
        Resolved settings.
    plan : sequence of PlannedCell
        What is to run, each after what it needs.
    workers : int
        How many at once; changes no figure.
    show : callable
        Takes each `Told`: how far a cell is, or how it ended. If it raises, the workers are ended.
    """
    cores = usable_cores()
    crew = [_hire(profile, cores[k % len(cores)]) for k in range(min(workers, len(plan)))]
    waiting, running = list(plan), set[str]()
    try:
        while waiting or running:
            for worker in (w for w in crew if w.planned is None):
                ready = next((p for p in waiting if not _open_needs(p, waiting, running)), None)
                if ready is None:
                    break
                waiting.remove(ready)
                running.add(ready.stored.label)
                worker.planned, worker.began = ready, time.perf_counter()
                worker.line.send(ready)
                show(Told(ready, 0.0, ""))
            for line in wait([worker.line for worker in crew], PATIENCE):
                worker = next(w for w in crew if w.line is line)
                told = _hear(profile, worker)
                if told.outcome is not None:
                    running.discard(told.planned.stored.label)
                    worker.planned = None
                    if not worker.process.is_alive():
                        crew[crew.index(worker)] = _hire(profile, worker.core)
                show(told)
    except BaseException:
        for worker in crew:
            worker.process.terminate()  # cells are written beside and renamed: none is half there
        raise
    finally:
        for worker in crew:
            worker.line.close()  # which a worker takes for the end of the day
        for worker in crew:
            worker.process.join()


def run_one_by_one(profile: Profile, plan: Sequence[PlannedCell], show: Show) -> None:
    """Run cells in this process, on all its cores; see `run_at_once`."""
    for planned in plan:
        show(Told(planned, 0.0, ""))
        outcome = run_cell(profile, planned, partial(_show_progress, show, planned))
        show(Told(planned, 1.0, "", outcome))


def _show_progress(show: Show, planned: PlannedCell, share: float, words: str) -> None:
    show(Told(planned, share, words))


def _open_needs(planned: PlannedCell, waiting: list[PlannedCell], running: set[str]) -> bool:
    """Whether something that a cell builds on is still to come."""
    needed = {cell.label for cell in planned.needs.values()}
    needed |= {cell.label for cells in planned.gathered.values() for cell in cells}
    return bool(needed & (running | {other.stored.label for other in waiting}))


def _hear(profile: Profile, worker: Worker) -> Told:
    """Take one message from a worker; its silence for ever is the failure of its cell."""
    planned = worker.planned
    if planned is None:
        raise RuntimeError("a worker without a cell spoke")
    try:
        share, words, outcome = worker.line.recv()
    except EOFError:
        worker.process.join()
        error = WorkerDiedError(
            f"The process ended with code {worker.process.exitcode} before the cell did. -9: it "
            "was killed, as happens where memory runs out; fewer `--workers` need less of it."
        )
        return Told(planned, 1.0, "", keep_failure(profile, planned, error, worker.began))
    return Told(planned, share, words, outcome)


def _hire(profile: Profile, core: int) -> Worker:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(profile, theirs, core), daemon=False)
    with _environment(ONE_THREAD):
        process.start()
    theirs.close()  # so that the worker's end is the only one, and its death is heard
    return Worker(process, ours, core)


@contextlib.contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for what is started meanwhile."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(profile: Profile, line: Connection, core: int) -> None:
    """What a worker does: run the cells that it is sent, until the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    hardware()  # looked at, and remembered, while the whole machine can be seen
    if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere threads are merely asked to be one
        os.sched_setaffinity(0, {core})
    os.cpu_count = _one  # some libraries start as many threads as it says (openTSNE)
    _load_framework()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            planned: PlannedCell = line.recv()
            outcome = run_cell(profile, planned, partial(_tell, line))
            line.send((1.0, "", outcome))


def _one() -> int:
    return 1


def _tell(line: Connection, share: float, words: str) -> None:
    try:
        line.send((share, words, None))
    except BrokenPipeError:
        os._exit(1)  # the parent was killed: this is no failure of the cell


def _load_framework() -> None:
    """Import Keras without the start-up chatter of its backend, which no setting turns off."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        importlib.import_module("bench.training.backend")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
