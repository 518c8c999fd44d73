"""The plumbing between experiments and store: what is to be run, and running it."""

from bench.running.execute import Summary, execute
from bench.running.plan import PlannedCell, listed, make_plan
from bench.running.profiles import resolve_profile, usable_workers

__all__ = [
    "PlannedCell",
    "Summary",
    "execute",
    "listed",
    "make_plan",
    "resolve_profile",
    "usable_workers",
]
