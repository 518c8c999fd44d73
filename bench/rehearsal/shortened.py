"""A profile whose trainings are those of another, with one seed and few images to be scored on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.config import Profile, Search, profile_type

TEST, SCORED, REPEATED, UMAP = 500, 498, 701, 601
# By these numbers a training on the places of t-SNE or on samples is known; no setting has them.
TSNE, SAMPLES = 1301, 499
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
    """Make the profile of a rehearsal: its trainings have the networks, batches and images of all.

    Parameters
    ----------
    profile : Profile
        The whole one.
    images : int
        Training images of the maps, without those held out.

    Returns
    -------
    tuple of Profile and Sizes
        One cell of each variant, one trial of each search beside the defaults. Trainings on what
        another cell made (places of t-SNE, samples) have fewer images.
    """
    small = _with_one_seed(profile.model_dump(mode="json"))
    small["data"]["test_limit"] = TEST
    small["fashion_generation"]["samples"] = SAMPLES
    embedding = small["fashion_embedding"]
    embedding["score_images"] = SCORED
    embedding["tsne"]["images"] = TSNE
    embedding["tsne_repeated"]["images"] = REPEATED
    embedding["umap"]["images"] = UMAP
    sizes = {
        TSNE: min(profile.fashion_embedding.tsne.images or images, images),
        SAMPLES: profile.fashion_generation.samples,
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
