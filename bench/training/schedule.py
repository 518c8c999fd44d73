"""Learning-rate schedules."""

from typing import Any

import keras
from keras import ops


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
    """

    def __init__(self, peak: float, steps: int, rise: float = 0.2) -> None:
        self.peak, self.steps, self.rise = peak, steps, rise

    def __call__(self, step: Any) -> Any:
        """Learning rate at a step."""
        done = (ops.cast(step, "float32") + 1.0) / (self.steps + 1.0)
        return self.peak * ops.minimum(done / self.rise, (1.0 - done) / (1.0 - self.rise))

    def get_config(self) -> dict[str, float]:
        """Return the settings."""
        return {"peak": self.peak, "steps": self.steps, "rise": self.rise}
