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
    statements = [node for node in tree.body if isinstance(node, ast.Import)]
    for node in [*statements, *(definitions[name] for name in wanted)]:
        _follow(node, tree, module, root, reached)
    parts += [f"{other}:{_dump(_file(other, root))}" for other in sorted(reached)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _follow(node: ast.AST, tree: ast.Module, module: str, root: Path, reached: set[str]) -> None:
    """Add the modules that `node`, standing in `module`, refers to, and those that they import."""
    queue = list(_referred(node, tree, module, root))
    while queue:
        target = queue.pop()
        if target not in reached:
            reached.add(target)
            queue.extend(_referred_by_file(target, root))


@cache
def _referred_by_file(module: str, root: Path) -> frozenset[str]:
    tree = _parse(_file(module, root))
    return _referred(tree, tree, module, root)


def _referred(node: ast.AST, tree: ast.Module, module: str, root: Path) -> frozenset[str]:
    """Modules that `node` itself refers to, without what reaches a cell in another way."""
    bound = _imports(tree, module, root)
    found = {name for child in ast.walk(node) for name in _targets(child, bound, module, root)}
    return frozenset(name for name in found if not _elsewhere(name))


def _targets(node: ast.AST, bound: dict[str, set[str]], module: str, root: Path) -> Iterator[str]:
    """Modules that one node refers to: by an import statement, or by a name that one binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        # counts even if what it binds is never named: a module may register something
        yield from (loaded for _, _, loaded in _bindings(node, module, root))
    elif isinstance(node, ast.Name | ast.Attribute):
        # `models.vae`, where `models` is a package whose modules load when first used
        name, *rest = _dotted(node)
        dotted = (".".join([origin, *rest]) for origin in bound.get(name, ()))
        yield from (target for target in dotted if _exists(target, root))
    elif isinstance(node, ast.Call) and _dotted(node.func)[-1] in ("import_module", "__import__"):
        raise ValueError(
            f"{module}, line {node.lineno}: a function imports a module. Whatever a cell uses must "
            "be named by an import statement: no other way counts for its key."
        )


def _imports(tree: ast.Module, module: str, root: Path) -> dict[str, set[str]]:
    """Names that import statements bind, each with the project's modules that it may stand for."""
    bound: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, origin, _ in _bindings(node, module, root):
                bound.setdefault(name, set()).add(origin)
    return bound


def _bindings(
    node: ast.Import | ast.ImportFrom, module: str, root: Path
) -> Iterator[tuple[str, str, str]]:
    """For each of the project's modules that a statement loads: name bound, its module, loaded."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            source = _source(node, module, root)
            inner = f"{source}.{alias.name}"
            name, origin = alias.asname or alias.name, inner if _exists(inner, root) else source
            loaded = origin
        else:  # `import bench.models.vae` loads that module and binds the name of the package
            name, loaded = alias.asname or PACKAGE, alias.name
            origin = loaded if alias.asname else PACKAGE
        if loaded.partition(".")[0] != PACKAGE:
            continue
        if name == "*":
            raise ValueError(
                f"{module}, line {node.lineno}: `import *` hides which of the project's code a "
                "cell uses. Name what is imported."
            )
        yield name, origin, loaded


def _source(node: ast.ImportFrom, module: str, root: Path) -> str:
    """Name the module from which a statement imports; leading dots stand for packages above."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + root.joinpath(*parts).is_dir()]
    return ".".join([*above, *([node.module] if node.module else [])])


def _dotted(node: ast.AST) -> list[str]:
    """Parts of `a.b.c`; the first is empty if it is not a name."""
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else [""]


def _elsewhere(module: str) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in ELSEWHERE)


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


@cache
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
