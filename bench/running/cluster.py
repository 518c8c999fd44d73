"""The executor `ray`: cells and trials as tasks of a Ray cluster (ray.io), extra `cluster`.

Ray does the scheduling, the retries after a lost process or node, and the transport. A cell travels
as its declaration with its content key; its result comes back as the finished cell's bytes, whose
hashes are checked before the driver, which alone writes the store, puts it in its place. Where a
node sees the run's own folder, needed cells are read from there and do not travel.

A search runs on the cluster's head node and hands its trials to Ray: while it waits it has no core.
What it keeps of them outlives it there, beside the run or in the cache.
"""

import contextlib
import importlib.util
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import filelock

from bench.config import Profile, schema
from bench.data.routes import cache_root
from bench.errors import UserError
from bench.interfaces import JsonMapping, JsonObject
from bench.paths import ROOT
from bench.running.cells import Outcome, keep_failure, scratch_of
from bench.running.executors import ONE_THREAD, CellEvent, Show, on_one_core
from bench.running.limits import CellLimitError, run_trial_or_end, run_within_limit
from bench.running.plan import PlannedCell, given_settings
from bench.running.profiles import backend_name, backend_sees_gpu
from bench.search.trials import Ended, Request, Tell, failed
from bench.store import DamagedError, StoredCell
from bench.store.provenance import git_state, package_versions, usable_cores
from bench.store.travel import digest, pack, unpack

RETRIES = 3  # after a lost process or node
REACHED = 5.0  # seconds in which a cluster must answer a connection
ANSWERED = 180.0  # seconds in which each node must tell its versions; the first starts a process
PATIENCE = 0.5  # seconds for which Ctrl-C may have to wait
HEAD = {"node:__internal_head__": 0.001}  # Ray's own name for the head node, as a resource
TOKEN = ".shared"  # noqa: S105 - names a file in the run's folder, by which a node knows it
SHARED_GPU = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
OVER = ".over-its-limit"  # in a cell's scratch: says in which run its process ended for that
PASSED_ON = ("LATENT_LAB_DATA", "LATENT_LAB_CACHE")


class LostError(RuntimeError):
    """Ray gave up a task."""


@dataclass(frozen=True)
class Needed:
    """A cell on which others build, as it travels: its bytes are fetched where they are needed.

    Attributes
    ----------
    stored : StoredCell
        The cell.
    content : ray.ObjectRef
        From `bench.store.travel.pack`.
    """

    stored: StoredCell
    content: Any


@dataclass(frozen=True)
class Order:
    """What a task is given.

    Attributes
    ----------
    profile : Profile
        Resolved settings.
    planned : PlannedCell
        The cell, with places in the run's own folder.
    needed : tuple of Needed
        All on which it builds.
    token : str
        Content of the file `TOKEN` in the run's folder.
    git : dict
        State of the driver's checkout.
    gpus : float
        Share of a GPU for each task.
    """

    profile: Profile
    planned: PlannedCell
    needed: tuple[Needed, ...]
    token: str
    git: JsonMapping
    gpus: float

    @property
    def shares_folder(self) -> bool:
        """Whether this node sees the run's folder."""
        try:
            return self.planned.stored.run_folder.joinpath(TOKEN).read_text() == self.token
        except OSError:
            return False


class Cluster:
    """Runs cells, and the trials of searches, on a Ray cluster.

    Parameters
    ----------
    address : str or None
        `auto`, `HOST:PORT` or `ray://HOST:PORT`; None: a cluster of this machine is started.
    gpus_per_cell : float or None
        Share of a GPU for each cell and trial; None: a whole one where cells run on GPUs.

    Raises
    ------
    UserError
        If Ray is not installed, the cluster cannot be reached, has other versions, or too little.
    """

    def __init__(self, address: str | None, gpus_per_cell: float | None) -> None:
        if importlib.util.find_spec("ray") is None:
            raise UserError(
                "--executor ray: expected the package ray, which is not installed. Nothing was "
                "run; `bash .ci/setup cluster` installs it."
            )
        on_gpu = backend_sees_gpu()
        if gpus_per_cell is not None and not on_gpu:
            raise UserError(
                f"--gpus-per-cell {gpus_per_cell:g}: expected a GPU that this machine's backend "
                "sees, and it sees none. Cells are keyed by the kind of device on which they run. "
                "Nothing was run; start from a node that has a GPU (`invoke doctor` there tells)."
            )
        self.gpus = (gpus_per_cell or 1.0) if on_gpu else 0.0
        self._connect(address)
        try:
            self._check_resources()
            self._check_versions()
        except BaseException:
            _ray().shutdown()
            raise

    def __str__(self) -> str:
        """Say where."""
        has = _ray().cluster_resources()
        gpus = f" and {has['GPU']:g} GPUs" if has.get("GPU") else ""
        return f"on Ray: {len(_nodes())} nodes with {has.get('CPU', 0):g} cores{gpus}"

    def run(self, profile: Profile, plan: Sequence[PlannedCell], show: Show) -> None:
        """See `executors.Executor`; the connection is closed at the end.

        Parameters
        ----------
        profile : Profile
            The run's settings.
        plan : sequence of PlannedCell
            The cells, each after what it needs.
        show : callable
            Takes what happens to each cell.
        """
        try:
            with _token(plan[0].stored.run_folder if plan else None) as token:
                _run(profile, plan, show, token, self.gpus)
        finally:
            _ray().shutdown()

    def _connect(self, address: str | None) -> None:
        if address is not None:
            _check_reachable(address)
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= SHARED_GPU if self.gpus else ONE_THREAD
        environment["KERAS_BACKEND"] = backend_name()
        try:
            _ray().init(
                address=address or "local",
                runtime_env={
                    "env_vars": environment,
                    "py_modules": [str(ROOT / "bench")],
                    "excludes": ["__pycache__"],
                },
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            _ray().shutdown()  # else what is half connected answers for the next cluster
            raise UserError(
                f"--address {address}: no Ray cluster can be used there. "
                f"{' '.join(str(error).split())} Nothing was run; start one with the versions of "
                "this machine (`ray start --head`), or leave --address out."
            ) from error

    def _check_resources(self) -> None:
        has = _ray().cluster_resources()
        for name, least in (("CPU", 1.0), ("GPU", self.gpus)):
            if has.get(name, 0.0) < least:
                raise UserError(
                    f"The Ray cluster has {has.get(name, 0.0):g} {name}, and a cell needs "
                    f"{least:g}. Nothing was run; add nodes, or give `ray start` --num-cpus and "
                    "--num-gpus."
                )

    def _check_versions(self) -> None:
        """Ask each node for its packages: other versions give other figures under the same key."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray, own = _ray(), package_versions()
        asked = {
            node["NodeID"]: ray.remote(_versions)
            .options(
                num_cpus=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
            )
            .remote()
            for node in _nodes()
        }
        for node, reference in asked.items():
            try:
                found = ray.get(reference, timeout=ANSWERED)
            except ray.exceptions.RayError as error:
                raise UserError(
                    f"Node {node[:8]} of the Ray cluster cannot run this project: "
                    f"{' '.join(str(error).split())} Nothing was run; install it there with its "
                    "extra `cluster`."
                ) from error
            other = {n for n in own.keys() | found.keys() if own.get(n) != found.get(n)}
            if other:
                versions = ", ".join(
                    f"{n} {found.get(n)} (here {own.get(n)})" for n in sorted(other)
                )
                raise UserError(
                    f"Node {node[:8]} of the Ray cluster has other versions: {versions}. They "
                    "would give other figures. Nothing was run; install .ci/constraints.txt there."
                )


def _run(
    profile: Profile, plan: Sequence[PlannedCell], show: Show, token: str, gpus: float
) -> None:
    """Hand a whole plan to Ray, and put each cell in its place as it comes back."""
    ray = _ray()
    packed: dict[str, object] = {}  # bytes of cells, by label
    ends: dict[str, object] = {}  # what tells that a cell has ended
    pending: dict[Any, PlannedCell] = {}
    for planned in plan:
        stored, built_on = planned.stored, _built_on(planned)
        for cell in built_on:
            if cell.label not in packed and cell.seal is not None:
                packed[cell.label] = ray.put(pack(cell))
        order = Order(
            profile,
            planned,
            tuple(Needed(cell, packed[cell.label]) for cell in built_on if cell.label in packed),
            token,
            git_state(),
            gpus,
        )
        searches = any(
            isinstance(value, schema.Search)
            for value in vars(given_settings(profile, planned)).values()
        )
        task = ray.remote(_cell_task).options(
            num_returns=2,
            name=stored.label,
            **({"num_cpus": 0, "resources": HEAD} if searches else {"num_cpus": 1}),
            **({"num_gpus": gpus} if gpus and not searches else {}),
            max_retries=RETRIES,
        )
        # the ends of what it builds on are arguments, so that Ray waits for them
        ended, packed[stored.label] = task.remote(
            order, *(ends[cell.label] for cell in built_on if cell.label in ends)
        )
        ends[stored.label] = ended
        pending[ended] = planned
    while pending:
        done, _ = ray.wait(list(pending), num_returns=1, timeout=PATIENCE)
        for ended in done:
            planned = pending.pop(ended)
            show(CellEvent(planned, 1.0, "", _received(profile, planned, ended, packed)))


def _received(
    profile: Profile, planned: PlannedCell, ended: Any, packed: Mapping[str, object]
) -> Outcome:
    """Put a cell that came back in its place."""
    ray, label = _ray(), planned.stored.label
    began = time.perf_counter()
    try:
        outcome, sha256 = ray.get(ended)
        unpack(planned.stored, ray.get(packed[label]), sha256)
    except DamagedError as error:
        return keep_failure(profile, planned, error, began)
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())
        lost = LostError(f"Ray gave the cell up after {RETRIES} retries. {reason}")
        return keep_failure(profile, planned, lost, began)
    return outcome


def _cell_task(order: Order, *ended: object) -> tuple[tuple[Outcome, str], bytes]:
    """What a node does: run a cell in a folder of its own, and give its bytes."""
    del ended
    with tempfile.TemporaryDirectory() as home, on_one_core(_core()):
        planned = _settled(order, Path(home))
        stored = order.planned.stored
        kept = cache_root(os.environ) / "searches" / stored.key
        scratch = scratch_of(stored) if order.shares_folder else kept
        outcome = _run_once(order, planned, scratch)
        content = pack(planned.stored)
    return (outcome, digest(content)), content


def _run_once(order: Order, planned: PlannedCell, scratch: Path) -> Outcome:
    """Run a cell; one whose process had to end at the limit is not run again when Ray retries it.

    A retry on another node, which does not see the first one's scratch, does run it again.
    """
    began, over = time.perf_counter(), scratch / OVER
    if over.is_file() and over.read_text() == order.token:
        error = CellLimitError(order.profile.cell_seconds)
        return keep_failure(order.profile, planned, error, began, order.git)
    return run_within_limit(
        order.profile,
        planned,
        _silent,
        trials=_Trials(order),
        scratch=scratch,
        git=order.git,
        before_the_end=partial(over.write_text, order.token),
    )


def _trial_task(order: Order, request: Request) -> Ended:
    """What a node does: run one trial of a cell's search."""
    with tempfile.TemporaryDirectory() as home, on_one_core(_core()):
        return run_trial_or_end(order.profile, _settled(order, Path(home)), request)


class _Trials:
    """Hands the trials of a search to Ray."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def run(self, requests: Sequence[Request], tell: Tell) -> None:
        """See `search.trials.TrialExecutor`."""
        ray, label = _ray(), self.order.planned.stored.label
        order = ray.put(self.order)
        trials = {
            ray.remote(_trial_task)
            .options(
                name=f"{label}, trial {request.key}",
                num_cpus=1,
                num_gpus=self.order.gpus,
                max_retries=RETRIES,
            )
            .remote(order, request): request
            for request in requests
        }
        pending = {trial.future(): trial for trial in trials}
        try:
            # not ray.wait, which swallows what the handler of a signal raises: the cell's limit
            for done in as_completed(list(pending)):
                trial = pending.pop(done)
                try:
                    ended = done.result()
                except ray.exceptions.RayError as error:
                    reason = " ".join(str(error).split())
                    words = f"LostError: Ray gave the trial up after {RETRIES} retries. {reason}"
                    ended = Ended(failed(words))
                tell(trials[trial], ended)
        finally:  # a search that is stopped at its limit leaves none behind
            for trial in pending.values():
                ray.cancel(trial, force=True)


def _settled(order: Order, home: Path) -> PlannedCell:
    """Give a cell and all on which it builds their places in a folder of this node."""
    ray = _ray()
    for needed in order.needed:
        place = replace(needed.stored, run_folder=home)
        if order.shares_folder and needed.stored.seal is not None:
            place.folder.parent.mkdir(parents=True, exist_ok=True)
            place.folder.symlink_to(needed.stored.folder)
        else:
            content = ray.get(needed.content)
            unpack(place, content, digest(content))

    def here(cell: StoredCell) -> StoredCell:
        return replace(cell, run_folder=home)

    planned = order.planned
    return replace(
        planned,
        stored=here(planned.stored),
        needs={name: here(cell) for name, cell in planned.needs.items()},
        gathered={name: [here(cell) for cell in cells] for name, cells in planned.gathered.items()},
    )


def _built_on(planned: PlannedCell) -> list[StoredCell]:
    every = [*planned.needs.values(), *(c for cells in planned.gathered.values() for c in cells)]
    return list({cell.label: cell for cell in every}.values())


@contextlib.contextmanager
def _token(folder: Path | None) -> Iterator[str]:
    """Put a file into a run's folder by which a node can tell that it sees the same folder."""
    token = secrets.token_hex(16)
    if folder is None:
        yield token
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TOKEN).write_text(token)
    try:
        yield token
    finally:
        (folder / TOKEN).unlink(missing_ok=True)


@cache
def _core() -> int:
    """Choose a core for this process: one that no other such process has, while there is one."""
    cores = usable_cores()
    for core in cores:
        lock = filelock.FileLock(Path(tempfile.gettempdir(), f"latent-lab-core-{core}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            continue
        _locks.append(lock)  # until this process ends
        return core
    return cores[os.getpid() % len(cores)]


_locks: list[filelock.BaseFileLock] = []


def _versions() -> dict[str, str]:
    return package_versions()


def _silent(done: float, words: str) -> None:
    """Ignore progress: a node has no line to the driver's screen."""


def _check_reachable(address: str) -> None:
    """Ask quickly whether somebody listens: Ray itself would wait for minutes."""
    if address == "auto":
        return
    scheme, host, port = "", None, None
    with contextlib.suppress(ValueError):  # no number for a port, or half an IPv6 address
        parts = urlsplit(address if "://" in address else f"//{address}")
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    if scheme not in ("", "ray") or not host or not port:
        raise UserError(
            f"--address: expected auto, HOST:PORT or ray://HOST:PORT, got {address!r}. Nothing "
            "was run."
        )
    try:
        socket.create_connection((host, port), REACHED).close()
    except OSError as error:
        raise UserError(
            f"--address {address}: nobody answers there ({error}). Nothing was run; start the "
            "cluster (`ray start --head`), mend the address, or leave it out."
        ) from error


def _nodes() -> list[JsonObject]:
    return [node for node in _ray().nodes() if node["Alive"]]


def _ray() -> ModuleType:
    """Ray itself, which is an extra."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    return ray
