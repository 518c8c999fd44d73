"""Data in the place of MNIST and Fashion-MNIST: a third data set, and images of the user's own.

The third data set is `digits.py`; the one line that adds it is in the fixture.
"""

import io
import shutil
from dataclasses import replace

import digits
import numpy as np
import pytest
from rich.console import Console

from bench import commands
from bench.__main__ import main
from bench.config import load_profile
from bench.data import DATASETS
from bench.errors import UserError
from bench.experiments import ASSIGNED, EXPERIMENTS
from bench.experiments.applicability import HANDED_IN_SIZE
from bench.report.claims import NOT_APPLICABLE, claims
from bench.report.values.collect import Results
from bench.running import inapplicable, make_plan, prepare_data, used_data
from bench.store import UsedData, open_run, write_manifest

PROFILE = "digits.toml"
HANDED_IN = {
    "fashion_embedding/handed_in",
    "fashion_embedding/handed_in_longer",
    "fashion_embedding/collapse",
    "fashion_generation/handed_in",
    "fashion_generation/handed_in_longer",
    "fashion_classifier/handed_in",
    "fashion_classifier/handed_in_same_epochs",
    "fashion_classifier/overfitting",
}
SHIPPED = {"fashion_generation/judge"}


@pytest.fixture
def profile_file(monkeypatch, request):
    monkeypatch.setitem(DATASETS, "digits", digits.INFO)  # the line
    return request.path.with_name(PROFILE)


@pytest.fixture
def planned(profile_file, tmp_path):
    def plan(changes="", folder="run"):
        path = tmp_path / "changed.toml"
        path.write_text(profile_file.read_text(encoding="utf-8") + changes, encoding="utf-8")
        profile = load_profile(path)
        cells = make_plan(profile, tmp_path / folder, ASSIGNED)
        return profile, {f"{c.experiment.name}/{c.variant.name}": c for c in cells}

    return plan


def own_folder(folder, size=12, classes=4, train=400, test=200):
    """Images of bright squares, one place for each class."""
    folder.mkdir()
    random = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", train), ("test", test)):
        labels = np.arange(count) % classes
        images = random.integers(0, 60, (count, size, size), dtype=np.uint8)
        for k, label in enumerate(labels):
            row, column = divmod(int(label), 3)
            images[k, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3] = 220
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    np.savez(folder / "squares.npz", **arrays)


def test_a_third_data_set_is_named_by_the_command_line(profile_file, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "digits" in capsys.readouterr().out
    assert main(["data"]) == 0
    output = capsys.readouterr().out
    assert "digits: 1200 training and 597 test images, verified, from scikit-learn" in output


class Slow(digits.Bundled):
    """The digits, as if they came from far away."""

    def gather(self, files, workspace, progress):
        progress("downloading the digits", 0.5)
        yield from super().gather(files, workspace, progress)


def test_fetching_is_told_where_no_terminal_looks_on(monkeypatch, tmp_path, capsys):
    far = replace(digits.INFO, sources=(Slow("far away", remote=True),))
    monkeypatch.setenv("LATENT_LAB_CACHE", str(tmp_path))
    for name in DATASETS.copy():
        monkeypatch.delitem(DATASETS, name)
    monkeypatch.setitem(DATASETS, "digits", far)
    assert main(["data"]) == 0
    first = capsys.readouterr().out
    assert first.count("downloading the digits") == 1
    assert "from far away" in first
    assert main(["data"]) == 0
    assert "downloading" not in capsys.readouterr().out  # it is in the cache


def test_fetching_is_a_bar_on_a_terminal():
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    with commands._data_progress(console) as progress:
        progress("waiting for [x]", None)
        progress("downloading [x]", 0.5)
    assert "downloading [x]" in shown.getvalue()
    assert "50%" in shown.getvalue()


def test_what_does_not_apply_is_not_planned(planned):
    profile, cells = planned()
    left_out = set(inapplicable(profile, ASSIGNED))
    assert left_out == HANDED_IN
    every = {f"{name}/{variant}" for name in ASSIGNED for variant in EXPERIMENTS[name].variants}
    assert set(cells) == every - HANDED_IN
    assert set(inapplicable(load_profile("smoke"), ASSIGNED)) == SHIPPED


def test_the_judge_of_other_data_is_a_cell_that_others_build_on(planned, tmp_path):
    _, cells = planned()
    judge = cells["fashion_generation/judge"].stored
    users = {path for path, cell in cells.items() if cell.needs.get("judge") == judge}
    assert {f"fashion_generation/{name}" for name in ("reference", "ladder", "vae", "gan")} < users
    assert "fashion_generation/search" not in users
    for planned_cell in make_plan(load_profile("smoke"), tmp_path, ["fashion_generation"]):
        assert "judge" not in planned_cell.needs


def test_a_variant_that_does_not_apply_cannot_be_asked_for(profile_file, tmp_path):
    with pytest.raises(UserError, match="fashion_embedding/collapse is not applicable to Small"):
        make_plan(load_profile(profile_file), tmp_path, ["fashion_embedding"], "collapse")


def test_the_hash_of_the_data_is_part_of_each_key(profile_file, tmp_path):
    own_folder(tmp_path / "squares")
    text = profile_file.read_text(encoding="utf-8")

    def keys(data):
        path = tmp_path / "own.toml"
        path.write_text(text.replace('dataset = "digits"', data), encoding="utf-8")
        cells = make_plan(load_profile(path), tmp_path / "run", ASSIGNED)
        return {cell.stored.label.rpartition("-")[0]: cell.stored.key for cell in cells}

    four = 'classes = ["a", "b", "c", "d"]'
    first = keys(f'folder = "squares"\n{four}')
    shutil.move(tmp_path / "squares", tmp_path / "moved")
    # neither the place nor a word changes a figure
    other = four.replace('"a"', '"another"')
    assert keys(f'folder = "moved"\n{other}\ntitle = "Squares"') == first
    with np.load(tmp_path / "moved" / "squares.npz") as stored:
        arrays = dict(stored)
    arrays["test_images"][0, 0, 0] += 1
    np.savez(tmp_path / "moved" / "squares.npz", **arrays)
    changed = keys(f'folder = "moved"\n{four}')
    assert all(changed[label] != key for label, key in first.items())


def test_each_experiment_has_the_data_that_the_profile_gives_it(planned):
    profile, cells = planned()
    assert {cell.dataset.name for cell in cells.values()} == {"digits"}
    used = used_data(profile, EXPERIMENTS)
    assert used["mnist_classifier"].instead_of == "MNIST"
    assert used["fashion_classifier"].instead_of == "Fashion-MNIST"
    assert used["fashion_classifier"].class_names == digits.INFO.class_names
    assert used_data(load_profile("smoke"), ["mnist_classifier"])["mnist_classifier"] == UsedData(
        name="mnist", title="MNIST", class_names=DATASETS["mnist"].class_names, size=28
    )


def test_sizes_that_do_not_fit_are_told_before_anything_runs(planned):
    profile, cells = planned()
    too_much = profile.data.model_copy(update={"validation": 5000})
    changed = profile.model_copy(update={"data": too_much})
    with pytest.raises(UserError, match="validation: expected 0, or from 10 to 1190 images"):
        prepare_data(changed, cells.values())


def test_claims_about_other_data_are_not_judged(planned, tmp_path):
    profile, cells = planned()
    write_manifest(
        tmp_path / "run",
        profile.model_dump(mode="json"),
        [cell.stored for cell in cells.values()],
        [each.declaration for each in EXPERIMENTS.values()],
        used_data(profile, EXPERIMENTS),
        inapplicable(profile, EXPERIMENTS),
    )
    run = open_run(tmp_path / "run")
    assert set(run.inapplicable) >= HANDED_IN
    results = Results(run)
    assert {claim.verdict for claim in claims(results)} == {NOT_APPLICABLE}
    assert results.variant("fashion_embedding/handed_in").absence == "inapplicable"
    assert results.variant("fashion_embedding/vae").absence == "missing"
    assert results.dataset("fashion_embedding").title == "Small digits"


def test_only_images_of_one_size_fit_the_handed_in_networks():
    assert digits.INFO.size != HANDED_IN_SIZE == DATASETS["fashion_mnist"].size


@pytest.mark.nightly
@pytest.mark.slow
def test_a_third_data_set_runs_through_all_experiments(profile_file, tmp_path, capsys):
    folders = ["--profile", str(profile_file), "--runs", str(tmp_path / "runs")]
    for name in [*EXPERIMENTS]:
        assert main(["run", name, *folders]) == 0, capsys.readouterr()
    assert main(["status", *folders]) == 0
    output = capsys.readouterr().out
    assert "data: Small digits in place of Fashion-MNIST" in output
    assert "not applicable to the data: fashion_embedding/handed_in" in output
    run = open_run(tmp_path / "runs" / "digits")
    assert {cell.status for cell in run.cells} == {"done"}
    for cell in run.cells:
        assert cell.provenance["dataset"]["sha256"] == digits.INFO.files
    (reference,) = run.select("fashion_generation", "reference")
    (judge,) = run.select("fashion_generation", "judge")
    assert reference.metrics["judge"]["accuracy"] == judge.metrics["accuracy"]
    assert len(reference.metrics["judge"]["sha256"]) == 64
    reports = tmp_path / "reports"
    assert main(["report", *folders, "--reports", str(reports)]) == 0
    page = next((reports / "digits").glob("*.en.html")).read_text(encoding="utf-8")
    assert "takes the place of Fashion-MNIST" in page
    assert "not applicable" in page
    assert "seven" in page  # a class name


@pytest.mark.nightly
@pytest.mark.slow
def test_images_of_the_users_own_run_through_all_experiments(profile_file, tmp_path, capsys):
    """Of 12 pixels in 4 classes: neither the size nor the number of any data set here."""
    own_folder(tmp_path / "squares")
    own = 'folder = "squares"\nclasses = ["up", "right", "left $x$", "down"]\ntitle = "8 <squares>"'
    path = tmp_path / "own.toml"
    text = profile_file.read_text(encoding="utf-8").replace('"digits"', '"own"')
    text = text.replace('dataset = "own"', own).replace("train_limit = 500", "train_limit = 200")
    path.write_text(text, encoding="utf-8")
    folders = ["--profile", str(path), "--runs", str(tmp_path / "runs")]
    for name in ASSIGNED:
        assert main(["run", name, *folders]) == 0, capsys.readouterr()
    run = open_run(tmp_path / "runs" / "own")
    assert {cell.status for cell in run.cells} == {"done"}
    (tuned,) = run.select("fashion_classifier", "fine_tuned")
    assert tuned.array("probabilities").shape == (200, 4)
    reports = tmp_path / "reports"
    assert main(["report", *folders, "--reports", str(reports)]) == 0
    page = next((reports / "own").glob("*.en.html")).read_text(encoding="utf-8")
    assert "8 &lt;squares&gt;" in page
    assert "left $x$" in page
