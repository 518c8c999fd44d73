"""Nested mappings and lists, as JSON has them, by dotted paths."""

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(tree: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values of nested mappings and lists, each with its dotted path.

    Parameters
    ----------
    tree : mapping, list or value
        What is gone through.
    path : str
        Dotted path of `tree` itself.

    Yields
    ------
    tuple of str and object
        Path and value.
    """
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}.{index}")
    else:
        yield path, tree


def find(tree: object, path: str) -> Any:
    """Return the value at a dotted path; None if there is none.

    Parameters
    ----------
    tree : mapping, list or value
        What is searched.
    path : str
        Dotted path.

    Returns
    -------
    object
        What stands there, or None.
    """
    for step in path.split("."):
        if isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(tree, list) and step.isdigit() and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return None
    return tree
