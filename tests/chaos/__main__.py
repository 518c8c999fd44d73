"""The campaign against the project itself: `invoke chaos`.

Prints what became of every kill and every input; the exit code is 1 where something was lost.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from tests.chaos import inputs, kills

CALM = 5  # added to the priority's number: other work goes first


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="damaged inputs of all readers")
    parser.add_argument("--kills", type=int, default=100, help="kills of all commands")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same damage")
    parser.add_argument("--only", default="", help="kill only this command, by its name")
    options = parser.parse_args()
    os.nice(CALM)
    logging.disable(logging.CRITICAL)  # what readers of PDF say about damage
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="latent-lab-chaos-") as folder:
        wrong = _inputs(Path(folder), options.inputs, options.seed) if options.inputs else 0
        if options.kills:
            wrong += _kills(Path(folder), options.kills, options.seed, options.only)
    print(f"{time.monotonic() - began:.0f} s; {wrong} wrong")
    return 1 if wrong else 0


def _inputs(folder, count, seed):
    print("| reader | inputs | refused | undeclared | slowest, s of processor | memory, MiB more |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    total, refused, undeclared, slow, growth = 0, 0, [], 0.0, 0.0
    with mock.patch("os.fsync"):  # slow, and nothing here must outlast a crash
        for reader in inputs.readers(folder):
            tally = inputs.attack(reader, count * reader.share // inputs.SHARES, seed)
            _row(reader.name, tally)
            total, refused = total + tally.inputs, refused + tally.refused
            undeclared += tally.undeclared
            slow, growth = max(slow, tally.slowest), growth + tally.growth
        for name, read in inputs.bombs(folder):
            tally = inputs.explode(read)
            _row(name, tally)
            total, refused = total + tally.inputs, refused + tally.refused
            undeclared += tally.undeclared
            slow, growth = max(slow, tally.slowest), growth + tally.growth
    print(f"| all | {total} | {refused} | {len(undeclared)} | {slow:.2f} | {growth:.0f} |")
    for words in undeclared[:5]:
        print(words, file=sys.stderr)
    return len(undeclared)


def _row(name, tally):
    print(
        f"| {name} | {tally.inputs} | {tally.refused} | {len(tally.undeclared)} | "
        f"{tally.slowest:.2f} | {tally.growth:.0f} |",
        flush=True,
    )


def _kills(folder, count, seed, only):
    print("| command | kills | signals | cells found again | lost | other | left running |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    wrong = 0
    for victim in kills.victims(folder):
        if only not in ("", victim.name):
            continue
        tally = victim.attack(count if only else max(1, round(count * victim.share)), seed)
        signals = ", ".join(f"{name} {n}" for name, n in sorted(tally.signals.items()))
        print(
            f"| {victim.name} | {tally.kills} | {signals} | {tally.kept} | {len(tally.lost)} | "
            f"{len(tally.wrong)} | {tally.orphans} |",
            flush=True,
        )
        for words in [*tally.lost, *tally.wrong][:5]:
            print(words, file=sys.stderr)
        wrong += len(tally.lost) + len(tally.wrong) + tally.orphans
    return wrong


if __name__ == "__main__":
    sys.exit(main())
