"""Marks of verdicts, p-values, image tests and networks that were not trained, and their checks."""

import re

import numpy as np
import pytest

from bench.report.checks.verify import check_page
from bench.report.claims import claims
from bench.report.errors import ReportError
from bench.report.page.marks import Marks
from bench.report.values.collect import Results, image_limits, same_images
from bench.report.values.constants import Constants
from bench.report.values.quantities import apart
from bench.report.words.i18n import Language
from bench.store import Result, StoredCell, content_key, write_done
from bench.store.run import write_manifest

VAE, GAN = "fashion_generation/vae", "fashion_generation/gan"
TUNED, SCRATCH = "fashion_classifier/fine_tuned", "fashion_classifier/from_scratch"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Give a duel of which one GAN was not trained, and two classifiers of 60 images."""
    folder, cells = tmp_path_factory.mktemp("run"), []
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, 60).astype(np.uint8)

    def add(path, seed, metrics, arrays=None):
        experiment, variant = path.split("/")
        cell = StoredCell(folder, experiment, variant, seed, content_key([path, seed]))
        write_done(cell, Result(metrics, {}, arrays or {}), {}, {})
        cells.append(cell)

    for path, sharpness in ((GAN, 1.0), (VAE, 0.2)):
        for seed in range(5):
            messages = {
                "sharpness": sharpness + float(rng.normal(0, 0.02)),
                "precision": 0.5 + float(rng.normal(0, 0.02)),
                "trained": float((path, seed) != (GAN, 2)),
            }
            add(path, seed, messages)
    for path, wrong in ((TUNED, 3), (SCRATCH, 20)):
        predicted = labels.copy()
        predicted[:wrong] = (predicted[:wrong] + 1) % 10
        messages = {"accuracy": 1 - wrong / 60, "image_interval": {"low": 0.5, "high": 0.99}}
        arrays = {"labels": labels, "probabilities": np.eye(10, dtype=np.float32)[predicted]}
        add(path, 0, messages, arrays)
    return Results(write_manifest(folder, {"name": "made up"}, cells))


@pytest.fixture(scope="module")
def marks(results):
    return Marks(results.run, Language("en"), Constants())


@pytest.fixture(scope="module")
def page(results, marks):
    measures = claims(results)[6].measures
    parts = [marks.evaluated(7, 0, measures[0], part) for part in ("verdict", "adjusted")]
    parts += [
        marks.evaluated(7, 1, measures[1], part) for part in ("verdict", "adjusted", "visible")
    ]
    gan, vae = results.value(GAN, "sharpness"), results.value(VAE, "sharpness")
    parts += [
        marks.number(gan, ".3f"),
        marks.number(vae, ".3f"),
        marks.number(apart(gan, vae), ".3f"),
    ]
    compared = same_images(results.variant(TUNED), results.variant(SCRATCH))
    parts += [marks.same_images(compared, p) for p in ("only_first", "only_second", "p_value")]
    parts += [marks.number(end, ".4f") for end in image_limits(results.value(TUNED, "accuracy"))]
    return "<main>" + "\n".join(f"<p>{part}</p>" for part in parts) + "</main>"


def _check(page, results):
    return check_page(page, results.run, Language("en"), Constants())


def test_what_is_marked_is_true(page, results):
    assert len(_check(page, results).marks) == 13
    text = re.sub(r"<[^>]+>", "", page)
    assert text.startswith("supported\n&lt;\N{NO-BREAK SPACE}0.001\nnot distinguishable\n")
    assert "17" in text, "images that the tuned network alone gets right"


def test_a_network_that_was_not_trained_is_marked_wherever_it_takes_part(page):
    marked = [line for line in page.splitlines() if "†" in line]
    assert len(marked) == 2
    assert all("gan-s0" in line and "sharpness" in line for line in marked)
    assert any("data-minus" in line for line in marked)


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        (r'(data-part="verdict">)supported', r"\1not supported", "counted again it is 'supported'"),
        (r">not distinguishable", ">supported", "claim 7, measure 2, verdict"),
        (r'(data-part="adjusted">)&lt;', r"\1", "claim 7, measure 1, adjusted"),
        (r'(data-measure="1" data-part="adjusted">)[\d.]+', r"\g<1>0.049", "measure 2, adjusted"),
        (r'(data-part="visible">)[\d.]+', r"\g<1>0.001", "measure 2, visible"),
        (r".†.\(not trained\)", "", "does not say that a network was not trained"),
        (r'(data-estimate="welch"[^>]*>)0', r"\g<1>1", "sharpness: the page says"),
        (r'(data-same-images="only_first"[^>]*>)17', r"\g<1>16", "only_first: the page says"),
        (r'(data-same-images="p_value"[^>]*>)&lt;.0.001', r"\g<1>0.500", "p_value: the page says"),
        (r"(image_interval.low[^>]*>)0.5", r"\g<1>0.6", "image_interval.low: the page says"),
        (r'data-cells="fashion_classifier/fine', 'data-cells="nobody/fine', "nobody/fine"),
    ],
)
def test_a_spoilt_mark_is_found(page, results, pattern, replacement, complaint):
    spoilt, count = re.subn(pattern, replacement, page, count=1)
    assert count == 1
    with pytest.raises(ReportError, match=re.escape(complaint)):
        _check(spoilt, results)


def test_a_mark_that_a_trained_network_does_not_deserve_is_found(page, results):
    vae = next(line for line in page.splitlines() if re.search('data-cell="[^"]*vae-s0', line))
    with pytest.raises(ReportError, match="says that a network was not trained"):
        _check(page.replace(vae, vae.replace("</data>", "†</data>")), results)
