"""Two commits of a real repository, checked out side by side; and repositories that lack one."""

import subprocess

import pytest

from bench.gate.check import check
from bench.gate.outcomes import Outcome
from bench.gate.trees import NoBaselineError, checked_out, lay_yardstick, resolve


def _git(folder, *words):
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Two commits; the second changes the package and the tests."""
    folder = tmp_path / "repository"
    (folder / "tests").mkdir(parents=True)
    _git(tmp_path, "init", "-q", str(folder))
    for content in ("old", "new"):
        (folder / "package.py").write_text(content)
        (folder / "tests" / "test_it.py").write_text(content)
        (folder / "pyproject.toml").write_text(f"# {content}")
        _git(folder, "add", ".")
        _git(folder, "commit", "-q", "-m", content)
    return folder


def test_both_commits_stand_side_by_side_and_are_taken_away(repository):
    with checked_out("HEAD~1", "HEAD", repository) as trees:
        assert (trees.base / "package.py").read_text() == "old"
        assert (trees.head / "package.py").read_text() == "new"
        assert trees.base_commit == _git(repository, "rev-parse", "HEAD~1")
    assert not trees.base.exists()
    assert _git(repository, "worktree", "list").count("\n") == 0


def test_they_are_taken_away_after_an_error_as_well(repository):
    with pytest.raises(RuntimeError, match="deliberate"), checked_out("HEAD", "HEAD", repository):
        raise RuntimeError("deliberate")
    assert _git(repository, "worktree", "list").count("\n") == 0


def test_base_is_measured_with_the_tests_of_head(repository):
    with checked_out("HEAD~1", "HEAD", repository) as trees:
        lay_yardstick(trees)
        assert (trees.base / "tests" / "test_it.py").read_text() == "new"
        assert (trees.base / "pyproject.toml").read_text() == "# new"
        assert (trees.base / "package.py").read_text() == "old"


def test_a_missing_commit_is_named_with_the_remedy(repository):
    with pytest.raises(NoBaselineError, match=r"No commit nowhere.*git fetch origin"):
        resolve("nowhere", repository)


def test_a_shallow_clone_is_told_apart(repository, tmp_path):
    shallow = tmp_path / "shallow"
    _git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), str(shallow))
    with pytest.raises(NoBaselineError, match=r"shallow clone.*--unshallow"):
        resolve("HEAD~1", shallow)


def test_a_folder_without_git_is_told_apart(tmp_path):
    with pytest.raises(NoBaselineError, match="no git clone"):
        resolve("HEAD", tmp_path)


def test_a_check_without_a_base_is_no_baseline_and_not_red():
    found = check("there-is-no-such-commit")
    assert [finding.outcome for finding in found.findings] == [Outcome.NO_BASELINE]
    assert found.exit_code == 0
