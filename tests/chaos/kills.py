"""Commands that are killed at random moments: nothing that was finished is lost or torn."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from bench.paths import ROOT
from bench.store import open_run
from bench.store.files import DELETED, PART
from bench.store.seal import DamagedError, read_sealed
from tests.data_support import small_payloads

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ENDED = 120.0  # seconds in which a command and its children must have ended; far more than needed
PROFILE = """name = "toy"
[data]
validation = 300
[fashion_generation]
handed_in_seeds = 6
[report]
languages = ["en"]
"""
SEARCH, TIMES = "fashion_generation/toy_search", ["seconds", "message"]
MOST_TRIES = 5  # for each kill: a command may have ended before it
ALL_WELL = (0, 10)  # 10: all but the PDF, which toys do not print


@dataclass
class Tally:
    """What became of a victim's kills.

    Attributes
    ----------
    kills, kept, orphans : int
        Kills, finished things that were found again after them, and processes left running.
    signals : Counter
        How often each was sent.
    lost, wrong : list of str
        What was finished and is gone or another; whatever else is not as it should be.
    """

    kills: int = 0
    kept: int = 0
    orphans: int = 0
    signals: Counter = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Victim:
    """A command that is killed again and again, and then ends undisturbed.

    Attributes
    ----------
    name : str
        The command.
    share : float
        Of all kills.
    home : Path
        Where it works.
    words : tuple of str
        The command's words.
    finished : callable
        Takes a folder; what is finished there, by name, with a hash. Raises AssertionError where
        something is torn.
    before : callable
        Takes a folder and makes it ready for a new beginning.
    whole_family : bool
        Whether it has workers, one of which is killed now and then in its place.
    toys : {"cells", "searches"}
        What it runs; searches need a framework.
    """

    name: str
    share: float
    home: Path
    words: tuple[str, ...]
    finished: Callable[[Path], dict[str, str]]
    before: Callable[[Path], None] = lambda folder: None
    whole_family: bool = False
    toys: str = "cells"

    def attack(self, count, seed):
        """Kill the command `count` times, going on from what is left, or from nothing."""
        random, tally = np.random.default_rng([seed, *self.name.encode()]), Tally()
        reference = self._fresh("reference")
        began = time.monotonic()
        code, told = self._undisturbed(reference)
        lasts = time.monotonic() - began
        expected = self.finished(reference)
        if code not in ALL_WELL or not expected:
            raise RuntimeError(f"{self.name}: undisturbed it ends with {code}: {told}")
        folder = self._fresh("killed")
        for _ in range(MOST_TRIES * count):
            if tally.kills == count:
                break
            if self._kill_once(folder, random, lasts, tally) or random.random() < 0.1:
                self._end_well(folder, expected, tally)
                folder = self._fresh("killed")
        self._end_well(folder, expected, tally)
        return tally

    def _fresh(self, name):
        folder = self.home / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "toy.toml").write_text(PROFILE)
        self.before(folder)
        return folder

    def _start(self, folder):
        words = [sys.executable, "-m", "tests.chaos.child", str(self.home), self.toys]
        return subprocess.Popen(
            [*words, *(word.format(folder=folder) for word in self.words)],
            cwd=ROOT,
            env={
                **os.environ,
                # cells need none; JAX is there sooner
                "KERAS_BACKEND": "nowhere" if self.toys == "cells" else "jax",
                "LATENT_LAB_CACHE": str(folder / "cache"),
                "PYTHONPATH": str(ROOT),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_signals_as_usual,
        )

    def _undisturbed(self, folder):
        process = self._start(folder)
        told, _ = process.communicate()
        return process.returncode, told

    def _kill_once(self, folder, random, lasts, tally):
        """Kill the command at a random moment; whether it had ended by then."""
        process = self._start(folder)
        time.sleep(random.uniform(0.05, 0.9) * lasts)
        family = _family(process.pid)
        number = SIGNALS[random.integers(len(SIGNALS))]
        aim = process.pid
        if self.whole_family and len(family) > 1 and random.random() < 0.25:
            aim, number = family[random.integers(1, len(family))].pid, signal.SIGKILL
        before = self._seen(folder, tally)
        ended = process.poll() is not None
        if not ended:
            try:
                os.kill(aim, number)
            except ProcessLookupError:
                ended = aim == process.pid
            else:
                tally.kills += 1
                who = "of a worker" if aim != process.pid else ""
                tally.signals[f"{number.name} {who}".strip()] += 1
        try:
            told, _ = process.communicate(timeout=ENDED * 5 if aim != process.pid else ENDED)
        except subprocess.TimeoutExpired:
            tally.wrong.append(f"{self.name} does not end after {number.name}")
            process.kill()
            told, _ = process.communicate()
        _, alive = psutil.wait_procs(family, ENDED)
        tally.orphans += len(alive)
        for each in alive:
            each.kill()
        if process.returncode == 1 or (aim != process.pid and process.returncode not in ALL_WELL):
            tally.wrong.append(f"{self.name} ends with {process.returncode}: {told[-2000:]}")
        after = self._seen(folder, tally)
        over = any(name.startswith(f"seal of {SEARCH}") for name in after)
        for name, digest in before.items():
            if after.get(name) == digest or (over and name.startswith("seal of trial")):
                tally.kept += 1
            else:
                tally.lost.append(f"{self.name}: {name} was finished and is gone or another")
        return process.returncode in ALL_WELL

    def _seen(self, folder, tally):
        try:
            return self.finished(folder)
        except (AssertionError, DamagedError) as error:
            tally.wrong.append(f"{self.name}: {error}")
            return {}

    def _end_well(self, folder, expected, tally):
        """Let the command end, and compare with what it makes undisturbed."""
        code, told = self._undisturbed(folder)
        if code not in ALL_WELL:
            tally.wrong.append(f"{self.name} ends with {code} in the end: {told[-2000:]}")
        found = self._seen(folder, tally)
        if _figures(found) != _figures(expected):
            tally.lost.append(f"{self.name}: in the end it has other things than undisturbed")
        left = [p for p in folder.rglob("*") if p.name.endswith((PART, DELETED, ".scratch"))]
        left += list(folder.rglob(".lab-report.*"))
        if left:
            tally.wrong.append(f"{self.name} leaves {left}")


def _signals_as_usual():
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` hands down that it is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as does a shell's `&`


def _family(pid):
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _figures(found):
    """What must be the same in every run: not the seals, which hold times."""
    return {name: digest for name, digest in found.items() if not name.startswith("seal of")}


def _cells(folder):
    """Every finished cell: its seal, and a hash of all its figures."""
    run = folder / "runs" / "toy"
    if not (run / "manifest.json").exists():
        return {}
    found = {}
    for cell in open_run(run).cells:
        status = cell.status
        assert status != "damaged", f"{cell.label} is damaged: {cell.failure}"
        if status == "done":
            found[f"seal of {cell.label}"] = cell.seal
            figures = {name: value for name, value in cell.metrics.items() if name not in TIMES}
            held = hashlib.sha256(repr(figures).encode())
            for name in sorted(cell.arrays):
                held.update(cell.arrays[name].tobytes())
            for name in cell.table_names:
                table = cell.table(name)
                held.update(table.drop(columns=TIMES, errors="ignore").to_csv().encode())
            found[cell.label] = held.hexdigest()
    return found


def _trials(folder):
    """The search's cell, and each trial that is kept while it goes on."""
    found = _cells(folder)
    for path in (folder / "runs" / "toy").glob("*/.*.scratch/search/*.json"):
        curves = read_sealed(path)["tried"]["curves"]  # raises what is declared if it is torn
        found[f"seal of trial {path.stem}"] = repr(curves)
    return found


def _rendered(folder):
    """The report, which is the same to the byte whenever it is rendered."""
    found = {}
    for path in (folder / "reports" / "toy").glob("*.html"):
        content = path.read_bytes()
        assert content.rstrip().endswith(b"</html>"), f"{path} is torn"
        found[path.name] = hashlib.sha256(content).hexdigest()
    return found


def _cached(folder):
    """Files of the data set in the cache: each whole, or not there."""
    whole = small_payloads(train=2000, test=500)
    place = folder / "cache" / "datasets" / "small_set"
    found = {}
    for name, payload in whole.items():
        if (place / name).exists():
            assert (place / name).read_bytes() == payload, f"{name} is torn"
            found[name] = hashlib.sha256(payload).hexdigest()
    return found


def victims(folder):
    """Make every victim, each in a folder of its own.

    Parameters
    ----------
    folder : Path
        Where they work.

    Returns
    -------
    list of Victim
        Their shares add up to 1.
    """
    places = ("--profile", "{folder}/toy.toml", "--runs", "{folder}/runs")
    reports = ("--reports", "{folder}/reports")
    done = folder / "done"

    def with_run(target):
        """Copy a finished run, from which reports are rendered."""
        if not (done / "runs").exists():
            maker = Victim("run", 0, done.parent, ("run", "fashion_generation", *places), _cells)
            done.mkdir(parents=True, exist_ok=True)
            (done / "toy.toml").write_text(PROFILE)
            code, told = maker._undisturbed(done)
            if code:
                raise RuntimeError(told)
        shutil.copytree(done / "runs", target / "runs")

    return [
        Victim(
            "run-all",
            0.3,
            folder / "run-all",
            ("run-all", "--workers", "2", *places, *reports),
            lambda at: {**_cells(at), **_rendered_last(at)},
            whole_family=True,
        ),
        Victim(
            "run, one worker",
            0.3,
            folder / "run",
            ("run", "fashion_generation", "--workers", "1", *places),
            _cells,
            whole_family=True,
        ),
        Victim(
            "search",
            0.04,
            folder / "search",
            ("run", "fashion_generation", "--variant", "toy_search", *places, "--workers", "2"),
            _trials,
            whole_family=True,
            toys="searches",
        ),
        Victim("data", 0.2, folder / "data", ("data",), _cached),
        Victim(
            "report",
            0.16,
            folder / "report",
            ("report", *places, *reports, "--format", "html"),
            _rendered,
            with_run,
        ),
    ]


def _rendered_last(folder):
    """A report that is there is whole; whether it shows all cells depends on the moment."""
    _rendered(folder)
    return {}
