"""The explorer of the page for the screen, in a real browser, and the data that it shows."""

import json
import os
import shutil

import numpy as np
import pytest

from bench import models
from bench.report import render
from bench.report.checks.recheck import recheck
from bench.report.explorer.decoders import UnsupportedError, packed, read_decoder
from bench.report.explorer.gather import EMPTY, LARGEST_PAGE, MOST_IMAGES, gather, with_explorer
from bench.report.values.collect import Results
from bench.report.words.i18n import Language
from bench.store import Result, open_run, write_done
from tests.report_fixture import made_up_run

MAPS = "fashion_embedding"
WIDTHS = (1280, 768, 390)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PARITY = 1e-3
ROOM = 3_000_000


def _shaken(network, seed, scale=1.0):
    """Give a network weights that leave no layer idle."""
    random = np.random.default_rng(seed)
    for weight in network.weights:
        values = random.normal(0, 0.5 / np.sqrt(max(1, np.prod(weight.shape[:-1]))), weight.shape)
        if "variance" in weight.path or "gamma" in weight.path:
            values = random.uniform(0.5, 1.5, weight.shape)
        weight.assign(scale * values)
    return network


@pytest.fixture(scope="module")
def decoders():
    """Networks by the system that has each as its decoder."""
    return {
        "handed_in": _shaken(models.handed_in.decoder(), 1),
        "autoencoder": _shaken(models.autoencoder.dense_decoder((96, 48, 16), 2), 2),
        "vae": _shaken(models.autoencoder.convolutional_decoder(8, 2), 3),
        "smooth": _shaken(models.autoencoder.dense_decoder((96, 48, 16), 2), 4, scale=0.2),
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory, decoders):
    """A made-up run three of whose maps have decoders; that of the VAE is of another kind."""
    folder = tmp_path_factory.mktemp("runs") / "made-up"
    made = made_up_run(folder)
    for variant in ("handed_in", "autoencoder", "vae"):
        decoder = decoders[variant]
        (cell,) = made.select(MAPS, variant)
        tables = {name: cell.table(name) for name in cell.table_names}
        # even images take little room, so that a decoder always takes more
        even = {"decoded_grid": np.zeros_like(cell.array("decoded_grid"))}
        result = Result(cell.metrics, tables, cell.arrays | even, {"decoder": decoder})
        write_done(cell, result, cell.config, cell.provenance)
    return open_run(folder)


@pytest.fixture(scope="module")
def files(run, tmp_path_factory):
    paths = render(run, tmp_path_factory.mktemp("out"), ("en", "es"), ("html",))
    return {path.name.split(".")[1]: path for path in paths}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright (extra dev)")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs one of these browsers: {', '.join(BROWSERS)}")
    # Chromium refuses its sandbox to root
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=path, args=options)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser, files):
    """Open the page; what it would load from elsewhere, or what fails in it, fails the test."""
    contexts, wrong = [], []

    def open_page(language="en", ready=True, **options):
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda sent: _refuse_remote(sent.url, wrong))
        page.goto(files[language].as_uri())
        if ready:
            page.wait_for_selector("#explorer-data[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _refuse_remote(address, wrong):
    if not address.startswith(("file:", "data:")):
        wrong.append(address)


def _data(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(text.partition('id="explorer-data">')[2].partition("</script>")[0])


def test_the_page_is_small_and_agrees_with_its_results(files, run):
    for path in files.values():
        assert path.stat().st_size < LARGEST_PAGE
        assert recheck(path, run).problems == []


def test_a_changed_explorer_is_found(files, tmp_path):
    text = files["en"].read_text(encoding="utf-8")
    spoilt = text.replace('"of":400', '"of":401', 1)
    assert spoilt != text
    path = tmp_path / "spoilt.html"
    path.write_text(spoilt, encoding="utf-8")
    assert any("explorer" in problem for problem in recheck(path).problems)


def test_what_is_shown_stands_in_the_cells(files, run):
    shown = _data(files["en"])
    maps = shown["maps"]
    assert maps["of"] == 400
    assert len(maps["index"]) == maps["images"]["count"] == 400
    for method in maps["methods"]:
        experiment, variant = method["path"].split("/")
        (cell,) = run.select(experiment, variant)
        assert method["cell"] == cell.label
        assert [maps["labels"][k] for k in (0, 7)] == cell.array("test_labels")[[0, 7]].tolist()
    (tuned,) = run.select("fashion_classifier", "fine_tuned")
    expected = tuned.array("probabilities").argmax(axis=1)[maps["index"]]
    assert maps["predicted"]["classes"] == expected.tolist()
    by_cell = {matrix["cell"]: matrix["counts"] for matrix in shown["confusions"]}
    assert by_cell[tuned.label] == tuned.metrics["confusion"]


def test_decoders_that_do_not_fit_are_replaced_by_stored_images(run):
    results = Results(run)
    for room, kind in ((ROOM, "decoder"), (0, "grid")):
        maps = gather(results, Language("en"), room)["maps"]
        assert len(maps["index"]) == (400 if room else MOST_IMAGES[-1])
        methods = {method["path"]: method for method in maps["methods"]}
        assert kind in methods[f"{MAPS}/handed_in"]
        assert kind in methods[f"{MAPS}/autoencoder"]
        assert "grid" in methods[f"{MAPS}/vae"], "its layers are not among those that are evaluated"
        assert not {"decoder", "grid"} & set(methods[f"{MAPS}/pca"])


def test_a_decoder_of_another_kind_is_refused(tmp_path, decoders):
    decoders["vae"].save(tmp_path / "decoder.keras")
    with pytest.raises(UnsupportedError):
        read_decoder(tmp_path / "decoder.keras")


def test_names_cannot_end_the_data(run):
    results = Results(run)
    hostile = "</script><script>alert(1)</script>"
    language = Language("en")
    language.gettext = lambda message: hostile
    page = with_explorer(f"<body>{EMPTY}</body>", results, language)
    block = page.partition('id="explorer-data">')[2]
    assert block.count("</script>") == 1
    assert "<script" not in block
    assert hostile in json.loads(block.partition("</script>")[0])["maps"]["classes"]


@pytest.mark.parametrize("name", ["handed_in", "autoencoder", "smooth"])
def test_decoders_in_the_page_draw_what_keras_draws(opened, decoders, tmp_path, name):
    network = decoders[name]
    network.save(tmp_path / "decoder.keras")
    places = np.random.default_rng(0).uniform(-12, 12, (40, 2)).astype("float32")
    given = packed(read_decoder(tmp_path / "decoder.keras"), (-12.0, 12.0, -12.0, 12.0))
    if name == "smooth":
        assert len(given["layers"]) > len(network.layers) - 1, "a layer should be a product"
    expected = network.predict(places, verbose=0).reshape(len(places), -1)
    assert expected.std() > 0.01, "an even image would prove nothing"
    drawn = opened().evaluate(
        "([given, places]) => { const decode = latentLab.decoder(given);"
        " return places.map((place) => Array.from(decode(place))); }",
        [given, places.tolist()],
    )
    assert np.abs(np.array(drawn) - expected).max() < PARITY


def _state(page, words):
    return page.evaluate(f"(() => {{ const {{ state, methods }} = latentLab; return {words}; }})()")


def _told(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return page.inner_text("#x-said")


def test_a_point_shows_its_image_class_prediction_and_neighbours(opened, files):
    maps, page = _data(files["en"])["maps"], opened()
    page.locator("#x-map").scroll_into_view_if_needed()
    box = page.locator("#x-map").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    told, chosen = _told(page), _state(page, "state.chosen")
    assert maps["classes"][maps["labels"][chosen]] in told
    assert maps["classes"][maps["predicted"]["classes"][chosen]] in told
    assert page.locator("#x-near-map canvas").count() == 6
    assert page.locator("#x-near-pixels canvas").count() == 6
    near = _state(
        page,
        "(({ flat }) => { const d = (k) => Math.hypot(flat[2 * k] - flat[2 * state.chosen],"
        " flat[2 * k + 1] - flat[2 * state.chosen + 1]);"
        " return [...Array(flat.length / 2).keys()].sort((a, b) => d(a) - d(b)).slice(1, 7); })"
        "(methods[state.method])",
    )
    assert sorted(_state(page, "state.near")) == sorted(near)


def test_keys_and_touch_move_the_cross(opened):
    page = opened(has_touch=True, viewport={"width": 390, "height": 800})
    page.locator("#x-map").focus()
    before = _state(page, "state.at")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    across, down = _state(page, "state.at")
    assert across < before[0] or before[0] == 0
    assert down < before[1] or before[1] == 0
    page.locator("#x-map").tap(position={"x": 60, "y": 200})
    box = page.locator("#x-map").bounding_box()
    assert _state(page, "state.at[0]") == pytest.approx(60 / box["width"], abs=0.02)


def test_a_class_that_is_hidden_is_not_chosen(opened, files):
    maps, page = _data(files["en"])["maps"], opened()
    page.get_by_role("button", name="All classes").click()
    page.get_by_role("button", name=maps["classes"][3], exact=True).click()
    _told(page)
    assert maps["labels"][_state(page, "state.chosen")] == 3


def test_points_move_to_their_places_on_another_map(opened):
    page = opened(reduced_motion="no-preference")
    page.select_option("#x-method", label="PCA")
    page.wait_for_function(
        "() => { const { state, methods } = latentLab;"
        " return state.shown.every((v, k) => v === methods[state.method].unit[k]); }"
    )
    assert _state(page, "methods[state.method].label") == "PCA"
    page.wait_for_function("() => document.getElementById('x-decoder').hidden")
    assert "no decoder" in page.inner_text("#x-decoder-said")


def test_blended_images_are_marked_as_such(opened):
    page = opened()
    page.select_option("#x-method", label="VAE")
    page.wait_for_function(
        "() => document.getElementById('x-decoder-said').textContent.startsWith('Blended')"
    )
    error = page.evaluate(
        "async () => { const k = latentLab.state.method, { extent } = latentLab.methods[k].grid;"
        " const corner = (await latentLab.decoderOf(k))([extent[0], extent[2]]);"
        " return Array.from(corner); }"
    )
    assert len(error) == 28 * 28


def test_the_way_between_two_images_is_drawn(opened):
    page = opened()
    page.click("#x-start")
    page.locator("#x-map").focus()
    page.keyboard.press("Shift+ArrowRight")
    _told(page)
    page.click("#x-end")
    page.locator("#x-share").fill("25")
    page.wait_for_function(
        "() => document.getElementById('x-line-said').textContent.includes('25%')"
    )


def test_walks_show_the_stored_steps(opened, files):
    walk, page = _data(files["en"])["walks"][0], opened()
    page.locator("#x-step").fill("3")
    assert f"3 of {walk['steps']}" in page.inner_text("#x-walk-said")
    assert page.locator("#x-walk-strip canvas").count() == walk["steps"]


def test_numbers_of_the_confusion_matrix_open_their_images(opened, files):
    page, shown = opened(), _data(files["en"])["confusions"]
    matrix = shown[-1]
    page.select_option("#x-classifier", str(len(shown) - 1))
    names = matrix["classes"]
    button = page.get_by_role("button", name=f": {names[0]} taken for {names[0]}")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    assert page.locator("#x-opened canvas").count() > 0
    assert f"Test images: {matrix['counts'][0][0]}" in page.inner_text("#x-opened-said")


def test_curves_tell_the_stored_values(opened, files):
    page, group = opened(), _data(files["en"])["curves"][0]
    series = group["series"][-1]
    page.select_option("#x-column", "validation_loss")
    page.locator("#x-epoch").fill("1")
    value = series["columns"]["validation_loss"][series["epochs"].index(1)]
    row = page.locator("#x-values tr", has_text=series["label"]).first
    assert row.inner_text().split()[-1] == f"{value:.4g}"


def test_tables_are_sorted_and_copied(opened):
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    table = page.locator("table:has(button.sort)").filter(has=page.locator("data[value]")).first
    header = table.locator("button.sort").first
    header.click()
    assert table.locator("[aria-sort=ascending]").count() == 1
    header.click()
    assert table.locator("[aria-sort=descending]").count() == 1
    box = page.locator(".table", has=table).first
    rows = table.locator("tr").count()
    box.get_by_role("button", name="Copy as CSV").click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert len(text.strip().splitlines()) == rows
    box.get_by_role("button", name="Copy as LaTeX").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("\\begin{tabular}{l")


def test_rows_are_sorted_by_their_numbers(opened):
    kept = opened().evaluate(
        """() => {
          const button = document.querySelector("table:has(data[value]) th.figure > button.sort");
          const table = button.closest("table");
          const column = button.closest("th").cellIndex;
          button.click();
          const runs = [[]];
          for (const row of table.tBodies[0].rows) {
            const value = row.cells[column] && row.cells[column].querySelector("data[value]");
            if (row.matches(".group")) runs.push([]);
            else if (value) runs.at(-1).push(Number(value.value));
          }
          return runs;
        }"""
    )
    assert max(map(len, kept)) > 1
    for values in kept:
        assert values == sorted(values)


def test_the_switches_of_language_and_darkness(opened):
    page = opened()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) != light
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    page.reload()
    assert page.evaluate(ground) != light, "the choice is kept"
    page.click("text=Español")
    page.wait_for_load_state()
    assert page.get_attribute("html", "lang") == "es"


def test_without_script_everything_else_is_there(opened):
    page = opened(ready=False, java_script_enabled=False)
    assert page.locator("#x-parts").is_hidden()
    assert page.get_by_text("The explorer needs JavaScript").is_visible()
    assert page.locator("figure svg").count() > 10


@pytest.mark.parametrize("language", ["en", "es"])
def test_only_wide_tables_scroll_sideways(opened, language):
    page = opened(language)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (768, "dark"), (390, "dark")])
def test_the_page_is_accessible(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    # the watermark of smoke runs stands across the page, pale and hidden from readers by ear
    shown = {"exclude": [[".watermark-across"]]}
    found = axe.run(page, context=shown, options={"resultTypes": ["violations"]})
    grave = [
        (each["id"], node["target"], node.get("failureSummary"))
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    assert grave == []
