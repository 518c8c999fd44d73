"""What is asked of the report: which edition, for whom, and for which assignment."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from bench.config.assignment import EXERCISES, Assignment
from bench.report.identity import Identity

Edition = Literal["hand-in", "full"]
EDITIONS: tuple[Edition, ...] = get_args(Edition)
FILE_NAMES: dict[str, str] = {"hand-in": "lab-report", "full": "full-record"}


@dataclass(frozen=True)
class Order:
    """What is asked of the report.

    Attributes
    ----------
    edition : {"hand-in", "full"}
        ``hand-in``: what the exercises ask for; ``full``: with appendices of everything else.
    identity : Identity
        Who hands in; empty if nobody says.
    assignment : Assignment or None
        What was asked; None: all exercises and claims, beside a baseline.
    """

    edition: Edition = "hand-in"
    identity: Identity = field(default_factory=Identity)
    assignment: Assignment | None = None

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
