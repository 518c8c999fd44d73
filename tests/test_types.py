"""Types and imports that an editor and mypy can follow."""

import ast

import pytest

from bench.paths import ROOT

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
