"""Checkouts of two commits: git worktrees in a temporary folder."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError
from bench.paths import ROOT

# What measures is head's own for both trees, so that both do the same work.
SUITE = ("tests", "pyproject.toml")
NULL_COMMITS = ("0" * 40, "0" * 64)  # how git and its hosts write "there is none"


class NoBaselineError(RuntimeError):
    """The caller named git's null commit: there is no commit to compare with."""


@dataclass(frozen=True)
class Trees:
    """The two checkouts.

    Attributes
    ----------
    base, head : Path
        Their folders.
    base_commit, head_commit : str
        What stands in them.
    """

    base: Path
    head: Path
    base_commit: str
    head_commit: str


@contextmanager
def checked_out(base: str, head: str = "HEAD", repository: Path = ROOT) -> Iterator[Trees]:
    """Check both commits out; their worktrees are removed at the end of the block.

    Parameters
    ----------
    base, head : str
        Whatever git takes for a commit.
    repository : Path
        The clone that holds them.

    Yields
    ------
    Trees
        Their folders.

    Raises
    ------
    NoBaselineError
        If the base is git's null commit: that of a branch that is new.
    UserError
        If one of them is not in this clone.
    """
    commits = {"head": resolve(head, repository, "head"), "base": resolve(base, repository)}
    with tempfile.TemporaryDirectory(prefix="latent-lab-gate-") as folder:
        paths = {name: Path(folder) / name for name in commits}
        try:
            for name, commit in commits.items():
                _git(repository, "worktree", "add", "--detach", str(paths[name]), commit)
            yield Trees(paths["base"], paths["head"], commits["base"], commits["head"])
        finally:
            for path in paths.values():
                shutil.rmtree(path, ignore_errors=True)
            _git(repository, "worktree", "prune")


def resolve(reference: str, repository: Path = ROOT, role: str = "base") -> str:
    """Return the commit of a reference.

    Parameters
    ----------
    reference : str
        Whatever git takes for a commit.
    repository : Path
        The clone that should hold it.
    role : {'base', 'head'}
        What it is to be.

    Returns
    -------
    str
        The commit's hash.

    Raises
    ------
    NoBaselineError
        If it is git's null commit, and to be the base.
    UserError
        If it is not in this clone; the message says whether it is a shallow one.
    """
    if role == "base" and reference in NULL_COMMITS:
        raise NoBaselineError(f"{reference} is git's null commit: there is nothing before head")
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    try:
        return _git(repository, *words)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(_why_missing(reference, role, repository)) from error


def _why_missing(reference: str, role: str, repository: Path) -> str:
    expected = f"Expected a commit as --{role}; got {reference!r}, "
    try:
        shallow = _git(repository, "rev-parse", "--is-shallow-repository") == "true"
    except (OSError, subprocess.CalledProcessError):
        return (
            f"{expected}and {repository} is no git clone. Nothing was compared. Check the folder "
            "out with `git clone`, or install git."
        )
    if shallow:
        return (
            f"{expected}which is not in this shallow clone. Nothing was compared. Fetch the "
            "history first: `git fetch --unshallow` (in a workflow: actions/checkout with "
            "fetch-depth: 0)."
        )
    return (
        f"{expected}which this clone does not have. Nothing was compared. Check the spelling, or "
        "fetch it first: `git fetch origin`."
    )


def copy_suite(trees: Trees) -> None:
    """Copy head's benchmark suite into base, so that both are measured alike."""
    for name in SUITE:
        source, target = trees.head / name, trees.base / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


def _git(repository: Path, *words: str) -> str:
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
