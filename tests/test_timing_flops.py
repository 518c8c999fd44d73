"""Operations of a network, against counts by hand."""

import pytest

keras = pytest.importorskip("keras")

from bench import models  # noqa: E402
from bench.timing.flops import forward_flops, training_flops  # noqa: E402

layers = keras.layers


def _of(shape, *chain):
    return forward_flops(keras.Sequential([keras.Input(shape), *chain]))


@pytest.mark.parametrize(
    ("shape", "layer", "expected"),
    [
        ((7,), layers.Dense(5), 2 * 7 * 5),
        ((3, 3, 7), layers.Dense(5), 2 * 7 * 5 * 9),
        ((8, 8, 3), layers.Conv2D(4, 3), 2 * 3 * 3 * 3 * 4 * 6 * 6),
        ((8, 8, 3), layers.Conv2D(4, 3, strides=2, padding="same"), 2 * 3 * 3 * 3 * 4 * 4 * 4),
        ((8, 8, 4), layers.Conv2D(4, 3, groups=2), 2 * 3 * 3 * 2 * 4 * 6 * 6),
        ((5, 5, 3), layers.Conv2DTranspose(4, 4, strides=2), 2 * 4 * 4 * 3 * 4 * 5 * 5),
        ((8, 8, 3), layers.BatchNormalization(), 0),
        ((8, 8, 3), layers.MaxPooling2D(), 0),
    ],
)
def test_a_layer_costs_what_a_count_by_hand_gives(shape, layer, expected):
    assert _of(shape, layer) == expected


def test_models_within_models_are_unfolded():
    encoder = models.autoencoder.dense_encoder((16,), 2)
    decoder = models.autoencoder.dense_decoder((16,), 2)
    image = keras.Input((28, 28, 1))
    whole = keras.Model(image, decoder(encoder(image)))
    assert forward_flops(whole) == 2 * 2 * (784 * 16 + 16 * 2)
    assert forward_flops(whole) == forward_flops(encoder) + forward_flops(decoder)
    assert training_flops(whole) == 3 * forward_flops(whole)


def test_a_layer_without_a_rule_is_told_and_not_counted_as_nothing():
    with pytest.raises(NotImplementedError, match="DepthwiseConv2D"):
        _of((8, 8, 3), layers.DepthwiseConv2D(3))
