"""Provenance of a figure: commit, versions, hardware."""

import os
import platform
import re
import resource
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.interfaces import JsonObject
from bench.paths import ROOT

# What can change a figure. The rest of the environment is pinned by the constraints file.
NUMERIC_PACKAGES = (
    "keras",
    "keras-tuner",
    "tensorflow",
    "jax",
    "numpy",
    "scipy",
    "scikit-learn",
    "openTSNE",
    "umap-learn",
)


@cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that can change a figure; absent ones are left out."""
    versions = {"python": platform.python_version()}
    for name in NUMERIC_PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


@cache
def hardware() -> JsonObject:
    """Processor, cores, memory and GPU of this machine."""
    return {
        "cpu": _cpu_model(),
        "cores": len(usable_cores()),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": gpu_name(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def usable_cores() -> list[int]:
    """Numbers of the processor cores that this process may use, ascending."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far.

    On Linux not from getrusage, which for a new process begins at what its parent had.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    bytes_each = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_each / 2**20


@cache
def gpu_name() -> str | None:
    """Name of the first NVIDIA GPU by the driver's own tool; None without one."""
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.splitlines()[0].strip() if answer.stdout.strip() else None


@cache
def git_state() -> JsonObject:
    """Commit of the checkout, and whether tracked files differ from it."""
    try:
        commit = _git("rev-parse", "HEAD")
        dirty = bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return {"git_commit": None, "git_dirty": None}
    return {"git_commit": commit, "git_dirty": dirty}


def processor_flags() -> set[str]:
    """Instruction-set flags of the processor; empty where the system does not list them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.MULTILINE)
    return set(found.group(1).split()) if found else set()


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return answer.stdout.strip()
