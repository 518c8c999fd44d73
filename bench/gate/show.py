"""Output of a check: table, Markdown for a workflow's summary, JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.gate.check import Check
from bench.gate.outcomes import (
    EXIT_HARNESS_ERROR,
    EXIT_NOTHING_COMPARED,
    EXIT_OK,
    EXIT_REGRESSED,
    NOT_COMPARED,
    Finding,
    Outcome,
    blind_gates,
)

COLOURS = {
    Outcome.OK: "green",
    Outcome.ACCEPTED: "green",
    Outcome.REGRESSED: "bold red",
    Outcome.TOO_GOOD: "bold red",
    Outcome.HARNESS_ERROR: "bold red",
    Outcome.NO_BASELINE: "yellow",
    Outcome.TOO_NOISY: "yellow",
}
VERDICTS = {
    EXIT_OK: "Nothing that was compared got worse.",
    EXIT_REGRESSED: "Something changed for the worse, or is too good.",
    EXIT_HARNESS_ERROR: "The measuring failed: do not trust this check before it is mended.",
    EXIT_NOTHING_COMPARED: "This check says neither that it got worse nor that it did not.",
}
REMEDY = (
    "On a first run, without anything to compare with, say --allow-no-baseline; where it was too "
    "noisy, let nothing else run and check again."
)


def verdict(check: Check) -> str:
    """Describe the exit code, and name what was not compared."""
    words = [VERDICTS[check.exit_code]]
    open_figures = sum(finding.outcome in NOT_COMPARED for finding in check.findings)
    if open_figures:
        words.append(f"{open_figures} of {len(check.findings)} figures were not compared.")
    if blind := blind_gates(check.findings):
        words.append(f"Nothing at all was compared by: {', '.join(blind)}.")
    if check.exit_code == EXIT_NOTHING_COMPARED:
        words.append(REMEDY)
    return " ".join(words)


def print_table(check: Check, console: Console) -> None:
    """Print every finding; failures come last.

    Parameters
    ----------
    check : Check
        What was found.
    console : Console
        Where it is printed.
    """
    table = Table("gate", "figure", "outcome", "what was measured")
    calm = (Outcome.OK, Outcome.ACCEPTED)
    for finding in sorted(check.findings, key=lambda f: f.outcome not in calm):
        colour = COLOURS[finding.outcome]
        outcome = f"[{colour}]{finding.outcome}[/]"
        table.add_row(finding.gate, escape(_short(finding)), outcome, escape(finding.words))
    console.print(table)
    console.print(f"{check.base[:12]} to {check.head[:12]}: {verdict(check)}")


def markdown(check: Check) -> str:
    """Return a check as Markdown, for the summary of a workflow."""
    rows = [
        f"| {f.gate} | {_short(f)} | **{f.outcome}** | {' '.join(f.words.split())[:300]} |"
        for f in check.findings
    ]
    return "\n".join(
        [
            f"### Benchmark check: `{check.base[:12]}` to `{check.head[:12]}`",
            "",
            verdict(check),
            "",
            "| gate | figure | outcome | what was measured |",
            "| --- | --- | --- | --- |",
            *(row.replace("\n", " ") for row in rows),
            "",
        ]
    )


def write_json(check: Check, folder: Path) -> Path:
    """Write a check as JSON.

    Parameters
    ----------
    check : Check
        What was found.
    folder : Path
        Where the file is written.

    Returns
    -------
    Path
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = (
        folder / f"{check.base[:12].replace('/', '-')}-to-{check.head[:12].replace('/', '-')}.json"
    )
    content = {
        "base": check.base,
        "head": check.head,
        "exit_code": check.exit_code,
        "findings": [asdict(finding) for finding in check.findings],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _short(finding: Finding) -> str:
    return finding.name.rpartition("/")[2].replace(".py::", ": ")
