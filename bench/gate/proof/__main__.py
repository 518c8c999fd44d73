"""Prove the check on this machine: identical trees, planted slowdowns, planted losses and leaks.

`python -m bench.gate.proof time` and `python -m bench.gate.proof quality` print what they find and
write it to `time.md` and `quality.md` beside this file. Nothing else should run on the machine.
"""

import argparse
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.gate import quality_gate, time_gate
from bench.gate.outcomes import RED, Finding, Outcome
from bench.gate.proof import plants
from bench.gate.trees import Trees, checked_out
from bench.store.provenance import git_state, hardware

FOLDER = Path(__file__).parent
IDENTICAL, PLANTED, PAIRS = 20, 10, 4
SELECT = " or ".join(name.partition("[")[2].rstrip("]") for name in plants.SLOWED)
FIRST_SEED, SEEDS_APART = 1001, 100


def main() -> None:
    """Prove one gate."""
    parser = argparse.ArgumentParser(prog="python -m bench.gate.proof", description=__doc__)
    parser.add_argument("gate", choices=PROOFS)
    parser.add_argument("--identical", type=int, default=IDENTICAL, help="checks without a change")
    parser.add_argument("--planted", type=int, default=PLANTED, help="checks of each planted fault")
    options = parser.parse_args()
    lines = []
    for line in PROOFS[options.gate](options.identical, options.planted):
        print(line, flush=True)
        lines.append(line)
    machine = hardware()
    head = [
        f"# What `python -m bench.gate.proof {options.gate}` found",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {git_state()['git_commit'][:12]}, {machine['cpu']}, "
        f"{machine['cores']} cores.",
        "",
    ]
    path = FOLDER / f"{options.gate}.md"
    path.write_text("\n".join(head + lines) + "\n", encoding="utf-8")
    print(f"wrote {path}")


def prove_time(identical: int, planted: int) -> Iterator[str]:
    """Identical trees, then one benchmark made 1.3 times slower.

    Parameters
    ----------
    identical : int
        Checks of identical trees.
    planted : int
        Checks of planted slowdowns.

    Yields
    ------
    str
        Lines of Markdown.
    """

    def look(plant: Callable[[Trees], None]) -> list[Finding]:
        with checked_out("HEAD", "HEAD") as trees:
            plant(trees)
            return time_gate.examine(trees, PAIRS, SELECT, lambda *_: None)

    yield from _identical(look(lambda trees: None) for _ in range(identical))
    yield f"## One benchmark {plants.SLOWDOWN} times slower"
    yield ""
    found = 0
    for number, name in zip(range(planted), itertools.cycle(plants.SLOWED), strict=False):
        findings = look(lambda trees, name=name: plants.slow_down(trees.head, name))  # type: ignore[misc]
        hit = next(f for f in findings if f.name.endswith(f"::{name}"))
        others = [f for f in findings if f.outcome in RED and f is not hit]
        found += hit.outcome is Outcome.REGRESSED
        yield f"{number + 1}. {name}: **{hit.outcome}**, {hit.words}{_named(others)}"
    yield from ("", f"Found: **{found} of {planted}** (wanted: at least 9 of 10).")


def prove_quality(identical: int, planted: int) -> Iterator[str]:
    """Identical trees with fresh seeds, then a planted loss, then a planted leak.

    Parameters
    ----------
    identical : int
        Checks of identical trees.
    planted : int
        Checks of each planted fault.

    Yields
    ------
    str
        Lines of Markdown.
    """
    seeds = itertools.count(FIRST_SEED, SEEDS_APART)

    def look(job: tuple[int, Callable[[Path], None]]) -> list[Finding]:
        first_seed, plant = job
        with checked_out("HEAD", "HEAD") as trees:
            plant(trees.head)
            return quality_gate.examine(trees.head, lambda *_: None, first_seed)

    def looks(count: int, plant: Callable[[Path], None]) -> Iterator[list[Finding]]:
        # nothing is timed here: as many at once as there are cores
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(look, [(next(seeds), plant) for _ in range(count)])

    yield from _identical(looks(identical, lambda tree: None))
    for title, plant, wanted in (
        ("An eighth of the learning rate", plants.spoil_learning, Outcome.REGRESSED),
        ("Held-out images among the training images", plants.leak_validation, Outcome.TOO_GOOD),
    ):
        yield from (f"## {title}", "")
        found = 0
        for number, findings in enumerate(looks(planted, plant), start=1):
            found += wanted in {f.outcome for f in findings}
            listed = "; ".join(f"{f.name} **{f.outcome}**, {f.words}" for f in findings)
            yield f"{number}. {listed}"
        yield from ("", f"Found: **{found} of {planted}** (wanted: at least 9 of 10).", "")


def _identical(looks: Iterable[list[Finding]]) -> Iterator[str]:
    yield from ("## Identical trees", "")
    red = number = 0
    for number, findings in enumerate(looks, start=1):
        alarmed = [f for f in findings if f.outcome in RED]
        red += bool(alarmed)
        noisy = sum(f.outcome is Outcome.TOO_NOISY for f in findings)
        yield f"{number}. {len(findings)} figures, {noisy} too noisy{_named(alarmed)}"
    yield from ("", f"Red: **{red} of {number}** (wanted: at most 1 of 20).", "")


def _named(alarmed: list[Finding]) -> str:
    if not alarmed:
        return ", none red"
    return ", RED: " + "; ".join(f"{f.name.rpartition('::')[2]} {f.words}" for f in alarmed)


PROOFS = {"time": prove_time, "quality": prove_quality}

if __name__ == "__main__":
    main()
