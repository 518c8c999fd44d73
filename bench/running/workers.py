"""The executor `local`: cells in processes of their own, each on one core.

Training small networks on one core each uses a processor better than one training on all cores
(1.3 times as many images a second on two). What runs on one core, with one thread, gives the same
figures whatever the number of workers and of cores. A worker that dies costs at most its cell or
trial, which is run once more; one whose cell takes longer than it may is ended, and the cell has
failed. No worker outlives the process that started it.

A search is a cell whose process waits while its trials run: it asks for them over its line, other
workers run them, and its place is free meanwhile.
"""

import contextlib
import importlib
import multiprocessing
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from bench.config import Profile
from bench.orphans import end_with_parent
from bench.running.cells import Outcome, keep_failure, run_cell
from bench.running.executors import ONE_THREAD, CellEvent, Show, on_one_core
from bench.running.limits import CellLimitError, run_trial_or_end
from bench.running.plan import PlannedCell
from bench.search.trials import Ended, Request, Tell, failed
from bench.store.provenance import usable_cores

SPAWN = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
PATIENCE = 0.2  # seconds for which Ctrl-C may have to wait
LEAVE = 10.0  # seconds in which a worker without a cell must end by itself
TRIES = 2  # deaths in a row after which a cell or a trial is failed


class WorkerDiedError(RuntimeError):
    """A process ended before its cell did."""


@dataclass(frozen=True)
class Trial:
    """A trial for which a search asked: the `number`-th of its wave."""

    planned: PlannedCell
    request: Request
    search: "Worker"
    number: int

    @property
    def label(self) -> str:
        """Name of the trial among all tasks."""
        return f"{self.planned.stored.label}, trial {self.request.key}"


@dataclass
class Worker:
    """A process with its connection, its core, and its current cell or trial."""

    process: BaseProcess
    line: Connection
    core: int
    planned: PlannedCell | None = None
    trial: Trial | None = None
    began: float = field(default=0.0)
    memory_kills: int | None = None

    @property
    def idle(self) -> bool:
        """Whether the worker has no cell and no trial."""
        return self.planned is None and self.trial is None


class Local:
    """Runs cells, and the trials of searches, in processes of one core each.

    Parameters
    ----------
    workers : int
        How many at once; changes no figure.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __str__(self) -> str:
        """Say how many run at once."""
        return f"{self.workers} at once"

    def run(self, profile: Profile, plan: Sequence[PlannedCell], show: Show) -> None:
        """See `executors.Executor`.

        Parameters
        ----------
        profile : Profile
            The run's settings.
        plan : sequence of PlannedCell
            The cells, each after what it needs.
        show : callable
            Takes what happens to each cell.
        """
        _Run(profile, plan, self.workers, show).run()


class _Run:
    """The state of one call of `Local.run`."""

    def __init__(
        self, profile: Profile, plan: Sequence[PlannedCell], workers: int, show: Show
    ) -> None:
        self.profile, self.show = profile, show
        cores = usable_cores()
        self.places = {place: cores[place % len(cores)] for place in range(workers)}
        self.working: dict[int, Worker] = {}  # by place
        self.aside: list[Worker] = []  # searches that wait for their trials, and those that did
        self.waiting, self.running = list(plan), set[str]()
        self.trials: list[Trial] = []  # which nobody has begun
        self.deaths = Counter[str]()

    def run(self) -> None:
        """Assign work to free workers and handle their messages, until nothing is left."""
        try:
            while self.waiting or self.running:
                for place in self.places:
                    self._give(place)
                everyone = [*self.working.values(), *self.aside]
                lines = wait([worker.line for worker in everyone], PATIENCE)
                for worker in everyone:
                    if worker.line in lines or not worker.process.is_alive():
                        self._listen(worker)
                    if self._is_over_limit(worker):
                        self._stop(worker)
        except BaseException:
            for worker in (*self.working.values(), *self.aside):
                worker.process.terminate()  # cells are renamed into place: none is half there
            raise
        finally:
            _dismiss([*self.working.values(), *self.aside])

    def _give(self, place: int) -> None:
        """Give a place its next trial or cell, if it is free and there is one."""
        worker = self.working.get(place)
        if worker is not None and not worker.idle:
            return
        trial = self.trials[0] if self.trials else None
        planned = None if trial else self._ready()
        if trial is None and planned is None:
            return
        began = time.perf_counter()
        if trial is not None:
            self.trials.remove(trial)
        elif planned is not None:
            self.waiting.remove(planned)
            self.running.add(planned.stored.label)
            self.show(CellEvent(planned, 0.0, ""))
        if worker is not None and not worker.process.is_alive():
            _how_it_ended(self.working.pop(place))  # it died idle: that is no death of a cell
            worker = None
        try:
            worker = (
                worker
                or self._called_back(place)
                or _start_worker(self.profile, self.places[place])
            )
        except OSError as error:  # no memory for a process, or killed at once
            self._lost(planned, trial, began, f"It could not be started: {error}.")
            return
        self.working[place] = worker
        worker.planned, worker.trial, worker.began = planned, trial, began
        worker.memory_kills = _memory_kills()
        with contextlib.suppress(OSError):  # a dead one is found when it is listened to
            worker.line.send((trial.planned, trial.request) if trial else planned)

    def _ready(self) -> PlannedCell | None:
        """The first cell of which all that it builds on has ended."""
        return next((p for p in self.waiting if not self._open_needs(p)), None)

    def _open_needs(self, planned: PlannedCell) -> bool:
        needed = {cell.label for cell in planned.needs.values()}
        needed |= {cell.label for cells in planned.gathered.values() for cell in cells}
        return bool(needed & (self.running | {other.stored.label for other in self.waiting}))

    def _called_back(self, place: int) -> Worker | None:
        """A worker of the same core whose search has ended."""
        for worker in self.aside:
            if worker.idle and worker.core == self.places[place] and worker.process.is_alive():
                self.aside.remove(worker)
                return worker
        return None

    def _listen(self, worker: Worker) -> None:
        """Handle a message of a worker, or its death."""
        message = _receive(worker)
        if message is None:
            self._forget(worker)
            how = _how_it_ended(worker)
            planned, trial = worker.planned, worker.trial
            worker.planned = worker.trial = None
            self._lost(planned, trial, worker.began, how)
            return
        kind, content = message
        if worker.trial is not None and kind == "trial":
            trial, worker.trial = worker.trial, None
            _answer(trial, content)
        elif worker.planned is not None and kind == "progress":
            self.show(CellEvent(worker.planned, *content))
        elif worker.planned is not None and kind == "outcome":
            planned, worker.planned = worker.planned, None
            self.running.discard(planned.stored.label)
            self.show(CellEvent(planned, 1.0, "", content))
        elif worker.planned is not None and kind == "refused":
            raise content  # the disk is full, or may not be written to: no cell can be kept
        elif worker.planned is not None and kind == "trials":
            self.trials += [
                Trial(worker.planned, request, worker, number)
                for number, request in enumerate(content)
            ]
            if worker not in self.aside:
                self._forget(worker)
                self.aside.append(worker)
        else:
            raise RuntimeError(f"a worker said {kind!r} without such work")

    def _forget(self, worker: Worker) -> None:
        if worker in self.aside:
            self.aside.remove(worker)
        for place, other in list(self.working.items()):
            if other is worker:
                del self.working[place]

    def _lost(
        self, planned: PlannedCell | None, trial: Trial | None, began: float, how: str
    ) -> None:
        """Handle the cell or trial of a worker that died."""
        if trial is not None:
            self._lost_trial(trial, began, how)
        if planned is None:
            return
        label = planned.stored.label
        self._end_trials_of(planned)
        self.running.discard(label)
        self.deaths[label] += 1
        if self.deaths[label] < TRIES and planned.stored.status != "done":
            self.waiting.insert(0, planned)
            words = f"Its process ended before the cell. {how} It is run once more."
            self.show(CellEvent(planned, 0.0, words, again=True))
        else:
            words = f"Its process ended {TRIES} times in a row before the cell. {how}"
            self._fail(planned, WorkerDiedError(words), began)

    def _is_over_limit(self, worker: Worker) -> bool:
        """Whether a worker's cell takes longer than it may; a trial watches its own time."""
        took = time.perf_counter() - worker.began
        return worker.planned is not None and took > self.profile.cell_seconds

    def _stop(self, worker: Worker) -> None:
        """End a worker over its limit, and the trials of its search; its cell has failed."""
        planned, worker.planned = worker.planned, None
        if planned is None:
            return
        worker.process.kill()
        self._forget(worker)
        _how_it_ended(worker)
        self._end_trials_of(planned)
        self.running.discard(planned.stored.label)
        self._fail(planned, CellLimitError(self.profile.cell_seconds), worker.began)

    def _fail(self, planned: PlannedCell, error: Exception, began: float) -> None:
        if planned.stored.status == "done":
            outcome = Outcome(True, "finished just before its process ended")
        else:
            outcome = keep_failure(self.profile, planned, error, began)
        self.show(CellEvent(planned, 1.0, "", outcome))

    def _lost_trial(self, trial: Trial, began: float, how: str) -> None:
        if trial.search.planned is None:
            return  # its search has died as well, and will ask again
        self.deaths[trial.label] += 1
        if self.deaths[trial.label] < TRIES:
            self.trials.insert(0, trial)
            words = f"The process of a trial ended before it. {how} The trial is run once more."
            self.show(CellEvent(trial.planned, 0.0, words, again=True))
            return
        words = f"WorkerDiedError: Its process ended {TRIES} times in a row before the trial. {how}"
        _answer(trial, Ended(failed(words, time.perf_counter() - began)))

    def _end_trials_of(self, planned: PlannedCell) -> None:
        """Drop the trials of a search that has died: it asks again for those that are not kept."""
        label = planned.stored.label
        self.trials = [t for t in self.trials if t.planned.stored.label != label]
        for worker in self.working.values():
            if worker.trial is not None and worker.trial.planned.stored.label == label:
                worker.process.kill()


def _answer(trial: Trial, ended: Ended) -> None:
    """Tell a search how one of its trials ended."""
    with contextlib.suppress(OSError):  # it has died, which is found when it is listened to
        trial.search.line.send((trial.number, ended))


def _dismiss(workers: Iterable[Worker]) -> None:
    """Ask workers to end, and wait for them."""
    workers = list(workers)
    for worker in workers:
        worker.line.close()  # which ends the worker
    for worker in workers:
        worker.process.join(LEAVE)
        worker.process.kill()  # no matter for one that has ended
        worker.process.join()


def _receive(worker: Worker) -> tuple[str, Any] | None:
    """Take one message from a worker; None if it is dead and has none left."""
    try:
        if not worker.line.poll():
            return None
        message: tuple[str, Any] = worker.line.recv()
    except (EOFError, OSError):
        return None
    return message


def _how_it_ended(worker: Worker) -> str:
    """Describe how a worker's process ended, and release the process."""
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
    """Number of processes that Linux has ended for lack of memory; None if unknown."""
    try:
        text = Path("/proc/vmstat").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _start_worker(profile: Profile, core: int) -> Worker:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(profile, theirs, core), daemon=False)
    try:
        with _environment(ONE_THREAD), _interrupts_blocked():
            process.start()
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()  # so that the worker holds the only end, and its death closes the line
    return Worker(process, ours, core)


@contextlib.contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for processes that are started in the block."""
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
    """Block Ctrl-C for processes that are started in the block: the parent handles it.

    One that is pressed meanwhile is delivered to this process afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(profile: Profile, line: Connection, core: int) -> None:
    """Run the cells and trials that are sent to this worker, until the connection is closed."""
    end_with_parent()
    with on_one_core(core), contextlib.suppress(EOFError, ConnectionError):
        with contextlib.suppress(Exception):  # the first cell that needs it says what is wrong
            _load_framework()
        while True:
            task: PlannedCell | tuple[PlannedCell, Request] = line.recv()
            if isinstance(task, PlannedCell):
                try:
                    outcome = run_cell(profile, task, partial(_tell, line), _Elsewhere(line))
                except OSError as error:  # not even its failure could be written
                    line.send(("refused", error))
                    return
                line.send(("outcome", outcome))
            else:
                planned, request = task
                line.send(("trial", run_trial_or_end(profile, planned, request)))


class _Elsewhere:
    """Lets other workers run the trials of this worker's search."""

    def __init__(self, line: Connection) -> None:
        self.line = line

    def run(self, requests: Sequence[Request], tell: Tell) -> None:
        """See `search.trials.TrialExecutor`."""
        try:
            self.line.send(("trials", list(requests)))
            for _ in requests:
                number, ended = self.line.recv()
                tell(requests[number], ended)
        except (EOFError, ConnectionError):
            os._exit(1)  # the parent was killed: this is no failure of the cell


def _tell(line: Connection, share: float, words: str) -> None:
    try:
        line.send(("progress", (share, words)))
    except ConnectionError:
        os._exit(1)  # the parent was killed: this is no failure of the cell


def _load_framework() -> None:
    """Import Keras without the start-up messages of its backend, which no setting turns off."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        importlib.import_module("bench.training.backend")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
