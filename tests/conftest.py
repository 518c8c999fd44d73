"""What every test shares."""

import hypothesis
import pytest

from bench.store import Result, StoredCell

hypothesis.settings.register_profile("shared", deadline=None)  # machines that test are busy ones
hypothesis.settings.load_profile("shared")


@pytest.fixture
def cell(tmp_path):
    """A place for a cell in an empty run."""
    return StoredCell(tmp_path / "run", "pottery", "vase", 0, "0123456789abcdef" * 4)


@pytest.fixture
def result():
    """A small result."""
    return Result(metrics={"accuracy": 0.5})
