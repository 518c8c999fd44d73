"""Verdicts on the handed-in report's claims, and the failure clinic, on made-up cells."""

import numpy as np
import pytest
from scipy import stats

from bench.config.protocol import protocol
from bench.metrics.intervals import correlation_interval, proportion_interval
from bench.report.checks.recount import Recount
from bench.report.claims import claims, overall
from bench.report.page.context import Context
from bench.report.values.clinic import diverged, examine
from bench.report.values.collect import Results
from bench.store import Result, StoredCell, content_key, write_done, write_failed
from bench.store.run import write_manifest
from tests.report_fixture import made_up_run

VAE, GAN = "fashion_generation/vae", "fashion_generation/gan"
HANDED_IN, LONGER = "fashion_generation/handed_in", "fashion_generation/handed_in_longer"
MIXTURE, FLOW = "fashion_generation/autoencoder", "fashion_generation/latent_flow"
COLLAPSE, PCA = "fashion_embedding/collapse", "fashion_embedding/pca"
TSNE = "fashion_embedding/tsne_repeated"
TOO_FEW = "too few seeds"
NOISE = np.array([-0.02, 0.01, 0.0, 0.02, -0.01])


class DivergedError(RuntimeError):
    """Bears the name that a diverged training leaves in its cell."""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Give the results of a run with the given cells: metrics, an error, or None if missing."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # nothing here must outlast a crash

    def ask(cells):
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
                    write_done(cell, Result(made, {}, {}), {}, {})
        return Results(write_manifest(tmp_path, {"name": "made up"}, stored))

    return ask


def _claim(results, number):
    return next(claim for claim in claims(results) if claim.number == number)


def _players(sharpness=0.2, precision=0.1, recall=-0.1, seeds=5):
    """Claim 7's cells: by measure, the GAN's lead over the VAE, and the same noise for all."""
    lead = {"sharpness": sharpness, "precision": precision, "recall": recall}
    level = {"sharpness": 1.0, "precision": 0.5, "recall": 0.5}
    gan = [{n: level[n] + lead[n] + e for n in lead} for e in NOISE[:seeds]]
    vae = [{n: level[n] - 0.5 * e for n in level} for e in NOISE[:seeds]]
    return {GAN: [{n: float(v) for n, v in c.items()} for c in gan],
            VAE: [{n: float(v) for n, v in c.items()} for c in vae]}  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "not distinguishable"], "not distinguishable"),
        (["supported", TOO_FEW, "not distinguishable"], TOO_FEW),
        (["not measured", TOO_FEW], "not measured"),
        (["supported", "not measured", "not supported"], "not supported"),
    ],
)
def test_the_weightiest_verdict_decides(verdicts, expected):
    assert overall(verdicts) == expected


def test_a_claim_is_supported_if_all_its_measures_are(asked):
    claim = _claim(asked(_players()), 7)
    assert [measure.verdict for measure in claim.measures] == ["supported"] * 3
    assert claim.verdict == "supported"
    assert [measure.seeds for measure in claim.measures] == [(5, 5)] * 3


def test_one_measure_on_the_other_side_refutes_a_claim(asked):
    claim = _claim(asked(_players(recall=0.1)), 7)
    assert [m.verdict for m in claim.measures] == ["supported", "supported", "not supported"]
    assert claim.verdict == "not supported"


def test_p_values_are_welchs_and_corrected_by_holm_within_the_claim(asked):
    cells = _players(sharpness=0.022, precision=0.03, recall=-0.002)
    measures = _claim(asked(cells), 7).measures
    raw = {}
    for name in ("sharpness", "precision", "recall"):
        groups = ([cell[name] for cell in cells[path]] for path in (GAN, VAE))
        raw[name] = float(stats.ttest_ind(*groups, equal_var=False).pvalue)
    assert raw["precision"] < raw["sharpness"] < 0.05 < raw["recall"]
    expected = [2 * raw["sharpness"], 3 * raw["precision"], raw["recall"]]
    assert [m.adjusted for m in measures] == pytest.approx(expected)
    assert expected[0] > 0.05
    assert [m.verdict for m in measures] == [
        "not distinguishable",
        "supported",
        "not distinguishable",
    ]


def test_not_distinguishable_says_what_could_have_been_seen(asked):
    cells = _players(precision=0.001)
    measure = _claim(asked(cells), 7).measures[1]
    assert measure.verdict == "not distinguishable"
    groups = [np.array([cell["precision"] for cell in cells[path]]) for path in (GAN, VAE)]
    parts = [group.var(ddof=1) / 5 for group in groups]
    freedom = sum(parts) ** 2 / sum(part**2 / 4 for part in parts)
    away = measure.visible / np.sqrt(sum(parts))
    level = protocol().level / 3  # the first step of Holm for three measures
    critical = stats.t.isf(level / 2, freedom)
    assert stats.nct.sf(critical, freedom, away) == pytest.approx(protocol().power, abs=1e-4)
    assert 0.0 < measure.visible < 0.1


@pytest.mark.parametrize("seeds", [1, 4])
def test_fewer_seeds_than_the_protocol_asks_give_no_verdict(asked, seeds):
    claim = _claim(asked(_players(seeds=seeds)), 7)
    assert claim.verdict == TOO_FEW
    assert [(m.adjusted, m.visible) for m in claim.measures] == [(None, None)] * 3
    assert claim.measures[0].seeds == (seeds, seeds)


def test_figures_without_spread_have_no_p_value(asked):
    cells = {
        path: [{"sharpness": value, "precision": 0.5, "recall": 0.5}] * 5
        for path, value in ((GAN, 1.2), (VAE, 1.0))
    }
    measure = _claim(asked(cells), 7).measures[0]
    assert (measure.verdict, measure.adjusted) == ("not distinguishable", None)


def test_a_failed_cell_leaves_a_claim_unmeasured(asked):
    cells = _players() | {GAN: [DivergedError("loss became nan")] * 5}
    claim = _claim(asked(cells), 7)
    assert claim.verdict == "not measured"
    assert not claim.measures[0].figure
    assert claim.measures[0].figure.absence == "failed"
    assert claim.measures[0].seeds == ()


def test_a_failed_seed_of_a_duel_costs_that_seed_of_one_side_alone(asked):
    cells = _players()
    cells[VAE][2] = DivergedError("loss became nan")
    measure = _claim(asked(cells), 7).measures[0]
    assert measure.seeds == (5, 4)
    assert measure.verdict == TOO_FEW


def test_more_epochs_are_compared_seed_by_seed_and_the_other_architecture_is_not(asked):
    def cells(distances):
        return [{"frechet_distance": d, "precision": 1 / d} for d in distances]

    before, after = [100.0, 140.0, 120.0], [90.0, 131.0, 109.0]
    results = asked(
        {HANDED_IN: cells(before), LONGER: cells(after), MIXTURE: cells([9.0, 11.0, 10.5])}
    )
    claim = _claim(results, 5)
    assert claim.measures[0].systems == (LONGER, HANDED_IN)
    assert claim.measures[1].systems == (MIXTURE, HANDED_IN)
    paired, apart = claim.measures[0].figure, claim.measures[1].figure
    assert paired.values == pytest.approx((-10.0, -9.0, -11.0))
    assert paired.p_value(0.0) == pytest.approx(stats.ttest_rel(after, before).pvalue)
    assert (apart.kind, apart.seeds[1]) == ("welch", 3)
    assert claim.measures[0].verdict == "supported"
    assert claim.measures[0].seeds == (3,)


@pytest.mark.parametrize(
    ("lines", "trainings", "expected"),
    [
        (12, 12, "supported"),
        (1, 12, "not supported"),
        (7, 12, "not distinguishable"),
        (11, 11, TOO_FEW),
    ],
)
def test_how_often_the_code_collapses_is_judged_as_a_share(asked, lines, trainings, expected):
    cells = {COLLAPSE: [{"on_one_line": float(k < lines)} for k in range(trainings)]}
    claim = _claim(asked(cells), 1)
    assert claim.verdict == expected
    assert claim.measures[0].figure.interval == proportion_interval(lines, trainings)
    if expected == "not distinguishable":
        assert 0.8 < claim.measures[0].visible < 1.0


@pytest.mark.parametrize(
    ("r", "images", "expected"),
    [(0.9, 400, "supported"), (0.5, 400, "not supported"), (0.75, 12, "not distinguishable")],
)
def test_a_correlation_is_judged_over_the_test_images(asked, r, images, expected):
    cells = {PCA: [{"brightness_correlation": r, "test_images": images}]}
    claim = _claim(asked(cells), 2)
    assert claim.verdict == expected
    assert claim.measures[0].figure.interval == correlation_interval(r, images)


def test_groups_may_be_kept_while_a_class_is_not(asked):
    pure = {"shoes": 0.99, "trousers": 0.97, "tops": 0.96}
    cells = [
        {"group_purity": {n: v + e for n, v in pure.items()}, "lowest_class_purity": 0.4 + e}
        for e in (0.0, 0.001, -0.001)
    ]
    claim = _claim(asked({TSNE: cells}), 3)
    assert [m.verdict for m in claim.measures] == ["supported"] * 3 + ["not supported"]
    assert claim.verdict == "not supported"


def test_spread_is_judged_in_proportion_and_classes_by_the_share_of_trainings(asked):
    steady = [10.0, 10.1, 9.9, 10.05, 9.95, 10.02]
    wild = [10.0, 40.0, 15.0, 90.0, 20.0, 60.0]

    def cells(gan, vae, missing):
        return {
            path: [
                {"frechet_distance": d, "missing_classes": n, "checkerboard": board + d / 1e4}
                for d, n in zip(distances, missing, strict=True)
            ]
            for path, distances, board in ((GAN, gan, 1.1), (VAE, vae, 1.0))
        }

    spread, missing, _ = _claim(asked(cells(wild, steady, [1, 2, 1, 3, 1, 1])), 8).measures
    assert spread.verdict == "supported"
    assert missing.figure.interval == proportion_interval(6, 6)
    assert missing.adjusted == pytest.approx(2 * 0.5**6), "the last step of Holm"
    assert missing.verdict == "supported"
    some = _claim(asked(cells(wild, steady, [1, 2, 1, 3, 1, 0])), 8).measures[1]
    assert some.verdict == "not distinguishable"
    spread, missing, _ = _claim(asked(cells(steady, wild, [0] * 6)), 8).measures
    assert spread.verdict == "not supported"
    assert missing.figure.interval == proportion_interval(0, 6)
    tenfold = [10 * distance for distance in steady]
    even = _claim(asked(cells(tenfold, steady, [0] * 6)), 8).measures[0]
    assert even.figure.interval.mean == pytest.approx(1.0)
    assert even.verdict == "not distinguishable"
    assert even.visible > 4


def test_networks_that_learned_nothing_are_counted_and_told(asked):
    cells = _players()
    for path in (GAN, VAE):
        cells[path] = [cell | {"trained": 1.0} for cell in cells[path]]
    cells[GAN][3]["trained"] = 0.0
    results = asked(cells)
    figure = _claim(results, 7).measures[0].figure
    assert len(figure.values) == 5, "not left out"
    assert [cell.seed_index for cell in figure.untrained] == [3]
    assert results.value(VAE, "sharpness").untrained == ()
    assert [(c.variant, c.seed_index) for c in Context(results).untrained] == [("gan", 3)]


def test_the_best_generator_is_no_handed_in_one(asked):
    results = asked(
        {
            HANDED_IN: [{"frechet_distance": 1.0}],
            LONGER: [{"frechet_distance": 0.5}],
            VAE: [{"frechet_distance": 20.0}, {"frechet_distance": 30.0}],
            FLOW: [{"frechet_distance": 9.0}, {"frechet_distance": 10.0}],
        }
    )
    assert Context(results).best_generator == FLOW
    assert Context(asked({GAN: [None]})).best_generator is None


def test_a_run_without_results_measures_no_claim(asked):
    results = asked({VAE: [None]})
    assert [claim.number for claim in claims(results)] == list(range(1, 9))
    assert {claim.verdict for claim in claims(results)} == {"not measured"}


def _drawn(rng, seeds):
    """Cells for every measure of the protocol, with effects of all sizes, some missing."""
    cells: dict[str, list] = {}
    for claim in protocol().claims:
        for measure in claim.measures:
            for system in measure.systems:
                own = cells.setdefault(system, [{} for _ in range(rng.integers(1, seeds + 1))])
                shift = measure.reference + rng.normal() * rng.choice([0.01, 0.3])
                scale = rng.choice([0.01, 0.1])
                for cell in own:
                    value = float(shift + scale * rng.normal())
                    if measure.kind == "share":
                        value = float(rng.random() < shift)
                    elif measure.kind == "correlation":
                        value = float(np.clip(value, -0.99, 0.99))
                    elif measure.metric == "frechet_distance":
                        value = float(np.exp(value))
                    *groups, name = measure.metric.split(".")
                    for group in groups:
                        cell = cell.setdefault(group, {})
                    cell.setdefault(name, value)
                    cell.setdefault("test_images", int(rng.integers(5, 300)))
    cells.pop(rng.choice(list(cells)))
    return cells


@pytest.mark.parametrize("number", range(8))
def test_the_recount_comes_to_the_same_verdicts(asked, number):
    rng = np.random.default_rng(number)
    cells = _drawn(rng, 16)
    results = asked(cells)
    again, parts, seen = Recount(results.run), ("verdict", "adjusted", "visible"), set()
    for claim in claims(results):
        for place, measure in enumerate(claim.measures):
            for part in parts:
                ours, theirs = getattr(measure, part), again.part(claim.number, place, part)
                where = (claim.number, place, part)
                if isinstance(ours, float):
                    assert theirs == pytest.approx(ours, rel=1e-4, abs=1e-9), where
                else:
                    assert theirs == ours, where
            seen.add(measure.verdict)
    assert len(seen) > 2


def test_cells_made_under_another_protocol_are_named(tmp_path):
    run = made_up_run(tmp_path / "run")
    assert Context(Results(run)).protocol.others == []
    cell = run.select("fashion_embedding", "pca")[0]
    provenance = cell.provenance | {"protocol": "ab" * 32}
    other = StoredCell(tmp_path / "other", cell.experiment, cell.variant, 0, cell.key)
    write_done(other, Result({"brightness_correlation": 0.8}), {}, provenance)
    run = write_manifest(tmp_path / "other", {"name": "made up"}, [other])
    assert [c.variant for c in Context(Results(run)).protocol.others] == ["pca"]


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
    assert [cell.seed_index for cell in diverged(results)] == [0]


def test_every_failure_is_explained_and_looked_for_in_the_fixture(tmp_path):
    from bench.paths import TEMPLATES

    text = "".join(p.read_text("utf-8") for p in TEMPLATES.rglob("theory*.j2"))
    results = Results(made_up_run(tmp_path / "run"))
    kinds = [kind for kind, _ in examine(results)]
    assert len(kinds) == 5
    assert all(f'id="{kind.anchor}"' in text for kind in kinds)
