"""A profile whose networks and batches are those of another, on few images and one seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.config import Profile, Search, profile_type

TRAIN, VALIDATION, TEST = 9000, 500, 500
# Numbers of images by which a training is known to be on all of them; no setting has these.
SAMPLES, SCORED, TSNE, REPEATED, UMAP = 499, 498, 1301, 701, 601
TRIALS = 2  # the defaults and one more


@dataclass(frozen=True)
class Sizes:
    """How many images a training of the whole profile has, by how many it has here.

    Attributes
    ----------
    full : mapping of int to int
        Trainings of another number of images have the same number in both.
    """

    full: Mapping[int, int]

    def of(self, images: int) -> int:
        """Images of a training in the whole profile."""
        return self.full.get(images, images)


def shorten(profile: Profile, images: int) -> tuple[Profile, Sizes]:
    """Make the profile of a rehearsal.

    Parameters
    ----------
    profile : Profile
        The whole one.
    images : int
        Training images of its data sets, those held out among them.

    Returns
    -------
    tuple of Profile and Sizes
        One cell of each variant, one trial of each search beside the defaults.
    """
    whole = profile.model_dump(mode="json")
    small = _with_one_seed(whole)
    small["data"] |= {"train_limit": TRAIN, "validation": VALIDATION, "test_limit": TEST}
    small["fashion_generation"]["samples"] = SAMPLES
    embedding = small["fashion_embedding"]
    embedding["score_images"] = SCORED
    embedding["tsne"]["images"] = TSNE
    embedding["tsne_repeated"]["images"] = REPEATED
    embedding["umap"]["images"] = UMAP
    trained = min(images, profile.data.train_limit or images) - profile.data.validation
    sizes = {
        TRAIN - VALIDATION: trained,
        TSNE: min(profile.fashion_embedding.tsne.images or trained, trained),
        small["fashion_generation"]["samples"]: profile.fashion_generation.samples,
    }
    return profile_type().model_validate(small), Sizes(sizes)


def _with_one_seed(settings: Any, name: str = "") -> Any:
    """Repeat nothing, and search with one trial."""
    if isinstance(settings, dict):
        made = {key: _with_one_seed(value, key) for key, value in settings.items()}
        if set(Search.model_fields) <= set(made):
            made |= {"algorithm": "random", "trials": TRIALS - 1, "confirmations": 0}
        return made
    if name == "seeds" or name.endswith("_seeds"):
        return min(settings, 1)
    return settings
