"""Time until a command answers, in a process of its own."""

import subprocess
import sys

import pytest

COMMANDS = {
    "invoke_list": ("-m", "invoke", "--list"),
    "help": ("-m", "bench", "--help"),
    "report_import": ("-c", "import bench.report.edition"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_start(timed, name):
    def start():
        return subprocess.run(
            [sys.executable, *COMMANDS[name]], check=True, capture_output=True, timeout=600
        )

    assert timed(start, items=1, unit="starts").returncode == 0
