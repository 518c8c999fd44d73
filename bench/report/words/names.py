"""Names of statuses, verdicts and settings in the report: messages for the catalogue.

Experiments and their systems name themselves: `bench.declarations`.
"""

from typing import TYPE_CHECKING

from bench.declarations import Declaration
from bench.report.words.i18n import Language

if TYPE_CHECKING:
    from bench.report.values.collect import Variant


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a message for the catalogue without translating it yet."""
    return message


STATUS = {
    "done": N_("done"),
    "failed": N_("failed"),
    "missing": N_("missing"),
    "damaged": N_("damaged"),
    "absent": N_("not in this run's plan"),
    "inapplicable": N_("not applicable"),
}
VERDICTS = {
    "supported": N_("supported"),
    "not supported": N_("not supported"),
    "not distinguishable": N_("not distinguishable"),
    "too few seeds": N_("too few seeds"),
    "not measured": N_("not measured"),
    "not applicable": N_("not applicable"),
}
OBJECTIVES = {
    "validation_accuracy": N_("Validation accuracy (%) ↑"),
    "validation_loss": N_("Validation loss ↓"),
    "validation_frechet_distance": N_("Fréchet distance, validation images ↓"),
}
WATERMARKS = {"smoke: do not cite": N_("smoke: do not cite")}
CHOICES = {
    "random": N_("random search"),
    "hyperband": N_("Hyperband"),
    "bayesian": N_("Bayesian optimisation"),
    "average": N_("average"),
    "max": N_("maximum"),
    "flat": N_("none (flattened)"),
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


def system_name(variant: "Variant", language: Language) -> str:
    """Name a variant.

    Parameters
    ----------
    variant : Variant
        A variant.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(variant.label)


def experiment_name(said: Declaration, language: Language) -> str:
    """Name an experiment; one without a label of its own keeps the code's name.

    Parameters
    ----------
    said : Declaration
        Declaration of the experiment.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(said.label) if said.label else said.name


def status_name(status: str, language: Language) -> str:
    """Name a cell's status.

    Parameters
    ----------
    status : str
        A status of a cell.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(STATUS[status])


def verdict_name(verdict: str, language: Language) -> str:
    """Name a verdict on a claim.

    Parameters
    ----------
    verdict : str
        A verdict.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(VERDICTS[verdict])


def hyperparameter_name(name: str, language: Language) -> str:
    """Name a hyperparameter; one without a name of its own keeps the code's.

    Parameters
    ----------
    name : str
        A hyperparameter.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    if name in HYPERPARAMETERS:
        return language.gettext(HYPERPARAMETERS[name])
    return name.replace("_", " ")


def objective_name(name: str, language: Language) -> str:
    """Name the objective of a search.

    Parameters
    ----------
    name : str
        An objective.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(OBJECTIVES[name]) if name in OBJECTIVES else name.replace("_", " ")


def choice_name(name: str, language: Language) -> str:
    """Name a choice among words that a search made.

    Parameters
    ----------
    name : str
        A choice.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(CHOICES[name]) if name in CHOICES else str(name)


def watermark_words(text: str, language: Language) -> str:
    """Return a profile's watermark in the report's language, if the catalogue knows it.

    Parameters
    ----------
    text : str
        The watermark.
    language : Language
        The report's language.

    Returns
    -------
    str
        Its name in the language.
    """
    return language.gettext(WATERMARKS[text]) if text in WATERMARKS else text
