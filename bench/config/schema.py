"""The typed settings of a run: frozen, each key described by itself.

A profile is a TOML file laid over ``base.toml``; unknown keys are refused. The descriptions below
are the documentation: ``python -m bench config`` prints them, and a test asks that none is missing.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A frozen group of settings that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# The upper ends are far above what anyone trains: a slip of the finger must not plan for days.
Count = Annotated[int, Field(gt=0, le=10_000_000)]
Few = Annotated[int, Field(gt=0, le=1000)]
Repetitions = Annotated[int, Field(ge=0, le=1000)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1, max_length=64)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0, le=1e9)]
NotNegative = Annotated[float, Field(ge=0.0, le=1e9)]
Pixels = Annotated[int, Field(ge=0, le=64)]
# Printed in figures and tables: short, and without control characters.
ClassName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]
Line = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Data(Section):
    """How much of each data set is used, and what is held out of the training set."""

    train_limit: Count | None = Field(
        default=None,
        description="Training images used at most, stratified by class; absent: all 60,000.",
    )
    test_limit: Count | None = Field(
        default=None,
        description="Test images used at most, stratified by class; absent: all 10,000.",
    )
    validation: Count = Field(
        description="Images held out of the training set for curves and searches."
    )
    dataset: Line | None = Field(
        default=None,
        description="A data set that experiments use in place of their own, by its name in "
        "`python -m bench data`; absent: none.",
    )
    folder: Path | None = Field(
        default=None,
        description="The same, from a folder of yours: the four IDX files of MNIST (raw or .gz) "
        "or one .npz file with train_images, train_labels, test_images and test_labels. Square "
        "grey uint8 images of 8 to 64 pixels. A relative path starts at the profile's file.",
    )
    classes: tuple[ClassName, ...] = Field(
        default=(),
        description="Names of the folder's labels, from label 0; 2 to 100, no two alike.",
    )
    title: ClassName | None = Field(
        default=None,
        description="What the report calls the folder's data set; absent: the folder's name.",
    )
    replaces: tuple[Line, ...] = Field(
        default=(),
        max_length=64,
        description="Whose place `dataset` or `folder` takes: mnist, fashion_mnist; absent: all.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> "Data":
        if self.dataset and self.folder:
            raise ValueError("dataset and folder exclude each other; leave one out")
        if self.replaces and not (self.dataset or self.folder):
            raise ValueError("replaces needs dataset or folder: nothing takes their place")
        if not self.folder and (self.classes or self.title):
            raise ValueError("classes and title describe a folder, and there is none")
        if self.folder and not 2 <= len(self.classes) <= 100:
            raise ValueError(f"expected 2 to 100 names in classes, got {len(self.classes)}")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("expected different names in classes, got one twice")
        return self


class Search(Section):
    """A KerasTuner search on a split of the training set."""

    algorithm: Literal["hyperband", "bayesian", "random"] = Field(
        description="Which KerasTuner oracle proposes the trials."
    )
    trials: Few = Field(description="Trials of a random or Bayesian search.")
    max_epochs: Count = Field(
        description="Epochs of the longest trial (Hyperband's last rung; of every trial otherwise)."
    )
    factor: Annotated[int, Field(ge=2, le=1000)] = Field(
        description="Hyperband's reduction factor from rung to rung."
    )
    images: Count = Field(description="Training images a trial sees in an epoch, at most.")
    confirmations: Repetitions = Field(
        description="Fresh seeds with which the winner and the defaults are trained again, as long "
        "as the longest trial, to tell what the search gained."
    )
    trial_seconds: Positive = Field(
        default=7200.0, description="Time after which a trial is ended as failed."
    )
    trial_gibibytes: Positive = Field(
        default=16.0,
        description="Resident memory of its process at which a trial is ended as failed.",
    )


class Fit(Section):
    """One training: how long, how large the steps."""

    epochs: Count = Field(description="Passes over the training images.")
    batch_size: Count = Field(description="Images a step; the rest of an epoch is left out.")
    learning_rate: Positive = Field(
        description="Peak of the one-cycle schedule; where a search covers it, its winner is taken."
    )


class RepeatedFit(Fit):
    """A training that is repeated."""

    seeds: Repetitions = Field(
        description="Independent repetitions, each with its own derived seed; 0: not run."
    )


class FewLabels(Section):
    """Training with few labelled images: where does pretraining pay?"""

    seeds: Few = Field(
        description="Repetitions, each with its own labelled images and its own pretraining."
    )
    widths: Counts = Field(description="Channels of each stage, outermost first.")
    stage: Fit = Field(description="Greedy training of each stage without labels.")
    unlabelled: Count = Field(description="Images of that training, at most.")
    per_class: Counts = Field(description="Labelled images of each class.")
    images: Count = Field(
        description="Images an epoch: the labelled ones, repeated as often as it takes."
    )
    epochs: Count = Field(description="Epochs of such a training.")


class Overfitting(Section):
    """The handed-in classifier and ours, trained on few images until one overfits."""

    seeds: Few = Field(description="Repetitions, each with its own training images.")
    images: Count = Field(description="Training images.")
    fit: Fit = Field(
        description="The training. The handed-in network has this rate, constant, and a second "
        "time with the one-cycle schedule; ours has its own learning rate and recipe."
    )


class Calibration(Section):
    """Two trainings that differ in label smoothing alone."""

    seeds: Few = Field(description="Repetitions, each with its own derived seed.")
    images: Count = Field(description="Training images.")
    fit: Fit = Field(description="The training; its learning rate is the search's winner.")
    label_smoothing: Fraction = Field(description="Label smoothing of the second training.")


class Classifier(Section):
    """Classification with a stacked autoencoder."""

    seeds: Few = Field(description="Independent repetitions, each with its own derived seed.")
    widths: Counts = Field(description="Channels of each greedy stage, outermost first.")
    corruption: Fraction = Field(
        description="Share of a stage's inputs set to zero: what its decoder must undo."
    )
    stage: Fit = Field(description="Training of each greedy denoising stage.")
    fine_tune: Fit = Field(
        description="Training of the whole classifier; the from-scratch control has the same."
    )
    weight_decay: NotNegative = Field(
        description="Decoupled weight decay of Muon: of the convolutions, and of the other "
        "weights, which it trains by AdamW."
    )
    shift: Pixels = Field(description="Largest random translation of a training image, pixels.")
    flip: bool = Field(description="Mirror training images at random, left to right.")
    erase: Probability = Field(
        description="Probability that a random rectangle of a training image is erased."
    )
    view_averaging: bool = Field(
        description="Classify a test image by the mean over views of it: moved by a pixel in each "
        "direction (but not with few labels) and, where training images are mirrored, mirrored."
    )
    search: Search = Field(
        description="The search over learning rate, pooling and label smoothing."
    )
    few_labels: FewLabels = Field(description="Pretraining's worth with few labels.")
    calibration: Calibration = Field(description="What label smoothing does to calibration.")


class FashionClassifier(Classifier):
    """Exercise 5, which also asks whether the classifier overfits."""

    handed_in: RepeatedFit = Field(
        description="Training of the handed-in network at a constant rate: about as many seconds "
        "as ours gets."
    )
    handed_in_same_epochs: RepeatedFit = Field(
        description="The same for as many epochs as ours gets."
    )
    overfitting: Overfitting = Field(description="Overfitting, reproduced and cured.")


class TSNE(Section):
    """The t-SNE map (openTSNE)."""

    perplexity: Positive = Field(description="Effective number of neighbours.")
    components: Count = Field(description="Principal components kept before t-SNE.")
    seeds: Repetitions = Field(
        description="Independent repetitions, each with its own derived seed."
    )
    images: Count | None = Field(
        default=None, description="Training images embedded at most; absent: all."
    )


class UMAP(Section):
    """The UMAP map (umap-learn)."""

    neighbours: Count = Field(description="Neighbours of each image in the graph.")
    seeds: Repetitions = Field(
        description="Independent repetitions, each with its own derived seed."
    )
    images: Count | None = Field(
        default=None, description="Training images embedded at most; absent: all."
    )


class NeighbourMap(Section):
    """The neighbour autoencoder: an encoder that learns where t-SNE puts an image."""

    seeds: Repetitions = Field(
        description="Independent repetitions, each with its own derived seed and t-SNE map."
    )
    anchors: Count = Field(description="Points of the t-SNE map among which the encoder chooses.")
    widths: Counts = Field(description="Channels of the encoder's stages.")
    encoder: Fit = Field(description="Training of the encoder.")
    decoder: Fit = Field(description="Training of the decoder, from positions to images.")


class Collapse(Section):
    """Many short trainings of the handed-in autoencoder: how often do its two units die?"""

    seeds: Few = Field(description="Repetitions, each with its own derived seed.")
    images: Count = Field(description="Training images.")
    fit: Fit = Field(description="The training.")


class Embedding(Section):
    """A two-dimensional map of the images."""

    hidden: Counts = Field(description="Units of the autoencoder's hidden layers, outermost first.")
    autoencoder: RepeatedFit = Field(
        description="Training of the autoencoder with a linear bottleneck."
    )
    handed_in: RepeatedFit = Field(
        description="Training of the handed-in network, at a constant rate."
    )
    handed_in_longer: RepeatedFit = Field(
        description="How the training of the handed-in network goes on from there: more epochs."
    )
    vae: RepeatedFit = Field(description="Training of the VAE with a two-dimensional code.")
    neighbour: NeighbourMap = Field(description="The neighbour autoencoder.")
    tsne: TSNE = Field(description="The t-SNE map.")
    tsne_repeated: TSNE = Field(
        description="t-SNE maps of fewer images, several seeds: what of a map is not chance."
    )
    umap: UMAP = Field(description="The UMAP map.")
    collapse: Collapse = Field(description="Dead units of the handed-in autoencoder over seeds.")
    score_images: Count = Field(description="Test images on which the scorecard ranks neighbours.")
    search: Search = Field(description="The search over depth, width and learning rate.")


class PixelFlow(RepeatedFit):
    """A flow from noise to images, in pixels."""

    width: Count = Field(
        description="Channels at half the image's size; twice as many at a quarter."
    )
    steps: Count = Field(description="Steps of the sampler; it evaluates the network 2n - 1 times.")


class OneStep(RepeatedFit):
    """A flow's network as a generator of one step, trained against a discriminator."""

    width: Count = Field(description="Channels of the discriminator's first convolution.")


class Generation(Section):
    """Generation of new images."""

    width: Count = Field(
        description="Channels of the decoders' feature map of 7 by 7; half as many at 14 by 14. "
        "The same for all generators but the handed-in one."
    )
    latent: Count = Field(
        description="Size of the autoencoder's code (VAE: searched; the GAN has the VAE's)."
    )
    mixture_components: Count = Field(description="Gaussians fitted to the autoencoder's codes.")
    handed_in_seeds: Repetitions = Field(
        description="Handed-in networks of the map, and of its longer training, that are sampled."
    )
    autoencoder: RepeatedFit = Field(description="Training of the autoencoder.")
    flow: RepeatedFit = Field(
        description="Training of the flow that draws codes for the VAE's decoder."
    )
    refined: RepeatedFit = Field(
        description="Training of the autoencoder's decoder against a discriminator."
    )
    vae: RepeatedFit = Field(description="Training of the VAE: about as many seconds as the GAN's.")
    gan: RepeatedFit = Field(
        description="Training of the GAN (generator and discriminator each step)."
    )
    pixel_flow: PixelFlow = Field(description="Training of the flow in pixels.")
    one_step: OneStep = Field(
        description="Training of the flow's network, from its first step alone, against a "
        "discriminator."
    )
    beta: Positive = Field(description="Weight of the KL term at the end of its warm-up.")
    free_bits: NotNegative = Field(
        description="KL a latent unit may use before it is charged, nats."
    )
    gradient_penalty: NotNegative = Field(
        description="Weight of the GAN's R1 and R2 gradient penalties."
    )
    samples: Count = Field(description="Images drawn from each generator for its metrics.")
    pupil: Fit = Field(
        description="Training of a classifier on samples: what a generator can teach. Of the "
        "first seed alone."
    )
    search: Search = Field(description="The search over the VAE's latent size and rate.")
    gan_search: Search = Field(description="The search over the GAN's rate and penalty.")


class Sprint(Section):
    """The shortest training that reaches an accuracy on the test images."""

    target: Fraction = Field(description="Accuracy to be reached on the test images.")
    widths: Counts = Field(description="Channels of each stage, outermost first.")
    fit: Fit = Field(description="The training.")
    shift: Pixels = Field(description="Largest random translation, pixels.")
    flip: bool = Field(
        description="Mirror training images at random; test images are then classified together "
        "with their mirror images."
    )
    erase: Probability = Field(description="Probability that a random rectangle is erased.")


class MnistSpeedrun(Section):
    """Seconds to a given accuracy on MNIST."""

    seeds: Few = Field(description="Independent repetitions, each with its own derived seed.")
    to_99: Sprint = Field(description="To 99 %.")


class FashionSpeedrun(Section):
    """Seconds to given accuracies on Fashion-MNIST."""

    seeds: Few = Field(description="Independent repetitions, each with its own derived seed.")
    to_90: Sprint = Field(description="To 90 %.")
    to_92: Sprint = Field(description="To 92 %.")
    to_94: Sprint = Field(description="To 94 %.")


class TrainingSpeed(Section):
    """Throughput of training beside plain Keras, PyTorch and the machine's ceilings."""

    seeds: Few = Field(description="Repetitions of the comparison of final quality.")
    networks: tuple[Literal["classifier", "autoencoder", "handed_in"], ...] = Field(
        max_length=3, description="Which networks' training is timed."
    )
    rounds: Few = Field(description="Timed calls of each contender, by turns.")
    images: Count = Field(description="Images that a call trains on.")
    batch_size: Count = Field(description="Images a step; divides `images`.")
    quality: Fit = Field(description="Training by which the final quality is compared.")
    batch_sizes: Counts = Field(description="Growth: batch sizes; each divides `images`.")
    widths: tuple[Positive, ...] = Field(
        max_length=64, description="Growth: factors of the network's channels."
    )
    data_sizes: Counts = Field(
        description="Growth: images that a call trains on; multiples of `batch_size`."
    )
    threads: Counts = Field(description="Growth: processor cores.")
    map_sizes: Counts = Field(
        description="Growth: images that t-SNE maps and the embedding metrics score."
    )

    @model_validator(mode="after")
    def _batches_are_whole(self) -> "TrainingSpeed":
        asked = [(self.images, size) for size in (self.batch_size, *self.batch_sizes)]
        asked += [(images, self.batch_size) for images in self.data_sizes]
        for images, size in asked:
            if images % size:
                raise ValueError(f"batches of {size} do not divide {images} images")
        return self


class Report(Section):
    """What is rendered."""

    languages: tuple[Literal["en", "es"], ...] = Field(
        min_length=1, max_length=2, description="Languages of the report."
    )

    @model_validator(mode="after")
    def _each_once(self) -> "Report":
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("expected different languages, got one twice")
        return self


class Profile(Section):
    """Everything that a run depends on."""

    name: str = Field(description="The profile's name; also the default name of the run.")
    watermark: Line | None = Field(
        default=None, description="Printed across each page; absent: none."
    )
    root_seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        description="The one seed from which every cell's seed is derived."
    )
    cell_seconds: Positive = Field(
        default=86_400.0,
        description="Time after which a cell is stopped as failed, with the trials of its search; "
        "no content key holds it.",
    )
    checkpoint_seconds: Annotated[float, Field(ge=0.0, le=1e6)] | None = Field(
        default=None,
        description="Least time between two checkpoints of a training, from which an interrupted "
        "cell goes on; absent: none are written. No content key holds it.",
    )
    precision: Literal["float32", "mixed_bfloat16", "auto"] = Field(
        description="Arithmetic of training; auto: bfloat16 where the processor or GPU has it."
    )
    data: Data = Field(description="How much data.")
    mnist_classifier: Classifier = Field(description="Exercise 3.")
    fashion_classifier: FashionClassifier = Field(description="Exercise 5.")
    fashion_embedding: Embedding = Field(description="Exercise 4, the map.")
    fashion_generation: Generation = Field(description="Exercise 4, new images.")
    mnist_speedrun: MnistSpeedrun = Field(description="Seconds to quality, MNIST.")
    fashion_speedrun: FashionSpeedrun = Field(description="Seconds to quality, Fashion-MNIST.")
    training_speed: TrainingSpeed = Field(description="Throughput and how cost grows.")
    report: Report = Field(description="The report.")
