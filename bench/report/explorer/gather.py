"""Data of the explorer, gathered from the cells of a run.

Its page is `templates/explorer.html.j2`, its style and script stand beside it. All of its data are
part of the page: one block of JSON, put in when the rest of the page is known, so that the page
stays below `LARGEST_PAGE` bytes.
"""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from bench.interfaces import JsonObject
from bench.report.explorer.decoders import UnsupportedError, packed, read_decoder
from bench.report.figures.plain import class_colours, map_frame
from bench.report.figures.subject import class_names
from bench.report.values.collect import Results, Variant
from bench.report.words.i18n import Language
from bench.report.words.names import experiment_name, system_name
from bench.store import DamagedError

LARGEST_PAGE = 6_000_000  # bytes
RESERVED = 350_000  # of them for the results that travel along, which are put in later
MOST_IMAGES = (1000, 600, 300, 150)  # on the maps: as many as there is room for
COLUMNS = 40  # of a sheet of images
DIGITS = 6  # of a curve's values
ELEMENT = "explorer-data"  # identifier of the block in the page
EMPTY = f'<script type="application/json" id="{ELEMENT}"></script>'


def with_explorer(page: str, results: Results, language: Language) -> str:
    """Put the explorer's data into a page that has a place for them.

    Parameters
    ----------
    page : str
        The page.
    results : Results
        The run.
    language : Language
        The page's language.

    Returns
    -------
    str
        The page, of at most `LARGEST_PAGE` bytes with the results that travel along.
    """
    if EMPTY not in page:
        return page
    room = LARGEST_PAGE - RESERVED - len(page.encode())
    block = _json(gather(results, language, room)).replace("<", "\\u003c")
    return page.replace(EMPTY, EMPTY.replace("></", f">{block}</"), 1)


def gather(results: Results, language: Language, room: int) -> JsonObject:
    """Collect what the explorer shows.

    Parameters
    ----------
    results : Results
        The run.
    language : Language
        Of the names.
    room : int
        Bytes that it may take; decoders that do not fit are replaced by images decoded beforehand.

    Returns
    -------
    dict
        Plain JSON; a part of which the run holds nothing is None or empty.
    """
    gathered = _Gathered(results, language)
    found: dict[str, Any] = {
        "language": language.code,
        "walks": list(gathered.walks()),
        "confusions": list(gathered.confusions()),
        "curves": list(gathered.curves()),
        "maps": None,
    }
    if not gathered.drawn:
        return found
    decoders = gathered.decoders()
    room -= len(_json(found))
    room -= sum(min(len(_json(each)) for each in pair if each) for pair in decoders.values())
    for most in MOST_IMAGES:
        found["maps"] = gathered.maps(most)
        left = room - len(_json(found["maps"]))
        if left >= 0:
            break
    _add_decoders(found["maps"]["methods"], decoders, left)
    return found


def explorable(results: Results) -> bool:
    """Whether a run holds anything for the explorer: a finished map, walk or classifier."""
    asked = results.of_roles("map", "generator", "classifier")
    return any(variant.done for variant in asked)


class _Gathered:
    def __init__(self, results: Results, language: Language) -> None:
        self.results, self.language = results, language
        drawn = [variant for variant in self._mapping() if variant.array("test_map") is not None]
        labels = [variant.done[0].array("test_labels") for variant in drawn]
        self.drawn = [
            variant
            for variant, own in zip(drawn, labels, strict=True)
            if np.array_equal(own, labels[0])
        ]

    def maps(self, most: int) -> JsonObject:
        """Places of a sample of the test images on each map."""
        labels = self.drawn[0].array("test_labels")
        assert labels is not None  # noqa: S101 - stored together with the map
        index, images = _sample(self.drawn, labels, most)
        experiment = self.drawn[0].experiment
        names = class_names(self.results, experiment, self.language)
        return {
            "classes": list(names),
            "colours": list(class_colours(len(names))),
            "of": len(labels),
            "index": index.tolist(),
            "labels": labels[index].tolist(),
            "images": _sheet(images),
            "predicted": self._predicted(experiment, labels, index),
            "methods": [self._method(variant, index) for variant in self.drawn],
        }

    def _mapping(self) -> Iterator[Variant]:
        """What draws maps: the compared methods, and other trainings of their networks."""
        for said in self.results.experiments.values():
            for system in said.systems if said.of_roles("map") else ():
                if system.role == "map" or system.network:
                    yield self.results.variant(f"{said.name}/{system.name}")

    def _method(self, variant: Variant, index: np.ndarray) -> JsonObject:
        cell, points = variant.first, variant.array("test_map")
        assert cell is not None and points is not None  # noqa: S101, PT018 - chosen for them
        return {
            "label": system_name(variant, self.language),
            "path": variant.path,
            "baseline": variant.declared is not None and variant.declared.handed_in,
            "cell": cell.label,
            "points": _floats(points[index]),
            "frame": list(map_frame(points)),
        }

    def _predicted(
        self, experiment: str, labels: np.ndarray, index: np.ndarray
    ) -> JsonObject | None:
        """Predictions of the same data set's classifier for the sampled images."""
        data = self.results.dataset(experiment)
        for variant in self._confused():
            cell = variant.first
            if cell is None or self.results.dataset(variant.experiment).name != data.name:
                continue
            if np.array_equal(cell.array("labels"), labels):
                shares = cell.array("probabilities")[index]
                return {
                    "label": system_name(variant, self.language),
                    "cell": cell.label,
                    "classes": shares.argmax(axis=1).tolist(),
                    "shares": [round(float(share), 4) for share in shares.max(axis=1)],
                }
        return None

    def decoders(self) -> dict[str, tuple[JsonObject, JsonObject]]:
        """Decoders, and the images decoded beforehand that can stand for them, by path.

        Where a decoder cannot be evaluated in a page it is empty.
        """
        found = {}
        for variant in self.drawn:
            if variant.array("decoded_grid") is None:
                continue
            try:
                exact = _exact(variant)
            except (UnsupportedError, DamagedError):  # damaged: this cell has stored no decoder
                exact = {}
            found[variant.path] = (exact, _grid(variant))
        return found

    def walks(self) -> Iterator[JsonObject]:
        """Images between two codes of each generator."""
        for variant in self.results.of_roles("generator"):
            images = variant.array("interpolation")
            if images is None or variant.first is None:
                continue
            yield {
                "label": system_name(variant, self.language),
                "cell": variant.first.label,
                "walks": len(images),
                "steps": images.shape[1],
                "images": _sheet(images.reshape(-1, *images.shape[2:])),
            }

    def _confused(self) -> Iterator[Variant]:
        """The classifiers whose confusion matrices the report draws."""
        for said in self.results.experiments.values():
            for figure in said.figures:
                if figure.name == "confusion":
                    yield from map(self.results.variant, said.shown_in(figure))

    def confusions(self) -> Iterator[JsonObject]:
        """Confusion matrices, and the images of them that the cells hold."""
        for variant in self._confused():
            if variant.first is None:
                continue
            said = self.results.experiments[variant.experiment]
            stored = {
                name: np.concatenate(
                    [variant.first.array(f"{kind}_{name}") for kind in ("wrong", "right")]
                )
                for name in ("images", "true", "predicted", "confidence")
            }
            yield {
                "label": experiment_name(said, self.language),
                "system": system_name(variant, self.language),
                "cell": variant.first.label,
                "classes": list(class_names(self.results, variant.experiment, self.language)),
                "counts": variant.first.metrics["confusion"],
                "images": _sheet(stored["images"]),
                "true": stored["true"].tolist(),
                "predicted": stored["predicted"].tolist(),
                "shares": [round(float(share), 4) for share in stored["confidence"]],
            }

    def curves(self) -> Iterator[JsonObject]:
        """Histories of the trainings, of the first seed each."""
        for said in self.results.experiments.values():
            series = [
                each
                for system in said.systems
                if (each := self._series(self.results.variant(f"{said.name}/{system.name}")))
            ]
            if series:
                yield {"label": experiment_name(said, self.language), "series": series}

    def _series(self, variant: Variant) -> JsonObject | None:
        if variant.first is None or "history" not in variant.first.table_names:
            return None
        table = variant.tables("history")[0]
        columns = {
            str(name): [float(f"{value:.{DIGITS}g}") for value in table[name]]
            for name in table.columns
            if table[name].dtype.kind == "f" and name != "seconds" and table[name].notna().all()
        }
        parts = next((table[name] for name in ("stage", "arm") if name in table), None)
        return {
            "label": system_name(variant, self.language),
            "cell": variant.first.label,
            "colour": variant.colour,
            "epochs": [int(epoch) for epoch in table["epoch"]],
            "parts": [str(part) for part in parts] if parts is not None else None,
            "columns": columns,
        }


def _add_decoders(
    methods: list[JsonObject], decoders: dict[str, tuple[JsonObject, JsonObject]], room: int
) -> None:
    """Add decoders to the methods that have one, the smallest first, while there is room."""
    having = [method for method in methods if method["path"] in decoders]
    more = {  # that a decoder takes than the images
        path: max(0, len(_json(exact)) - len(_json(grid)))
        for path, (exact, grid) in decoders.items()
    }
    for method in sorted(having, key=lambda method: more[method["path"]]):
        exact, grid = decoders[method["path"]]
        fits = bool(exact) and more[method["path"]] <= max(0, room)
        method["decoder" if fits else "grid"] = exact if fits else grid
        room -= more[method["path"]] if fits else 0


def _sample(drawn: list[Variant], labels: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Test images that the cells of maps hold, in the order of the test set."""
    found: dict[int, np.ndarray] = {}
    for variant in drawn:
        for cell in variant.done:
            if "thumbnails" not in cell.arrays or len(found) >= most:
                continue
            if np.array_equal(cell.array("test_labels"), labels):
                rows = zip(cell.array("thumbnail_index"), cell.array("thumbnails"), strict=True)
                found |= {int(k): image for k, image in rows if int(k) not in found}
    kept = sorted(list(found)[:most])
    return np.array(kept), np.stack([found[k] for k in kept])


def _sheet(images: np.ndarray) -> JsonObject:
    """Write images as one picture, dark on light, without loss."""
    count, high, wide = images.shape
    rows = -(-count // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, high, wide), np.uint8)
    sheet[:count] = images
    sheet = sheet.reshape(rows, COLUMNS, high, wide).swapaxes(1, 2)
    buffer = BytesIO()
    picture = Image.fromarray(255 - sheet.reshape(rows * high, COLUMNS * wide))
    picture.save(buffer, format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    return {
        "uri": f"data:image/png;base64,{data}",
        "count": count,
        "columns": COLUMNS,
        "side": [wide, high],
    }


def _grid(variant: Variant) -> JsonObject:
    """Images that the cell decoded from a grid over its map."""
    images, extent = variant.array("decoded_grid"), variant.array("grid_extent")
    assert images is not None and extent is not None  # noqa: S101, PT018 - stored together
    return {
        "extent": [float(limit) for limit in extent],
        "rows": images.shape[0],
        "columns": images.shape[1],
        "images": _sheet(images.reshape(-1, *images.shape[2:])),
    }


def _exact(variant: Variant) -> JsonObject:
    points = variant.array("test_map")
    assert variant.first is not None and points is not None  # noqa: S101, PT018 - chosen for them
    return packed(variant.first.model("decoder", read_decoder), map_frame(points))


def _floats(array: np.ndarray) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
