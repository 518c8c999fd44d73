"""The PyTorch translation of a network computes what the Keras original computes."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")

import torch

from bench.timing import networks
from bench.timing.pytorch import translate


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("name", sorted(networks.NETWORKS))
def test_outputs_agree(name):
    whole = networks.build(name).whole()
    _make_lively(whole)
    images = np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")
    expected = np.asarray(whole(images, training=False))
    translated = translate(whole).eval()
    with torch.no_grad():
        got = translated(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy()
    if got.ndim == 4:
        got = got.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert expected.std() > 1e-2  # not merely two constants


@pytest.mark.parametrize("name", sorted(networks.NETWORKS))
def test_both_train_as_many_parameters(name):
    whole = networks.build(name).whole()
    expected = sum(int(np.prod(v.shape)) for v in whole.trainable_variables)
    assert sum(p.numel() for p in translate(whole).parameters()) == expected


def _make_lively(model):
    """Random weights all over: fresh ones leave normalisation untested and deep maps dead."""
    random = np.random.default_rng(1)
    for variable in model.variables:
        if len(variable.shape) > 1:
            fan_in = np.prod(variable.shape[:2]) * min(variable.shape[2:], default=1)
            values = random.normal(0.0, np.sqrt(2 / fan_in), variable.shape)
        else:
            values = random.uniform(0.5, 1.5, variable.shape)
        variable.assign(values)
