"""Results of the classifiers of exercises 3 and 5."""

from typing import Annotated

import pandas as pd

from bench.results.held import (
    AgainstMeanImage,
    AgainstMostFrequent,
    Columns,
    Cost,
    Holding,
    Images,
    Interval,
    Labels,
    LayerRow,
    Numbers,
    Part,
    Points,
    Share,
)

LOSSES = ("loss", "validation_loss")
ACCURACIES = ("accuracy", "validation_accuracy")


class PretrainedMetrics(AgainstMeanImage):
    """Figures of the greedy stages."""

    code_size: int
    training: Cost
    architecture: list[LayerRow]


class StageTables(Part):
    """A history that stages share, numbered from 1."""

    history: Annotated[pd.DataFrame, Columns("epoch", "stage", "seconds", *LOSSES)]


class Restored(Part):
    """Test images and what is made of them."""

    originals: Images
    reconstructions: Images


class Pretrained(Holding):
    """Greedily trained stages."""

    metrics: PretrainedMetrics
    tables: StageTables
    arrays: Restored


class PerClass(Part):
    """Figures of each class."""

    precision: list[Share]
    recall: list[Share]
    f1: list[Share]
    support: list[float]


class Reliability(Part):
    """Confidence, accuracy and number of images of each bin that holds any."""

    confidence: list[Share]
    accuracy: list[Share]
    counts: list[int]


class Scores(AgainstMostFrequent):
    """Figures of predictions for the test images."""

    accuracy: Share
    macro_f1: Share
    weighted_f1: Share
    per_class: PerClass
    confusion: list[list[int]]
    accuracy_single_view: Share
    views: int
    test_images: int
    image_interval: Interval
    expected_calibration_error: Share
    reliability: Reliability


class Predictions(Part):
    """Class probabilities of the test images."""

    probabilities: Points
    labels: Labels
    single_view_probabilities: Points | None = None


class TrainedMetrics(Scores):
    """Figures of a trained classifier."""

    training: Cost
    architecture: list[LayerRow]


class TrainedArrays(Predictions):
    """Predictions, and the images that are shown as right and wrong."""

    right_images: Images
    right_true: Labels
    right_predicted: Labels
    right_confidence: Numbers
    wrong_images: Images
    wrong_true: Labels
    wrong_predicted: Labels
    wrong_confidence: Numbers


class CurveTables(Part):
    """The history of a classifier's training."""

    history: Annotated[pd.DataFrame, Columns("epoch", "seconds", *LOSSES, *ACCURACIES)]


class Trained(Holding):
    """A trained classifier."""

    metrics: TrainedMetrics
    tables: CurveTables
    arrays: TrainedArrays


class Changes(Part):
    """Changes over the second half of a training."""

    training_loss_change: float
    validation_loss_change: float
    validation_accuracy_change: float


class HandedInMetrics(TrainedMetrics):
    """Figures of the image alone, with those of averaged views apart."""

    accuracy_averaged: Share
    views_averaged: int
    image_interval_averaged: Interval
    overfitting: Changes


class HandedInArrays(TrainedArrays):
    """The same predictions, and those of averaged views."""

    averaged_probabilities: Points


class HandedIn(Holding):
    """The handed-in classifier."""

    metrics: HandedInMetrics
    tables: CurveTables
    arrays: HandedInArrays


class LinearProbeMetrics(Scores):
    """Figures of a linear layer on the codes, and of its controls."""

    code_size: int
    pixels_accuracy: Share
    random_encoder_accuracy: Share
    probe_images: int


class LinearProbeArrays(Predictions):
    """Predictions of the layer and of its controls."""

    pixels_probabilities: Points
    random_encoder_probabilities: Points


class LinearProbe(Holding):
    """A linear layer on the codes of the stages."""

    metrics: LinearProbeMetrics
    arrays: LinearProbeArrays


class EnsembleMetrics(Scores):
    """Figures of the seeds together."""

    members: int


class Ensemble(Holding):
    """The classifiers of all seeds together."""

    metrics: EnsembleMetrics
    arrays: Predictions


class CalibrationArm(Part):
    """Figures of one of the two trainings."""

    accuracy: Share
    expected_calibration_error: Share


class CalibrationMetrics(AgainstMostFrequent):
    """Figures of two trainings that differ in label smoothing alone."""

    unsmoothed: CalibrationArm
    smoothed: CalibrationArm
    change: float
    label_smoothing: float


class Calibration(Holding):
    """Effect of label smoothing on calibration."""

    metrics: CalibrationMetrics


class FewLabelsArms(Part):
    """Accuracies by labelled images of each class."""

    pretrained: dict[str, float]
    from_scratch: dict[str, float]


class FewLabelsMetrics(AgainstMostFrequent):
    """Figures of trainings with few labelled images."""

    per_class: list[int]
    accuracies: FewLabelsArms
    gaps: dict[str, float]


class FewLabels(Holding):
    """Effect of pretraining with few labels."""

    metrics: FewLabelsMetrics


class OverfittingArm(Changes):
    """Figures of one training on few images."""

    training_accuracy: Share
    validation_accuracy: Share
    accuracy_gap: float


class OverfittingMetrics(AgainstMostFrequent):
    """Figures of three trainings on the same few images."""

    handed_in: OverfittingArm
    decayed: OverfittingArm
    cured: OverfittingArm


class OverfittingTables(Part):
    """The histories of all arms."""

    history: Annotated[pd.DataFrame, Columns("epoch", "seconds", "arm", *LOSSES, *ACCURACIES)]


class Overfitting(Holding):
    """Overfitting, reproduced and cured."""

    metrics: OverfittingMetrics
    tables: OverfittingTables
