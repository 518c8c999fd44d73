"""Which source code a cell depends on, as one hash.

What a function reaches is followed definition by definition through the project's own modules, as
text: nothing is imported. The functions, classes and constants that are reached count, and what
runs when their modules are loaded. Comments, docstrings, annotations, the words of errors and the
declarations of experiments do not: explaining the code trains nothing anew.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from bench.store.syntax import (
    PASSIVE_DECORATORS,
    Behaviour,
    ModuleSyntax,
    Origin,
    bindings,
    chains,
    dotted,
    read,
)

PACKAGE = "bench"
# What is declared with it (title, settings, labels) is in the key, or no part of a result.
DECLARATIONS = f"{PACKAGE}.experiments.definition"
# Their content reaches a cell through its settings, data hashes and seed, which the key holds.
ELSEWHERE = (
    *(f"{PACKAGE}.{room}" for room in ("config", "data", "errors", "paths", "results", "store")),
    f"{PACKAGE}.declarations",  # words and colours
    DECLARATIONS,
)
# By these, code is reached that no import statement names; what only looks is allowed.
HIDING = ("importlib", "pkgutil", "runpy", "sys.modules", "zipimport")
HIDING_NAMES = ("__import__", "eval", "exec", "globals")
LOOKING = ("importlib.metadata", "importlib.resources", "importlib.util.find_spec")

AT_IMPORT, WHOLE = "<at import>", "<whole>"
Unit = tuple[str, str]  # a module, and one of its definitions or one of the two above


def source_hash(module: str, functions: tuple[str, ...], root: Path) -> str:
    """SHA-256 over the code that `functions` of `module` can reach.

    Parameters
    ----------
    module : str
        Dotted name, such as `bench.experiments.fashion_embedding`.
    functions : tuple of str
        Names of top-level functions of that module.
    root : Path
        The folder that holds the project's package. A package of the user's own, with an
        experiment in it, may stand elsewhere: where Python finds it.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    ValueError
        If code that is reached names other code in a way that cannot be followed: `import *`,
        `importlib`, `eval`, or an attribute that a module does not define.
    """
    code = _source_code(root, module.partition(".")[0])
    parts = []
    for unit in sorted(code.reached([(module, name) for name in functions])):
        digest = code.digest(unit)
        if digest:
            parts.append(f"{unit[0]}:{unit[1]} {digest}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class SourceCode:
    """The project's modules, read when they are first asked for, and what refers to what.

    Parameters
    ----------
    folders : dict of str to Path
        Names of the packages whose code counts, with the folders that hold them.
    """

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders
        self._modules: dict[str, ModuleSyntax] = {}
        self._examined: dict[Unit, tuple[frozenset[Unit], str]] = {}

    def reached(self, units: list[Unit]) -> set[Unit]:
        """Units that these refer to, themselves included, directly or through others."""
        found, queue = set[Unit](), list(units)
        while queue:
            unit = queue.pop()
            if unit not in found:
                found.add(unit)
                queue.extend(self._examine(unit)[0])
        return found

    def digest(self, unit: Unit) -> str:
        """SHA-256 of what a unit does and of what its names stand for; empty if it does nothing."""
        return self._examine(unit)[1]

    def _examine(self, unit: Unit) -> tuple[frozenset[Unit], str]:
        if unit not in self._examined:
            self._examined[unit] = self._references(unit)
        return self._examined[unit]

    def _references(self, unit: Unit) -> tuple[frozenset[Unit], str]:
        """Find the units that one refers to, and its digest."""
        module, name = unit
        syntax = self._module(module)
        if name == WHOLE:
            return frozenset(self._all_of(module)), ""
        if name == AT_IMPORT:
            nodes = [n for n in syntax.at_import if not self._declares(module, n)]
            units = {
                (module, other)
                for other, statements in syntax.definitions.items()
                if any(self._registers(node) for node in statements)
            }
            for loaded in syntax.loaded:
                units |= set(self._loading(loaded))
        elif name in syntax.definitions:
            nodes = syntax.definitions[name]
            units = set(self._loading(module))
        else:
            raise ValueError(f"{module} defines no {name!r}, which a cell is to run.")
        texts = []
        for node in nodes:
            links = dict(self._links(module, name, node))
            units.update(*links.values())
            named = [f"{key}={sorted(map(str, links[key]))}" for key in sorted(links)]
            texts.append("\n".join([ast.dump(node), *named]))
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest() if texts else ""
        return frozenset(units), digest

    def _links(self, module: str, name: str, node: ast.stmt) -> Iterator[tuple[str, set[Unit]]]:
        """Yield what a unit's names stand for: a description and the units that are reached."""
        syntax = self._module(module)
        inner: dict[str, set[Origin]] = {}
        for child in ast.walk(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for bound, origin, loaded in bindings(child, self._file(module), module):
                    inner.setdefault(bound, set()).add(origin)
                    yield f"import {loaded}", set(self._loading(loaded))
            text = child.value if isinstance(child, ast.Constant) else None
            if isinstance(text, str) and self._names_module(text):
                # a process of its own: `python -m bench.timing.worker`
                yield f"text {text}", {(text, WHOLE)}
        outer = self._outer_names(module, name, node)
        for chain in set(chains(node)):
            first = chain[0]
            origins = inner.get(first, set())
            if first in outer and first not in inner:
                if first in syntax.definitions:
                    yield ".".join(chain), {(module, first)}
                elif first in HIDING_NAMES:
                    raise _hidden(module, node, first)
                origins = syntax.bound.get(first, set())
            for origin in origins:
                stands_for = ".".join(filter(None, [origin.module, origin.attribute, *chain[1:]]))
                if _hides(stands_for):
                    raise _hidden(module, node, stands_for)
                where = f"{'.'.join(chain)} is {origin.module}:{origin.attribute}"
                yield where, set(self._resolved(module, node, origin, chain[1:]))

    def _resolved(
        self, module: str, node: ast.stmt, origin: Origin, rest: tuple[str, ...]
    ) -> Iterator[Unit]:
        """Yield the units for which an imported name, with attributes taken of it, stands."""
        owner = origin.module
        path = ((origin.attribute,) if origin.attribute else ()) + rest
        while self._is_ours(owner):
            if not path:
                yield owner, WHOLE  # the module itself is handed on
                return
            first, path = path[0], path[1:]
            syntax, inner = self._module(owner), f"{owner}.{first}"
            yield from self._loading(owner)
            if first in syntax.definitions:
                yield owner, first
            for bound in syntax.bound.get(first, ()):
                own = bound == Origin(owner, first)  # `from . import vae` of the package itself
                yield from self._resolved(module, node, Origin(inner) if own else bound, path)
            if first in syntax.definitions or first in syntax.bound:
                return
            if not self._exists(inner):
                if first.startswith("__"):  # such as `__dict__`
                    yield owner, WHOLE
                    return
                raise ValueError(
                    f"{module}, line {node.lineno}: {owner} has no {first!r} that its text shows. "
                    "Whatever a cell uses must be defined or imported there by name: nothing else "
                    "counts for its key."
                )
            owner = inner

    def _loading(self, module: str) -> Iterator[Unit]:
        """Yield what runs when a module is loaded: its packages' code and its own."""
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            package = ".".join(parts[:count])
            if self._is_ours(package) and self._exists(package):
                yield package, AT_IMPORT

    def _all_of(self, module: str) -> Iterator[Unit]:
        """Yield all that a module holds, a package's modules included."""
        syntax = self._module(module)
        yield from self._loading(module)
        yield from ((module, name) for name in syntax.definitions)
        for origins in syntax.bound.values():
            for origin in origins:
                if self._is_ours(origin.module):
                    yield from self._loading(origin.module)
        file = self._file(module)
        if file.name == "__init__.py":
            for path in sorted(file.parent.iterdir()):
                inner = f"{module}.{path.stem}"
                if path != file and self._is_ours(inner) and self._exists(inner):
                    yield inner, WHOLE

    def _outer_names(self, module: str, name: str, node: ast.stmt) -> set[str]:
        """Names in a statement that may stand for something of the module."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return {chain[0] for chain in chains(node)}
        inside = self._module(module).outer_names[name]
        at_top: list[ast.expr] = [*node.decorator_list]
        if isinstance(node, ast.ClassDef):
            at_top += [*node.bases, *(keyword.value for keyword in node.keywords)]
        else:
            at_top += [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
            at_top += [
                a.annotation for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.annotation
            ]
            at_top += [node.returns] if node.returns else []
        return inside | {chain[0] for expression in at_top for chain in chains(expression)}

    @staticmethod
    def _registers(node: ast.stmt) -> bool:
        """Whether a definition has an effect when its module is loaded: a decorator's."""
        return not all(map(_is_passive, getattr(node, "decorator_list", [])))

    def _declares(self, module: str, node: ast.AST) -> bool:
        """Whether code calls a declared experiment, which only registers what is to be run."""
        return any(self._is_declaration(module, chain[0]) for chain in chains(node))

    def _is_declaration(self, module: str, name: str) -> bool:
        """Whether a module's name is bound to something that `DECLARATIONS` made."""
        syntax = self._module(module)
        for node in syntax.definitions.get(name, []):
            value = getattr(node, "value", None)
            made_by = dotted(value.func) if isinstance(value, ast.Call) else ()
            if any(o.module == DECLARATIONS for o in syntax.bound.get((made_by or ("",))[0], ())):
                return True
        return any(
            self._is_declaration(origin.module, origin.attribute)
            for origin in syntax.bound.get(name, ())
            if origin.attribute and self._is_ours(origin.module) and origin.module != module
        )

    def _names_module(self, value: str) -> bool:
        return (
            "." in value
            and all(part.isidentifier() for part in value.split("."))
            and self._is_ours(value)
            and self._exists(value)
        )

    def _is_ours(self, module: str) -> bool:
        """Whether a module counts: one of the project that reaches a cell in no other way."""
        if module.split(".")[0] not in self._folders:
            return False
        return not any(module == room or module.startswith(f"{room}.") for room in ELSEWHERE)

    def _module(self, module: str) -> ModuleSyntax:
        if module not in self._modules:
            file = self._file(module)
            if file.name != "__init__.py" and not file.is_file():
                raise ValueError(f"A cell uses {module}, but there is no {file}.")
            syntax = self._modules[module] = read(file, module)
            syntax.at_import[:] = self._behaviour(module, syntax.at_import)
            for nodes in syntax.definitions.values():
                nodes[:] = self._behaviour(module, nodes)
        return self._modules[module]

    def _behaviour(self, module: str, nodes: list[ast.stmt]) -> list[ast.stmt]:
        """Leave of statements what can change a result; what declares a variant cannot."""
        kept = []
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                decorators = node.decorator_list
                node.decorator_list = [d for d in decorators if not self._declares(module, d)]
            kept.append(Behaviour().visit(node))
        return [node for node in kept if node is not None]

    def _file(self, module: str) -> Path:
        parts = module.split(".")
        base = self._folders[parts[0]].joinpath(*parts)
        return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")

    def _exists(self, module: str) -> bool:
        if module not in self._modules:
            return self._file(module).is_file()
        return True


@cache
def _source_code(root: Path, package: str) -> SourceCode:
    """Read the project's package, and the one that holds an experiment."""
    return SourceCode({PACKAGE: root, package: _folder_of(package, root)})


def _folder_of(package: str, root: Path) -> Path:
    if (root / package).is_dir():
        return root
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ValueError(f"No package {package!r} with a file that could be read.")
    file = Path(found.origin)
    return file.parent.parent if file.stem == "__init__" else file.parent


def _is_passive(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (dotted(function) or ("",))[-1] in PASSIVE_DECORATORS


def _hides(name: str) -> bool:
    """Whether a dotted name of another package reaches code by its name."""

    def is_in(group: tuple[str, ...]) -> bool:
        return any(name == each or name.startswith(f"{each}.") for each in group)

    return is_in(HIDING) and not is_in(LOOKING)


def _hidden(module: str, node: ast.stmt, name: str) -> ValueError:
    return ValueError(
        f"{module}, line {node.lineno}: code that a cell uses reaches other code by {name!r}. "
        "Whatever a cell uses must be named by an import statement: no other way counts for its "
        "key."
    )
