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
    "fashion_generation/autoencoder": N_("Autoencoder and mixture"),
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
