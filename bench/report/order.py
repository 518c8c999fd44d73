"""What a report is ordered with: run, edition, languages, authors, assignment."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from bench.config.assignment import EXERCISES, Assignment
from bench.report.words.identity import Identity
from bench.store import StoredRun

Format = Literal["html", "pdf"]
Edition = Literal["hand-in", "full"]
EDITIONS: tuple[Edition, ...] = get_args(Edition)
FILE_NAMES: dict[str, str] = {"hand-in": "lab-report", "full": "full-record"}
DRAWINGS = ".drawings"  # beside the files: what is kept from one rendering to the next


@dataclass(frozen=True)
class Order:
    """Edition, authors and assignment of a report.

    Attributes
    ----------
    edition : {"hand-in", "full"}
        ``hand-in``: what the exercises ask for; ``full``: with appendices of everything else.
    identity : Identity
        Who hands in; empty if nobody says.
    assignment : Assignment or None
        What was asked; None: all exercises and claims, beside a baseline.
    student : str or None
        Whoever the run's root seed was derived from.
    """

    edition: Edition = "hand-in"
    identity: Identity = field(default_factory=Identity)
    assignment: Assignment | None = None
    student: str | None = None

    @property
    def full(self) -> bool:
        """Whether the appendices are asked for."""
        return self.edition == "full"

    @property
    def exercises(self) -> tuple[int, ...]:
        """Numbers of the exercises that are asked."""
        return self.assignment.exercises if self.assignment else EXERCISES

    @property
    def figures(self) -> dict[str, object]:
        """Figures of an earlier report, by experiment."""
        earlier = self.assignment.earlier if self.assignment else None
        return earlier.figures if earlier else {}


@dataclass(frozen=True)
class Job:
    """Work of one process: one language of a report."""

    run: StoredRun
    out_dir: Path
    language: str
    formats: tuple[Format, ...]
    templates: Path
    order: Order = field(default_factory=Order)
    languages: tuple[str, ...] = ()  # all that are rendered together


@dataclass(frozen=True)
class Rendered:
    """Files of one language that were rendered.

    Attributes
    ----------
    paths : list of Path
        The files.
    untranslated : list of str
        Words that stand there in English, for want of a translation.
    """

    paths: list[Path]
    untranslated: list[str]
