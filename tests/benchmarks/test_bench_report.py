"""Time of the report's parts: a drawing of each kind, the HTML, the PDF."""

import itertools

import pytest

from bench.paths import TEMPLATES
from bench.report import render
from bench.report.edition import (  # by this name in older commits, too, where this suite also runs
    Constants,
    Drawings,
    Gallery,
    Language,
    Results,
)
from tests.report_fixture import made_up_run

# kind of drawing: a figure of that kind, and whose it is
DRAWN = {
    "curves": ("classifier_curves", "fashion_classifier"),
    "maps": ("embedding_clouds", "fashion_embedding"),
    "scores": ("fidelity_diversity", "fashion_generation"),
    "images": ("generation_samples", "fashion_generation"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_up_run(tmp_path_factory.mktemp("benchmark") / "run", seeds=2)


@pytest.mark.parametrize("name", DRAWN)
def test_figure(timed, run, tmp_path, name):
    results, language = Results(run), Language("en")
    folders = (tmp_path / str(number) for number in itertools.count())

    def drawn():
        folder = next(folders)  # where no drawing is kept
        folder.mkdir()
        gallery = Gallery(results, language, Constants(), Drawings(folder, language, TEMPLATES))
        return gallery.get(*DRAWN[name])

    assert timed(drawn, items=1, unit="figures").svg.startswith("<svg")


@pytest.mark.parametrize("medium", ["html", "pdf"])
def test_document(timed, run, tmp_path, medium):
    """Everything drawn anew in one language, as after a run."""
    folders = (tmp_path / str(number) for number in itertools.count())
    written = timed(
        lambda: render(run, next(folders), ("en",), (medium,)),
        items=1,
        unit="documents",
        least_rounds=3,
    )
    assert [path.suffix for path in written] == [f".{medium}"]


def test_document_with_kept_drawings(timed, run, tmp_path):
    written = timed(
        lambda: render(run, tmp_path, ("en",), ("html",)), items=1, unit="documents", least_rounds=3
    )
    assert written[0].is_file()


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 5, 36])
def test_document_over_cells(timed, tmp_path, benchmark, seeds):
    """The whole report over the number of cells, from about 30 to about 1,000."""
    if not benchmark.enabled and seeds > 1:
        pytest.skip("only worth its time where it is timed")
    run = made_up_run(tmp_path / "run", seeds=seeds)
    folders = (tmp_path / str(number) for number in itertools.count())
    benchmark.extra_info["size"] = len(run.cells)
    written = timed(
        lambda: render(run, next(folders), ("en",)),
        items=len(run.cells),
        unit="cells",
        least_rounds=1,
    )
    assert len(written) == 2
