"""Two commits side by side: git worktrees in a temporary folder."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.paths import ROOT

# What measures is head's own for both trees, so that both do the same work.
YARDSTICK = ("tests", "pyproject.toml")


class NoBaselineError(RuntimeError):
    """There is no commit to compare with."""


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
    """Check both commits out, and take them away in the end.

    Parameters
    ----------
    base, head : str
        Whatever git takes for a commit.
    repository : Path
        The clone that holds them.

    Raises
    ------
    NoBaselineError
        If the base is not in this clone; the message says whether it is a shallow one.
    """
    commits = {"base": resolve(base, repository), "head": resolve(head, repository)}
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


def resolve(reference: str, repository: Path = ROOT) -> str:
    """Name the commit that a reference means.

    Raises
    ------
    NoBaselineError
        If it is not in this clone.
    """
    try:
        return _git(repository, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoBaselineError(_why_missing(reference, repository)) from error


def _why_missing(reference: str, repository: Path) -> str:
    try:
        shallow = _git(repository, "rev-parse", "--is-shallow-repository") == "true"
    except (OSError, subprocess.CalledProcessError):
        return f"{repository} is no git clone: there is no commit {reference} to compare with."
    if shallow:
        return (
            f"{reference} is not in this shallow clone: nothing can be compared. Fetch the history "
            "first: `git fetch --unshallow` (in a workflow: actions/checkout with fetch-depth: 0)."
        )
    return (
        f"No commit {reference} in this clone: nothing can be compared. Check the spelling, or "
        "fetch it first: `git fetch origin`."
    )


def lay_yardstick(trees: Trees) -> None:
    """Let base be measured by head's tests."""
    for name in YARDSTICK:
        source, target = trees.head / name, trees.base / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


def _git(repository: Path, *words: str) -> str:
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
