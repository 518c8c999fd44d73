"""Definition of experiments: variants, their dependencies and their arguments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.data import DatasetInfo, Split
from bench.declarations import Declaration
from bench.experiments.applicability import any_data
from bench.interfaces import Progress
from bench.search.trials import Request, TrialExecutor
from bench.store import Result, StoredCell


@dataclass(frozen=True)
class Cell:
    """Arguments of a variant's function.

    Attributes
    ----------
    settings : namespace
        The declared keys of the experiment's section, and no others: a key that is read without
        being declared would not be part of the cell's content key.
    seed : int
        Derived from the root seed, the experiment and the seed index: variants of one experiment
        share it, and with it what they draw alike (order of the images, codes, labelled images).
    seed_index : int
        Which repetition this is, from 0.
    precision : {'float32', 'mixed_bfloat16'}
        Arithmetic of training.
    split : Split
        Training, validation and test images; the test images are for the last evaluation only.
    needs : mapping of str to StoredCell
        The finished cells that the variant declared, by the declared name; of those that it `uses`,
        the ones that apply to the data set.
    gathered : mapping of str to list of StoredCell
        The finished cells of all seeds of the variants that it gathers, by the declared name.
    scratch : Path
        A folder that outlives an interrupt, for searches; removed when the cell is done.
    progress : callable
        Called with the share that is done and a few words.
    trials : TrialExecutor, optional
        Where the trials of its search run; if absent, in this process.
    asked : Request, optional
        The one trial of its search that is to run here, and nothing else.
    """

    settings: Any
    seed: int
    seed_index: int
    precision: str
    split: Split
    needs: Mapping[str, StoredCell]
    gathered: Mapping[str, Sequence[StoredCell]]
    scratch: Path
    progress: Progress
    trials: TrialExecutor | None = None
    asked: Request | None = None


@dataclass(frozen=True)
class Variant:
    """One row of an experiment.

    Attributes
    ----------
    name : str
        As the report and the store name it.
    function : callable
        Takes a `Cell`, gives a `Result`.
    settings : tuple of str
        Keys of the experiment's section that the function reads.
    needs : tuple of str
        Other variants, `variant` or `experiment/variant`; of the same seed index where they are
        repeated, else their only cell.
    gathers : tuple of str
        Other variants, of which it is given the cells of all seeds.
    repeated : str
        The section's setting that says how many cells there are, each with a seed of its own, such
        as `seeds` or `few_labels.seeds`; empty: one cell. Where the setting is 0 it does not run.
    uses : tuple of str
        Other variants whose only cell it is given, as with `needs`, where they apply.
    applies : callable
        Takes a `DatasetInfo`; whether the variant exists for that data set. A variant that needs
        one that does not apply does not apply either.
    """

    name: str
    function: Callable[[Cell], Result]
    settings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    gathers: tuple[str, ...] = ()
    repeated: str = ""
    uses: tuple[str, ...] = ()
    applies: Callable[[DatasetInfo], bool] = any_data


@dataclass
class Experiment:
    """An experiment: what it declares, and its variants, in the order in which they run.

    Attributes
    ----------
    declaration : Declaration
        What it says of itself, from the TOML file beside it: data set, title, words, colours.
    variants : dict of str to Variant
        By name.
    """

    declaration: Declaration
    variants: dict[str, Variant] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Also the name of its section in the settings and of its Invoke task."""
        return self.declaration.name

    @property
    def dataset(self) -> str:
        """A name in `bench.data.DATASETS`."""
        return self.declaration.dataset

    @property
    def timed(self) -> bool:
        """Whether its figures are times: see `Declaration.timed`."""
        return self.declaration.timed

    def variant(
        self,
        name: str | None = None,
        *,
        settings: tuple[str, ...] = (),
        needs: tuple[str, ...] = (),
        gathers: tuple[str, ...] = (),
        repeated: str = "",
        uses: tuple[str, ...] = (),
        applies: Callable[[DatasetInfo], bool] = any_data,
    ) -> Callable[[Callable[[Cell], Result]], Callable[[Cell], Result]]:
        """Register the decorated function as a variant, under its own name if none is given.

        Parameters
        ----------
        name : str, optional
            If absent, the function's own.
        settings : tuple of str
            Keys of the experiment's section that the function reads.
        needs : tuple of str
            See `Variant`.
        gathers : tuple of str
            See `Variant`.
        repeated : str
            See `Variant`.
        uses : tuple of str
            See `Variant`.
        applies : callable
            Takes a data set and tells whether the variant exists for it.

        Returns
        -------
        callable
            A decorator that leaves the function as it is.
        """

        def register(function: Callable[[Cell], Result]) -> Callable[[Cell], Result]:
            called = name or function.__name__
            self.variants[called] = Variant(
                called, function, settings, needs, gathers, repeated, uses, applies
            )
            return function

        return register


def chosen(section: Any, keys: tuple[str, ...]) -> SimpleNamespace:
    """Only the declared keys of a section.

    Parameters
    ----------
    section : Section
        Settings of an experiment.
    keys : tuple of str
        The declared keys.

    Returns
    -------
    SimpleNamespace
        These keys with their values.
    """
    return SimpleNamespace(**{key: getattr(section, key) for key in keys})
