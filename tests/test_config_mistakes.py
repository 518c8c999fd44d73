"""Each mistake in a profile is one message that names the place, with nothing else around it."""

import pytest

from bench.__main__ import main
from bench.config import load_profile
from bench.errors import UserError

LONGEST = 1000  # characters: a message, not the whole profile


def _told(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as raised:
        load_profile(path)
    told = str(raised.value)
    assert "mine.toml" in told
    assert len(told) < LONGEST
    return told


def test_a_missing_name_is_told_with_its_meaning_and_without_the_rest(tmp_path):
    told = _told(tmp_path, "root_seed = 3\n")
    assert "name: is missing. The profile's name" in told
    assert "root_seed" not in told


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[fashion_generation]\nlatnet = 3\n", "fashion_generation.latent"),
        ("[fashion_genration]\nlatent = 3\n", "fashion_generation"),
        ("[fashion_generation.vae]\nepoch = 3\n", "fashion_generation.vae.epochs"),
        ("validation = 3\n", "data.validation"),
        ("root_sead = 3\n", "root_seed"),
    ],
)
def test_an_unknown_key_is_told_with_the_key_that_was_meant(tmp_path, text, meant):
    assert f"is no key. Did you mean {meant}?" in _told(tmp_path, f'name = "x"\n{text}')


def test_an_unknown_key_that_is_like_none_is_told_alone(tmp_path):
    assert "qqqqqqqq: is no key.\n" in _told(tmp_path, 'name = "x"\nqqqqqqqq = 3\n')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('name = "müller"'.encode("latin-1"), "UTF-8"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("name = " + "[" * 100_000, "nested too deeply"),
        ("name = " + "9" * 5000, "not valid TOML"),
        ('name = "x"\nroot_seed = 1.5\n', "root_seed"),
        ('name = "x"\n[data]\nvalidation = "many"\n', "data.validation"),
        ('name = "x"\n[data]\nvalidation = 0x-1\n', "line 3"),
        ('name = "x"\ndata = 3\n', "data: "),
        ('name = "x"\n[data]\ntrain_limit = [' + "1, " * 10_000 + "]\n", "..."),
        ('name = "x"\n' + "".join(f"k{n} = 1\n" for n in range(100)), "and 88 more"),
    ],
    ids=["latin", "bytes", "deep", "digits", "kind", "word", "hex", "table", "list", "many"],
)
def test_a_mistake_of_any_kind_is_a_short_message(tmp_path, content, said):
    assert said in _told(tmp_path, content)


@pytest.mark.parametrize("value", ["0x{}", "[0x{}]", '"{}"'])
def test_a_value_of_thousands_of_digits_is_a_short_message(tmp_path, value):
    digits = value.format("f" * 5000)
    assert "root_seed" in _told(tmp_path, f'name = "x"\nroot_seed = [{digits}]\n')


@pytest.mark.parametrize("name", ["nowhere.toml", "smok", "x" * 5000 + ".toml", "nul\0.toml", ""])
def test_a_profile_that_is_not_there_is_told(name):
    with pytest.raises(UserError, match="Nothing was run"):
        load_profile(name)


def test_a_folder_and_a_file_that_may_not_be_read_are_told(tmp_path, monkeypatch):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UserError, match="No profile"):
        load_profile(tmp_path / "folder.toml")
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\n')

    def refused(self, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_text", refused)
    with pytest.raises(UserError, match="Permission denied"):
        load_profile(path)


def test_the_command_line_exits_with_2_and_no_traceback(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_bytes(b'name = "\xff"\n')
    assert main(["config", "--profile", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Traceback" not in told
