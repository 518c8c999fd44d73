"""What experiments declare: read without their code, kept in the manifest, outside of every key."""

import json
import subprocess
import sys

import pytest

from bench.config import load_profile
from bench.declarations import Declaration, System, declarations, declared
from bench.errors import UserError
from bench.experiment_files import own_packages
from bench.experiments import ASSIGNED, EXPERIMENTS
from bench.paths import ROOT
from bench.report.errors import ReportError
from bench.report.values.collect import Results
from bench.report.words.i18n import Language
from bench.report.words.names import experiment_name, system_name
from bench.running import make_plan
from bench.store import DamagedError, StoredCell, open_run
from bench.store.run import write_manifest
from bench.store.seal import write_sealed

MAP = "fashion_embedding"


def _manifest(folder, **content):
    """Write a manifest as it may be found."""
    folder.mkdir(parents=True, exist_ok=True)
    write_sealed(folder / "manifest.json", {"profile": {}, "cells": [], **content})
    return open_run(folder)


def test_every_experiment_is_declared_in_order():
    assert list(EXPERIMENTS) == list(declarations())
    assert [name for name, said in declarations().items() if not said.timed] == ASSIGNED
    assert own_packages() == ()
    for name, experiment in EXPERIMENTS.items():
        assert experiment.declaration is declared(name)
        assert {system.name for system in declared(name).systems} == set(experiment.variants)


def test_systems_that_variants_are_not_are_refused(monkeypatch):
    import bench.experiments as room

    said = declared(MAP)
    fewer = said.model_copy(update={"systems": said.systems[1:]})
    with pytest.raises(UserError, match=r"nothing is declared alone, search is no system"):
        room._defined(fewer)


def test_words_and_colours_change_no_key(tmp_path, monkeypatch):
    profile = load_profile("smoke").model_copy(update={"precision": "float32"})
    before = [cell.stored.key for cell in make_plan(profile, tmp_path, EXPERIMENTS)]
    for experiment in EXPERIMENTS.values():
        said = experiment.declaration
        systems = [
            each.model_copy(update={"label": "x", "colour": "#000000", "role": "x", "holds": None})
            for each in said.systems
        ]
        other = said.model_copy(
            update={
                "systems": tuple(systems),
                "title": "x",
                "label": "x",
                "figures": (),
                "words": {},
            }
        )
        monkeypatch.setattr(experiment, "declaration", other)
    after = [cell.stored.key for cell in make_plan(profile, tmp_path, EXPERIMENTS)]
    assert after == before


def test_the_file_beside_an_experiment_is_not_part_of_its_code():
    from bench.store import source

    reached = source._source_code(ROOT, "bench").reached([(f"bench.experiments.{MAP}", "vae")])
    modules = {module for module, _ in reached}
    assert f"bench.experiments.{MAP}" in modules
    assert not {"bench.declarations", "bench.results.embedding"} & modules


def test_the_report_reads_declarations_without_experiments_or_frameworks():
    code = (
        "import sys, bench.report.edition, bench.declarations as d; d.declarations();"
        "print([m for m in ('bench.experiments', 'keras', 'tensorflow', 'jax', 'torch')"
        " if m in sys.modules])"
    )
    process = subprocess.run((sys.executable, "-c", code), cwd=ROOT, capture_output=True, text=True)
    assert process.stdout.strip() == "[]", process.stderr


def test_a_manifest_keeps_what_was_declared(tmp_path):
    said = tuple(declarations().values())
    written = write_manifest(tmp_path, {}, [], said)
    read = open_run(tmp_path)
    assert read.experiments == written.experiments == said
    assert list(Results(read).experiments) == list(declarations())


def test_what_is_not_here_is_named_by_the_manifest(tmp_path):
    gone = System(name="gone", label="Of long ago", role="map", colour="#123456")
    said = declared(MAP)
    then = said.model_copy(update={"systems": (gone, *said.systems[1:]), "label": "Y"})
    elsewhere = Declaration(
        name="elsewhere", title="x", label="Elsewhere", dataset="mnist", package="not.here"
    )
    write_manifest(tmp_path, {}, [], [then, elsewhere])
    results, english = Results(open_run(tmp_path)), Language("en")
    variant = results.variant(f"{MAP}/gone")
    assert (system_name(variant, english), variant.colour) == ("Of long ago", "#123456")
    assert experiment_name(results.experiments["elsewhere"], english) == "Elsewhere"
    assert list(results.experiments)[:2] == [MAP, "elsewhere"]
    spanish = Language("es")
    assert system_name(variant, spanish) == "Of long ago"
    assert spanish.untranslated == {"Of long ago"}


def test_what_is_here_has_the_words_of_this_checkout_as_the_catalogue_has(tmp_path):
    said = declared(MAP)
    systems = tuple(each.model_copy(update={"label": "Old name"}) for each in said.systems)
    write_manifest(tmp_path, {}, [], [said.model_copy(update={"systems": systems, "label": "Y"})])
    results = Results(open_run(tmp_path))
    assert results.experiments[MAP].label == said.label
    assert results.variant(f"{MAP}/vae").label == "VAE"


def test_a_manifest_of_before_is_read_with_the_words_that_are_here(tmp_path):
    results = Results(_manifest(tmp_path / "run"))
    assert results.run.experiments == ()
    assert results.experiments == declarations()
    assert results.variant(f"{MAP}/vae").label == "VAE"


def test_keys_of_another_version_are_left_out(tmp_path):
    row = declared(MAP).stored()
    row["mood"] = "good"
    row["systems"][0]["smell"] = "none"
    row["figures"][0]["frame"] = "gold"
    run = _manifest(tmp_path / "run", experiments=[row])
    assert run.experiments == (declared(MAP),)


@pytest.mark.parametrize(
    "wrong",
    [
        [{"name": MAP}],
        [3],
        {"a": 1},
        [{**json.loads(declared(MAP).model_dump_json()), "systems": [{"name": "../x"}]}],
        [{**json.loads(declared(MAP).model_dump_json()), "section": "../../etc/passwd"}],
    ],
)
def test_declarations_that_are_none_are_damage(tmp_path, wrong):
    with pytest.raises(DamagedError, match="what its experiments declare"):
        _manifest(tmp_path / "run", experiments=wrong)


def test_what_only_the_manifest_or_only_the_code_has_is_there():
    here = declared(MAP)
    gone = here.systems[0].model_copy(update={"name": "gone", "label": "Gone"})
    drawn = here.figures[0].model_copy(update={"draw": "curves.of_long_ago"})
    then = here.model_copy(
        update={"systems": (gone, *here.systems[2:]), "figures": (drawn,), "label": "Then"}
    )
    both = then.completed_by(here)
    assert both.label == here.label
    assert both.system("gone").label == "Gone"
    assert both.system(here.systems[1].name) == here.systems[1]
    assert both.figures == here.figures, "figures are drawn by the code that is here"


def test_a_variant_that_nobody_declares_has_its_bare_name(tmp_path):
    cell = StoredCell(tmp_path, MAP, "mystery", 0, "ab" * 32)
    results = Results(write_manifest(tmp_path, {}, [cell]))
    variant = results.variant(f"{MAP}/mystery")
    assert (variant.label, variant.network) == ("mystery", False)
    assert results.variant("no/such").label == "such"


def test_figures_list_systems_by_name_and_by_role():
    said = declared("fashion_generation")
    paths = said.shown_in(said.figure("ladder"))
    assert paths[:2] == ("fashion_generation/ladder", "fashion_generation/reference")
    assert len(paths) == 2 + len(said.of_roles("generator"))
    networks = declared(MAP).shown_in(declared(MAP).figure("decoded_grids"))
    assert all(declared(MAP).system(path.split("/")[1]).network for path in networks)
    missing = declared("mnist_classifier")  # the handed-in network did not survive
    assert missing.shown_in(missing.figure("per_class")) == (
        "mnist_classifier/from_scratch",
        "mnist_classifier/fine_tuned",
    )


def test_a_figure_that_nobody_declares_is_a_fault_of_the_template(tmp_path):
    results = Results(write_manifest(tmp_path, {}, []))
    with pytest.raises(
        ReportError, match=r"'no_such': expected one experiment to declare it, none"
    ):
        results.figure("no_such")
    with pytest.raises(ReportError, match="mnist_classifier, fashion_classifier does"):
        results.figure("confusion")
    said, figure = results.figure("confusion", "mnist_classifier")
    assert (said.name, figure.draw) == ("mnist_classifier", "scores.confusion")


def test_code_of_a_package_that_is_not_registered_is_not_loaded():
    foreign = declared(MAP).model_copy(update={"package": "os"})
    with pytest.raises(UserError, match="expected its package os in LATENT_LAB_EXPERIMENTS"):
        foreign.find("path.join", "bench.report.figures")


def test_a_declaration_comes_back_from_json_as_it_was():
    for said in declarations().values():
        text = json.dumps(said.stored(), sort_keys=True)
        assert Declaration.recorded(json.loads(text)) == said
