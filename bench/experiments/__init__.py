"""The experiments, in the order of the report: `bench.declarations` lists them."""

from collections.abc import Iterable
from importlib import import_module

from bench.declarations import Declaration, declarations
from bench.errors import UserError
from bench.experiments.definition import Experiment


def _defined(declaration: Declaration) -> Experiment:
    """Import an experiment's definition, and compare its variants with those that it declares."""
    name = f"{declaration.package}.{declaration.module or declaration.name}"
    defined = [each for each in vars(import_module(name)).values() if isinstance(each, Experiment)]
    experiment = next((each for each in defined if each.name == declaration.name), None)
    if experiment is None:
        raise UserError(
            f"{name}: expected `Experiment(declared({declaration.name!r}))` there, found none. "
            "Nothing was run; mend the definition."
        )
    said, done = {each.name for each in declaration.systems}, set(experiment.variants)
    if said != done:
        raise UserError(
            f"{declaration.name}: its file declares other systems than {name} has variants: "
            f"{_listed(said - done)} is declared alone, {_listed(done - said)} is no system. "
            "Nothing was run; mend one of the two."
        )
    return experiment


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


EXPERIMENTS: dict[str, Experiment] = {
    name: _defined(declaration) for name, declaration in declarations().items()
}
# What `run-all` runs: the answers to the assignment.
ASSIGNED = [name for name, experiment in EXPERIMENTS.items() if not experiment.timed]
