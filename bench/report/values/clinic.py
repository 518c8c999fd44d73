"""Known failures of generative models: where they were looked for, and how often they were seen."""

from dataclasses import dataclass

from bench.report.values.collect import Results
from bench.report.values.quantities import Quantity, total
from bench.report.words.names import N_
from bench.store import StoredCell

DIVERGED = "DivergedError"


@dataclass(frozen=True)
class Kind:
    """A way to fail.

    Attributes
    ----------
    key : str
        What the cells call it.
    title, measure, seen : str
        Messages: its name, what is measured, and when it is said to be seen (before the limit).
    anchor : str
        The paragraph of the report that explains it.
    spec : str
        How the measure is written.
    """

    key: str
    title: str
    measure: str
    seen: str
    anchor: str
    spec: str


MORE, LESS = N_("more than"), N_("less than")
KINDS = (
    Kind(
        "mode_collapse",
        N_("Mode collapse"),
        N_("classes that hardly occur among the samples"),
        MORE,
        "gan-mode-collapse",
        ".2f",
    ),
    Kind(
        "memorisation",
        N_("Memorisation"),
        N_("distance to the nearest training image, relative to that of test images"),
        LESS,
        "memorisation",
        ".3f",
    ),
    Kind(
        "dead_codes",
        N_("Dead code units"),
        N_("units that give the same value for every image"),
        MORE,
        "dead-codes",
        ".2f",
    ),
    Kind(
        "posterior_collapse",
        N_("Posterior collapse"),
        N_("share of active latent units"),
        LESS,
        "vae-posterior-collapse",
        ".3f",
    ),
    Kind(
        "discriminator_saturation",
        N_("Saturated discriminator"),
        N_("share of pairs that the discriminator orders rightly in the last epoch"),
        MORE,
        "gan-saturation",
        ".3f",
    ),
)


@dataclass(frozen=True)
class Finding:
    """One generator, examined for one failure.

    Attributes
    ----------
    path : str
        The generator, as ``experiment/variant``.
    measure, limit : Quantity
        Over its trainings.
    seen : Quantity
        In how many of them the failure was seen: a sum.
    """

    path: str
    measure: Quantity
    limit: Quantity
    seen: Quantity


def examine(results: Results) -> list[tuple[Kind, list[Finding]]]:
    """Return every failure that the run looked for, with the generators that were examined."""
    found = [(kind, _findings(results, kind)) for kind in KINDS]
    return [(kind, findings) for kind, findings in found if findings]


def _findings(results: Results, kind: Kind) -> list[Finding]:
    findings = []
    for variant in results.of_roles("generator"):
        path = variant.path
        measure, limit, detected = (
            results.value(path, f"failures.{kind.key}.{part}")
            for part in ("measure", "limit", "detected")
        )
        if measure and detected:
            findings.append(Finding(path, measure, limit, total(detected)))
    return findings


def diverged(results: Results) -> list[StoredCell]:
    """Return the cells that failed because a loss stopped being a finite number."""
    return [cell for cell in results.unfinished if (cell.failure or {}).get("error") == DIVERGED]
