"""Invoke tasks: each hands over to `python -m bench`, pytest or a linter. `invoke --list`."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from invoke import Collection, Context, Exit, task

PROFILE = {
    "profile": "smoke, quick, long, full, auto (default: full where there is a GPU, else quick)"
}
RUN = {**PROFILE, "run": "name of the run (default: the profile's name)"}


def _run(*words: str) -> None:
    """Run a command in this terminal and pass its exit code on."""
    process = subprocess.Popen(words)
    code = None
    while code is None:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reaches the command too, which ends in its own way
    if code:
        raise Exit(code=code)


def _python(*arguments: str) -> None:
    """Run `python -m ...` with the interpreter that runs this."""
    _run(sys.executable, "-m", *arguments)


def _options(profile: str = "auto", run: str = "") -> tuple[str, ...]:
    return ("--profile", profile, *(("--run", run) if run else ()))


@task(help=RUN)
def run_all(context: Context, profile: str = "auto", run: str = "") -> None:
    """Run the four experiments and render the report: the main job."""
    _python("bench", "run-all", *_options(profile, run))


@task(help=RUN)
def mnist_classifier(context: Context, profile: str = "auto", run: str = "") -> None:
    """Exercise 3: classify MNIST with a stacked autoencoder."""
    _python("bench", "run", "mnist_classifier", *_options(profile, run))


@task(help=RUN)
def fashion_embedding(context: Context, profile: str = "auto", run: str = "") -> None:
    """Exercise 4: Fashion-MNIST in two dimensions, by autoencoders, PCA and t-SNE."""
    _python("bench", "run", "fashion_embedding", *_options(profile, run))


@task(help=RUN)
def fashion_generation(context: Context, profile: str = "auto", run: str = "") -> None:
    """Exercise 4: new images, by autoencoder, VAE and GAN."""
    _python("bench", "run", "fashion_generation", *_options(profile, run))


@task(help=RUN)
def fashion_classifier(context: Context, profile: str = "auto", run: str = "") -> None:
    """Exercise 5: classify Fashion-MNIST with a stacked autoencoder."""
    _python("bench", "run", "fashion_classifier", *_options(profile, run))


@task(help={**RUN, "experiment": "one of the four experiments"})
def search(context: Context, experiment: str, profile: str = "auto", run: str = "") -> None:
    """Run only the KerasTuner search of one experiment."""
    _python("bench", "run", experiment, "--variant", "search", *_options(profile, run))


@task(help=RUN)
def speed(context: Context, profile: str = "auto", run: str = "") -> None:
    """Time training beside plain Keras and PyTorch, and seconds to quality, into the run."""
    _python("bench", "speed", *_options(profile, run))


@task(help=RUN)
def report(context: Context, profile: str = "auto", run: str = "") -> None:
    """Render the report of a run as it stands; trains nothing."""
    _python("bench", "report", *_options(profile, run))


@task(help=RUN)
def status(context: Context, profile: str = "auto", run: str = "") -> None:
    """Show which cells of a run are done, failed, missing or damaged."""
    _python("bench", "status", *_options(profile, run))


@task(help={"run": "name of the run"})
def fsck(context: Context, run: str) -> None:
    """Check every file of a run against the hash that was written with it."""
    _python("bench", "fsck", "--", run)


@task(help={"run": "name of the run, or path of its folder"})
def grade(context: Context, run: str) -> None:
    """Compute the figures of a run again from its predictions, maps and samples."""
    _python("bench", "grade", "--", run)


@task
def data(context: Context) -> None:
    """Find, fetch and verify MNIST and Fashion-MNIST."""
    _python("bench", "data")


@task(help={"save": "name under which pytest-benchmark saves the figures in .benchmarks/"})
def bench(context: Context, save: str = "latest") -> None:
    """Time the training steps, the metrics and the rendering with pytest-benchmark."""
    words = ("--benchmark-enable", "--benchmark-only", f"--benchmark-save={save}")
    _python("pytest", "tests/benchmarks", *words)


@task
def trend(context: Context) -> None:
    """Draw the figures that `invoke bench` saved over time, into reports/trend/index.html."""
    _python("bench", "trend")


CHECK = {
    "base": "the commit to compare with",
    "head": "the commit to judge (default: HEAD)",
    "select": "only these benchmarks, as pytest's -k",
    "options": "further words for `python -m bench bench-check`",
}


@task(help=CHECK)
def bench_check(
    context: Context, base: str, head: str = "HEAD", select: str = "", options: str = ""
) -> None:
    """Compare two commits: time, exact figures, quality."""
    words = ("--base", base, "--head", head, "--select", select, *shlex.split(options))
    _python("bench", "bench-check", *words)


@task(help={"fast": "leave out the end-to-end runs", "options": "further words for pytest"})
def test(context: Context, fast: bool = False, options: str = "") -> None:
    """Run the tests on all cores; without --fast that includes a smoke run on both backends."""
    parallel = ("--numprocesses", "logical", "--dist", "worksteal")
    marks = ("-m", "not slow") if fast else ()
    _python("pytest", *parallel, *marks, *shlex.split(options))


@task
def lint(context: Context) -> None:
    """Check format, style, types and import directions."""
    _python("ruff", "format", "--check", ".")
    _python("ruff", "check", ".")
    _python("mypy")
    _run(str(Path(sys.executable).with_name("lint-imports")))


@task(help={**RUN, "yes": "do not ask"})
def clean(
    context: Context, profile: str = "auto", run: str | None = None, yes: bool = False
) -> None:
    """Delete a run and its report."""
    named = () if run is None else ("--run", run)  # an empty name is a mistake, no default
    _python("bench", "clean", *_options(profile), *named, *(("--yes",) if yes else ()))


# Listed by hand: Invoke's own search would also take what is merely imported.
namespace = Collection(
    run_all,
    mnist_classifier,
    fashion_embedding,
    fashion_generation,
    fashion_classifier,
    search,
    speed,
    report,
    status,
    fsck,
    grade,
    data,
    bench,
    trend,
    bench_check,
    test,
    lint,
    clean,
)
os.environ.setdefault("PYTHONUNBUFFERED", "1")
