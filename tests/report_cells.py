"""Made-up cells of the generators, and what all made-up cells share: images, curves, costs."""

import numpy as np
import pandas as pd

from bench.store import Result

PLAYED = ("loss", "discriminator_loss", "generator_loss", "penalty", "discriminator_wins")
BOUND = (
    *("loss", "reconstruction", "kl"),
    *("validation_loss", "validation_reconstruction", "validation_kl"),
)
# Columns of each generator's history, and about what Fréchet distance it gets.
GENERATORS = {
    "handed_in": ((), 300.0),
    "handed_in_longer": ((), 250.0),
    "autoencoder": (("loss", "validation_loss"), 20.0),
    "vae": (BOUND, 30.0),
    "latent_flow": (("loss",), 15.0),
    "gan": (PLAYED, 12.0),
    "refined": (PLAYED, 10.0),
    "pixel_flow": (("loss",), 3.0),
    "one_step": (PLAYED, 8.0),
}
TRAINING = {
    "parameters": 120_000,
    "epochs": 3,
    "steps": 300,
    "batch_size": 100,
    "seconds": 42.5,
    "compile_seconds": 6.25,
    "images_per_second": 1234.5,
    "milliseconds_per_step": 81.0,
    "peak_memory_mib": 912.0,
    "precision": "float32",
    "backend": "tensorflow",
    "cores": 1,
    "replicas": 1,
}
ARCHITECTURE = [
    {"name": "stage_1", "type": "Conv2D", "output_shape": [28, 28, 8], "parameters": 80},
    {"name": "head", "type": "Dense", "output_shape": [10], "parameters": 2890},
]


def images(rng, *shape):
    ramp = np.linspace(0, 255, 28)[None, :] * np.ones((28, 1))
    return (ramp * rng.uniform(0.2, 1.0, (*shape, 1, 1))).astype(np.uint8)


def history(rng, *columns, epochs=3):
    falling = np.linspace(1.0, 0.4, epochs)
    return pd.DataFrame(
        {"epoch": np.arange(1, epochs + 1), "seconds": 1.5}
        | {name: falling * rng.uniform(0.8, 1.2) for name in columns}
    )


def architecture(part="classifier"):
    return [{"part": part, **row} for row in ARCHITECTURE]


def _scores(rng, distance):
    ratio = 1.1 + float(rng.normal(0, 0.02))
    return {
        "frechet_distance": distance * float(rng.uniform(0.9, 1.1)),
        "kernel_distance": 0.001 * distance,
        "precision": 0.7 + float(rng.normal(0, 0.02)),
        "recall": 0.5 + float(rng.normal(0, 0.02)),
        "density": 0.6 + 1 / distance,
        "coverage": 0.55 + 1 / distance,
        "checkerboard": 1.2 + float(rng.normal(0, 0.05)),
        "class_histogram": [0.005, 0.195] + [0.1] * 8,
        "missing_classes": 1,
        "sharpness": 0.8 + float(rng.normal(0, 0.02)),
        "nearest_distance_ratio": ratio,
        "pupil_accuracy": 0.75,
        "failures": {
            "mode_collapse": _failure(1.0, 0.0, True),
            "memorisation": _failure(ratio, 0.5, False),
        },
    }


def _failure(measure, limit, detected):
    return {"measure": measure, "limit": limit, "detected": float(detected)}


def reference(rng):
    metrics = _scores(rng, 1.0) | {"judge": {"accuracy": 0.9324, "sha256": "cd" * 32}}
    metrics["train_half_distance"] = 0.97
    return Result(metrics, {}, {"samples": images(rng, 400)})


def ladder(rng):
    steps = {"blur": [0.5, 1.0, 1.5, 2.0], "noise": [0.05, 0.1, 0.2, 0.4]}
    rows = [
        {"kind": kind, "strength": strength, "frechet_distance": 3.0 + 40 * strength**2}
        | {"kernel_distance": 0.01 * strength, "sharpness": 1.0}
        for kind, strengths in steps.items()
        for strength in strengths
    ]
    return Result({}, {"ladder": pd.DataFrame(rows)}, {"samples": images(rng, len(rows), 16)})


def search(hyperparameters, objective="validation_accuracy", arms=()):
    """Make a search of three trials, the defaults first, the second the winner, the third failed.

    `hyperparameters` names each with its value in the three trials.
    """

    def make(rng):
        scores = np.array([0.58, 0.61, np.nan])
        columns = {f"hp_{name}": values for name, values in hyperparameters.items()}
        trials = pd.DataFrame(
            {
                "trial": [0, 1, 2],
                "status": ["COMPLETED", "COMPLETED", "FAILED"],
                "score": scores,
                "epochs": [2, 2, 2],
                "seconds": [4.0, 5.0, np.nan],
                "message": [None, None, "no room"],
                "default": [True, False, False],
                "early_score": [0.5, 0.52, np.nan],
                **columns,
                **{f"score_{arm}": scores for arm in arms},
            }
        )
        default, best = ({n: v[k] for n, v in hyperparameters.items()} for k in (0, 1))
        confirmed = {"default": [0.57, 0.58, 0.59], "winner": [0.60, 0.62, 0.61]}
        gain = {"mean": 0.03, "low": 0.0073, "high": 0.0527, "n": 3, "p_value": 0.0213}
        metrics = {
            "best": best,
            "best_score": 0.61,
            "default": default,
            "default_score": 0.58,
            "direction": "max" if objective == "validation_accuracy" else "min",
            "objective": objective,
            "completed": 2,
            "failed": 1,
            "seconds": 27.0,
            "confirmed": confirmed,
            "confirmations_failed": 0,
            "gain": gain,
            "rank_correlation": 0.8,
            "ranked_trials": 4,
        }
        if arms:
            metrics["best_by_arm"] = {"fine_tuned": best, "from_scratch": default}
            metrics["confirmed_by_arm"] = dict.fromkeys(arms, confirmed)
            metrics["gain_by_arm"] = dict.fromkeys(arms, gain)
        return Result(metrics, {"trials": trials})

    return make


def generator(name):
    losses, distance = GENERATORS[name]

    def make(rng):
        arrays = {
            "samples": images(rng, 400),
            "nearest": images(rng, 16),
            "interpolation": images(rng, 6, 10),
        }
        metrics = _scores(rng, distance) | {
            "training": dict(TRAINING),
            "path_smoothness": 1.4 + float(rng.normal(0, 0.05)),
            "paths": 300,
            "trained": 1.0,
        }
        metrics["training"] |= {"seconds": 3 * distance, "parameters": 4000 * len(name)}
        failures = metrics["failures"]
        if name not in ("gan", "pixel_flow", "one_step"):
            arrays |= {"originals": images(rng, 16), "reconstructions": images(rng, 16)}
            metrics |= {"reconstruction_mse": 0.012, "trivial_error": 0.087}
            metrics["reconstructions"] = {
                "frechet_distance": 0.7 * distance + float(rng.normal(0, 0.1)),
                "kernel_distance": 0.004,
                "sharpness": 0.6,
            }
            failures["dead_codes"] = _failure(float(name == "handed_in"), 0.0, name == "handed_in")
        else:
            metrics["trivial_distance"] = 400.0
        if name == "vae":
            metrics |= {"active_units": 7, "kl": 11.5, "reconstruction_nats": 236.5}
            metrics |= {"negative_elbo": 248.0, "importance_weighted_nats": 246.0}
            metrics |= {"importance_samples": 500, "importance_images": 1000}
            metrics["importance_images_negative_elbo"] = 248.5
            failures["posterior_collapse"] = _failure(7 / 8, 0.5, False)
        if name in ("vae", "gan"):
            metrics["latent_size"] = 8
        if name in ("pixel_flow", "one_step"):
            metrics["evaluations"] = 1 if name == "one_step" else 19
        if name == "one_step":
            before = {"frechet_distance": 50.0, "kernel_distance": 0.05, "sharpness": 0.6}
            metrics["before"] = before
        tables = {} if name.startswith("handed_in") else {"history": history(rng, *losses)}
        if "discriminator_wins" in losses:
            wins = float(tables["history"]["discriminator_wins"].iloc[-1])
            metrics["discriminator_wins"] = wins
            failures["discriminator_saturation"] = _failure(wins, 0.95, wins > 0.95)
        return Result(metrics, tables, arrays)

    return make
