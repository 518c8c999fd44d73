"""The protocol: what a run is asked, fixed before it is made (``protocol.toml``)."""

import hashlib
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from bench.config.schema import Count, Section
from bench.errors import UserError

PATH = Path(__file__).with_suffix(".toml")
Kind = Literal["share", "mean", "correlation", "paired", "welch", "spread"]
Direction = Literal["greater", "less"]
Text = Annotated[str, Field(min_length=1)]
Probability = Annotated[float, Field(gt=0.0, lt=1.0)]
System = Annotated[str, Field(pattern=r"^\w+/\w+$")]
COMPARISONS = ("paired", "welch", "spread")


class Change(Section):
    """A change of the protocol, or of the settings that came before it."""

    date: date
    what: Text = Field(description="What was changed, and what was known then: a message.")


class Measure(Section):
    """One figure that decides on a claim."""

    measure: Text = Field(description="What is measured: a message.")
    kind: Kind = Field(
        description="share: of the seeds whose figure is not 0; mean: over the seeds; correlation: "
        "one, over images; paired: mean difference seed by seed; welch: difference of two means; "
        "spread: ratio of two standard deviations of logarithms."
    )
    systems: tuple[System, ...] = Field(
        description="Experiment and variant; of a comparison two: the second is taken from the "
        "first, or divides it."
    )
    metric: Text = Field(description="Where each cell holds the figure.")
    pairs: str | None = Field(
        default=None, description="Of a correlation: where the cell holds how many pairs it has."
    )
    direction: Direction = Field(description="Where the figure lies if the claim holds.")
    reference: float = Field(description="Than what it is greater or less.")
    seeds: Count = Field(description="Least seeds, of each system; fewer give no verdict.")
    decimals: Count = Field(default=3, description="Decimals in the report.")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Measure":
        wanted = 2 if self.kind in COMPARISONS else 1
        if len(self.systems) != wanted:
            raise ValueError(f"{self.kind}: expected {wanted} system(s), got {len(self.systems)}")
        if (self.pairs is None) == (self.kind == "correlation"):
            raise ValueError(f"{self.kind}: `pairs` stands with a correlation, and only there")
        if self.kind in ("share", "spread") and self.reference <= 0.0:
            raise ValueError(f"{self.kind}: expected a reference above 0, got {self.reference}")
        if self.kind in ("share", "correlation") and abs(self.reference) >= 1.0:
            raise ValueError(f"{self.kind}: expected a reference below 1, got {self.reference}")
        return self


class Claim(Section):
    """A claim of the handed-in report."""

    number: Count
    text: Text = Field(description="The claim: a message.")
    conditions: Text = Field(description="What is asked of the trainings behind it: a message.")
    measures: Annotated[tuple[Measure, ...], Field(min_length=1)]


class Protocol(Section):
    """Claims, measures and thresholds, with the history of their changes."""

    first: date = Field(description="When its first version was fixed.")
    level: Probability = Field(description="Of the tests of a claim together, two-sided.")
    power: Probability = Field(description="At which the smallest visible effect is stated.")
    untrained: Text = Field(description="How a network that learned nothing is treated.")
    changes: Annotated[tuple[Change, ...], Field(min_length=1)]
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_in_order(self) -> "Protocol":
        numbers = [claim.number for claim in self.claims]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"claims: expected the numbers 1, 2, ... in order, got {numbers}")
        days = [change.date for change in self.changes]
        if days != sorted(days) or days[-1] < self.first:
            raise ValueError(
                f"changes: expected the oldest first, the last not before {self.first}, got "
                f"{', '.join(map(str, days))}"
            )
        return self

    @property
    def last(self) -> date:
        """Date of the last change."""
        return self.changes[-1].date

    def messages(self) -> Iterator[str]:
        """Yield every text that the report prints."""
        yield self.untrained
        yield from (change.what for change in self.changes)
        for claim in self.claims:
            yield from (claim.text, claim.conditions)
            yield from (measure.measure for measure in claim.measures)


def read_protocol(path: Path) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    path : Path
        A TOML file.

    Returns
    -------
    Protocol
        Frozen.

    Raises
    ------
    UserError
        If the file is not TOML, or a key or value is not allowed.
    """
    try:
        return Protocol.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise UserError(
            f"{path} is no protocol: {error}\nNo claim can be judged; mend the file, or take back "
            "its last change."
        ) from error


@cache
def protocol() -> Protocol:
    """Return the project's protocol."""
    return read_protocol(PATH)


@cache
def sha256() -> str:
    """Return the SHA-256 of the protocol's bytes: each cell keeps that of its time."""
    return hashlib.sha256(PATH.read_bytes()).hexdigest()
