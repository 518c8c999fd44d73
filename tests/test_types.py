"""Types and imports that an editor and mypy can follow."""

import ast
import tomllib

import pytest

from bench.paths import ROOT

FILES = [*sorted((ROOT / "bench").rglob("*.py")), ROOT / "tasks.py"]
MOST_ANY = 60
LAZY = [path.parent for path in sorted((ROOT / "bench").rglob("__init__.pyi"))]


@pytest.mark.parametrize("package", LAZY, ids=lambda folder: folder.name)
def test_the_stub_of_a_lazy_package_lists_modules_that_are_there(package):
    stub = ast.parse((package / "__init__.pyi").read_text(encoding="utf-8"))
    listed = [
        alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    assert listed
    assert not [name for name in listed if not (package / f"{name}.py").is_file()]
    assert "attach_stub" in (package / "__init__.py").read_text(encoding="utf-8")


def _functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def _annotations(function):
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [a.annotation for a in arguments if a and a.annotation] + [function.returns]


def test_few_signatures_leave_a_type_open():
    found = [
        f"{path.relative_to(ROOT)}, line {function.lineno}"
        for path in FILES
        for function in _functions(path)
        for annotation in filter(None, _annotations(function))
        for node in ast.walk(annotation)
        if isinstance(node, ast.Name) and node.id == "Any"
    ]
    assert len(found) < MOST_ANY, "\n".join(found)


def test_no_module_of_this_project_is_left_out_of_the_checks():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    for override in settings["mypy"]["overrides"]:
        assert not [name for name in override["module"] if name.split(".")[0] == "bench"]
        assert override.get("follow_imports") != "skip"
    assert not [c for c in settings["importlinter"]["contracts"] if c.get("ignore_imports")]
