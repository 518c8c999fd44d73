"""Profiles are typed, frozen, and documented key by key."""

import pydantic
import pytest

from bench.config import PROFILES, describe, load_profile
from bench.errors import UserError
from bench.paths import ROOT


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_loads_and_is_named_after_its_file(name):
    assert load_profile(name).name == name


def test_only_smoke_is_watermarked():
    marked = {name: load_profile(name).watermark for name in PROFILES}
    assert marked == {"smoke": "smoke: do not cite", "quick": None, "long": None, "full": None}


def test_quick_and_full_use_all_the_data():
    for name in ("quick", "long", "full"):
        assert load_profile(name).data.train_limit is None
        assert load_profile(name).data.test_limit is None


def test_an_overlay_changes_its_key_and_no_other(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[fashion_generation.vae]\nepochs = 7\n')
    mine, quick = load_profile(path), load_profile("quick")
    assert mine.fashion_generation.vae.epochs == 7
    assert mine.fashion_generation.vae.batch_size == quick.fashion_generation.vae.batch_size
    assert mine.mnist_classifier == quick.mnist_classifier


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('name = "x"\n[fashion_generation]\nlatnet = 3\n', "latnet"),
        ('name = "x"\n[fashion_generation]\nlatent = -3\n', "latent"),
        ('name = "x"\n[fashion_generation\n', "not valid TOML"),
        ('name = "x"\n[training_speed]\ndata_sizes = [1250]\n', "500 do not divide 1250"),
    ],
)
def test_a_mistake_is_named(tmp_path, text, named):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=named):
        load_profile(path)


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(UserError, match="smoke, quick, long, full"):
        load_profile("fast")


def test_settings_are_frozen():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        load_profile("smoke").root_seed = 1


def test_every_key_is_described():
    described = dict(describe())
    assert len(described) > 50
    assert [key for key, text in described.items() if not text] == []


def test_every_section_of_the_settings_is_in_the_readme_or_the_guide():
    text = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "README.md").read_text()
    top = {key.split(".")[0] for key, _ in describe()}
    assert [key for key in sorted(top) if f"`{key}`" not in text] == []
