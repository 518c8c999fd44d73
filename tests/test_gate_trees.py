"""Two commits of a real repository, checked out side by side; and repositories that lack one."""

import subprocess

import pytest

from bench.errors import UserError
from bench.gate.check import check
from bench.gate.outcomes import Outcome
from bench.gate.trees import NoBaselineError, checked_out, copy_suite, resolve


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
        copy_suite(trees)
        assert (trees.base / "tests" / "test_it.py").read_text() == "new"
        assert (trees.base / "pyproject.toml").read_text() == "# new"
        assert (trees.base / "package.py").read_text() == "old"


@pytest.mark.parametrize("role", ["base", "head"])
@pytest.mark.parametrize("name", ["nowhere", "", "HEAD~7", "-h", "--all"])
def test_an_unknown_commit_is_named_with_the_remedy(repository, role, name):
    with pytest.raises(UserError, match=rf"--{role}; got '{name}'.*git fetch origin"):
        resolve(name, repository, role)


@pytest.mark.parametrize("length", [40, 64])
def test_the_null_commit_says_that_there_is_no_base(repository, length):
    with pytest.raises(NoBaselineError, match="null commit"):
        resolve("0" * length, repository)
    with pytest.raises(UserError, match="--head"):
        resolve("0" * length, repository, "head")


def test_a_shallow_clone_is_told_apart(repository, tmp_path):
    shallow = tmp_path / "shallow"
    _git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), str(shallow))
    with pytest.raises(UserError, match=r"got 'HEAD~1'.*shallow clone.*--unshallow"):
        resolve("HEAD~1", shallow)


def test_a_folder_without_git_is_told_apart(tmp_path):
    with pytest.raises(UserError, match="no git clone"):
        resolve("HEAD", tmp_path)


@pytest.mark.parametrize("commits", [("there-is-no-such-commit", "HEAD"), ("HEAD", "nor-this")])
@pytest.mark.parametrize("allowed", [False, True])
def test_a_check_of_an_unknown_commit_is_a_mistake(commits, allowed):
    with pytest.raises(UserError, match=r"there-is-no-such-commit|nor-this"):
        check(*commits, allow_no_baseline=allowed)


@pytest.mark.parametrize(("allowed", "code"), [(False, 7), (True, 0)])
def test_a_new_branch_has_no_base_and_says_so(allowed, code):
    found = check("0" * 40, gates=("time", "exact"), allow_no_baseline=allowed)
    assert [(f.gate, f.outcome) for f in found.findings] == [
        ("time", Outcome.NO_BASELINE),
        ("exact", Outcome.NO_BASELINE),
    ]
    assert found.exit_code == code
