"""Messages about keys and values that a TOML file gets wrong."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

NAME = re.compile(r"[A-Za-z0-9_]+")
SHOWN, WIDTH = 12, 60  # problems that a message lists, characters of a value that it repeats


def keys(section: type[BaseModel]) -> dict[str, str]:
    """Return each key of a schema as a dotted name, with its description.

    A key in a list of tables has no number: ``report.authors.name``. A table of named texts has
    its names: ``report.text.discussion``.
    """
    return dict(_walk(section, ""))


def _walk(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in section.model_fields.items():
        yield prefix + name, field.description or ""
        for kind in _inside(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _walk(kind, f"{prefix}{name}.")
            elif isinstance(kind, str):
                yield f"{prefix}{name}.{kind}", ""


def _inside(annotation: object) -> list[object]:
    """Types and literal names within an annotation, itself first."""
    found = [annotation]
    for part in get_args(annotation):
        found += [part] if isinstance(part, str) else _inside(part)
    return found


def listed(error: ValidationError, known: Mapping[str, str]) -> str:
    """List what does not fit, a line for each key.

    Parameters
    ----------
    error : ValidationError
        Of pydantic.
    known : mapping of str to str
        Descriptions of the keys, by dotted name.

    Returns
    -------
    str
        One line a mistake.
    """
    lines = []
    for each in error.errors():
        line = f"  {problem(each, known)}"
        if line not in lines:
            lines.append(line)
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"  and {len(lines) - SHOWN} more"]
    return "\n".join(lines)


def problem(error: ErrorDetails, known: Mapping[str, str]) -> str:
    """Name a key and what is wrong with it, in one line.

    Parameters
    ----------
    error : ErrorDetails
        Of pydantic.
    known : mapping of str to str
        Every key with its description; see `keys`.

    Returns
    -------
    str
        One line.
    """
    steps = [step for step in error["loc"] if NAME.fullmatch(str(step))]  # no names of types
    key = ".".join(map(str, steps))
    plain = ".".join(str(step) for step in steps if not isinstance(step, int))
    if error["type"] == "missing":
        return f"{key}: is missing. {known.get(plain, '')}".rstrip()
    if error["type"] in ("extra_forbidden", "literal_error") and _is_key(error):
        same_word = [name for name in known if name.split(".")[-1] == plain.split(".")[-1]]
        near = [*get_close_matches(plain, known, n=1), *same_word]
        return f"{key}: is no key." + (f" Did you mean {near[0]}?" if near else "")
    given = error["input"]
    if isinstance(given, Mapping):
        return f"{key}: {error['msg']}"
    try:
        shown = repr(given)
    except ValueError:  # Python does not write such an integer out
        shown = "an integer of thousands of digits"
    return f"{key}: {error['msg']} (got {shown if len(shown) <= WIDTH else shown[:WIDTH] + '...'})"


def _is_key(error: ErrorDetails) -> bool:
    return error["type"] == "extra_forbidden" or error["loc"][-1] == "[key]"
