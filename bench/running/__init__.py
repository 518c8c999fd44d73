"""Planning and running of cells."""

from bench.running.cells import prepare_data
from bench.running.execute import EXECUTORS, Summary, choose_executor, execute
from bench.running.executors import Executor, WholeMachine
from bench.running.plan import PlannedCell, inapplicable, listed, make_plan, used_data
from bench.running.profiles import resolve_profile, unused_gpu, usable_workers

__all__ = [
    "EXECUTORS",
    "Executor",
    "PlannedCell",
    "Summary",
    "WholeMachine",
    "choose_executor",
    "execute",
    "inapplicable",
    "listed",
    "make_plan",
    "prepare_data",
    "resolve_profile",
    "unused_gpu",
    "usable_workers",
    "used_data",
]
