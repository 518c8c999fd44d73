"""Made-up cells of the generators, and what all made-up cells share: images, curves, costs."""

import numpy as np
import pandas as pd

from bench.store import Result

PLAYED = ("discriminator_loss", "generator_loss", "penalty", "discriminator_wins")
# Columns of each generator's history, and about what Fréchet distance it gets.
GENERATORS = {
    "handed_in": ((), 300.0),
    "autoencoder": (("loss", "validation_loss"), 20.0),
    "vae": (("loss", "reconstruction", "kl", "validation_loss"), 30.0),
    "latent_flow": (("loss",), 15.0),
    "gan": (PLAYED, 12.0),
    "refined": (PLAYED, 10.0),
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
}


def images(rng, *shape):
    ramp = np.linspace(0, 255, 28)[None, :] * np.ones((28, 1))
    return (ramp * rng.uniform(0.2, 1.0, (*shape, 1, 1))).astype(np.uint8)


def history(rng, *columns, epochs=3):
    falling = np.linspace(1.0, 0.4, epochs)
    return pd.DataFrame(
        {"epoch": np.arange(1, epochs + 1)}
        | {name: falling * rng.uniform(0.8, 1.2) for name in columns}
    )


def _scores(rng, distance):
    ratio = 1.1 + float(rng.normal(0, 0.02))
    return {
        "frechet_distance": distance * float(rng.uniform(0.9, 1.1)),
        "kernel_distance": 0.001 * distance,
        "precision": 0.7 + float(rng.normal(0, 0.02)),
        "recall": 0.5 + float(rng.normal(0, 0.02)),
        "density": 0.6 + 1 / distance,
        "coverage": 0.55 + 1 / distance,
        "different_bins": 0.3,
        "class_histogram": [0.005, 0.195] + [0.1] * 8,
        "missing_classes": 1,
        "sharpness": 0.8,
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
    told = _scores(rng, 1.0) | {"judge": {"accuracy": 0.9324, "sha256": "cd" * 32}}
    return Result(told, {}, {"samples": images(rng, 400)})


def ladder(rng):
    steps = {"blur": [0.5, 1.0, 1.5, 2.0], "noise": [0.05, 0.1, 0.2, 0.4]}
    rows = [
        {"kind": kind, "strength": strength, "frechet_distance": 3.0 + 40 * strength**2}
        | {"kernel_distance": 0.01 * strength, "sharpness": 1.0}
        for kind, strengths in steps.items()
        for strength in strengths
    ]
    return Result({}, {"ladder": pd.DataFrame(rows)}, {"samples": images(rng, len(rows), 16)})


def generator(name):
    losses, distance = GENERATORS[name]

    def make(rng):
        arrays = {
            "samples": images(rng, 400),
            "nearest": images(rng, 16),
            "interpolation": images(rng, 6, 10),
        }
        metrics = _scores(rng, distance) | {"training": dict(TRAINING), "path_smoothness": 1.4}
        metrics["training"] |= {"seconds": 3 * distance, "parameters": 4000 * len(name)}
        failures = metrics["failures"]
        if name != "gan":
            arrays |= {"originals": images(rng, 16), "reconstructions": images(rng, 16)}
            metrics["reconstruction_mse"] = 0.012
            metrics["reconstructions"] = {
                "frechet_distance": 0.7 * distance + float(rng.normal(0, 0.1)),
                "kernel_distance": 0.004,
                "sharpness": 0.6,
            }
            failures["dead_codes"] = _failure(
                float(name == "handed_in"), 0.0, name == "handed_in"
            )
        if name == "vae":
            metrics |= {"active_units": 7, "kl": 11.5}
            failures["posterior_collapse"] = _failure(7 / 8, 0.5, False)
        if name in ("vae", "gan"):
            metrics["latent_size"] = 8
        tables = {} if name == "handed_in" else {"history": history(rng, *losses)}
        if "discriminator_wins" in losses:
            wins = float(tables["history"]["discriminator_wins"].iloc[-1])
            metrics["discriminator_wins"] = wins
            failures["discriminator_saturation"] = _failure(wins, 0.95, wins > 0.95)
        return Result(metrics, tables, arrays)

    return make
