"""Which cells a run consists of, in which order, and the content key of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

from bench import data
from bench.config import Profile
from bench.errors import UserError
from bench.experiments import ASSIGNED, EXPERIMENTS
from bench.experiments.definition import Experiment, Variant, chosen
from bench.interfaces import JsonObject
from bench.paths import ROOT
from bench.running.profiles import backend_name, backend_sees_gpu
from bench.store import StoredCell, UsedData, content_key, derive_seed
from bench.store.provenance import hardware, package_versions
from bench.store.source import source_hash

T = TypeVar("T")


@dataclass(frozen=True)
class PlannedCell:
    """A cell that a run consists of.

    Attributes
    ----------
    stored : StoredCell
        Where it stands, or will.
    experiment, variant : Experiment, Variant
        Its definition.
    seed : int
        Derived from the root seed, the experiment and the seed index.
    depends_on : dict
        What the key is the hash of; kept with the cell as `config.json`.
    dataset : DatasetInfo
        The data set that it is about: the experiment's own, or what takes its place.
    needs : dict of str to StoredCell
        The cells that it builds on, by the declared name.
    gathered : dict of str to list of StoredCell
        The cells of all seeds of the variants that it gathers, by the declared name.
    """

    stored: StoredCell
    experiment: Experiment
    variant: Variant
    seed: int
    depends_on: JsonObject
    dataset: data.DatasetInfo
    needs: dict[str, StoredCell]
    gathered: dict[str, list[StoredCell]]


def make_plan(
    profile: Profile, run_folder: Path, experiments: Iterable[str], variant: str | None = None
) -> list[PlannedCell]:
    """Plan experiments with everything that they build on, each cell after what it needs.

    Parameters
    ----------
    profile : Profile
        Resolved settings.
    run_folder : Path
        `runs/<run>`.
    experiments : iterable of str
        Names in `EXPERIMENTS`.
    variant : str, optional
        Only this variant of them (and what it needs).

    Returns
    -------
    list of PlannedCell
        Each after what it needs.

    Raises
    ------
    UserError
        If there is no such experiment or variant, or the variant does not apply to the data set.
    """
    planned: dict[tuple[str, str, int], PlannedCell] = {}
    for name in experiments:
        experiment = _known(EXPERIMENTS, name, "experiment")
        wanted = (
            experiment.variants.values()
            if variant is None
            else [_asked(profile, experiment, variant)]
        )
        for each in wanted:
            if not _applies(profile, experiment, each):
                continue
            for index in range(_repetitions(profile, experiment, each)):
                _add(profile, run_folder, experiment, each, index, planned)
    return list(planned.values())


def inapplicable(profile: Profile, experiments: Iterable[str]) -> list[str]:
    """Name the variants that do not apply to a profile's data sets, as `experiment/variant`.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    experiments : iterable of str
        Names of experiments.

    Returns
    -------
    list of str
        The variants.
    """
    return [
        f"{name}/{variant.name}"
        for name in experiments
        for variant in EXPERIMENTS[name].variants.values()
        if not _applies(profile, EXPERIMENTS[name], variant)
    ]


def dataset_of(profile: Profile, experiment: Experiment) -> data.DatasetInfo:
    """Return the data set that an experiment is about: its own, or what takes its place.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    experiment : Experiment
        The experiment.

    Returns
    -------
    DatasetInfo
        The data set.
    """
    return data.resolve(experiment.dataset, profile.data)


def used_data(profile: Profile, experiments: Iterable[str]) -> dict[str, UsedData]:
    """Tell which data set each of some experiments is about, for the run's manifest.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    experiments : iterable of str
        Names of experiments.

    Returns
    -------
    dict of str to UsedData
        By experiment.
    """
    found = {}
    for name in experiments:
        declared = EXPERIMENTS[name].dataset
        own, info = data.DATASETS.get(declared), dataset_of(profile, EXPERIMENTS[name])
        found[name] = UsedData(
            name=info.name,
            title=info.title,
            class_names=info.class_names,
            size=info.size,
            instead_of="" if info == own else own.title if own else declared,
        )
    return found


def _applies(profile: Profile, experiment: Experiment, variant: Variant) -> bool:
    """Whether a variant, and all that it needs, exists for the data set."""
    return variant.applies(dataset_of(profile, experiment)) and all(
        _applies(profile, *_named(experiment, need)) for need in variant.needs
    )


def _asked(profile: Profile, experiment: Experiment, name: str) -> Variant:
    """Find a variant that was asked for by name."""
    variant: Variant = _known(experiment.variants, name, f"variant of {experiment.name}")
    if not _applies(profile, experiment, variant):
        raise UserError(
            f"{experiment.name}/{name} is not applicable to {dataset_of(profile, experiment).title}"
            ". Nothing was run; choose another variant, or leave --variant out."
        )
    return variant


def listed(
    profile: Profile,
    run_folder: Path,
    asked: Iterable[str],
    assigned: Sequence[str] = tuple(ASSIGNED),
) -> list[StoredCell]:
    """Every cell that a run's manifest names.

    Those of the assignment, and those of the timed experiments that are asked for or were run.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    run_folder : Path
        `runs/<run>`.
    asked : iterable of str
        Experiments that are asked for.
    assigned : sequence of str
        Experiments of the assignment.

    Returns
    -------
    list of StoredCell
        The cells.
    """
    extra = [
        name
        for name, experiment in EXPERIMENTS.items()
        if experiment.timed and (name in asked or _was_run(profile, run_folder, name))
    ]
    return [cell.stored for cell in make_plan(profile, run_folder, [*assigned, *extra])]


def _was_run(profile: Profile, run_folder: Path, name: str) -> bool:
    """Whether one of an experiment's cells is there as this checkout would make it."""
    if not (run_folder / name).is_dir():
        return False
    return any(c.stored.status != "missing" for c in make_plan(profile, run_folder, [name]))


def _add(
    profile: Profile,
    run_folder: Path,
    experiment: Experiment,
    variant: Variant,
    index: int,
    planned: dict[tuple[str, str, int], PlannedCell],
) -> StoredCell:
    place = (experiment.name, variant.name, index)
    if place in planned:
        return planned[place].stored
    needs: dict[str, StoredCell] = {}
    for need in variant.needs:
        other, needed = _named(experiment, need)
        repetitions = _repetitions(profile, other, needed)
        needs[need] = _add(profile, run_folder, other, needed, index % repetitions, planned)
    for use in variant.uses:
        other, used = _named(experiment, use)
        if _applies(profile, other, used):
            needs[use] = _add(profile, run_folder, other, used, 0, planned)
    gathered: dict[str, list[StoredCell]] = {}
    for need in variant.gathers:
        other, needed = _named(experiment, need)
        if not _applies(profile, other, needed):
            continue
        gathered[need] = [
            _add(profile, run_folder, other, needed, each, planned)
            for each in range(_repetitions(profile, other, needed))
        ]
    depends_on = _dependencies(profile, experiment, variant, index, needs) | {
        "gathered": {name: [cell.key for cell in cells] for name, cells in gathered.items()}
    }
    stored = StoredCell(run_folder, experiment.name, variant.name, index, content_key(depends_on))
    planned[place] = PlannedCell(
        stored,
        experiment,
        variant,
        depends_on["seed"],
        depends_on,
        dataset_of(profile, experiment),
        needs,
        gathered,
    )
    return stored


def _named(experiment: Experiment, need: str) -> tuple[Experiment, Variant]:
    """Find `variant` of this experiment, or `experiment/variant`."""
    owner, _, name = need.rpartition("/")
    other = EXPERIMENTS[owner] if owner else experiment
    return other, other.variants[name]


def _dependencies(
    profile: Profile,
    experiment: Experiment,
    variant: Variant,
    index: int,
    needs: dict[str, StoredCell],
) -> JsonObject:
    """Everything that can change the cell's figures."""
    section = getattr(profile, experiment.name).model_dump(mode="json")
    function, info = variant.function, dataset_of(profile, experiment)
    return {
        "experiment": experiment.name,
        "variant": variant.name,
        "settings": _without_seeds({key: section[key] for key in variant.settings}),
        "data": profile.data.model_dump(include={"train_limit", "test_limit", "validation"}),
        "dataset": {"name": info.name, "files": dict(info.files), "classes": info.classes},
        "precision": profile.precision,
        "backend": backend_name(),
        "device": "gpu" if backend_sees_gpu() else "cpu",
        # a cell that is timed has the whole machine; any other one core of the processor
        **({"hardware": hardware()} if experiment.timed else {"threads": 1}),
        "root_seed": profile.root_seed,
        "seed": derive_seed(profile.root_seed, experiment.name, index),
        "source": source_hash(function.__module__, (function.__name__,), ROOT),
        "splitting": source_hash("bench.data.splitting", ("split",), ROOT),
        "versions": package_versions(),
        "needs": {name: cell.key for name, cell in needs.items()},
    }


def _without_seeds(settings: object) -> object:
    """Leave out how often something is repeated: it changes no single repetition."""
    if not isinstance(settings, dict):
        return settings
    return {key: _without_seeds(value) for key, value in settings.items() if key != "seeds"}


def given_settings(profile: Profile, cell: PlannedCell) -> SimpleNamespace:
    """Return the declared part of the experiment's section.

    Parameters
    ----------
    profile : Profile
        The run's settings.
    cell : PlannedCell
        The cell.

    Returns
    -------
    SimpleNamespace
        The settings that its function may read.
    """
    return chosen(getattr(profile, cell.experiment.name), cell.variant.settings)


def _repetitions(profile: Profile, experiment: Experiment, variant: Variant) -> int:
    """How many cells a variant has: what the setting says that it names."""
    if not variant.repeated:
        return 1
    return int(attrgetter(variant.repeated)(getattr(profile, experiment.name)))


def _known(names: Mapping[str, T], name: str, what: str) -> T:
    if name not in names:
        meant = get_close_matches(name, names, 1)
        raise UserError(
            f"No {what} {name!r}. Expected one of {', '.join(names)}. Nothing was run."
            + (f" Did you mean {meant[0]}?" if meant else "")
        )
    return names[name]
