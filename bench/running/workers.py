"""Cells in processes of their own, each on one core.

Training small networks on one core each uses a processor better than one training on all cores
(1.3 times as many images a second on two). What runs on one core, with one thread, gives the same
figures whatever the number of workers and of cores. A worker that dies costs at most its cell,
which is run once more. No worker outlives the process that started it.
"""

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.config import Profile
from bench.running.cells import Outcome, keep_failure, run_cell
from bench.running.plan import PlannedCell
from bench.store.provenance import hardware, usable_cores

SPAWN = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
PATIENCE = 0.2  # seconds for which Ctrl-C may have to wait
LEAVE = 10.0  # seconds in which a worker without a cell must end by itself
TRIES = 2  # deaths in a row after which a cell is failed
KILL_AT_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
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
    """News of a cell: how far it is, how it ended (`outcome`), or that it is run `again`."""

    planned: PlannedCell
    share: float
    words: str
    outcome: Outcome | None = None
    again: bool = False


Show = Callable[[Told], None]


@dataclass
class Worker:
    """A process, the line to it, and the cell at which it works."""

    process: BaseProcess
    line: Connection
    planned: PlannedCell | None = None
    began: float = field(default=0.0)
    memory_kills: int | None = None


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
    places = range(min(workers, len(plan)))
    crew: dict[int, Worker] = {}
    waiting, running, deaths = list(plan), set[str](), Counter[str]()

    def lost(planned: PlannedCell, began: float, how: str) -> Told:
        """What becomes of a cell whose worker died."""
        label = planned.stored.label
        running.discard(label)
        deaths[label] += 1
        if planned.stored.status == "done":
            return Told(planned, 1.0, "", Outcome(True, "finished just before its process ended"))
        if deaths[label] < TRIES:
            waiting.insert(0, planned)
            words = f"Its process ended before the cell. {how} It is run once more."
            return Told(planned, 0.0, words, again=True)
        error = WorkerDiedError(f"Its process ended {TRIES} times in a row before the cell. {how}")
        return Told(planned, 1.0, "", keep_failure(profile, planned, error, began))

    try:
        while waiting or running:
            for place in places:
                if place in crew and crew[place].planned is not None:
                    continue
                ready = next((p for p in waiting if not _open_needs(p, waiting, running)), None)
                if ready is None:
                    break
                waiting.remove(ready)
                running.add(ready.stored.label)
                began = time.perf_counter()
                show(Told(ready, 0.0, ""))
                if place in crew and not crew[place].process.is_alive():
                    _how_it_ended(crew.pop(place))  # it died idle: that is no death of a cell
                try:
                    if place not in crew:
                        crew[place] = _hire(profile, cores[place % len(cores)])
                except OSError as error:  # no memory for a process, or killed at once
                    show(lost(ready, began, f"It could not be started: {error}."))
                    continue
                worker = crew[place]
                worker.planned, worker.began = ready, began
                worker.memory_kills = _memory_kills()
                with contextlib.suppress(OSError):  # a dead one is found below
                    worker.line.send(ready)
            lines = wait([worker.line for worker in crew.values()], PATIENCE)
            for place, worker in list(crew.items()):
                if worker.line not in lines and worker.process.is_alive():
                    continue
                message = _hear(worker)
                if message is None:
                    del crew[place]
                    how = _how_it_ended(worker)
                    if worker.planned is not None:
                        show(lost(worker.planned, worker.began, how))
                    continue
                planned = worker.planned
                if planned is None:
                    raise RuntimeError("a worker without a cell spoke")
                share, words, outcome = message
                if outcome is not None:
                    running.discard(planned.stored.label)
                    worker.planned = None
                show(Told(planned, share, words, outcome))
    except BaseException:
        for worker in crew.values():
            worker.process.terminate()  # cells are written beside and renamed: none is half there
        raise
    finally:
        for worker in crew.values():
            worker.line.close()  # which a worker takes for the end of the day
        for worker in crew.values():
            worker.process.join(LEAVE)
            worker.process.kill()  # no matter for one that has ended
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


def _hear(worker: Worker) -> tuple[float, str, Outcome | None] | None:
    """Take one message from a worker; None if it is dead and has none left."""
    try:
        if not worker.line.poll():
            return None
        message: tuple[float, str, Outcome | None] = worker.line.recv()
    except (EOFError, OSError):
        return None
    return message


def _how_it_ended(worker: Worker) -> str:
    """Say what the system says of a worker's death, and let go of it."""
    worker.line.close()
    worker.process.join(LEAVE)
    worker.process.kill()  # a process that closed its line and lives on
    worker.process.join()
    return _ending(worker.process.exitcode, worker.memory_kills, _memory_kills())


def _ending(code: int | None, kills_before: int | None, kills_now: int | None) -> str:
    """Put an exit code into words; a negative one is the number of a signal.

    Parameters
    ----------
    code : int or None
        As `multiprocessing` gives it.
    kills_before, kills_now : int or None
        Processes that the system had ended for lack of memory before the cell and after.
    """
    if code is None or code >= 0:
        return f"It ended by itself, with code {code}."
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {-code}"
    words = f"It was ended by {name} ({signal.strsignal(-code)})."
    if -code != signal.SIGKILL:
        return words
    if kills_before is None or kills_now is None:
        return f"{words} This happens where memory runs out; fewer `--workers` need less of it."
    if kills_now > kills_before:
        return f"{words} The system ran out of memory; fewer `--workers` need less of it."
    return f"{words} The system did not run out of memory meanwhile: something else killed it."


def _memory_kills() -> int | None:
    """How many processes Linux has ended for lack of memory; None where it is not told."""
    try:
        text = Path("/proc/vmstat").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _hire(profile: Profile, core: int) -> Worker:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(profile, theirs, core), daemon=False)
    try:
        with _environment(ONE_THREAD), _interrupts_blocked():
            process.start()
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()  # so that the worker's end is the only one, and its death is heard
    return Worker(process, ours)


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


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Let what is started meanwhile never see Ctrl-C: the parent decides what it means.

    One that is pressed meanwhile is delivered to this process afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(profile: Profile, line: Connection, core: int) -> None:
    """What a worker does: run the cells that it is sent, until the line is closed."""
    _end_with_parent()
    hardware()  # looked at, and remembered, while the whole machine can be seen
    if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere threads are merely asked to be one
        os.sched_setaffinity(0, {core})
    os.cpu_count = _one  # some libraries start as many threads as it says (openTSNE)
    with contextlib.suppress(Exception):  # the first cell that needs it says what is wrong
        _load_framework()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            planned: PlannedCell = line.recv()
            outcome = run_cell(profile, planned, partial(_tell, line))
            line.send((1.0, "", outcome))


def _one() -> int:
    return 1


def _end_with_parent() -> None:
    """End this process when its parent has ended, however silent the cell is."""
    if sys.platform == "linux":  # also where compiled code lets no other thread run
        ctypes.CDLL(None).prctl(KILL_AT_PARENTS_DEATH, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])  # also one that ended before the lines above
    os._exit(1)


def _tell(line: Connection, share: float, words: str) -> None:
    try:
        line.send((share, words, None))
    except ConnectionError:
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
