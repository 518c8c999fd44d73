"""Learning-rate schedules."""

from collections.abc import Callable

import keras
from keras import ops

from bench.interfaces import Tensor
from bench.training.muon import OTHERS_RATE, ConvolutionMuon

AVERAGED = 0.995  # of an average of weights: how much of it a step keeps

OptimizerFactory = Callable[[float, int, float], keras.optimizers.Optimizer]
"""Called with the learning rate, the steps and the weight decay."""


@keras.saving.register_keras_serializable("latent_lab")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise to a peak, then linear fall to nothing.

    Smith and Topin, "Super-convergence", 2018, arXiv 1708.07120, without the momentum cycle.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    steps : int
        Steps of the whole training.
    rise : float
        Share of the steps before the peak.
    first : int
        The optimiser's step at which it starts; not 0 where a training goes on.
    """

    def __init__(self, peak: float, steps: int, rise: float = 0.2, first: int = 0) -> None:
        self.peak, self.steps, self.rise, self.first = peak, steps, rise, first

    def __call__(self, step: Tensor) -> Tensor:
        """Learning rate at a step."""
        done = (ops.cast(step, "float32") + (1.0 - self.first)) / (self.steps + 1.0)
        return self.peak * ops.minimum(done / self.rise, (1.0 - done) / (1.0 - self.rise))

    def get_config(self) -> dict[str, float]:
        """Return the settings."""
        return {"peak": self.peak, "steps": self.steps, "rise": self.rise, "first": self.first}


def adam(
    peak: float, steps: int, weight_decay: float = 0.0, **settings: object
) -> keras.optimizers.Optimizer:
    """AdamW under a one-cycle schedule; biases and normalisation are not decayed.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    steps : int
        Steps of the whole training.
    weight_decay : float
        Decoupled weight decay (Loshchilov and Hutter, 2017, arXiv 1711.05101).
    **settings
        Further settings of `keras.optimizers.AdamW`.

    Returns
    -------
    keras.optimizers.Optimizer
        The optimiser.
    """
    optimizer = keras.optimizers.AdamW(OneCycle(peak, steps), weight_decay=weight_decay, **settings)
    return _sparing(optimizer)


def constant_adam(learning_rate: float) -> keras.optimizers.Optimizer:
    """Adam as Keras sets it by default, at a constant rate (Kingma and Ba, 2014, arXiv 1412.6980).

    Parameters
    ----------
    learning_rate : float
        The same at every step.
    """
    return keras.optimizers.Adam(learning_rate)


def muon(
    peak: float, steps: int, weight_decay: float = 0.0, *, averaged: bool = False
) -> keras.optimizers.Optimizer:
    """Muon under a one-cycle schedule, for convolutional networks.

    Parameters
    ----------
    peak : float
        Highest learning rate of the convolutions; on AdamW's scale, by the factor of Liu et al.
        (2025, arXiv 2502.16982). Everything else is trained by AdamW with a quarter of it.
    steps : int
        Steps of the whole training.
    weight_decay : float
        Decoupled weight decay; biases and normalisation are not decayed.
    averaged : bool
        Whether an exponential average of the weights takes their place at the end.

    Returns
    -------
    keras.optimizers.Optimizer
        The optimiser.
    """
    optimizer = ConvolutionMuon(
        OneCycle(peak, steps),
        weight_decay=weight_decay,
        adam_weight_decay=weight_decay,
        adam_lr_ratio=OTHERS_RATE,
        use_ema=averaged,
        ema_momentum=AVERAGED,
    )
    return _sparing(optimizer)


def _sparing(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def steady_adam(learning_rate: float, *, averaged: bool) -> keras.optimizers.Optimizer:
    """Adam without momentum at a constant rate, for the players of a GAN.

    Parameters
    ----------
    learning_rate : float
        The same at every step.
    averaged : bool
        Whether an exponential average of the weights takes their place at the end.

    Returns
    -------
    keras.optimizers.Optimizer
        The optimiser.
    """
    return keras.optimizers.Adam(
        learning_rate, beta_1=0.0, beta_2=0.99, use_ema=averaged, ema_momentum=AVERAGED
    )
