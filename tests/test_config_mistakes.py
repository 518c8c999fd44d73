"""Each mistake in a profile is one message that names the place, with nothing else around it."""

import pytest

from bench.__main__ import main
from bench.config import load_profile, profile_type
from bench.errors import UserError

LONGEST = 1000  # characters: a message, not the whole profile


def _told(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as raised:
        load_profile(path)
    message = str(raised.value)
    assert "mine.toml" in message
    assert len(message) < LONGEST
    return message


def test_a_missing_name_is_told_with_its_meaning_and_without_the_rest(tmp_path):
    message = _told(tmp_path, "root_seed = 3\n")
    assert "name: is missing. The profile's name" in message
    assert "root_seed" not in message


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


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "[mnist_classifier.fine_tune]\nlearning_rate = inf",
            "mnist_classifier.fine_tune.learning",
        ),
        (
            "[mnist_classifier.fine_tune]\nlearning_rate = nan",
            "mnist_classifier.fine_tune.learning",
        ),
        ("[mnist_classifier.stage]\nlearning_rate = 1e300", "mnist_classifier.stage.learning_rate"),
        ("[mnist_classifier]\nseeds = 100000000000000000000", "mnist_classifier.seeds"),
        ("[mnist_classifier]\nweight_decay = inf", "mnist_classifier.weight_decay"),
        ("[mnist_classifier]\nshift = 65", "mnist_classifier.shift"),
        ("[mnist_classifier.search]\nfactor = 1", "mnist_classifier.search.factor"),
        (f"[mnist_classifier]\nwidths = {[8] * 65}", "mnist_classifier.widths"),
        ("[fashion_embedding]\nhidden = []", "fashion_embedding.hidden"),
        ("root_seed = 9223372036854775808", "root_seed"),
        ("cell_seconds = 0", "cell_seconds"),
        ('watermark = "two\\nlines"', "watermark"),
        (f'watermark = "{"x" * 101}"', "watermark"),
        ("[report]\nlanguages = []", "report.languages"),
        ('[report]\nlanguages = ["en", "en"]', "report: "),
    ],
)
def test_a_value_out_of_bounds_is_told_before_anything_runs(tmp_path, text, named):
    assert named in _told(tmp_path, f'name = "x"\n{text}\n')


def _unbounded(schema, path=""):
    """Name what a schema leaves open: numbers without an upper end, texts of any length."""
    kind = schema.get("type")
    if kind in ("integer", "number") and not {"maximum", "exclusiveMaximum"} & set(schema):
        yield path
    if kind == "array":
        yield from [] if "maxItems" in schema else [path]
        yield from _unbounded(schema["items"], path)
    if kind == "string" and not {"maxLength", "enum", "const", "format"} & set(schema):
        yield path
    for each in schema.get("anyOf", ()):
        yield from _unbounded(each, path)
    for name, each in (schema.get("properties", {}) | schema.get("$defs", {})).items():
        yield from _unbounded(each, f"{path}.{name}")


def test_every_setting_has_an_upper_end():
    open_ended = set(_unbounded(profile_type().model_json_schema()))
    # the name of a run has a check of its own; 2 to 100 classes are asked for where a folder is
    assert open_ended == {".name", ".Data.classes"}


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
    output = capsys.readouterr().err
    assert output.startswith("error: ")
    assert "Traceback" not in output
