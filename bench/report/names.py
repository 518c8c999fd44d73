"""What systems and measures are called in the report: English messages for the catalogue."""

from bench.report.i18n import Language


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a message for the catalogue without translating it yet."""
    return message


SYSTEMS = {
    "search": N_("Search"),
    "judge": N_("Judge"),
    "pretrained": N_("Greedy pretraining"),
    "linear_probe": N_("Linear probe on the code"),
    "fine_tuned": N_("Pretrained, fine-tuned"),
    "from_scratch": N_("From scratch"),
    "assignment": N_("Handed-in network"),
    "autoencoder": N_("Autoencoder"),
    "pca": N_("PCA"),
    "tsne": N_("t-SNE"),
    "reference": N_("Real images"),
    "vae": N_("VAE"),
    "gan": N_("GAN"),
}
# Where a variant's name means something else in one experiment.
SPECIAL = {
    "fashion_generation/assignment": N_("Handed-in decoder"),
    "fashion_generation/autoencoder": N_("AE and mixture"),
}
EXPERIMENTS = {
    "mnist_classifier": N_("MNIST classifier"),
    "fashion_embedding": N_("Fashion-MNIST in two dimensions"),
    "fashion_generation": N_("New Fashion-MNIST images"),
    "fashion_classifier": N_("Fashion-MNIST classifier"),
}
STATUS = {
    "done": N_("done"),
    "failed": N_("failed"),
    "missing": N_("missing"),
    "absent": N_("not in this run's plan"),
}
OBJECTIVES = {
    "validation_accuracy": N_("Validation accuracy ↑"),
    "validation_loss": N_("Validation loss ↓"),
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


def status_name(status: str, language: Language) -> str:
    """Name a cell's status."""
    return language.gettext(STATUS[status])


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
