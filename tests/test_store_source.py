"""Which changes of the code train a cell anew."""

import textwrap

import pytest

from bench.store import source


@pytest.fixture
def tree(tmp_path):
    """A small package with the layout of this one."""
    files = {
        "bench/__init__.py": "",
        "bench/models/__init__.py": "def __getattr__(name): ...",
        "bench/models/vae.py": "from bench.models.layers import conv\ndef build(): return conv()",
        "bench/models/gan.py": "def build(): return 2",
        "bench/models/layers.py": "def conv(): return 3",
        "bench/config/__init__.py": "X = 1",
        "bench/experiments/__init__.py": "",
        "bench/experiments/one.py": """
            from bench import models
            from bench.config import X
            SIZE = 4
            WIDTH, HEIGHT = 5, 6

            def vae(cell):
                '''Train.'''
                return helper(models.vae.build(), X)

            def gan(cell):
                return models.gan.build()

            def helper(network, x):
                return network, SIZE, HEIGHT  # a comment
        """,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def _hash(tree, function="vae"):
    source._parse.cache_clear()
    return source.source_hash("bench.experiments.one", (function,), tree)


def _change(tree, name, old, new):
    path = tree / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("bench/experiments/one.py", "SIZE = 4", "SIZE = 5"),
        ("bench/experiments/one.py", "HEIGHT = 5, 6", "HEIGHT = 5, 7"),
        ("bench/experiments/one.py", "return network, SIZE", "return SIZE"),
        ("bench/models/vae.py", "conv()", "conv() + 1"),
        ("bench/models/layers.py", "return 3", "return 4"),
    ],
)
def test_code_that_the_cell_reaches_counts(tree, name, old, new):
    before = _hash(tree)
    _change(tree, name, old, new)
    assert _hash(tree) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("bench/experiments/one.py", "# a comment", "# another one"),
        ("bench/experiments/one.py", "'''Train.'''", "'''Train it well.'''"),
        ("bench/experiments/one.py", "return models.gan.build()", "return 0"),
        ("bench/models/gan.py", "return 2", "return 3"),
        ("bench/config/__init__.py", "X = 1", "X = 1\nY = 2"),
    ],
)
def test_what_it_does_not_reach_does_not(tree, name, old, new):
    before = _hash(tree)
    _change(tree, name, old, new)
    assert _hash(tree) == before


def test_the_real_experiments_reach_both_backends_and_not_each_others_networks():
    from bench.paths import ROOT

    reached = set()
    module = "bench.experiments.fashion_generation"
    parsed = source._parse(source._file(module, ROOT))
    definitions = source._definitions(parsed)
    for name in ("gan", "_play", "_wins"):
        source._follow(definitions[name], parsed, module, ROOT, reached)
    assert {
        "bench.models.gan",
        "bench.experiments.sampling",
        "bench.judge.loading",
        "bench.training.steps_jax",
        "bench.training.steps_tensorflow",
    } <= reached
    assert "bench.models.vae" not in reached
