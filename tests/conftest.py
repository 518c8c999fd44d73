"""What every test shares."""

import hypothesis
import numpy as np
import pytest

from bench.store import Result, StoredCell

hypothesis.settings.register_profile("shared", deadline=None)  # machines that test are busy ones
hypothesis.settings.load_profile("shared")


@pytest.fixture(autouse=True)
def _drawn_anew(request, monkeypatch):
    """A module's generator starts anew for each test: in any order each draws the same numbers."""
    random = getattr(request.module, "RANDOM", None)
    if isinstance(random, np.random.Generator):
        seed = np.random.SeedSequence(random.bit_generator.seed_seq.entropy, spawn_key=(1,))
        monkeypatch.setattr(request.module, "RANDOM", np.random.default_rng(seed))


@pytest.fixture
def cell(tmp_path):
    """A place for a cell in an empty run."""
    return StoredCell(tmp_path / "run", "pottery", "vase", 0, "0123456789abcdef" * 4)


@pytest.fixture
def result():
    """A small result."""
    return Result(metrics={"accuracy": 0.5})
