"""Which source code a cell depends on, as one hash.

The imports of the project's own modules are followed from the cell's function, as text: nothing is
imported. Comments and docstrings do not count, so explaining the code trains nothing anew.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "bench"
# Their content reaches a cell through its settings, data hashes and seed, which the key holds.
ELSEWHERE = tuple(
    f"{PACKAGE}.{room}"
    for room in ("config", "data", "errors", "paths", "store", "experiments.definition")
)


def source_hash(module: str, functions: tuple[str, ...], root: Path) -> str:
    """SHA-256 over the code that `functions` of `module` can reach.

    Within the module only the definitions that the functions name count, with what these name;
    of every other module of the package the whole file counts.

    Parameters
    ----------
    module : str
        Dotted name, such as `bench.experiments.fashion_embedding`.
    functions : tuple of str
        Names of top-level functions of that module.
    root : Path
        The folder that holds the package.
    """
    tree = _parse(_file(module, root))
    definitions = _definitions(tree)
    wanted, queue = set[str](), list(functions)
    while queue:
        name = queue.pop()
        if name in definitions and name not in wanted:
            wanted.add(name)
            queue.extend(_names(definitions[name]))
    parts = [ast.dump(definitions[name]) for name in sorted(wanted)]
    reached: set[str] = set()
    for name in wanted:
        _follow(definitions[name], tree, module, root, reached)
    parts += [f"{other}:{_dump(_file(other, root))}" for other in sorted(reached - {module})]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _follow(node: ast.AST, tree: ast.Module, module: str, root: Path, reached: set[str]) -> None:
    """Add the modules that `node`, standing in `module`, refers to, and those that they import."""
    bound = _imports(tree, module, root)
    for child in ast.walk(node):
        for target in _targets(child, bound, root):
            if target in reached or target == module or target.startswith(ELSEWHERE):
                continue
            reached.add(target)
            other = _parse(_file(target, root))
            _follow(other, other, target, root, reached)


def _targets(node: ast.AST, bound: dict[str, str], root: Path) -> Iterator[str]:
    if isinstance(node, ast.Name) and node.id in bound:
        yield bound[node.id]
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        # `models.vae` where `models` is a package whose modules load when first used
        package = bound.get(node.value.id)
        if package is not None and _exists(f"{package}.{node.attr}", root):
            yield f"{package}.{node.attr}"


def _imports(tree: ast.Module, module: str, root: Path) -> dict[str, str]:
    """Names that import statements bind, with the project's module that each comes from."""
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                bound[alias.asname or alias.name] = inner if _exists(inner, root) else node.module
    return bound


def _definitions(tree: ast.Module) -> dict[str, ast.AST]:
    """Top-level functions, classes and constants, by name."""
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            names = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            found.update(dict.fromkeys(names, node))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _file(module: str, root: Path) -> Path:
    base = root.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _exists(module: str, root: Path) -> bool:
    return _file(module, root).is_file()


def _dump(path: Path) -> str:
    return ast.dump(_parse(path))


@cache
def _parse(path: Path) -> ast.Module:
    """Parse a file and take its docstrings out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
