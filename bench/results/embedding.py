"""Results of the two-dimensional maps."""

from typing import Annotated

import pandas as pd

from bench.results.held import (
    AgainstMeanImage,
    Columns,
    Cost,
    Count,
    Holding,
    ImageGrid,
    Images,
    Interval,
    Labels,
    LayerRow,
    NotNegative,
    Numbers,
    Part,
    Points,
    Share,
)


class Kept(Part):
    """Share of the neighbours kept, beyond chance, at sizes of the neighbourhood."""

    k: list[int]
    kept: list[float]


class MapMetrics(Part):
    """Scores of a map on the test images; see `bench.metrics.embedding.scorecard`."""

    knn_accuracy: Share
    knn_image_interval: Interval
    class_purity: list[Share]
    lowest_class_purity: Share
    group_purity: dict[str, Share] | None = None
    trustworthiness: Share
    continuity: Share
    neighbourhood_auc: float
    neighbourhood_curve: Kept
    triplet_accuracy: Share
    distance_correlation: float
    line_share: Share
    brightness_correlation: float
    dead_units: Count
    rank: Count
    fit_images: int
    test_images: int
    fit_seconds: float
    transform_seconds: float
    embeds_new_images: bool
    decodes: bool


class MapArrays(Part):
    """Places of the images, and some images to be drawn."""

    train_map: Points
    test_map: Points
    test_labels: Labels
    thumbnail_index: Labels
    thumbnails: Images


class Layout(Holding):
    """A map by t-SNE or UMAP."""

    metrics: MapMetrics
    arrays: MapArrays


class ProjectionMetrics(MapMetrics):
    """Scores of a linear map, which can be inverted."""

    reconstruction_mse: NotNegative
    explained_variance: list[Share]


class Projection(Holding):
    """A map by principal components."""

    metrics: ProjectionMetrics
    arrays: MapArrays


class NetworkMapMetrics(MapMetrics, AgainstMeanImage):
    """Scores of a map that a network draws, and of its decoder."""

    training: Cost
    architecture: list[LayerRow]


class NetworkMapTables(Part):
    """History of each stage of the training."""

    history: Annotated[
        pd.DataFrame,
        Columns(
            *("epoch", "stage", "seconds", "loss"),
            allowed=(
                *("validation_loss", "reconstruction", "kl"),
                *("validation_reconstruction", "validation_kl"),
            ),
        ),
    ]


class NetworkMapArrays(MapArrays):
    """Places, and what the decoder draws."""

    originals: Images
    reconstructions: Images
    decoded_grid: ImageGrid
    grid_extent: Numbers


class NetworkMap(Holding):
    """A map by an encoder, with its decoder."""

    metrics: NetworkMapMetrics
    tables: NetworkMapTables
    arrays: NetworkMapArrays


class CollapseMetrics(AgainstMeanImage):
    """Whether a short training ends on one line."""

    dead_units: Count
    rank: Count
    line_share: Share
    on_one_line: Share


class Collapse(Holding):
    """A short training of the handed-in autoencoder."""

    metrics: CollapseMetrics


class Alike(Part):
    """Similarity of several maps of the same images."""

    procrustes: Share
    neighbour_overlap: Share


class StabilityMetrics(Part):
    """How alike the maps of the seeds are, by network."""

    stability: dict[str, Alike]
    maps: int


class Stability(Holding):
    """Maps of repeated trainings, compared."""

    metrics: StabilityMetrics
