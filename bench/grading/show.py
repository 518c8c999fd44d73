"""Text output of grading."""

from collections.abc import Iterator

from bench.grading.grade import Grade

DIFFERS, NOT_COMPARED = 8, 9  # exit codes


def lines(found: Grade) -> Iterator[str]:
    """Yield each difference and each gap, then a summary."""
    for each in found.differences:
        yield f"differs       {each.cell}  {each.figure}: expected {each.expected}, got {each.got}"
    for gap in found.gaps:
        yield f"not compared  {gap.cell}  {gap.what}: {gap.reason}"
    if found.not_recomputed:
        names = ", ".join(found.not_recomputed)
        yield f"Not recomputed, since only the training gives them: {names}."
    if found.unfinished:
        unfinished = " and ".join(f"{count} {status}" for status, count in found.unfinished.items())
        yield f"Cells without figures: {unfinished}."
    yield (
        f"{found.run.name}: {found.compared} figures of {len(found.cells)} cells recomputed, "
        f"{len(found.differences)} differ, {len(found.gaps)} could not be compared."
    )


def exit_code(found: Grade) -> int:
    """0 if all figures agree, else which of the two went wrong; a difference comes first."""
    if found.differences:
        return DIFFERS
    return NOT_COMPARED if found.gaps or not found.compared else 0
