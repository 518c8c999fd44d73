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
    for remembered in (source._parse, source._dump, source._referred_by_file):
        remembered.cache_clear()
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


@pytest.mark.parametrize(
    "code",
    [
        "import bench.models.gan\n\ndef vae(cell): return bench.models.gan.build()",
        "import bench.models.gan as network\n\ndef vae(cell): return network.build()",
        "import bench.models.gan  # registers a layer\n\ndef vae(cell): return 1",
        "import bench\n\ndef vae(cell): return bench.models.gan.build()",
        "import numpy, bench.models.gan\n\ndef vae(cell): return 1",
        "from bench.models import gan\n\ndef vae(cell): return gan.build()",
        "from bench.models import gan as network\n\ndef vae(cell): return network.build()",
        "from bench.models.gan import build\n\ndef vae(cell): return build()",
        "from bench import models as networks\n\ndef vae(cell): return networks.gan.build()",
        "from ..models import gan\n\ndef vae(cell): return gan.build()",
        "from ..models.gan import build\n\ndef vae(cell): return build()",
        "from .. import models\n\ndef vae(cell): return models.gan.build()",
        "def vae(cell):\n    import bench.models.gan\n    return bench.models.gan.build()",
        "def vae(cell):\n    import bench.models.gan as network\n    return network.build()",
        "def vae(cell):\n    from bench.models.gan import build\n    return build()",
        "def vae(cell):\n    from ..models import gan\n    return gan.build()",
        # one name for two modules
        "def vae(cell):\n    from bench.models.gan import build\n    return build()\n\n"
        "def other(cell):\n    from bench.models.vae import build\n    return build()",
        "from bench.models import through\n\ndef vae(cell): return through.build()",
        "from bench.models import beside\n\ndef vae(cell): return beside.build()",
    ],
)
def test_every_form_of_import_counts(tree, code):
    (tree / "bench/experiments/one.py").write_text(code)
    (tree / "bench/models/through.py").write_text("import bench.models.gan\ndef build(): ...")
    (tree / "bench/models/beside.py").write_text("from . import gan\ndef build(): ...")
    before = _hash(tree)
    _change(tree, "bench/models/gan.py", "return 2", "return 3")
    assert _hash(tree) != before


def test_a_module_that_imports_the_experiment_counts_the_whole_of_it(tree):
    _change(
        tree, "bench/models/layers.py", "def conv(): return 3", "from bench.experiments import one"
    )
    before = _hash(tree)
    _change(tree, "bench/experiments/one.py", "models.gan.build()", "0")
    assert _hash(tree) != before


@pytest.mark.parametrize(
    "code",
    [
        "from bench.models.gan import *\n\ndef vae(cell): return build()",
        "import importlib\n\n"
        "def vae(cell): return importlib.import_module('bench.models.gan').build()",
        "from importlib import import_module\n\n"
        "def vae(cell): return import_module('bench.models.gan').build()",
        "def vae(cell): return __import__('bench.models.gan')",
    ],
)
def test_a_form_of_import_that_cannot_be_counted_is_refused(tree, code):
    (tree / "bench/experiments/one.py").write_text(code)
    with pytest.raises(ValueError, match=r"bench\.experiments\.one, line"):
        _hash(tree)


def test_a_package_of_a_similar_name_is_not_the_project_s(tree):
    code = "import benchmark\nfrom bench.models import gan\n\ndef vae(cell): return benchmark.x"
    (tree / "bench/experiments/one.py").write_text(code)
    assert len(_hash(tree)) == 64


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
