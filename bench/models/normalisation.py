"""Batch normalisation in one operation of TensorFlow."""

import keras

from bench.interfaces import Tensor

FUSED_CHANNELS = 16  # oneDNN's bfloat16 kernel takes multiples of it; others run five times slower


@keras.saving.register_keras_serializable("latent_lab")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation of maps, by TensorFlow's fused operation.

    Keras 3 puts it together from a dozen element-wise operations, each a way through memory; fused,
    with the activation behind it, a whole training step on a processor takes a tenth less. Maps
    whose channels are no multiple of `FUSED_CHANNELS` are normalised in float32, whatever they come
    in. On other backends, whose compilers fuse by themselves, and on vectors it is Keras's own.
    """

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Normalise maps (n, height, width, channels) over all axes but the last.

        Parameters
        ----------
        inputs : tensor, shape (n, height, width, channels)
            Maps.
        training : bool, optional
            Whether the batch's statistics are used, else the moving ones.
        mask : tensor, optional
            Passed on where Keras's own layer does the work.

        Returns
        -------
        tensor
            Maps of the same shape.
        """
        affine = self.center and self.scale
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != 4 or not affine:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        learning = bool(training) and self.trainable
        known = ([], []) if learning else (self.moving_mean, self.moving_variance)
        suits = inputs.shape[-1] % FUSED_CHANNELS == 0
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs if suits else tf.cast(inputs, tf.float32),
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.cast(known[0], tf.float32),
            variance=tf.cast(known[1], tf.float32),
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
            spread = variance * (count - 1) / count  # the operation's is the unbiased one
            kept = self.momentum
            self.moving_mean.assign(kept * self.moving_mean + (1 - kept) * mean)
            self.moving_variance.assign(kept * self.moving_variance + (1 - kept) * spread)
        return tf.cast(outputs, inputs.dtype)


def normalised(maps: keras.KerasTensor) -> keras.KerasTensor:
    """Batch normalisation and ReLU of maps or vectors."""
    return keras.layers.Activation("relu")(BatchNormalization(momentum=0.9)(maps))
