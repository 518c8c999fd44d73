"""Definitions, imports and import-time statements of a module, read from its text."""

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# They register nothing and read no annotation of a function.
PASSIVE_DECORATORS = {
    *("cache", "cached_property", "classmethod", "contextmanager", "dataclass", "lru_cache"),
    *("override", "property", "staticmethod"),
}
# They are part of a dataclass's behaviour, unlike other annotations.
BEHAVING_ANNOTATIONS = {"ClassVar", "InitVar", "KW_ONLY"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Origin:
    """What an import statement binds: a module, or an attribute of one."""

    module: str
    attribute: str = ""


@dataclass(frozen=True)
class ModuleSyntax:
    """What the text of a module says.

    Attributes
    ----------
    definitions : dict of str to list of ast.stmt
        Top-level functions, classes and constants by name; several statements if one name is
        defined more than once.
    at_import : list of ast.stmt
        Top-level statements that are neither definitions nor imports.
    bound : dict of str to set of Origin
        Names that top-level import statements bind. Those of a stub (`.pyi`) count too.
    loaded : frozenset of str
        Modules that the top-level import statements load.
    outer_names : dict of str to set of str
        For each top-level function or class, the names that it takes from the module or from the
        built-ins: a local variable of the same name is none.
    """

    definitions: dict[str, list[ast.stmt]]
    at_import: list[ast.stmt]
    bound: dict[str, set[Origin]]
    loaded: frozenset[str]
    outer_names: dict[str, set[str]]


def read(path: Path, module: str) -> ModuleSyntax:
    """Parse a module.

    Parameters
    ----------
    path : Path
        Its file; for a package, that is `__init__.py`.
    module : str
        Its dotted name.

    Returns
    -------
    ModuleSyntax
        Docstrings and what only type checkers read are left out.
    """
    is_namespace = path.stem == "__init__" and not path.is_file()
    text = "" if is_namespace else path.read_text(encoding="utf-8")
    definitions: dict[str, list[ast.stmt]] = {}
    at_import: list[ast.stmt] = []
    body = _without_type_checking(ast.parse(text).body)
    for node in body:
        names = defined_names(node)
        if names:
            for name in names:
                definitions.setdefault(name, []).append(node)
        elif not isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) and not _is_text(node):
            at_import.append(node)
    statements = [statement for node in body for statement in _imports_at_load(node)]
    bound: dict[str, set[Origin]] = {}
    loaded = set()
    for statement in statements:
        for name, origin, module_loaded in bindings(statement, path, module):
            bound.setdefault(name, set()).add(origin)
            loaded.add(module_loaded)
    stub = path.with_suffix(".pyi")
    if stub.is_file():  # `lazy_loader.attach_stub`: its modules load when they are first used
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, origin, _ in bindings(node, stub, module):
                    bound.setdefault(name, set()).add(origin)
    return ModuleSyntax(definitions, at_import, bound, frozenset(loaded), _outer_names(text))


def defined_names(node: ast.stmt) -> list[str]:
    """Names that a top-level statement defines; empty if it is not a definition."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign) and not any(map(_changes_object, node.targets)):
        return [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return []


def bindings(
    node: ast.Import | ast.ImportFrom, path: Path, module: str
) -> Iterator[tuple[str, Origin, str]]:
    """Yield what an import statement binds.

    Parameters
    ----------
    node : ast.Import or ast.ImportFrom
        The statement.
    path : Path
        File in which it stands.
    module : str
        Dotted name of that module.

    Yields
    ------
    name : str
        The name that is bound.
    origin : Origin
        What it stands for.
    loaded : str
        The module that is loaded.

    Raises
    ------
    ValueError
        If the statement is `from ... import *`, which does not say what it binds.
    """
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            if alias.name == "*":
                raise ValueError(
                    f"{module}, line {node.lineno}: `import *` hides which code a cell uses. "
                    "Name what is imported."
                )
            source = _source(node, path, module)
            yield alias.asname or alias.name, Origin(source, alias.name), source
        elif alias.asname:
            yield alias.asname, Origin(alias.name), alias.name
        else:  # `import a.b.c` loads all three and binds `a`
            yield alias.name.partition(".")[0], Origin(alias.name.partition(".")[0]), alias.name


def chains(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """Yield each name in a statement with the attributes that are taken of it: `a.b.c`."""
    parts = dotted(node)
    if parts:
        yield parts
        return
    for child in ast.iter_child_nodes(node):
        yield from chains(child)


def dotted(node: ast.AST) -> tuple[str, ...]:
    """Parts of the expression `a.b.c`; empty if the node is no such expression."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        parts = dotted(node.value)
        return (*parts, node.attr) if parts else ()
    return ()


def _source(node: ast.ImportFrom, path: Path, module: str) -> str:
    """Name the module from which a statement imports; leading dots stand for packages above."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + (path.stem == "__init__")]
    return ".".join([*above, *([node.module] if node.module else [])])


def _imports_at_load(node: ast.stmt) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when the module is loaded: none of those inside functions."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from _imports_at_load(child)  # type: ignore[arg-type]


def _outer_names(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table in symtable.symtable(text, "module", "exec").get_children():
        found.setdefault(table.get_name(), set()).update(_globals_of(table))
    return found


def _globals_of(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that a scope, or one inside it, takes from the module.

    A class may bind a name and read the module's before that: all names of its body count.
    """
    of_class = table.get_type() == "class"
    yield from (s.get_name() for s in table.get_symbols() if of_class or s.is_global())
    for child in table.get_children():
        yield from _globals_of(child)


def _without_type_checking(body: list[ast.stmt]) -> list[ast.stmt]:
    """Replace each `if TYPE_CHECKING:` by what runs: its `else`, if there is one."""
    kept: list[ast.stmt] = []
    for node in body:
        is_for_checkers = isinstance(node, ast.If) and dotted(node.test)[-1:] == ("TYPE_CHECKING",)
        kept.extend(node.orelse if isinstance(node, ast.If) and is_for_checkers else [node])
    return kept


def _changes_object(target: ast.expr) -> bool:
    """Whether an assignment stores into an object, as `os.environ["X"] = "1"` does."""
    return any(isinstance(n, ast.Attribute | ast.Subscript) for n in ast.walk(target))


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a bare constant: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class Behaviour(ast.NodeTransformer):
    """Leave of a statement what can change a result.

    Docstrings, the annotations of functions and variables, and the words of errors go. The
    annotations of a function stay if it has a decorator that may read them.
    """

    def __init__(self) -> None:
        self._in_class = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Leave out docstring and annotations."""
        if all(_last_name(d) in PASSIVE_DECORATORS for d in node.decorator_list):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        outside, self._in_class = self._in_class, False
        self.generic_visit(node)
        self._in_class = outside
        return _with_body(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Do the same as for other functions."""
        return self.visit_FunctionDef(node)  # type: ignore[arg-type]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Leave out the docstring; fields keep their names and defaults."""
        outside, self._in_class = self._in_class, True
        self.generic_visit(node)
        self._in_class = outside
        return _with_body(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Make `x: T = 1` what it is without the annotation; a class's field stays a field."""
        self.generic_visit(node)
        if not self._in_class and isinstance(node.target, ast.Name):
            return node.value and ast.Assign([node.target], node.value)
        names = {n.id for n in ast.walk(node.annotation) if isinstance(n, ast.Name)}
        names |= {n.attr for n in ast.walk(node.annotation) if isinstance(n, ast.Attribute)}
        if not names & BEHAVING_ANNOTATIONS:
            node.annotation = ast.Constant(None)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Leave out a bare constant: it is a docstring, or has no effect."""
        self.generic_visit(node)
        return None if _is_text(node) else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Leave out what only type checkers read."""
        self.generic_visit(node)
        body = _without_type_checking([node])
        return node if body == [node] else body

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Leave out the words of an error; what it computes stays."""
        for child in ast.walk(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str):
                child.value = ""
        return node


def _with_body(node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
    node.body = node.body or [ast.Pass()]
    return node


def _last_name(decorator: ast.expr) -> str:
    """Return `cache` for `@cache`, `@functools.cache` and `@functools.cache(...)`."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (dotted(function) or ("",))[-1]
