"""A teacher's assignment: which exercises and claims, their wording, budgets, and earlier figures.

``bench/config/assignment.toml`` is the one that this project was made for, and an example.
"""

import datetime as dt
import hashlib
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bench.config import mistakes
from bench.config.protocol import protocol
from bench.errors import UserError
from bench.interfaces import JsonMapping, JsonObject

MOST_BYTES = 200_000
EXERCISES = (1, 2, 3, 4, 5)
SEEDS = 2**31  # a root seed is less than this
Exercise = Literal[EXERCISES]  # type: ignore[valid-type]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class _Table(BaseModel):
    """A table of the file: frozen, and no key but those listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Table):
    """A text in both languages of the report."""

    en: Text = Field(description="In English.")
    es: Text = Field(description="In Spanish.")

    def said(self, code: str) -> str:
        """Return the text in a language."""
        return str(getattr(self, code))


class Earlier(_Table):
    """An earlier report whose figures stand beside those of the run."""

    name: Words = Field(description="What it is called in tables and sentences.")
    citation: Words = Field(description="What it is: told once, where it is first named.")
    figures: JsonObject = Field(
        default={}, description="Its figures, by experiment: as in the example."
    )


class Assignment(_Table):
    """Exercises, claims and limits that a teacher sets."""

    title: Words = Field(description="Title of the report.")
    course: Words | None = Field(default=None, description="Course.")
    university: Words | None = Field(default=None, description="University.")
    teacher: Text | None = Field(default=None, description="Teacher.")
    deadline: dt.date | None = Field(default=None, description="Until when it is handed in.")
    exercises: tuple[Exercise, ...] = Field(
        default=EXERCISES, min_length=1, description="Numbers of the exercises that are asked."
    )
    claims: tuple[int, ...] = Field(
        default=(), description="Numbers of the protocol's claims that are tested."
    )
    data: JsonObject = Field(
        default={}, description="Which data set: settings of the profile's section `data`."
    )
    questions: dict[str, Words] = Field(
        default={}, description="Wording of the questions, by number of the exercise."
    )
    budget: JsonObject = Field(
        default={}, description="Settings laid over the profile, as in a profile of one's own."
    )
    earlier: Earlier | None = Field(
        default=None, description="A report to compare with; without it, with a baseline."
    )


class _File(_Table):
    assignment: Assignment = Field(description="What is asked.")


def load_assignment(path: Path) -> Assignment:
    """Read the table ``[assignment]`` of a TOML file.

    Raises
    ------
    UserError
        If the file cannot be read, is not TOML, or holds a key, an exercise or a claim that does
        not exist.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _unusable(path, f"it has more than {MOST_BYTES:,} bytes")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found = _File.model_validate(content).assignment
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise UserError(
            f"{path} does not describe an assignment. Nothing was run; mend these keys:\n"
            + mistakes.listed(error, mistakes.keys(_File))
        ) from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"it is not valid TOML in UTF-8 ({error})") from error
    _check_numbers(path, "questions", map(str, EXERCISES), found.questions)
    known = {claim.number for claim in protocol().claims}
    _check_numbers(path, "claims", map(str, sorted(known)), map(str, found.claims))
    return found


def student_seed(root_seed: int, student: str) -> int:
    """Derive a student's root seed: no two students run the same random numbers.

    Parameters
    ----------
    root_seed : int
        That of the profile, with the assignment's budget.
    student : str
        As the teacher writes it; spaces around it and capitals do not matter.

    Returns
    -------
    int
        At least 0 and less than `SEEDS`.

    Raises
    ------
    UserError
        If the name is empty.
    """
    name = unicodedata.normalize("NFC", student).strip().casefold()
    if not name:
        raise UserError("--student: expected an identity, got nothing. Nothing was run; give one.")
    digest = hashlib.sha256(f"{root_seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SEEDS


def _check_numbers(path: Path, key: str, known: Iterable[str], given: Iterable[str]) -> None:
    names = list(known)
    for number in given:
        if number not in names:
            raise UserError(
                f"{path}, assignment.{key}: expected numbers among {', '.join(names)}, got "
                f"{number}. Nothing was run; mend that number."
            )


def _unusable(path: Path, why: str) -> UserError:
    return UserError(
        f"{path}: expected a TOML file with a table [assignment], but {why}. Nothing was run; "
        "check the path, or start from bench/config/assignment.toml."
    )


def overlay(assignment: Assignment | None) -> JsonMapping:
    """Return the settings that an assignment lays over the profile."""
    if assignment is None:
        return {}
    own = {"data": assignment.data} if assignment.data else {}
    return {**assignment.budget, **own}
