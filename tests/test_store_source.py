"""Which changes of the code train a cell anew."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.store import source


@dataclass(frozen=True)
class Form:
    """A way to use `work` of the module `{n}`: what stands at the top, and what a function says."""

    call: str
    top: str = ""
    inside: str = ""
    whole: bool = False  # the module is handed on as a value: all of it counts


FORMS = {
    "import a.b.c": Form("bench.rooms.{n}.work()", "import bench.rooms.{n}"),
    "import a.b.c as d": Form("other.work()", "import bench.rooms.{n} as other"),
    "import a": Form("bench.rooms.{n}.work()", "import bench"),
    "from a import b": Form("{n}.work()", "from bench.rooms import {n}"),
    "from a import b as d": Form("other.work()", "from bench.rooms import {n} as other"),
    "from a.b import c": Form("work_of_{n}()", "from bench.rooms import work_of_{n}"),
    "from a.b import c as d": Form("other()", "from bench.rooms.{n} import work as other"),
    "package attribute": Form("rooms.{n}.work()", "from bench import rooms"),
    "package attribute as d": Form("other.{n}.work()", "import bench.rooms as other"),
    "lazy package attribute": Form("lazy.{n}.work()", "from bench import lazy"),
    "lazy attribute by name": Form("{n}.work()", "from bench.lazy import {n}"),
    "lazy function": Form("lazy.lazy_{n}()", "from bench import lazy"),
    "relative module": Form("{n}.work()", "from . import {n}"),
    "relative name": Form("other()", "from .{n} import work as other"),
    "relative package": Form("rooms.{n}.work()", "from .. import rooms"),
    "inside, import a.b.c": Form("bench.rooms.{n}.work()", inside="import bench.rooms.{n}"),
    "inside, as d": Form("other.work()", inside="import bench.rooms.{n} as other"),
    "inside, from": Form("{n}.work()", inside="from bench.rooms import {n}"),
    "inside, name": Form("other()", inside="from bench.rooms.{n} import work as other"),
    "inside, relative": Form("{n}.work()", inside="from . import {n}"),
    "in a try": Form("{n}.work()", "try:\n    from bench.rooms import {n}\nfinally:\n    pass"),
    "alias of a module": Form(
        "alias.work()", "from bench.rooms import {n}\nalias = {n}", whole=True
    ),
    "alias of a function": Form("alias()", "from bench.rooms import {n}\nalias = {n}.work"),
    "in a table": Form("TABLE['x']()", "from bench import rooms\nTABLE = {{'x': rooms.{n}.work}}"),
    "in a lambda": Form("(lambda: {n}.work())()", "from bench.rooms import {n}"),
    "in a class": Form(
        "Kept.step()",
        "from bench.rooms import {n}\nclass Kept:\n    step = staticmethod({n}.work)",
    ),
    "as an argument": Form("call({n})", "from bench.rooms import {n}", whole=True),
    "by getattr": Form("getattr({n}, 'wo' + 'rk')()", "from bench.rooms import {n}", whole=True),
    "by __dict__": Form("{n}.__dict__['work']()", "from bench.rooms import {n}", whole=True),
    "a process of its own": Form("start('bench.rooms.{n}')", whole=True),
}
MODULE = '''"""What this module is for."""

import numpy as np
from numpy import asarray
{top}

SIZE = 4
IDLE = 1


def work(steps: int = 2):
    """Work."""
    {inside}
    if steps < 0:
        raise ValueError("fewer than none")
    number: int = helper(np.zeros(steps))  # a comment
    return number + SIZE + asarray({call})


def helper(number):
    return number * 5


def idle():
    return 6
'''
# old text, new text: behaviour that `work` reaches
REACHED = [
    ("SIZE = 4", "SIZE = 5"),
    ("number * 5", "number * 6"),
    ("steps: int = 2", "steps: int = 3"),
    ("steps < 0", "steps < 1"),
    ("import numpy as np", "import jax.numpy as np"),
    ("from numpy import asarray", "from jax import asarray"),
    ("IDLE = 1", "import os\nos.environ['X'] = '1'\nIDLE = 1"),
    ("def idle", "@register\ndef idle"),
]
# words, form and what nothing names
WORDS = [
    ('"""Work."""', '"""Work well.\n\n    At length.\n    """'),
    ('"""What this module is for."""', ""),
    ("# a comment", "# another"),
    ("fewer than none", "expected none or more"),
    ("helper(np.zeros(steps))", "helper(\n        (np.zeros(steps))\n    )"),
    ("steps: int = 2", "steps: float = 2"),
    ("number: int = ", "number = "),
    ("def helper(number):", "def helper(number: float) -> float:"),
    ("SIZE = 4", "\n\nSIZE = (4)"),
    ("SIZE = 4", "SIZE: int = 4"),
]
UNREACHED = [("IDLE = 1", "IDLE = 2"), ("return 6", "return 7"), ("def idle", "def unused")]
UNREACHED += [("IDLE = 1", "IDLE: int")]
EXPERIMENT = '''
from bench.experiments.definition import Experiment
{top}

experiment = Experiment("one", title="A title", colour="red")
other = 3

def __old(cell):
    return 1

@experiment.variant(settings=("samples",), label="A label")
def train(cell):
    """Train."""
    {inside}
    return {call}

@experiment.variant()
def compare(cell):
    return other

experiment.finish("words")
'''


def _write(root, forms):
    """Write a package where a cell reaches `m0`, which reaches `m1`, and so on."""
    names = [f"m{i}" for i in range(len(forms))]
    lazy = "\n".join(
        f"from bench.rooms import {n} as {n}\nfrom bench.rooms.{n} import work as lazy_{n}"
        for n in names
    )
    files = {
        "__init__.py": "",
        "experiments/__init__.py": "from bench.experiments.one import experiment",
        "experiments/definition.py": "class Experiment: ...",
        "lazy/__init__.py": "import lazy_loader\n"
        "__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)",
        "lazy/__init__.pyi": lazy,
        "rooms/__init__.py": "\n".join(
            f"from bench.rooms.{n} import work as work_of_{n}" for n in names
        ),
        "rooms/end.py": "def work(): return 0",
    }
    for name, form, following in zip(names, forms, [*names[1:], "end"], strict=True):
        files[f"rooms/{name}.py"] = _using(MODULE, form, following)
    first = Form("rooms.m0.work()", "from bench import rooms")
    files["experiments/one.py"] = _using(EXPERIMENT, first, "m0")
    for name, text in files.items():
        path = root / "bench" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _using(text, form, name):
    if name == "end" and ("work_of" in form.top or "lazy" in form.top):
        form = Form("end.work()", "from bench.rooms import end")
    parts = (form.top, form.inside or "pass", form.call)
    top, inside, call = (part.format(n=name) for part in parts)
    return text.replace("{top}", top).replace("{inside}", inside).replace("{call}", call)


def _hash(root, function="train", module="bench.experiments.one"):
    source._source_code.cache_clear()
    return source.source_hash(module, (function,), root)


def _change(root, name, old, new):
    path = root / "bench" / f"{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def tree(tmp_path):
    _write(tmp_path, [FORMS["from a import b"]])
    return tmp_path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_exactly_what_a_cell_reaches_counts(tmp_path_factory, data):
    """However deep, and in whatever form each module imports the next."""
    forms = data.draw(st.lists(st.sampled_from(sorted(FORMS)), min_size=1, max_size=4))
    root = tmp_path_factory.mktemp("tree")
    _write(root, [FORMS[name] for name in forms])
    place = data.draw(st.integers(0, len(forms) - 1))
    before = _hash(root)
    # all of a module counts where the module is handed on as a value, or where that one is
    whole = place > 0 and FORMS[forms[place - 1]].whole
    edits = [*((e, True) for e in REACHED), *((e, False) for e in WORDS)]
    edits += [(edit, whole) for edit in UNREACHED]
    (old, new), counts = data.draw(st.sampled_from(edits))
    _change(root, f"rooms/m{place}", old, new)
    assert (_hash(root) != before) == counts


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_import_counts(tmp_path, form):
    _write(tmp_path, [FORMS[form], FORMS["from a import b"]])
    before = _hash(tmp_path)
    _change(tmp_path, "rooms/m1", "number * 5", "number * 6")
    assert _hash(tmp_path) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title="A title"', 'title="Another", section="new"'),
        ('colour="red"', 'colour="blue"'),
        ('label="A label"', 'label="Another"'),
        ('settings=("samples",)', "settings=()"),  # stands in the key itself
        ('finish("words")', 'finish("others")'),
        ("return other", "return other + 1"),
    ],
)
def test_what_an_experiment_declares_does_not_count(tree, old, new):
    before = _hash(tree)
    _change(tree, "experiments/one", old, new)
    assert _hash(tree) == before


def test_a_declaration_counts_where_a_cell_reads_it(tree):
    _change(tree, "experiments/one", "return rooms", "return experiment.title, rooms")
    before = _hash(tree)
    _change(tree, "experiments/one", "A title", "Another")
    assert _hash(tree) != before


def test_a_further_experiment_changes_no_key(tree):
    before = _hash(tree)
    (tree / "bench/experiments/two.py").write_text("import bench.rooms.end\ndef work(): return 1")
    line = "import experiment"
    _change(tree, "experiments/__init__", line, f"{line}\nimport bench.experiments.two")
    assert _hash(tree) == before


def test_what_a_name_stands_for_counts(tree):
    """Two modules whose code is the same are told apart."""
    (tree / "bench/rooms/twin.py").write_text((tree / "bench/rooms/m0.py").read_text())
    _change(tree, "experiments/one", "return rooms.m0.work()", "return rooms.m0.work(rooms.twin)")
    before = _hash(tree)
    _change(tree, "rooms/m0", "from bench.rooms import end", "from bench.rooms import m0 as end")
    assert _hash(tree) != before


def test_a_local_variable_of_a_module_s_name_is_not_the_module(tree):
    _change(tree, "rooms/m0", "def helper(number):", "def helper(number, end=3):\n    end += 1")
    before = _hash(tree)
    (tree / "bench/rooms/end.py").write_text("def work(): return 0\ndef other(): return 1")
    assert _hash(tree) == before


def test_code_that_a_loaded_module_registers_counts(tree):
    _change(tree, "rooms/m0", "IDLE = 1", "import bench.rooms.layers\nIDLE = 1")
    layers = tree / "bench/rooms/layers.py"
    layers.write_text(
        "@keras.register('x')\nclass Layer:\n    size = 1\n\nclass Plain:\n    size = 1"
    )
    before = _hash(tree)
    layers.write_text(layers.read_text().replace("Plain:\n    size = 1", "Plain:\n    size = 2"))
    assert _hash(tree) == before
    layers.write_text(layers.read_text().replace("Layer:\n    size = 1", "Layer:\n    size = 2"))
    assert _hash(tree) != before


def test_what_only_type_checkers_import_does_not_count(tree):
    before = _hash(tree)
    checked = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from bench.rooms.end import X\n"
    )
    _change(tree, "rooms/m0", "SIZE = 4", checked + "SIZE = 4")
    assert _hash(tree) == before


@pytest.mark.parametrize(
    ("top", "call"),
    [
        ("from bench.rooms.end import *", "work()"),
        ("import importlib", "importlib.import_module('bench.rooms.end').work()"),
        ("import importlib as load", "load.import_module('bench.rooms.' + 'end').work()"),
        ("from importlib import import_module as load", "load('bench.rooms.end').work()"),
        ("import runpy", "runpy.run_module('bench.rooms.end')"),
        ("", "__import__('bench.rooms.end')"),
        ("import sys", "sys.modules['bench.' + 'rooms.end'].work()"),
        ("", "eval('work')()"),
        ("", "globals()['work']()"),
        ("from bench.rooms import end", "end.missing()"),
        ("import bench.nowhere", "bench.nowhere.work()"),
        ("from bench.nowhere import work", "work()"),
    ],
)
def test_a_form_that_cannot_be_followed_is_refused(tree, top, call):
    _change(tree, "experiments/one", "other = 3", f"{top}\nother = 3")
    _change(tree, "experiments/one", "rooms.m0.work()", call)
    with pytest.raises(ValueError, match=r"bench\.experiments\.one, line|A cell uses"):
        _hash(tree)


@pytest.mark.parametrize("initialised", [True, False])
def test_a_package_of_one_s_own_counts_as_well(tree, tmp_path_factory, monkeypatch, initialised):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    package = elsewhere / "mine" if initialised else tree / "mine"
    package.mkdir()
    if initialised:
        (package / "__init__.py").write_text("")
    (package / "fifth.py").write_text(
        "from bench import rooms\nfrom mine import parts\n"
        "def train(cell): return parts.build(), rooms.m0.work()"
    )
    (package / "parts.py").write_text("def build(): return 1\ndef other(): return 2")
    monkeypatch.syspath_prepend(elsewhere)
    first = _hash(tree, module="mine.fifth")
    (package / "parts.py").write_text("def build(): return 1\ndef other(): return 3")
    assert _hash(tree, module="mine.fifth") == first
    (package / "parts.py").write_text("def build(): return 2\ndef other(): return 3")
    second = _hash(tree, module="mine.fifth")
    _change(tree, "rooms/m0", "number * 5", "number * 6")
    assert len({first, second, _hash(tree, module="mine.fifth")}) == 3


def test_asking_whether_a_package_is_there_is_allowed(tree):
    _change(tree, "experiments/one", "other = 3", "import importlib.util\nother = 3")
    _change(tree, "experiments/one", "rooms.m0.work()", "importlib.util.find_spec('torch')")
    assert len(_hash(tree)) == 64


def test_a_package_of_a_similar_name_is_not_the_project_s(tree):
    _change(tree, "experiments/one", "other = 3", "import benchmark\nother = 3")
    _change(tree, "experiments/one", "rooms.m0.work()", "benchmark.work()")
    assert len(_hash(tree)) == 64


def test_the_real_experiments_reach_both_backends_and_not_each_others_networks():
    from bench.experiments import EXPERIMENTS
    from bench.paths import ROOT

    def modules(experiment, variant):
        function = EXPERIMENTS[experiment].variants[variant].function
        code = source.SourceCode({"bench": ROOT})
        units = code.reached([(function.__module__, function.__name__)])
        return {module for module, name in units if name != source.AT_IMPORT}

    gan = modules("fashion_generation", "gan")
    assert {
        "bench.models.gan",
        "bench.experiments.sampling",
        "bench.judge.loading",
        "bench.training.steps_jax",
        "bench.training.steps_tensorflow",
    } <= gan
    assert not {"bench.models.vae", "bench.models.neighbour", "bench.models.flow"} & gan
    assert "bench.models.vae" in modules("fashion_generation", "vae")
    assert not {m for m in modules("fashion_embedding", "pca") if "training" in m}
    assert "bench.timing.contenders" in modules("training_speed", "throughput")
