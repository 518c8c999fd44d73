"""Tables of a rehearsal's results."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bench.rehearsal.estimate import GPUS, LEAST_SECONDS, Expected
from bench.rehearsal.stage import Rehearsed
from bench.running.profiles import usable_workers


def print_expected(expected: Sequence[Expected], efficiency: float, console: Console) -> None:
    """Print the expected work of each variant in a whole run, and the sum.

    Parameters
    ----------
    expected : sequence of Expected
        One for each variant.
    efficiency : float
        Share of a GPU's peak that is assumed.
    console : Console
        Where to print.
    """
    table = Table(
        "variant", "cells", "parameters", "GFLOP a step", "MiB a step", "steps", "hours here",
        *GPUS, title="Training in a whole run"
    )  # fmt: skip
    for each in expected:
        if each.steps:
            table.add_row(
                each.name,
                str(each.cells),
                f"{each.parameters:,}",
                f"{each.operations / each.steps / 1e9:.2f}",
                f"{each.step_mib:.0f}",
                f"{each.steps:,}",
                f"{each.here:.2f}",
                *(f"{each.on[gpu]:.2f}" for gpu in GPUS),
            )
    table.add_section()
    table.add_row(
        "all",
        str(sum(each.cells for each in expected)),
        "",
        f"{sum(each.operations for each in expected) / 1e15:.1f} PFLOP in all",
        "",
        f"{sum(each.steps for each in expected):,}",
        f"{sum(each.here for each in expected):.1f}",
        *(f"{sum(each.on[gpu] for each in expected):.2f}" for gpu in GPUS),
    )
    console.print(table)
    console.print(
        "Hours here: seconds of a step as measured just now, on all cores, one cell at a time; "
        f"this machine runs {usable_workers()} at once. Hours on a GPU: counted operations at "
        f"{efficiency:.0%} of the GPU's peak in bfloat16 (T4: float16), which is assumed and not "
        f"measured, and at least {1e3 * LEAST_SECONDS:g} ms a step. Maps without a network, "
        "evaluations and the report come besides.",
        highlight=False,
    )


def print_failures(rehearsed: Mapping[str, Sequence[Rehearsed]], console: Console) -> int:
    """Print the failures by backend, and return their number.

    Parameters
    ----------
    rehearsed : mapping of str to sequence of Rehearsed
        Variants, by backend.
    console : Console
        Where to print.

    Returns
    -------
    int
        How many variants failed.
    """
    failed = [(b, each) for b, rows in rehearsed.items() for each in rows if each.failure]
    for backend, each in failed:
        console.print(f"failed  {backend}  {each.name}: {each.failure}", markup=False, style="red")
    for backend, rows in rehearsed.items():
        good = sum(not each.failure for each in rows)
        console.print(f"{backend}: {good} of {len(rows)} variants passed.", highlight=False)
    return len(failed)
