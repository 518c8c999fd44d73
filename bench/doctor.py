"""Examination of this machine: what a run can use, what is missing, and the remedy."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

import psutil

from bench.data import DATASETS
from bench.data.loading import look_here
from bench.errors import UserError
from bench.paths import ROOT
from bench.running.profiles import (
    backend_name,
    backend_sees_gpu,
    resolve_profile,
    unused_gpu,
    usable_workers,
)
from bench.store.provenance import gpu_name, hardware, package_versions

PINS = ROOT / ".ci" / "constraints.txt"
SETUP = "bash .ci/setup"
OLDEST, NEWEST = (3, 11), (3, 13)  # of Python, for which the pins are resolved
ROOM = 2.0  # GiB for a run with its report
GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes
    ----------
    subject : str
        What was looked at.
    words : str
        What was found.
    remedy : str
        What to do; empty where nothing is missing.
    needed : bool
        Whether nothing runs without it.
    """

    subject: str
    words: str
    remedy: str = ""
    needed: bool = False


def examine() -> Iterator[Finding]:
    """Run every check, the quick ones first; the backend is loaded."""
    for look in _LOOKS:
        yield from look()


def _python() -> Iterator[Finding]:
    found = sys.version_info[:2]
    words = ".".join(map(str, sys.version_info[:3]))
    fits = OLDEST <= found <= NEWEST
    yield Finding("Python", words, "" if fits else "use Python 3.11, 3.12 or 3.13", not fits)


def _packages() -> Iterator[Finding]:
    """Compare the packages that can change a figure with their pins."""
    pins = dict(line.strip().split("==") for line in PINS.read_text().splitlines() if "==" in line)
    found = package_versions()
    other = [
        f"{name} {found[name]} (pinned: {pins[name]})"
        for name in sorted(found.keys() & pins.keys())
        if found[name].partition("+")[0] != pins[name]
    ]
    if other:
        yield Finding("packages", f"other versions: {', '.join(other)}", SETUP)
    else:
        yield Finding("packages", "the pinned versions")


def _machine() -> Iterator[Finding]:
    has = hardware()
    yield Finding("processor", f"{has['cpu']}, {has['cores']} cores")
    free = psutil.virtual_memory().available / GIB
    yield Finding("memory", f"{has['memory_gib']} GiB, {free:.1f} free")
    room = shutil.disk_usage(ROOT).free / GIB
    remedy = "" if room > ROOM else f"make room: a run takes up to {ROOM:g} GiB"
    yield Finding("disk", f"{room:.0f} GiB free at {ROOT}", remedy)


def _backend() -> Iterator[Finding]:
    name = backend_name()
    try:
        from bench.training import backend

        backend.steps()
        where = "a GPU" if backend_sees_gpu() else "the processor"
        yield Finding("backend", f"{name} {version(name)}, on {where}")
    except Exception as error:  # any reason why it does not load is reported
        yield Finding("backend", f"{name}: {type(error).__name__}: {error}", SETUP, needed=True)
        return
    yield Finding("arithmetic", resolve_profile("smoke").precision)
    yield Finding("cells at once", str(usable_workers()))
    gpu, unused = gpu_name(), unused_gpu()
    if gpu is None:
        yield Finding("GPU", "none that an NVIDIA driver shows")
    else:
        yield Finding("GPU", f"{gpu}{_gpu_memory()}", unused or "")


def _gpu_memory() -> str:
    command = ["nvidia-smi", "--query-gpu=memory.total,memory.free", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    total, _, free = answer.stdout.splitlines()[0].partition(", ")
    return f", {total}, {free} free"


def _printing() -> Iterator[Finding]:
    from bench.report.publishing.pdf import check_libraries

    try:
        check_libraries()
    except UserError as error:
        yield Finding("PDF", str(error).partition(". ")[0], "bash .ci/system-libraries")
    else:
        yield Finding("PDF", "Pango and what it stands on")


def _datasets() -> Iterator[Finding]:
    for info in DATASETS.values():
        found = look_here(info)
        if found.missing:
            words = f"{len(found.missing)} of {len(info.files)} files are not here"
            yield Finding(info.title, words, "invoke data fetches them")
        else:
            yield Finding(info.title, f"verified, from {found.route}")


def _ray() -> Iterator[Finding]:
    if importlib.util.find_spec("ray") is None:
        yield Finding("Ray", "not installed", f"for --executor ray: {SETUP} cluster")
    else:
        yield Finding("Ray", version("ray"))


_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _machine,
    _printing,
    _ray,
    _datasets,
    _backend,
)
