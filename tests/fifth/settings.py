"""Settings of the experiment: a section of the profile."""

from pydantic import Field

from bench.config.schema import Count, Repetitions, Section


class Prototypes(Section):
    """Classification by the nearest prototype."""

    seeds: Repetitions = Field(description="Repetitions, each with training images of its own.")
    images: Count = Field(description="Training images.")
