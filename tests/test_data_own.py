"""A folder of the user's: both layouts, one identity, and a clear refusal of everything else."""

import gzip
import io
import zipfile

import numpy as np
import pytest
from data_support import encode_idx, put

from bench.config import load_profile
from bench.config.schema import Data
from bench.data import DATASETS, load, resolve, split
from bench.data.definition import FILES
from bench.data.own import ARRAYS, describe
from bench.errors import UserError

NAMES = ("round", "square", "star")


def arrays(size=8, classes=3, train=30, test=12):
    """Training images and labels, test images and labels, as a user may have them."""
    random = np.random.default_rng(0)
    parts = []
    for count in (train, test):
        parts += [
            random.integers(0, 256, (count, size, size), dtype=np.uint8),
            np.arange(count) % classes,
        ]
    return parts


def idx_folder(folder, parts, **options):
    files = zip(FILES, (np.asarray(part, np.uint8) for part in parts), strict=True)
    return put(folder, {file: encode_idx(array) for file, array in files}, **options)


def npz_folder(folder, parts, which=0, **more):
    folder.mkdir()
    names = [names[which] for names in ARRAYS.values()]
    np.savez_compressed(folder / "mine.npz", **dict(zip(names, parts, strict=True)), **more)
    return folder


def refused(folder, match, names=NAMES):
    with pytest.raises(UserError, match=match) as caught:
        describe(folder, names)
    assert str(folder) in str(caught.value)
    assert "The data set was not loaded." in str(caught.value)


def test_the_same_images_are_the_same_data_in_every_format(tmp_path):
    parts = arrays()
    folders = [
        idx_folder(tmp_path / "raw", parts),
        idx_folder(tmp_path / "gz", parts, compress=True),
        npz_folder(tmp_path / "npz", parts),
        npz_folder(tmp_path / "keras", parts, which=1),
    ]
    found = [describe(folder, NAMES) for folder in folders]
    assert {tuple(info.files.items()) for info in found} == {tuple(found[0].files.items())}
    assert [info.title for info in found] == ["raw", "gz", "npz", "keras"]
    for info in found:
        whole = load(info)
        assert (info.size, info.classes, info.local) == (8, 3, True)
        for name, array in zip(ARRAYS.values(), parts, strict=True):
            loaded = getattr(whole, name[0])
            assert loaded.dtype == np.uint8
            np.testing.assert_array_equal(loaded, array)


def test_other_images_are_other_data(tmp_path):
    parts = arrays()
    first = describe(npz_folder(tmp_path / "a", parts), NAMES)
    parts[2] = 255 - parts[2]
    assert describe(npz_folder(tmp_path / "b", parts), NAMES).files != first.files


def test_arrays_in_the_order_of_columns(tmp_path):
    parts = arrays()
    folder = npz_folder(tmp_path / "a", [np.asfortranarray(part) for part in parts])
    np.testing.assert_array_equal(load(describe(folder, NAMES)).train_images, parts[0])


def test_a_folder_that_changes_after_it_was_planned(tmp_path):
    parts = arrays()
    info = describe(idx_folder(tmp_path / "mine", parts), NAMES)
    parts[0] = 255 - parts[0]
    idx_folder(tmp_path / "mine", parts)
    with pytest.raises(UserError, match="They have changed since it began"):
        load(info)
    assert describe(tmp_path / "mine", NAMES).files != info.files


@pytest.mark.parametrize("size", [8, 64])
@pytest.mark.parametrize("classes", [2, 100])
def test_the_ends_of_the_range(tmp_path, size, classes):
    parts = arrays(size, classes, 2 * classes, classes)
    info = describe(npz_folder(tmp_path / "a", parts), [f"class {k}" for k in range(classes)])
    assert (info.size, info.classes) == (size, classes)
    assert split(load(info), classes, seed=1).classes == classes


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: p.__setitem__(0, p[0] / 255), "training images of type uint8, got float64"),
        (lambda p: p.__setitem__(0, p[0][..., None]), "square grey training images"),
        (lambda p: p.__setitem__(2, p[2][:, :, :-1]), r"square grey test images.*\(12, 8, 7\)"),
        (lambda p: p.__setitem__(0, p[0][:, :7, :7]), "of 8 to 64 pixels a side"),
        (lambda p: p.__setitem__(1, p[1][:-1]), "as many training labels as images, got 29 and 30"),
        (lambda p: p.__setitem__(1, p[1] + 1), "training labels from 0 to 2.*got 0 to 3"),
        (lambda p: p.__setitem__(3, p[3] - 1), "test labels from 0 to 2.*got -1 to 1"),
        (lambda p: p.__setitem__(1, p[1] * 1.0), "training labels that are integers"),
        (lambda p: p.__setitem__(1, np.eye(3, dtype=int)[p[1]]), r"are integers.*\(30, 3\)"),
        (lambda p: p.__setitem__(3, p[3] % 2), "test images of each class, got none of label 2"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit(tmp_path, change, match):
    parts = arrays()
    change(parts)
    refused(npz_folder(tmp_path / "mine", parts), match)


def test_two_sizes(tmp_path):
    parts = arrays(8)[:2] + arrays(9)[2:]
    refused(npz_folder(tmp_path / "mine", parts), "of one size, got 8 and 9 pixels")


def test_absent_and_surplus_files(tmp_path):
    refused(tmp_path / "nowhere", "expected a folder, got nothing there")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file", "expected a folder, got a file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "or one .npz file, got none of them")
    mixed = npz_folder(tmp_path / "mixed", arrays())
    idx_folder(mixed, arrays())
    refused(mixed, "or one .npz file, got mine.npz, train-images")
    for file in FILES[:3]:
        (mixed / file).unlink()
    (mixed / "mine.npz").unlink()
    refused(mixed, f"expected the file {FILES[0]}")
    short = npz_folder(tmp_path / "short", arrays())
    np.savez(short / "mine.npz", train_images=arrays()[0])
    refused(short, "expected the array train_labels or y_train")


@pytest.mark.parametrize("keep", [0, 3, 12, 100, -1])
@pytest.mark.parametrize("compress", [False, True])
def test_cut_idx_files(tmp_path, keep, compress):
    folder = idx_folder(tmp_path / "mine", arrays(), compress=compress)
    path = folder / (FILES[0] + (".gz" if compress else ""))
    path.write_bytes(path.read_bytes()[:keep])
    refused(folder, "expected an IDX file")


def test_a_header_that_promises_too_much_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    folder = idx_folder(tmp_path / "mine", arrays())
    huge = b"\x00\x00\x08\x03" + (2**31).to_bytes(4, "big") * 3
    (folder / FILES[0]).write_bytes(huge)
    refused(folder, "at most 268435456 bytes, got one of")
    (folder / FILES[0]).unlink()
    # a small file that decompresses to far more than its header says
    (folder / f"{FILES[0]}.gz").write_bytes(
        gzip.compress(huge[:4] + b"\0\0\0\1" * 3 + bytes(10**7))
    )
    refused(folder, "cut off or has been added to")


def npy(shape, dtype="'|u1'", payload=b"", version=b"\x01\x00"):
    """Write a .npy file by hand, whose header may lie."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + payload


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (npy((10**6, 10**6, 10**6)), "at most 268435456 bytes, got one of 1000000000000000000"),
        (npy((-1, 8, 8)), "its shape is"),
        (npy((4, 8, 8), payload=bytes(255)), "expected 256 bytes.*got 255"),
        (npy((4, 8, 8), payload=bytes(257)), "expected 256 bytes.*got more"),
        (npy((4,), dtype="'|O'"), "nothing is unpickled"),
        (npy((4,), dtype="'<U3'", payload=bytes(48)), "expected numbers, got <U3"),
        (npy((4, 8, 8), version=b"\x09\x00"), "version"),
        (b"not an array", "expected a NumPy array"),
        (b"", "expected a NumPy array"),
    ],
)
def test_arrays_whose_headers_lie(tmp_path, content, match):
    folder = npz_folder(tmp_path / "mine", arrays())
    with zipfile.ZipFile(folder / "mine.npz") as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members["train_images.npy"] = content
    with zipfile.ZipFile(folder / "mine.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, payload in members.items():
            packed.writestr(name, payload)
    refused(folder, match)


def test_pickled_objects_are_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise AssertionError('it was unpickled')",))

    parts = arrays()
    parts[1] = np.array([Trap()] * 30, dtype=object)
    refused(npz_folder(tmp_path / "mine", parts), "nothing is unpickled")


@pytest.mark.parametrize("keep", [0, 20, 500])
def test_a_cut_archive(tmp_path, keep):
    folder = npz_folder(tmp_path / "mine", arrays())
    (folder / "mine.npz").write_bytes((folder / "mine.npz").read_bytes()[:keep])
    refused(folder, "damaged or encrypted")


def test_a_damaged_member(tmp_path):
    folder = npz_folder(tmp_path / "mine", arrays())
    content = bytearray((folder / "mine.npz").read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        start = packed.getinfo("train_images.npy").header_offset + 200
    content[start : start + 40] = bytes(40)
    (folder / "mine.npz").write_bytes(content)
    refused(folder, "damaged|NumPy array|bytes for shape")


# The section `data` of a profile


def profile(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(f'name = "own"\n[data]\n{text}', encoding="utf-8")
    return path


def test_a_profile_names_a_folder_beside_itself(tmp_path):
    npz_folder(tmp_path / "letters", arrays())
    text = 'folder = "letters"\nclasses = ["a", "b", "c"]\ntitle = "My letters"\n'
    settings = load_profile(profile(tmp_path, text)).data
    assert settings.folder == tmp_path / "letters"
    for name in DATASETS:
        info = resolve(name, settings)
        assert (info.title, info.class_names) == ("My letters", ("a", "b", "c"))


def test_a_folder_takes_the_place_of_what_it_is_asked_to(tmp_path):
    npz_folder(tmp_path / "letters", arrays())
    text = 'folder = "letters"\nclasses = ["a", "b", "c"]\nreplaces = ["mnist"]\n'
    settings = load_profile(profile(tmp_path, text)).data
    assert resolve("mnist", settings).title == "letters"
    assert resolve("fashion_mnist", settings) is DATASETS["fashion_mnist"]


def test_a_registered_data_set_takes_the_place_of_others():
    settings = Data(validation=10, dataset="fashion_mnist")
    assert resolve("mnist", settings) is DATASETS["fashion_mnist"]
    assert resolve("mnist", Data(validation=10)) is DATASETS["mnist"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('folder = "x"\n', "expected 2 to 100 names in classes, got 0"),
        ('folder = "x"\nclasses = ["a", "a"]\n', "different names in classes"),
        ('folder = "x"\nclasses = ["a", ""]\n', "data.classes.1"),
        ('folder = "x"\nclasses = ["a", "b\\u0007"]\n', "data.classes.1"),
        ('folder = "x"\nclasses = ["a", "b"]\ndataset = "mnist"\n', "exclude each other"),
        ('classes = ["a", "b"]\n', "there is none"),
        ('replaces = ["mnist"]\n', "needs dataset or folder"),
    ],
)
def test_settings_that_contradict_each_other(tmp_path, text, match):
    with pytest.raises(UserError, match=match):
        load_profile(profile(tmp_path, text))


def test_names_of_data_sets_that_do_not_exist():
    with pytest.raises(UserError, match=r"No data set 'fashion_mnits'.*Did you mean fashion_mnist"):
        resolve("mnist", Data(validation=10, dataset="fashion_mnits"))
    with pytest.raises(UserError, match=r"No data set 'mnits'.*Did you mean mnist"):
        resolve("mnist", Data(validation=10, dataset="mnist", replaces=("mnits",)))
