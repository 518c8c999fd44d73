"""Time of a training step of each family of networks, compilation apart."""

import numpy as np
import pytest

from bench import models, training

BATCH, STEPS = 125, 4
RANDOM = np.random.default_rng(0)
DATA = {
    "images": RANDOM.integers(0, 256, (BATCH * STEPS, 28, 28), dtype=np.uint8),
    "labels": RANDOM.integers(0, 10, BATCH * STEPS).astype(np.uint8),
}


def _objective(loss, trains, uses=()):
    return training.objective.Objective(
        loss=loss,
        trains=trains,
        uses=uses,
        optimizer=training.schedule.steady_adam(1e-3, averaged=False),
    )


def _classifier():
    network = models.stacked.classifier(models.stacked.build((32, 64, 128)).encoders, "flat")
    augment = training.augment.Augmentation(1, True, 0.1)
    loss = models.stacked.classification_loss(network, augment, 0.1, training.objective.random(1))
    return [_objective(loss, [network])]


def _handed_in():
    pair = [models.handed_in.encoder(), models.handed_in.decoder()]
    return [_objective(models.autoencoder.reconstruction_loss(*pair), pair)]


def _dense():
    units = (512, 256, 128)
    pair = [models.autoencoder.dense_encoder(units, 2), models.autoencoder.dense_decoder(units, 2)]
    return [_objective(models.autoencoder.reconstruction_loss(*pair), pair)]


def _vae():
    pair = [models.vae.encoder(48, 16), models.vae.decoder(48, 16)]
    objective = _objective(None, pair)
    loss = models.vae.negative_elbo(
        *pair,
        training.objective.random(1),
        beta=1.0,
        free_bits=0.0,
        step=objective.optimizer.iterations,
        steps=100,
    )
    return [training.objective.Objective(loss, pair, objective.optimizer)]


def _gan():
    generator = models.autoencoder.convolutional_decoder(48, 16)
    discriminator = models.gan.discriminator(48)
    losses = models.gan.losses(generator, discriminator, 16, 1.0, training.objective.random(1))
    return [
        _objective(losses[0], [discriminator], [generator]),
        _objective(losses[1], [generator], [discriminator]),
    ]


FAMILIES = {
    "classifier": _classifier,
    "handed_in": _handed_in,
    "dense": _dense,
    "vae": _vae,
    "gan": _gan,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_training_steps(timed, benchmark, family):
    training.backend.prepare("float32", 1)
    objectives = FAMILIES[family]()
    run = training.backend.steps().compile_training(objectives, DATA)
    benchmark.extra_info["parameters"] = sum(
        int(np.prod(variable.shape)) for each in objectives for variable in each.trainable
    )
    rows = np.arange(BATCH * STEPS).reshape(STEPS, BATCH)
    log = timed(run, rows, items=BATCH * STEPS, unit="images")
    assert np.isfinite(log["loss"])
