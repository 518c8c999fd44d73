"""The set-up: one script brings the system's libraries, and the pins resolve without installing."""

import itertools
import json
import re
import subprocess
import sys
import tomllib

import pytest

from bench.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SCRIPT = ROOT / ".ci" / "system-libraries"
HASHED = ("dev", "cluster", "tensorboard")
EXTRAS = [HASHED, ("gpu",), ("gpu-jax",)]
PYTHONS = ["3.11", "3.12", "3.13"]
OURS = {"pip", "setuptools", "wheel"}  # of the environment itself
SECONDS = 600


def _files(extras=()):
    """Files of pins: the common one, and those that an extra has of its own."""
    own = [ROOT / ".ci" / f"constraints-{extra}.txt" for extra in extras]
    return [ROOT / ".ci" / "constraints.txt", *(path for path in own if path.is_file())]


def _pins(extras=()):
    lines = [line for path in _files(extras) for line in path.read_text().splitlines()]
    return dict(line.split("==") for line in lines if "==" in line)


def _plain(name):
    return name.lower().replace("_", "-").replace(".", "-")


def test_every_package_of_the_project_and_its_extras_is_pinned():
    pinned = {_plain(name) for name in _pins()}
    extras = PROJECT["optional-dependencies"].values()
    asked = [*PROJECT["dependencies"], *itertools.chain.from_iterable(extras)]
    assert {_plain(each.partition("[")[0]) for each in asked} <= pinned


def test_every_file_that_ci_installs_has_a_hash_and_the_pinned_version():
    text = (ROOT / ".ci" / "hashes.txt").read_text(encoding="utf-8")
    hashed = re.findall(r"^([\w.-]+)==([^ ]+)[^\n]*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(hashed) == len(re.findall(r"^[\w.-]+==", text, re.M)) > 100
    pins = {_plain(name): version for name, version in _pins().items()}
    found = {_plain(name): version for name, version in hashed}
    assert {n: v for n, v in found.items() if pins.get(n, v) != v} == {}
    extras = itertools.chain(*(PROJECT["optional-dependencies"][e] for e in HASHED))
    asked = [*PROJECT["dependencies"], *extras]
    assert {_plain(each.partition("[")[0]) for each in asked} <= set(found)
    assert "://" not in text


@pytest.mark.parametrize("path", [".ci/run", ".github/workflows/ci.yml"])
def test_ci_asks_for_hashed_extras_alone(path):
    """The workflow sets HASHES=1, for the gate that it calls too."""
    asked = re.findall(r"bash \.ci/setup ([\w,-]+)", (ROOT / path).read_text(encoding="utf-8"))
    assert asked
    assert {extra for each in asked for extra in each.split(",")} <= set(HASHED)


def test_every_pinned_package_has_a_licence():
    rows = [
        line.split(maxsplit=1)
        for line in (ROOT / ".ci" / "licences.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert all(len(row) == 2 for row in rows)
    pinned = [f"{name}=={version}" for name, version in _pins(("gpu", "gpu-jax")).items()]
    assert [row[0] for row in rows] == pinned


def test_the_workflow_s_actions_are_pinned_and_may_only_read():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each)] == []
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", text, re.M) == ["  contents: read\n"]
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("extras", EXTRAS, ids="-".join)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_resolve_for_each_python_and_leave_nothing_open(tmp_path, python, extras):
    """By pip's dry run, which installs nothing; the report names what it would install."""
    wanted = [*PROJECT["dependencies"]]
    wanted += [each for extra in extras for each in PROJECT["optional-dependencies"][extra]]
    report = tmp_path / "report.json"
    answer = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
            "--python-version", python, "--only-binary=:all:", "--target", str(tmp_path / "none"),
            *(f"--constraint={path}" for path in _files(extras)), "--report", str(report), *wanted,
        ],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if "NewConnectionError" in answer.stderr or "Could not find an index" in answer.stderr:
        pytest.skip("no package index can be reached")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(report.read_text(encoding="utf-8"))["install"]
    named = {_plain(each["metadata"]["name"]): each["metadata"]["version"] for each in found}
    pins = {_plain(name): version for name, version in _pins(extras).items()}
    assert {n: v for n, v in named.items() if n not in OURS and pins.get(n) != v} == {}


def _called(tmp_path, tools, libraries="", arguments=()):
    """Call the script on a made-up machine that has some tools; what they were called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "log"
    installed = tmp_path / "installed"
    made = {
        "uname": "echo Linux",
        "id": "echo 1000",
        "ldconfig": f'echo "{libraries}"; cat {installed} 2>/dev/null || true',
        **{tool: f'echo "{tool} $*" >> {log}' for tool in tools if tool != "sudo"},
    }
    if "sudo" in tools:
        made["sudo"] = f'echo "sudo $*" >> {log}; "$@"; {tools["sudo"]}'
    for name, body in made.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    for name in ("bash", "env", "grep", "cat", "echo"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    answer = subprocess.run(
        ["/bin/bash", str(SCRIPT), *arguments], env={"PATH": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer, log.read_text() if log.exists() else "", installed


THERE = "libpangoft2-1.0.so.0 libharfbuzz-subset.so.0 libfontconfig.so.1"


def test_nothing_is_installed_where_all_is_there(tmp_path):
    answer, log, _ = _called(tmp_path, {"apt-get": "", "sudo": ""}, THERE)
    assert (answer.returncode, log) == (0, "")


@pytest.mark.parametrize(
    ("manager", "packages"),
    [("apt-get", "libpango-1.0-0"), ("dnf", "pango"), ("pacman", "pango"), ("zypper", "pango")],
)
def test_the_package_manager_that_is_there_is_called_with_sudo(tmp_path, manager, packages):
    sudo = f'echo "{THERE}" > {tmp_path / "installed"}'
    answer, log, _ = _called(tmp_path, {manager: "", "sudo": sudo})
    assert answer.returncode == 0, answer.stderr
    assert f"sudo {manager}" in log or f"sudo env DEBIAN_FRONTEND=noninteractive {manager}" in log
    assert packages in log


def test_a_browser_for_tests_is_brought_by_itself(tmp_path):
    sudo = f"/bin/ln -s /usr/bin/true {tmp_path / 'bin' / 'chromium'}"
    answer, log, _ = _called(tmp_path, {"dnf": "", "sudo": sudo}, arguments=["browser"])
    assert answer.returncode == 0, answer.stderr
    assert "sudo dnf install -q -y chromium" in log
    assert "pango" not in log


def test_python_is_brought_with_what_makes_environments(tmp_path):
    answer, log, _ = _called(tmp_path, {"apt-get": "", "sudo": "true"}, arguments=["python"])
    assert answer.returncode == 0, answer.stderr
    assert "python3 python3-venv" in log
    assert "pango" not in log


def test_without_root_and_sudo_it_says_that_html_goes_on(tmp_path):
    answer, log, _ = _called(tmp_path, {"apt-get": ""})
    assert (answer.returncode, log) == (1, "")
    assert "HTML only" in answer.stderr


def test_set_up_refuses_a_python_without_pins(tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("bash", "dirname", "uname", "grep", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    answer = subprocess.run(
        ["/bin/bash", str(ROOT / ".ci" / "setup")],
        env={"PATH": str(tmp_path), "PYTHON": str(old)}, capture_output=True, text=True,
        check=False, cwd=ROOT,
    )  # fmt: skip
    assert answer.returncode == 2
    assert f"3.11, 3.12 or 3.13, found none in {old}" in answer.stderr


@pytest.mark.parametrize("path", [".ci/run", ".github/workflows/ci.yml", "README.md"])
def test_there_is_one_way_to_set_up(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert ".ci/setup" in text or ".ci/run" in text
    for elsewhere in ("apt-get", "libpango", "pip install"):
        assert elsewhere not in text
