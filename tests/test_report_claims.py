"""Verdicts on the handed-in report's claims, and the failure clinic, on made-up cells."""

import numpy as np
import pytest

from bench.metrics.statistics import correlation_interval, proportion_interval
from bench.report.claims import best_generator, claims, overall
from bench.report.clinic import diverged, examine
from bench.report.collect import Results, lookup
from bench.store import Result, StoredCell, content_key, write_done, write_failed
from bench.store.run import write_manifest
from tests.report_fixture import made_up_run

VAE, GAN = "fashion_generation/vae", "fashion_generation/gan"
HANDED_IN, FLOW = "fashion_generation/handed_in", "fashion_generation/latent_flow"
COLLAPSE, PCA = "fashion_embedding/collapse", "fashion_embedding/pca"
ONE_RUN = "one run, no verdict"


class DivergedError(RuntimeError):
    """Bears the name that a diverged training leaves in its cell."""


@pytest.fixture
def asked(tmp_path):
    """Give the results of a run with the given cells: metrics, an error, or None if missing."""

    def ask(cells, arrays=None):
        stored = []
        for path, seeds in cells.items():
            experiment, variant = path.split("/")
            for seed, made in enumerate(seeds):
                key = content_key([path, seed])
                cell = StoredCell(tmp_path, experiment, variant, seed, key)
                stored.append(cell)
                if isinstance(made, Exception):
                    write_failed(cell, made, {}, {})
                elif made is not None:
                    write_done(cell, Result(made, {}, arrays or {}), {}, {})
        return Results(write_manifest(tmp_path, {"name": "made up"}, stored))

    return ask


def _claim(results, number):
    return next(claim for claim in claims(results) if claim.number == number)


def _players(sharpness, precision, recall):
    """Claim 7's cells: by measure, the GAN's lead over the VAE for each seed."""
    leads = zip(sharpness, precision, recall, strict=True)
    gan = [{"sharpness": 1 + s, "precision": 0.5 + p, "recall": 0.5 + r} for s, p, r in leads]
    level = {"sharpness": 1.0, "precision": 0.5, "recall": 0.5}
    return {GAN: gan, VAE: [level] * len(gan)}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "not distinguishable"], "not distinguishable"),
        (["supported", ONE_RUN, "not distinguishable"], ONE_RUN),
        (["not measured", ONE_RUN], "not measured"),
        (["supported", "not measured", "not supported"], "not supported"),
    ],
)
def test_the_weightiest_verdict_decides(verdicts, expected):
    assert overall(verdicts) == expected


def test_a_claim_is_supported_if_all_its_measures_are(asked):
    claim = _claim(asked(_players([0.2, 0.3, 0.25], [0.1, 0.12, 0.1], [-0.1, -0.2, -0.15])), 7)
    assert [measure.verdict for measure in claim.measures] == ["supported"] * 3
    assert claim.verdict == "supported"


def test_one_measure_on_the_other_side_refutes_a_claim(asked):
    claim = _claim(asked(_players([0.2, 0.3, 0.25], [0.1, 0.12, 0.1], [0.1, 0.2, 0.15])), 7)
    assert [m.verdict for m in claim.measures] == ["supported", "supported", "not supported"]
    assert claim.verdict == "not supported"


def test_an_interval_with_both_signs_decides_nothing(asked):
    claim = _claim(asked(_players([0.2, 0.3, 0.25], [0.1, -0.1, 0.02], [-0.1, -0.2, -0.15])), 7)
    assert claim.verdict == "not distinguishable"


def test_one_seed_gives_no_verdict(asked):
    assert _claim(asked(_players([0.2], [0.1], [-0.1])), 7).verdict == ONE_RUN


def test_a_difference_without_spread_has_no_limits(asked):
    claim = _claim(asked(_players([0.25] * 3, [0.25] * 3, [-0.25] * 3)), 7)
    assert claim.verdict == "not distinguishable"


def test_a_failed_cell_leaves_a_claim_unmeasured(asked):
    cells = _players([0.2, 0.3], [0.1, 0.2], [-0.1, -0.2])
    cells[GAN] = [DivergedError("loss became nan")] * 2
    claim = _claim(asked(cells), 7)
    assert claim.verdict == "not measured"
    assert not claim.measures[0].figure
    assert claim.measures[0].figure.absence == "failed"


def test_only_seeds_that_both_have_are_compared(asked):
    cells = _players([0.2, 9.0, 0.3], [0.1, 0.1, 0.2], [-0.1, -0.1, -0.2])
    cells[VAE] = [cells[VAE][0], DivergedError("loss became nan"), cells[VAE][2]]
    gap = _claim(asked(cells), 7).measures[0].figure
    assert gap.values == pytest.approx((0.2, 0.3))
    assert [cell.seed for cell in gap.cells] == [cell.seed for cell in gap.minus] == [0, 2]


@pytest.mark.parametrize(
    ("lines", "trainings", "expected"),
    [
        (10, 10, "supported"),
        (0, 10, "not supported"),
        (6, 10, "not distinguishable"),
        (1, 1, ONE_RUN),
    ],
)
def test_how_often_the_code_collapses_is_judged_as_a_share(asked, lines, trainings, expected):
    cells = {COLLAPSE: [{"on_one_line": float(k < lines)} for k in range(trainings)]}
    claim = _claim(asked(cells), 1)
    assert claim.verdict == expected
    assert claim.measures[0].figure.interval == proportion_interval(lines, trainings)


@pytest.mark.parametrize(
    ("r", "images", "expected"),
    [(0.9, 400, "supported"), (0.5, 400, "not supported"), (0.75, 12, "not distinguishable")],
)
def test_a_correlation_is_judged_over_the_test_images(asked, r, images, expected):
    arrays = {"test_labels": np.zeros(images, dtype=np.uint8)}
    claim = _claim(asked({PCA: [{"brightness_correlation": r}]}, arrays), 2)
    assert claim.verdict == expected
    assert claim.measures[0].figure.interval == correlation_interval(r, images)


def test_spread_is_judged_in_proportion_and_against_one(asked):
    steady = [10.0, 10.1, 9.9, 10.05, 9.95]
    wild = [10.0, 40.0, 15.0, 90.0, 20.0]

    def cells(gan, vae):
        return {
            path: [{"frechet_distance": d, "missing_classes": 0} for d in distances]
            for path, distances in ((GAN, gan), (VAE, vae))
        }

    spread, missing = _claim(asked(cells(wild, steady)), 8).measures
    assert spread.verdict == "supported"
    assert missing.verdict == "not distinguishable", "no class is missing from either"
    assert _claim(asked(cells(steady, wild)), 8).measures[0].verdict == "not supported"
    tenfold = [10 * distance for distance in steady]
    even = _claim(asked(cells(tenfold, steady)), 8).measures[0]
    assert even.figure.interval.mean == pytest.approx(1.0)
    assert even.verdict == "not distinguishable"


def test_the_best_other_architecture_stands_for_claim_5(asked):
    def cell(distance):
        return {"frechet_distance": distance, "density": 1 / distance}

    results = asked(
        {
            HANDED_IN: [cell(100.0), cell(110.0)],
            VAE: [cell(20.0), cell(30.0)],
            FLOW: [cell(9.0), cell(10.0)],
        }
    )
    assert best_generator(results) == FLOW
    assert all(measure.systems == (FLOW, HANDED_IN) for measure in _claim(results, 5).measures)


def test_a_run_without_results_measures_no_claim(asked):
    results = asked({VAE: [None]})
    assert [claim.number for claim in claims(results)] == list(range(1, 9))
    assert {claim.verdict for claim in claims(results)} == {"not measured"}


def _examined(measure, detected):
    failure = {"measure": measure, "limit": 0.5, "detected": float(detected)}
    return {"failures": {"memorisation": failure}}


def test_the_clinic_counts_the_trainings_in_which_a_failure_was_seen(asked):
    results = asked(
        {
            VAE: [_examined(0.4, True), _examined(1.1, False), _examined(0.3, True)],
            GAN: [_examined(1.0, False), DivergedError("loss became nan")],
        }
    )
    ((kind, findings),) = examine(results)
    assert kind.key == "memorisation"
    found = {f.path: (f.seen.mean, len(f.seen.values), f.measure.mean) for f in findings}
    assert found == {VAE: (2.0, 3, pytest.approx(0.6)), GAN: (0.0, 1, 1.0)}


def test_only_trainings_whose_loss_was_no_number_count_as_diverged(asked):
    results = asked({GAN: [DivergedError("loss became nan"), MemoryError("no room"), None]})
    assert [cell.seed for cell in diverged(results)] == [0]


def test_every_failure_is_explained_and_looked_for_in_the_fixture(tmp_path):
    from bench.paths import TEMPLATES

    text = "".join(p.read_text("utf-8") for p in (TEMPLATES / "sections").glob("theory*.j2"))
    text += (TEMPLATES / "sections" / "vae_versus_gan.html.j2").read_text("utf-8")
    results = Results(made_up_run(tmp_path / "run"))
    kinds = [kind for kind, _ in examine(results)]
    assert len(kinds) == 5
    assert all(f'id="{kind.anchor}"' in text for kind in kinds)


def test_a_length_can_be_looked_up(asked):
    cell = asked({PCA: [{}]}, {"test_labels": np.zeros(7)}).variant(PCA).first
    assert lookup(cell, "rows:test_labels", None) == 7
    assert lookup(cell, "rows:no_such_array", None) is None
