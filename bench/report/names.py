"""What systems and measures are called in the report: English messages for the catalogue."""

from bench.report.i18n import Language


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a message for the catalogue without translating it yet."""
    return message


SYSTEMS = {
    "search": N_("Search"),
    "pretrained": N_("Greedy pretraining"),
    "linear_probe": N_("Linear probe on the code"),
    "fine_tuned": N_("Pretrained, fine-tuned"),
    "from_scratch": N_("From scratch"),
    "ensemble": N_("Ensemble of the seeds"),
    "calibration": N_("With and without label smoothing"),
    "few_labels": N_("Few labels"),
    "overfitting": N_("Overfitting, provoked"),
    "handed_in": N_("Handed-in network"),
    "handed_in_longer": N_("Handed-in network, more epochs"),
    "handed_in_same_epochs": N_("Handed-in network, as many epochs"),
    "autoencoder": N_("Autoencoder"),
    "neighbour_autoencoder": N_("Neighbour autoencoder"),
    "pca": N_("PCA"),
    "tsne": N_("t-SNE"),
    "tsne_repeated": N_("t-SNE, repeated"),
    "umap": N_("UMAP"),
    "collapse": N_("Collapse of the code"),
    "stability": N_("Stability over seeds"),
    "reference": N_("Real images"),
    "vae": N_("VAE"),
    "gan": N_("GAN"),
    "gan_search": N_("Search for the GAN"),
    "latent_flow": N_("VAE and flow"),
    "refined": N_("AE, refined"),
    "ladder": N_("Blur and noise"),
    "to_99": N_("To 99 %"),
    "to_90": N_("To 90 %"),
    "to_92": N_("To 92 %"),
    "to_94": N_("To 94 %"),
    "throughput": N_("Throughput"),
    "quality": N_("Final quality"),
    "training_growth": N_("Growth of training cost"),
    "map_growth": N_("Growth of map cost"),
}
# Where a variant's name means something else in one experiment.
SPECIAL = {
    "fashion_generation/handed_in": N_("Handed-in decoder"),
    "fashion_generation/handed_in_longer": N_("Handed-in, more epochs"),
    "fashion_generation/search": N_("Search for the VAE"),
    "fashion_generation/autoencoder": N_("AE and mixture"),
}
EXPERIMENTS = {
    "mnist_classifier": N_("MNIST classifier"),
    "fashion_embedding": N_("Fashion-MNIST in two dimensions"),
    "fashion_generation": N_("New Fashion-MNIST images"),
    "fashion_classifier": N_("Fashion-MNIST classifier"),
    "mnist_speedrun": N_("MNIST speedrun"),
    "fashion_speedrun": N_("Fashion-MNIST speedrun"),
    "training_speed": N_("Speed of training"),
}
GENERATORS = (
    "handed_in",
    "handed_in_longer",
    "autoencoder",
    "vae",
    "latent_flow",
    "gan",
    "refined",
)
TIMED_NETWORKS = {
    "classifier": N_("Stacked classifier"),
    "autoencoder": N_("Autoencoder"),
    "handed_in": N_("Handed-in network"),
}
CONTENDERS = {
    "our_loop": N_("This project's loop"),
    "our_loop_float32": N_("This project, float32"),
    "keras_fit": N_("Keras fit, float32"),
    "keras_fit_mixed_bfloat16": N_("Keras fit, bfloat16"),
    "pytorch": N_("PyTorch"),
    "pytorch_float32": N_("PyTorch, float32"),
}
CEILINGS = {
    "matmul": N_("Matrix product, GFLOP/s"),
    "convolution": N_("Convolution, GFLOP/s"),
    "copy": N_("Copy in memory, GB/s"),
}
GROWTH_AXES = {
    "batch_size": N_("Batch size"),
    "width": N_("Width (factor)"),
    "images": N_("Training images"),
    "threads": N_("Threads"),
    "tsne": N_("t-SNE: images"),
    "scorecard": N_("Scorecard: images"),
    "knn_accuracy": N_("5-NN in the map: images"),
}
STATUS = {
    "done": N_("done"),
    "failed": N_("failed"),
    "missing": N_("missing"),
    "damaged": N_("damaged"),
    "absent": N_("not in this run's plan"),
}
SPOILERS = {
    "blur": N_("Blur, width in pixels"),
    "noise": N_("Noise, share of the grey values"),
}
VERDICTS = {
    "supported": N_("supported"),
    "not supported": N_("not supported"),
    "not distinguishable": N_("not distinguishable"),
    "too few seeds": N_("too few seeds"),
    "not measured": N_("not measured"),
}
OBJECTIVES = {
    "validation_accuracy": N_("Validation accuracy ↑"),
    "validation_loss": N_("Validation loss ↓"),
    "validation_frechet_distance": N_("Fréchet distance, validation images ↓"),
}
WATERMARKS = {"smoke: do not cite": N_("smoke: do not cite")}
CHOICES = {
    "average": N_("average"),
    "max": N_("maximum"),
    "flat": N_("none, flat"),
}
HYPERPARAMETERS = {
    "algorithm": N_("algorithm"),
    "batch_size": N_("batch size"),
    "beta": N_("weight of the KL term"),
    "corruption": N_("corruption"),
    "depth": N_("depth"),
    "dropout": N_("dropout"),
    "erase": N_("erasing"),
    "gradient_penalty": N_("gradient penalty"),
    "latent": N_("latent size"),
    "learning_rate": N_("learning rate"),
    "label_smoothing": N_("label smoothing"),
    "pooling": N_("pooling"),
    "width": N_("width"),
}


def system_name(path: str, language: Language) -> str:
    """Name a variant, given as ``experiment/variant``."""
    variant = path.rpartition("/")[2]
    return language.gettext(SPECIAL.get(path) or SYSTEMS.get(variant) or variant)


def experiment_name(experiment: str, language: Language) -> str:
    """Name an experiment."""
    return language.gettext(EXPERIMENTS.get(experiment, experiment))


def network_name(network: str, language: Language) -> str:
    """Name a network whose training is timed."""
    return language.gettext(TIMED_NETWORKS[network])


def contender_name(contender: str, language: Language) -> str:
    """Name who was timed."""
    return language.gettext(CONTENDERS[contender])


def ceiling_name(ceiling: str, language: Language) -> str:
    """Name what the machine can do at best."""
    return language.gettext(CEILINGS[ceiling])


def growth_axis_name(axis: str, language: Language) -> str:
    """Name what the work grows in."""
    return language.gettext(GROWTH_AXES[axis])


def status_name(status: str, language: Language) -> str:
    """Name a cell's status."""
    return language.gettext(STATUS[status])


def verdict_name(verdict: str, language: Language) -> str:
    """Name what an interval says about a claim."""
    return language.gettext(VERDICTS[verdict])


def hyperparameter_name(name: str, language: Language) -> str:
    """Name a hyperparameter; one without a name of its own keeps the code's."""
    if name in HYPERPARAMETERS:
        return language.gettext(HYPERPARAMETERS[name])
    return name.replace("_", " ")


def objective_name(name: str, language: Language) -> str:
    """Name what a search looked for."""
    return language.gettext(OBJECTIVES[name]) if name in OBJECTIVES else name.replace("_", " ")


def choice_name(name: str, language: Language) -> str:
    """Name a choice among words that a search made."""
    return language.gettext(CHOICES[name]) if name in CHOICES else str(name)


def watermark_words(text: str, language: Language) -> str:
    """Return a profile's watermark in the report's language, if the catalogue knows it."""
    return language.gettext(WATERMARKS[text]) if text in WATERMARKS else text
