"""Parts of the types of results."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import core_schema

from bench.store import Result

Self = TypeVar("Self", bound="Holding")
SHOWN = 6  # problems that a message lists


class Part(BaseModel):
    """A group of figures, tables or arrays: frozen, and with no other field than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Holding(Part):
    """Base class of result types: metrics, tables and arrays of one variant.

    Attributes
    ----------
    metrics : Part
        Plain figures; a field that may be left out has None for its value then.
    tables : Part
        Data frames; see `Columns`.
    arrays : Part
        Numbers and images; see `Kind`.
    """

    metrics: Part = Part()
    tables: Part = Part()
    arrays: Part = Part()

    @classmethod
    def of(cls: type[Self], result: Result) -> Self:
        """Read what a variant's function returned.

        Raises
        ------
        ValueError
            Names each field that is missing, that the type does not have, or of another kind.
        """
        parts = {"metrics": result.metrics, "tables": result.tables, "arrays": result.arrays}
        try:
            return cls.model_validate({name: dict(part) for name, part in parts.items()})
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            raise ValueError(
                f"expected what bench.results says of {cls.__name__}, got another: "
                f"{'; '.join(wrong[:SHOWN])}. Mend the variant's function or its type."
            ) from error

    def result(self) -> Result:
        """Convert to a `Result`; fields that were not set are left out."""
        tables, arrays = (
            {name: getattr(part, name) for name in part.model_fields_set}
            for part in (self.tables, self.arrays)
        )
        return Result(self.metrics.model_dump(exclude_unset=True), tables, arrays)


class Columns:
    """Columns of a table.

    Parameters
    ----------
    *needed : str
        Those that it must have.
    allowed : tuple of str
        Those that it may have besides.
    prefixes : tuple of str
        How the names of further columns begin.
    """

    def __init__(
        self, *needed: str, allowed: tuple[str, ...] = (), prefixes: tuple[str, ...] = ()
    ) -> None:
        self.needed, self.allowed, self.prefixes = set(needed), set(allowed), prefixes

    def has(self, name: str) -> bool:
        """Whether a table may have this column."""
        return name in self.needed | self.allowed or name.startswith(self.prefixes)

    def check(self, table: pd.DataFrame) -> pd.DataFrame:
        """Compare a table with what is declared; raises ValueError."""
        names = set(map(str, table.columns))
        missing = self.needed - names
        foreign = {name for name in names if not self.has(name)}
        if missing or foreign:
            raise ValueError(
                f"columns missing: {', '.join(sorted(missing)) or 'none'}; "
                f"not expected: {', '.join(sorted(foreign)) or 'none'}"
            )
        return table

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


@dataclass(frozen=True)
class Kind:
    """Type of an array: kind of numbers and dimensions.

    Attributes
    ----------
    letters : str
        NumPy's letters for the kinds of numbers that it may have, such as ``f`` or ``iu``.
    dimensions : int
        How many it has.
    """

    letters: str
    dimensions: int

    def check(self, array: np.ndarray) -> np.ndarray:
        """Compare an array with what is declared; raises ValueError."""
        if array.dtype.kind not in self.letters or array.ndim != self.dimensions:
            raise ValueError(
                f"expected {self.dimensions} dimensions of kind {' or '.join(self.letters)}, got "
                f"{array.dtype} of shape {array.shape}"
            )
        return array

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


@dataclass(frozen=True)
class Bounds:
    """Least and greatest possible value of a figure, which end its intervals; nothing is refused.

    Attributes
    ----------
    least, greatest : float or None
        None where there is no such limit.
    """

    least: float | None = None
    greatest: float | None = None


Share = Annotated[float, Bounds(0.0, 1.0)]
NotNegative = Annotated[float, Bounds(0.0)]
Count = Annotated[int, Bounds(0.0)]
Labels = Annotated[np.ndarray, Kind("iu", 1)]
Images = Annotated[np.ndarray, Kind("u", 3)]
ImageGrid = Annotated[np.ndarray, Kind("u", 4)]
Points = Annotated[np.ndarray, Kind("f", 2)]
Numbers = Annotated[np.ndarray, Kind("f", 1)]


class Interval(Part):
    """Both limits of a 95 % interval."""

    low: float
    high: float


class Cost(Part):
    """Cost of a training; see `bench.training.loop`."""

    parameters: int
    epochs: int
    steps: int
    batch_size: int
    seconds: NotNegative
    compile_seconds: float
    images_per_second: float
    milliseconds_per_step: float
    peak_memory_mib: float
    precision: str
    backend: str
    cores: int
    replicas: int


class LayerRow(Part):
    """A layer of a network as it was built."""

    part: str
    name: str
    type: str
    output_shape: list[int | None]
    parameters: int


class AgainstMeanImage(Part):
    """A decoder's error beside that of the mean training image."""

    reconstruction_mse: NotNegative
    trivial_error: float
    trained: float


class AgainstMostFrequent(Part):
    """Whether a classifier does better than naming the most frequent class."""

    trivial_accuracy: float
    trained: float
