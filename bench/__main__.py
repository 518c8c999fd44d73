"""The command line: `python -m bench <command>`, which each Invoke task calls."""

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.data import DATASETS
from bench.declarations import declarations
from bench.errors import UserError
from bench.paths import REPORTS, RUNS
from bench.report.errors import ReportError
from bench.report.order import EDITIONS

try:
    from bench import commands, readers
    from bench.rehearsal.estimate import EFFICIENCY
    from bench.running import EXECUTORS
except UserError as error:  # an experiment in a package of the user's own does not fit
    sys.stderr.write(f"error: {error}\n")
    sys.exit(2)

_ROOM, _RIGHTS = "Make room on the disk", "Mend the rights, or name another folder"
_PLACE = "Move away what stands in the way, or name another folder"
# What the system refuses, and what a user can do about it; any other error is a fault of ours.
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR), _PLACE),
    errno.ENAMETOOLONG: "Choose a shorter path",
    errno.EMFILE: "Allow more open files (`ulimit -n`)",
    errno.EIO: "Look after the disk",
}
EXIT_OK, EXIT_USER_ERROR, EXIT_REPORT_ERROR, EXIT_INTERRUPTED = 0, 2, 4, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: see `python -m bench --help`."""
    console = Console(stderr=False, soft_wrap=True)
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options, console) or EXIT_OK)
    except UserError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", style="red", markup=False)
        return EXIT_USER_ERROR
    except ReportError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", style="red", markup=False)
        return EXIT_REPORT_ERROR
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        Console(stderr=True, soft_wrap=True).print(
            f"error: {error.filename or 'A file'}: {error.strerror}. The command ends here; "
            f"finished cells are kept. {REMEDIES[error.errno]}, then call the same command again.",
            style="red",
            markup=False,
        )
        return EXIT_USER_ERROR
    except MemoryError:
        Console(stderr=True, soft_wrap=True).print(
            "error: There is not enough memory. The command ends here; finished cells are kept. "
            "Close other programs, or take fewer `--workers`, then call the same command again.",
            style="red",
        )
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        Console(stderr=True).print(
            "Interrupted. Finished cells are kept: the same command goes on from there."
        )
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Latent Lab: autoencoders, VAEs and GANs, from the data to the lab report.",
        epilog=(
            "exit codes: 0 all well; 2 a mistake that you can mend (the message says how); "
            "3 some cells failed or are damaged (the report shows them); 4 the rendered report "
            "does not agree with the run and was not written; 5 something got worse between two "
            "commits, or is too good to be true; 6 the comparison itself failed; 7 a gate compared "
            "nothing; 8 a figure is not what it is when it is computed again; 9 something could "
            "not be compared; 10 all well but for the PDF, whose system libraries are missing; 130 "
            "interrupted."
        ),
    )
    runs = argparse.ArgumentParser(add_help=False)
    runs.add_argument("--runs", type=Path, default=RUNS, help="folder of the runs")
    which = argparse.ArgumentParser(add_help=False, parents=[runs])
    which.add_argument(
        "--profile",
        default="auto",
        help="smoke, quick, long, full, auto (full where the backend sees a GPU, else quick; the "
        "default), or the path of a .toml file",
    )
    which.add_argument("--run", help="name of the run (default: the profile's name)")
    work = argparse.ArgumentParser(add_help=False)
    work.add_argument(
        "--workers",
        type=int,
        help="cells and trials at once, each on a core of its own; changes no figure (default: one "
        "a core; no effect on a GPU)",
    )
    work.add_argument(
        "--executor",
        default="local",
        help=f"where cells and trials run: {', '.join(EXECUTORS)} (default: local, in processes of "
        "this machine); changes no figure",
    )
    work.add_argument(
        "--address",
        help="of the Ray cluster: auto, HOST:PORT or ray://HOST:PORT (default: one is started on "
        "this machine)",
    )
    work.add_argument(
        "--gpus-per-cell",
        type=float,
        help="share of a GPU that a cell or trial has on Ray, such as 0.25 (default: 1 where the "
        "cluster has GPUs)",
    )
    work.add_argument(
        "--tensorboard",
        action="store_true",
        help="write the trials of the searches as TensorBoard's HParams logs to the reports",
    )
    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument(
        "--assignment",
        type=Path,
        metavar="FILE",
        help="a teacher's assignment: exercises, claims, questions, budgets, an earlier report "
        "(example: bench/config/assignment.toml)",
    )
    asked.add_argument(
        "--student",
        metavar="ID",
        help="whoever hands in: the root seed is derived from it, so that no two runs are the same",
    )
    handed = argparse.ArgumentParser(add_help=False)
    handed.add_argument(
        "--report",
        dest="identity",
        type=Path,
        metavar="FILE",
        help="who hands in what: title, authors, course, logo, own paragraphs",
    )
    handed.add_argument(
        "--edition",
        choices=EDITIONS,
        default=EDITIONS[0],
        help="hand-in: what the exercises ask, on at most 16 pages (the default); full: with "
        "appendices of everything that was measured",
    )
    handed.add_argument(
        "--lang",
        action="append",
        choices=("en", "es"),
        help="language of the report; may be repeated (default: those of --report or the profile)",
    )
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--reports", type=Path, default=REPORTS, help="folder of the reports")
    named = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function: object, text: str, *parents: argparse.ArgumentParser):  # type: ignore[no-untyped-def]
        added = named.add_parser(name, help=text, description=text, parents=parents)
        added.set_defaults(command=function)
        return added

    command(
        "run-all",
        commands.run_all,
        "run the four experiments and render the report",
        which,
        work,
        asked,
        handed,
        where,
    )
    one = command("run", commands.run_one, "run one experiment", which, work, asked, where)
    names = [f"{name} ({said.title})" for name, said in declarations().items()]
    one.add_argument("experiment", help=f"one of {'; '.join(names).replace('%', '%%')}")
    one.add_argument("--variant", help="only this variant, and what it builds on")
    command(
        "speed",
        commands.speed,
        "time training and seconds to quality; let nothing else run",
        which,
        asked,
    )
    command("list", commands.list_experiments, "list experiments and their variants")
    state = command(
        "status",
        commands.status,
        "show which cells of a run are done, failed, missing or damaged",
        which,
    )
    state.add_argument("--markdown", action="store_true", help="as a Markdown table")
    whole = command(
        "fsck", commands.fsck, "check every file of a run against the hash written with it", runs
    )
    whole.add_argument("run", metavar="RUN", help="name of the run")
    readers.register(command, runs, which)
    rehearsed = command(
        "rehearse",
        commands.rehearse,
        "run two steps of every variant of a profile at full size, on both backends, and estimate "
        "the whole run",
    )
    rehearsed.add_argument(
        "--profile", default="full", help="name or path (default: full, which is for a GPU)"
    )
    rehearsed.add_argument(
        "--efficiency",
        type=float,
        default=EFFICIENCY,
        help=f"share of a GPU's peak that is assumed (default: {EFFICIENCY:g})",
    )
    command(
        "doctor",
        commands.doctor,
        "report what this machine has, with the remedy for each missing part",
    )
    rendered = command(
        "report",
        commands.report,
        "render the report of a run as it stands",
        which,
        asked,
        handed,
        where,
    )
    rendered.add_argument("--format", choices=("html", "pdf"), help="only this format")
    rendered.add_argument(
        "--live",
        action="store_true",
        help="render the finished part of a run that goes on, for the screen, until it ends",
    )
    rendered.add_argument("--open", action="store_true", help="show it in the browser")
    command("data", commands.data, f"find, fetch and verify the data sets: {', '.join(DATASETS)}")
    checked = command(
        "bench-check", commands.bench_check, "compare two commits: time, exact figures, quality"
    )
    checked.add_argument("--base", required=True, help="the commit to compare with")
    checked.add_argument("--head", default="HEAD", help="the commit to judge (default: HEAD)")
    checked.add_argument(
        "--gates",
        type=lambda text: text.split(","),
        default=["time", "exact", "quality"],
        help="which gates look, separated by commas (default: time,exact,quality)",
    )
    checked.add_argument("--pairs", type=int, default=4, help="pairs of processes (default: 4)")
    checked.add_argument("--select", default="", help="only these benchmarks, as pytest's -k")
    checked.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="FIGURE",
        help="a figure whose change is wanted, by its whole name; may be repeated",
    )
    checked.add_argument(
        "--allow-no-baseline",
        action="store_true",
        help="exit with 0 where there was nothing to compare with, as on a first run",
    )
    checked.add_argument("--markdown", type=Path, help="append the result to this file")
    command("trend", commands.trend, "draw the stored runs of the benchmarks over time", where)
    command(
        "config", commands.config, "print every setting of a profile with its meaning", which, asked
    )
    clean = command("clean", commands.clean, "delete a run and its report", which, where)
    clean.add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.exit(main())
